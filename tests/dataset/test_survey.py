"""What stands out in a dump, told with literal rows, and that surveys of blocks add up."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.dataset.survey import SHOWN, Survey, survey_block
from procqa.dump.columns import BlockRows, read_columns
from procqa.dump.posts import ABSENT, POST
from procqa.pairs.rules import FABRICATED_IDS
from tests.dump.raw_rows import blocks_of


def block(*posts):
    """The rows of (id, month, owner)."""
    rows = np.zeros(len(posts), dtype=POST)
    for place, (number, month, owner) in enumerate(posts):
        rows[place]["id"], rows[place]["owner"] = number, owner
        rows[place]["created_ms"] = np.datetime64(month, "ms").astype(np.int64) + 86_400_000 * (number % 28)
    nothing = np.empty((len(posts), 5, 2), dtype=np.int64)
    return BlockRows(len(posts), 0, (), None, rows, np.arange(len(posts)), np.empty(0, dtype=np.uint8), nothing)


def survey(*posts):
    return survey_block(block(*posts))


def usual(n, first=1):
    """Posts of the years 2010 to 2014 with ids from 1 on."""
    return [(number, f"{2010 + number % 5}-0{1 + number % 9}", 5) for number in range(first, first + n)]


def test_a_survey_tells_months_and_sizes_of_ids():
    found = survey((1, "2010-01", 5), (2, "2010-01", 6), (1_024, "2012-12", -1), (9, "2009-03", ABSENT))
    assert found.months == {"2010-01": 2, "2012-12": 1, "2009-03": 1}
    assert found.id_sizes == {0: 1, 8: 1, 80: 1, 25: 1}
    assert found.largest == [(1_024, "2012-12"), (9, "2009-03"), (2, "2010-01"), (1, "2010-01")]
    assert found.extremes == [(9, "2009-03"), (1, "2010-01"), (2, "2010-01"), (1_024, "2012-12")]
    assert (found.unowned, found.n_unowned) == ([1_024], 1)
    assert survey() == Survey()


def test_a_clean_dump_has_no_warning(sample_dump):
    assert survey(*usual(3_000)).warnings() == []
    assert Survey().warnings() == []
    total = Survey()
    for part in blocks_of(sample_dump.read_bytes(), block_bytes=10_000):
        total.add(survey_block(read_columns(part)))
    assert total.months.total() > 50
    assert total.warnings() == []


def test_ids_far_out_of_range_are_named():
    (warning,) = survey(*usual(3_000), (900_000_001, "2014-02", 5), (900_000_000, "2014-02", 5)).warnings()
    assert warning == (
        "suspicious rows with ids far out of range (99 % of the ids lie below 3,158), kept: 900000000, 900000001"
    )


def test_an_id_ten_times_as_large_is_not_yet_far():
    assert survey(*usual(3_000), (30_000, "2014-02", 5)).warnings() == []


def test_dates_before_the_first_site_are_named():
    (warning,) = survey(*usual(3_000), (17, "2008-06", 5), (16, "2008-07", 5)).warnings()
    assert warning == "suspicious rows with dates before the site's first day (before 2008-07), kept: 17"


def test_dates_long_after_nearly_all_rows_are_named():
    (warning,) = survey(*usual(3_000), (16, "2015-09", 5), (17, "2015-10", 5), (18, "2038-01", 5)).warnings()
    assert warning == "suspicious rows with dates after the site's last day (after 2015-09), kept: 17, 18"


def test_posts_of_the_community_user_are_named_and_all_are_counted():
    (few,) = survey(*usual(100), (901, "2014-02", -1), (902, "2014-02", -1)).warnings()
    assert few == "suspicious rows with owner -1 (2 posts), kept: 901, 902"
    (many,) = survey(*usual(3_000), *((number, "2014-02", -1) for number in range(3_000, 2_000, -1))).warnings()
    names = ", ".join(str(number) for number in range(2_001, 2_001 + SHOWN))
    assert many == f"suspicious rows with owner -1 (1,000 posts), kept: {names} and more"


@pytest.mark.parametrize("owner", [-1, ABSENT])
def test_the_fabricated_rows_that_are_known_are_no_suspicion(owner):
    known = [(1_000_000_001, "2014-02", owner), (1_000_000_010, "1999-01", owner)]
    assert survey(*usual(3_000), *known) == survey(*usual(3_000))


def test_a_post_of_a_user_with_such_an_id_is_a_suspicion():
    (warning,) = survey(*usual(3_000), (1_000_000_001, "2014-02", 5)).warnings()
    assert warning.endswith("kept: 1000000001")


IDS = st.integers(1, 2**62).filter(lambda number: number not in FABRICATED_IDS)
MONTHS = st.sampled_from(["2001-01", "2008-06", "2008-07", "2010-02", "2011-12", "2030-05"])
POSTS = st.lists(
    st.tuples(IDS, MONTHS, st.sampled_from([-1, 5, ABSENT])),
    max_size=90,
    unique_by=lambda post: post[0],
)


@given(POSTS, st.lists(st.integers(0, 90), max_size=4), st.randoms())
def test_the_surveys_of_blocks_add_up_to_that_of_the_dump_in_any_order(posts, cuts, random):
    cuts = sorted(cuts)
    parts = [survey(*posts[low:high]) for low, high in zip([0, *cuts], [*cuts, len(posts)], strict=True)]
    random.shuffle(parts)
    total = Survey()
    for part in parts:
        total.add(Survey.from_dict(json.loads(json.dumps(part.to_dict()))))
    whole = survey(*posts)
    assert total == whole
    assert total.warnings() == whole.warnings()
    assert whole.months == Counter(month for _, month, _ in posts)
    assert whole.largest == sorted([post[:2] for post in posts], reverse=True)[:SHOWN]
    assert whole.n_unowned == sum(owner == -1 for *_, owner in posts)
