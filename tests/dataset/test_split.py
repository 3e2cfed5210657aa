"""Splits: their shares, what they must not part, and that a row stays where a hash put it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.config import BuildConfig
from procqa.dataset.runs import KEY, LanguageRows, beside
from procqa.dataset.split import assign_splits, cut_by, cut_by_hash, group_cuts, group_hash, group_order, time_cuts
from tests.dataset.builds import build
from tests.dataset.test_runs import pair, write_runs
from tests.dumps import answer, question, write_dump


@pytest.mark.parametrize(
    ("rows", "cuts"), [(0, (0, 0)), (9, (9, 9)), (10, (8, 9)), (19, (17, 18)), (20, (16, 18)), (101, (81, 91))]
)
def test_test_and_validation_get_a_tenth_each_rounded_down(rows, cuts):
    assert time_cuts(np.arange(rows)) == cuts


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 20)), max_size=20))
def test_no_group_stands_in_two_splits(groups):
    names = [f"file{name}" for name, size in groups for _ in range(size)]
    orders = np.sort(np.array([group_order(name, None) for name in names], dtype=np.int64))
    train_end, validation_end = group_cuts(orders)
    assert 0 <= train_end <= validation_end <= len(orders)
    parts = [
        set(part.tolist()) for part in (orders[:train_end], orders[train_end:validation_end], orders[validation_end:])
    ]
    assert sum(map(len, parts)) == len(set().union(*parts))


def test_a_published_partition_is_followed():
    published = ["train", "test", "train", "validation", "test", "test"]
    orders = np.sort(np.array([group_order(f"f{n}", name) for n, name in enumerate(published)], dtype=np.int64))
    assert group_cuts(orders) == (2, 3)


def test_a_corpus_published_as_train_alone_stays_train():
    orders = np.sort(np.array([group_order(f"f{n}", "train") for n in range(50)], dtype=np.int64))
    assert group_cuts(orders) == (50, 50)


# By hash.


def rows_of(groups):
    keys = np.zeros(len(groups), dtype=KEY)
    keys["group"] = groups
    return LanguageRows("go", keys, np.zeros(len(groups), dtype=np.int64), np.arange(len(groups)))


def test_a_hash_cuts_eight_tenths_one_tenth_and_one_tenth_of_all_hashes():
    tenth = 2**64 / 10
    edges = [0, 2**63, int(7.99 * tenth), int(8.01 * tenth), int(8.99 * tenth), int(9.01 * tenth), 2**64 - 1]
    assert cut_by_hash(rows_of(edges)).tolist() == [0, 0, 0, 1, 1, 2, 2]
    shares = np.bincount(cut_by_hash(rows_of([group_hash("ai.stackexchange.com", n) for n in range(10_000)])))
    assert np.abs(shares - [8_000, 1_000, 1_000]).max() < 150


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1), st.lists(st.integers(0, 2**64 - 1)))
def test_by_hash_a_row_stays_where_it_is_when_rows_are_added(groups, added):
    assert cut_by_hash(rows_of(groups + added))[: len(groups)].tolist() == cut_by_hash(rows_of(groups)).tolist()


def test_a_group_is_told_by_all_its_names():
    assert group_hash("a", 1) == group_hash("a", "1")
    hashes = [group_hash(*names) for names in (("a", "b"), ("ab",), ("a", "c"), ("b", "a"), ("a", "b", ""))]
    assert len(set(hashes)) == 5
    assert all(0 <= hashed < 2**64 for hashed in hashes)


def test_by_time_the_newest_tenths_are_held_out():
    rows = rows_of([0] * 30)
    assert cut_by(time_cuts)(rows).tolist() == [0] * 24 + [1] * 3 + [2] * 3
    assert cut_by(time_cuts)(rows_of([])).tolist() == []


# Over runs, with clusters.


def split(folder: Path, spread, cut, *, labels=None, keeps_groups=False):
    """Assign splits to runs of (number, language, group); by number its split and cluster."""
    runs = write_runs(
        folder, [[pair(number, language, group=group) for number, language, group in rows] for rows in spread]
    )
    ids = [np.load(beside(run, "keys"))["id"].tolist() for run in runs]
    label_of = (
        None if labels is None else np.array([labels.get(n, -1) for of_run in ids for n in of_run], dtype=np.int64)
    )
    assign_splits(runs, cut, label_of, keeps_groups=keeps_groups)
    found = {}
    for run, numbers in zip(runs, ids, strict=True):
        splits = np.load(beside(run, "splits")).tolist()
        has_clusters = beside(run, "clusters").exists()
        assert has_clusters == (labels is not None)
        clusters = np.load(beside(run, "clusters")).tolist() if has_clusters else [None] * len(numbers)
        found.update(zip(numbers, zip(splits, clusters, strict=True), strict=True))
    return found


def age(number):
    """How old the question of a pair is: its key."""
    return number % 7, number


@pytest.mark.parametrize("n_runs", [1, 3])
def test_each_language_is_cut_by_itself_whatever_its_runs(tmp_path, n_runs):
    rows = [(number, ("go", "python")[number > 20], 0) for number in range(1, 61)]
    found = split(tmp_path, [rows[place::n_runs] for place in range(n_runs)], cut_by(time_cuts))
    for numbers, cuts in ((range(1, 21), (16, 18)), (range(21, 61), (32, 36))):
        wanted = [(place >= cuts[0]) + (place >= cuts[1]) for place in range(len(numbers))]
        assert [found[number][0] for number in sorted(numbers, key=age)] == wanted


def test_a_cluster_goes_where_its_oldest_question_goes_and_is_numbered_by_it(tmp_path):
    rows = [(7 * number, "go", 0) for number in range(1, 21)] + [(7 * number, "c", 0) for number in range(21, 41)]
    labels = {7 * 20: 3, 7 * 2: 3, 7 * 3: 99, 7 * 19: 99, 7 * 18: 5, 7 * 17: 5, 7 * 40: 7, 7 * 1: 7}
    found = split(tmp_path, [rows[::2], rows[1::2]], cut_by(time_cuts), labels=labels)
    assert {number // 7: found[number] for number in labels} == {
        1: (0, 0),
        40: (0, 0),  # across languages, too
        2: (0, 1),
        20: (0, 1),
        3: (0, 2),
        19: (0, 2),
        17: (1, 3),
        18: (1, 3),
    }
    assert found[7 * 39] == (2, -1)


def test_clusters_of_nothing_are_written_as_none(tmp_path):
    found = split(tmp_path, [[(1, "go", 0), (2, "go", 0)], []], cut_by(time_cuts), labels={})
    assert found == {1: (0, -1), 2: (0, -1)}


GROUPS = st.integers(0, 5).map(lambda number: group_hash("asker", number))
ROWS = st.dictionaries(
    st.integers(1, 200), st.tuples(st.sampled_from(["c", "go"]), GROUPS, st.integers(-1, 6)), max_size=25
)


@settings(max_examples=40)
@given(ROWS, st.lists(st.integers(0, 25), max_size=2), st.booleans())
def test_no_cluster_is_parted_and_each_goes_with_its_oldest_question(tmp_path_factory, rows, cuts, by_hash):
    cut = cut_by_hash if by_hash else cut_by(time_cuts)
    spread = spread_over([(number, *row[:2]) for number, row in rows.items()], cuts)
    labels = {number: row[2] for number, row in rows.items()}
    alone = split(tmp_path_factory.mktemp("alone"), spread, cut)
    found = split(tmp_path_factory.mktemp("split"), spread, cut, labels=labels)
    members = {}
    for number in sorted(rows, key=age):
        members.setdefault(labels[number], []).append(number)
    for number in members.pop(-1, []):
        assert found[number] == (alone[number][0], -1)
    for place, numbers in enumerate(sorted(members.values(), key=lambda numbers: age(numbers[0]))):
        assert {found[number] for number in numbers} == {(alone[numbers[0]][0], place)}


@settings(max_examples=40)
@given(ROWS, st.lists(st.integers(0, 25), max_size=2))
def test_where_groups_are_kept_neither_a_group_nor_a_cluster_is_parted(tmp_path_factory, rows, cuts):
    spread = spread_over([(number, *row[:2]) for number, row in rows.items()], cuts)
    labels = {number: row[2] for number, row in rows.items()}
    alone = split(tmp_path_factory.mktemp("alone"), spread, cut_by_hash)
    found = split(tmp_path_factory.mktemp("split"), spread, cut_by_hash, labels=labels, keeps_groups=True)
    together = {}
    for number, (_, group, label) in rows.items():
        together.setdefault(("group", group), set()).add(found[number][0])
        if label >= 0:
            together.setdefault(("cluster", label), set()).add(found[number][0])
    assert all(len(splits) == 1 for splits in together.values())
    joined = {group for _, group, label in rows.values() if label >= 0}
    assert all(found[number][0] == alone[number][0] for number, row in rows.items() if row[1] not in joined)
    again = split(
        tmp_path_factory.mktemp("again"),
        [[row for rows in spread for row in rows]],
        cut_by_hash,
        labels=labels,
        keeps_groups=True,
    )
    assert again == found


def spread_over(rows, cuts):
    """Rows cut into runs."""
    cuts = sorted(cuts)
    return [rows[low:high] for low, high in zip([0, *cuts], [*cuts, len(rows)], strict=True)]


def test_askers_without_a_page_are_parted_as_the_proof_tells_them_apart(tmp_path):
    rows = []
    for number in range(1, 80, 2):
        owner = {"OwnerUserId": None, "OwnerDisplayName": "  "} if number % 3 else {"OwnerUserId": None}
        rows += [question(number, accepted=number + 1, **owner), answer(number + 1, number)]
    write_dump(tmp_path / "dump.xml", [{k: v for k, v in row.items() if v is not None} for row in rows])
    for site in ("mathoverflow.net", "local", "unix.stackexchange.com"):
        config = BuildConfig(split="author", site=site)
        assert build(tmp_path / "dump.xml", tmp_path / site, config=config)["kept"] == 40
