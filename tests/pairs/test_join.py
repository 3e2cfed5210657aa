"""Threads joined over columns against a join by dictionaries, one row at a time."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.dump.posts import ABSENT, ANSWER, POST, QUESTION
from procqa.pairs.join import join_threads


def question(number, *, accepted=None, activity=0, digest=0, site=0):
    return {"kind": QUESTION, "id": number, "thread": number, "accepted": ABSENT if accepted is None else accepted,
            "activity_ms": activity, "digest": digest, "site": site}  # fmt: skip


def answer(number, thread, *, score=0, created=0, activity=0, digest=0, site=0, may=True):
    return {"kind": ANSWER, "id": number, "thread": thread, "accepted": ABSENT, "score": score, "created_ms": created,
            "activity_ms": activity, "digest": digest, "site": site, "may": may}  # fmt: skip


def join(rows, *, best=False):
    posts = np.zeros(len(rows), dtype=POST)
    for place, row in enumerate(rows):
        for name in row.keys() - {"site", "may"}:
            posts[place][name] = row[name]
    sites = np.array([row["site"] for row in rows], dtype=np.int64)
    may = np.array([row.get("may", True) for row in rows], dtype=bool)
    return join_threads(posts, sites, may, best=best)


def pairs(rows, *, best=False):
    """The id of each question and of its answer, if it has one."""
    threads = join(rows, best=best)
    ids = [row["id"] for row in rows]
    return [
        (ids[asked], ids[answered] if answered >= 0 else None)
        for asked, answered in zip(threads.questions.tolist(), threads.answers.tolist(), strict=True)
    ]


def test_an_accepted_answer_is_found_whatever_the_order():
    rows = [answer(9, 7), answer(8, 7), question(7, accepted=8), question(3)]
    assert pairs(rows) == pairs(rows[::-1]) == [(3, None), (7, 8)]
    assert join(rows).n_answers == 2


def test_an_accepted_id_that_is_not_in_the_thread_gives_no_answer():
    assert pairs([question(7, accepted=9), answer(8, 7)]) == [(7, None)]
    assert pairs([question(7, accepted=9), question(6), answer(9, 6)]) == [(6, None), (7, None)]
    assert pairs([question(7, accepted=7)]) == [(7, None)]


def test_answers_without_their_question_are_counted_and_are_no_thread():
    threads = join([answer(8, 7), question(4)])
    assert (threads.questions.tolist(), threads.n_answers, threads.repeated) == ([1], 1, 0)


def test_of_a_repeated_id_the_latest_activity_wins_and_the_others_are_counted():
    rows = [question(7, activity=2, accepted=9), question(7, activity=1, accepted=8), answer(8, 7), answer(9, 7)]
    assert pairs(rows) == pairs(rows[::-1]) == [(7, 9)]
    assert join(rows).repeated == 1


def test_equal_activity_is_decided_by_the_digest_and_not_by_the_order():
    rows = [question(7, accepted=8, digest=2**64 - 1), question(7, accepted=9, digest=5), answer(8, 7), answer(9, 7)]
    assert pairs(rows) == pairs(rows[::-1]) == [(7, 8)]


def test_the_same_id_on_two_sites_is_two_threads():
    rows = [question(7, accepted=8, site=1), answer(8, 7, site=1), question(7, accepted=8), answer(8, 7, site=1)]
    assert pairs(rows) == [(7, None), (7, 8)]
    assert join(rows).repeated == 1


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        ([answer(8, 7, score=1), answer(9, 7, score=2), answer(10, 7, score=-1)], 9),
        ([answer(8, 7, score=2), answer(9, 7, score=2)], 9),  # 9 is the accepted one
        ([answer(8, 7, created=2), answer(11, 7, created=1)], 11),
        ([answer(8, 7), answer(11, 7)], 8),
        ([answer(8, 7, score=9, may=False), answer(11, 7, score=-5)], 11),
        ([answer(8, 7, may=False)], None),
        ([], None),
    ],
)
def test_the_best_answer_has_the_score_then_is_accepted_then_older_then_first(rows, chosen):
    rows = [question(7, accepted=9), *rows]
    assert pairs(rows, best=True) == pairs(rows[::-1], best=True) == [(7, chosen)]


def test_nothing_joins_to_nothing():
    threads = join([])
    assert [part.tolist() if isinstance(part, np.ndarray) else part for part in astuple(threads)] == [[], [], [], 0, 0]


def slow_join(rows, *, best):
    """Pairs, answers and repeated rows by dictionaries."""
    last = {}
    for row in rows:
        key = row["site"], row["thread"], row["id"]
        if key not in last or (row["activity_ms"], row["digest"]) > (last[key]["activity_ms"], last[key]["digest"]):
            last[key] = row
    answers = [row for row in last.values() if row["kind"] == ANSWER]
    found = []
    for row in sorted(last.values(), key=lambda row: (row["site"], row["id"])):
        if row["kind"] != QUESTION:
            continue
        own = [other for other in answers if (other["site"], other["thread"]) == (row["site"], row["id"])]
        if best:
            own = [other for other in own if other["may"]]
            own.sort(
                key=lambda other: (-other["score"], other["id"] != row["accepted"], other["created_ms"], other["id"])
            )
        else:
            own = [other for other in own if other["id"] == row["accepted"]]
        found.append((row["id"], own[0]["id"] if own else None))
    return found, len(answers), len(rows) - len(last)


SMALL = st.integers(1, 4)
POSTS = st.builds(question, SMALL, accepted=st.none() | SMALL, activity=SMALL, site=st.integers(0, 1)) | st.builds(
    answer,
    SMALL,
    SMALL,
    score=st.integers(-1, 1),
    created=SMALL,
    activity=SMALL,
    site=st.integers(0, 1),
    may=st.booleans(),
)


@given(st.lists(POSTS, max_size=14), st.booleans(), st.randoms())
def test_any_rows_join_as_by_dictionaries_in_any_order(rows, best, random):
    rows = [row | {"digest": place} for place, row in enumerate(rows)]
    threads, expected = join(rows, best=best), slow_join(rows, best=best)
    assert (pairs(rows, best=best), threads.n_answers, threads.repeated) == expected
    mixed = random.sample(rows, len(rows))
    again = join(mixed, best=best)
    assert pairs(mixed, best=best) == expected[0]
    assert again.digests.tolist() == threads.digests.tolist()


@given(st.lists(st.integers(1, 2**64 - 1), min_size=2, max_size=6, unique=True), st.data())
def test_the_digest_of_a_thread_changes_with_any_of_its_rows_and_with_no_other(digests, data):
    rows = [question(1, digest=digests[0]), *(answer(9 + n, 1, digest=digest) for n, digest in enumerate(digests[1:]))]
    (before,) = join(rows).digests.tolist()
    place = data.draw(st.integers(1, len(rows) - 1))
    assert join(rows[:place] + rows[place + 1 :]).digests.tolist() != [before]
    assert join([*rows, answer(99, 1, digest=7)]).digests.tolist() != [before]
    assert join([*rows, question(2, digest=3), answer(98, 3)]).digests.tolist()[0] == before
    changed = data.draw(st.integers(1, 2**64 - 1).filter(lambda digest: digest not in digests))
    rows[place] = rows[place] | {"digest": changed}
    assert join(rows).digests.tolist() != [before]
