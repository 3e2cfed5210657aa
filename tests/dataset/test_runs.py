"""Runs and the parts merged from them, against all pairs sorted in memory."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.dataset import runs as module
from procqa.dataset.authors import OWNER, keep_names
from procqa.dataset.convert import to_pair
from procqa.dataset.runs import (
    OrderedPair,
    beside,
    plan_parts,
    read_languages,
    sort_run,
    to_batch,
    write_part,
    write_run,
)
from procqa.dataset.schema import SCHEMA, SPLITS
from procqa.dump.rows import to_post
from tests.dumps import answer, question, xml_row


def pair(number, language="python", *, order=None, **more):
    posts = [to_post(xml_row(row).strip().encode(), site="local") for row in (question(number), answer(number, number))]
    texts = f"Tried:\n\n```\nthing({number})\n```", f"Use `other({number})`."
    made = to_pair(*posts, language, posts[0].title, *texts)
    return OrderedPair(made, number % 7 if order is None else order, number % 2, **more)


def write_runs(folder, spread):
    """Write lists of pairs as runs."""
    runs = []
    for place, pairs in enumerate(spread):
        runs.append(folder / f"{place}.arrow")
        write_run(runs[-1], [pairs[at] for at in sort_run(pairs)])
    return runs


def set_beside(runs, what, values, dtype):
    """Write what ``values`` says of the question of each row beside its run."""
    for run in runs:
        ids = np.load(beside(run, "keys"))["id"].tolist()
        np.save(beside(run, what), np.array([values(number) for number in ids], dtype=dtype))


def rows_of(folder, language, split):
    return [
        row for path in sorted(folder.glob(f"data/{language}/{split}-*")) for row in pq.read_table(path).to_pylist()
    ]


def test_a_row_has_every_column_and_counts_its_code():
    (row,) = to_batch([pair(7, owners=(5, None))]).to_pylist()
    assert list(row) == [*SCHEMA.names, "question_owner", "answer_owner"]
    assert row["question"] == "Tried:\n\n```\nthing(7)\n```"
    assert (row["question_code_chars"], row["question_text_chars"]) == (9, 6)
    assert (row["answer_code_chars"], row["answer_text_chars"]) == (0, 15)
    assert (row["duplicate_cluster"], row["question_owner"], row["answer_owner"]) == (None, 5, None)
    assert row["tags"] == ["python"]
    assert row["question_created"].isoformat() == "2010-01-01T00:00:07+00:00"
    to_batch([pair(7), pair(8)]).validate(full=True)


def test_a_run_tells_its_keys_and_the_range_of_each_language(tmp_path):
    pairs = [pair(3, "python", order=9), pair(5, "go", order=2, group=2**64 - 1), pair(4, "python", order=1)]
    (run,) = write_runs(tmp_path, [pairs])
    chars = len("How do I do thing 5?") + len("Tried:\n\n```\nthing(5)\n```") + len("Use `other(5)`.")
    assert np.load(beside(run, "keys")).tolist() == [
        (2, 5, 1, chars, 2**64 - 1),
        (1, 4, 0, chars, 0),
        (9, 3, 1, chars, 0),
    ]
    assert json.loads(beside(run, "ranges").read_text()) == {"go": [0, 1], "python": [1, 3]}
    with pa.OSFile(str(run)) as source, pa.ipc.open_file(source) as reader:
        assert reader.read_all()["question_id"].to_pylist() == [5, 4, 3]


SPREAD = st.lists(st.lists(st.integers(1, 10_000), max_size=40), min_size=1, max_size=5)


def without_repeats(spread):
    seen: set[int] = set()
    for numbers in spread:
        fresh = [number for number in dict.fromkeys(numbers) if number not in seen]
        seen.update(fresh)
        yield fresh


def language_of(number):
    return ("go", "python")[number // 3 % 2]


def sorted_numbers(numbers):
    return sorted(numbers, key=lambda number: (number % 7, number))


@settings(max_examples=25)
@given(SPREAD, st.integers(1, 9), st.integers(1, 11), st.booleans())
def test_however_pairs_are_spread_over_runs_the_parts_are_the_sorted_rows(
    tmp_path_factory, spread, part_rows, split_by, has_clusters
):
    folder = tmp_path_factory.mktemp("runs")
    spread = list(without_repeats(spread))
    every = [number for numbers in spread for number in numbers]
    runs = write_runs(folder, [[pair(number, language_of(number)) for number in numbers] for numbers in spread])

    def code_of(number):
        return number % split_by % 3

    def cluster_of(number):
        return number // 5 if number % 4 == 0 else -1

    set_beside(runs, "splits", code_of, np.uint8)
    if has_clusters:
        set_beside(runs, "clusters", cluster_of, np.int64)
    planned = plan_parts(folder, runs, part_rows=part_rows)
    written = [write_part(part) for part in planned]
    for language in ("go", "python"):
        for code, split in enumerate(SPLITS):
            rows = rows_of(folder, language, split)
            wanted = [n for n in sorted_numbers(every) if language_of(n) == language and code_of(n) == code]
            assert [row["question_id"] for row in rows] == wanted
            assert [row["answer"] for row in rows] == [f"Use `other({number})`." for number in wanted]
            clusters = [cluster_of(number) if has_clusters and number % 4 == 0 else None for number in wanted]
            assert [row["duplicate_cluster"] for row in rows] == clusters
            assert {row["language"] for row in rows} <= {language}
    assert [part.stats.rows for part in written] == [pq.read_metadata(part.path).num_rows for part in planned]
    assert sum(part.stats.rows for part in written) == len(every)
    assert all(part.stats.rows <= part_rows for part in written)
    assert {part.path for part in planned} == set(folder.glob("data/*/*.parquet"))


@settings(max_examples=10)
@given(SPREAD, SPREAD)
def test_the_bytes_of_a_part_do_not_tell_how_its_pairs_were_spread(tmp_path_factory, spread, other):
    every = {number for numbers in (*spread, *other) for number in numbers}
    found = []
    for numbers in (spread, other):
        folder = tmp_path_factory.mktemp("runs")
        held = list(without_repeats([*numbers, sorted(every)]))
        runs = write_runs(folder, [[pair(number) for number in numbers] for numbers in held])
        set_beside(runs, "splits", lambda number: number % 3, np.uint8)
        parts = plan_parts(folder, runs, part_rows=7)
        for part in parts:
            write_part(part)
        found.append({part.path.relative_to(folder): part.path.read_bytes() for part in parts})
    assert found[0] == found[1]


@pytest.mark.parametrize("n", [127, 128, 129, 300])
def test_parts_cross_the_batches_of_a_run(tmp_path, n):
    runs = write_runs(tmp_path, [[pair(number, order=number) for number in range(1, n + 1)]])
    set_beside(runs, "splits", lambda number: number % 5 == 0, np.uint8)
    for part in plan_parts(tmp_path, runs, part_rows=50):
        write_part(part)
    found = {split: [row["question_id"] for row in rows_of(tmp_path, "python", split)] for split in SPLITS}
    assert found["train"] == [number for number in range(1, n + 1) if number % 5]
    assert found["validation"] == list(range(5, n + 1, 5))
    assert found["test"] == []


def test_a_part_ends_at_its_characters_too(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PART_CHARS", 130)  # two pairs of some 60 characters each
    runs = write_runs(tmp_path, [[pair(number, order=number) for number in range(1, 6)]])
    set_beside(runs, "splits", lambda _: 0, np.uint8)
    parts = plan_parts(tmp_path, runs)
    assert [write_part(part).stats.rows for part in parts] == [2, 2, 1]
    assert [part.path.name for part in parts] == [f"train-0000{number}-of-00003.parquet" for number in range(3)]
    monkeypatch.setattr(module, "PART_CHARS", 1)
    assert len(plan_parts(tmp_path, runs)) == 5


def test_a_part_that_is_there_is_counted_and_not_made_again(tmp_path):
    runs = write_runs(tmp_path, [[pair(number) for number in range(1, 20)]])
    set_beside(runs, "splits", lambda _: 2, np.uint8)
    (part,) = plan_parts(tmp_path, runs)
    first = write_part(part)
    content = part.path.read_bytes()
    beside(runs[0], "parts").unlink()
    again = write_part(part)
    assert (first.was_done, again.was_done) == (False, True)
    assert again.stats == first.stats
    assert part.path.read_bytes() == content


def test_authors_known_by_id_alone_get_their_names(tmp_path):
    owners = np.array([(0, 5), (1, 5), (1, 6)], dtype=OWNER)
    keep_names(tmp_path, owners, [(0, [(5, "Ann")]), (1, [(5, "Bo"), (6, "Cy")])])
    pairs = [
        pair(1, order=1, owners=(5, 6)),
        pair(2, order=2, owners=(5, None)),
        pair(3, order=3, owners=(None, 7)),
        pair(4, order=4, owners=(6, 5)),
    ]
    runs = write_runs(tmp_path, [pairs[::2], pairs[1::2]])
    set_beside(runs, "splits", lambda _: 0, np.uint8)
    (part,) = plan_parts(tmp_path, runs, names=tmp_path)
    write_part(part)
    rows = rows_of(tmp_path, "python", "train")
    assert [row["question_author"] for row in rows] == ["Bo", "Ann", "user 5", "user 5"]
    assert [row["answer_author"] for row in rows] == ["Cy", "Ann", "Ann", "Ann"]
    assert pq.read_schema(part.path).equals(SCHEMA)


def test_the_rows_of_a_language_come_sorted_from_all_runs(tmp_path):
    runs = write_runs(tmp_path, [[pair(9, "go"), pair(1)], [], [pair(8), pair(2, "go"), pair(7)]])
    found = {rows.language: rows for rows in read_languages(runs)}
    assert list(found) == ["go", "python"]
    assert found["go"].keys["id"].tolist() == [2, 9]
    assert (found["go"].run.tolist(), found["go"].place.tolist()) == ([2, 0], [0, 0])
    assert found["python"].keys["id"].tolist() == [7, 1, 8]
    assert (found["python"].run.tolist(), found["python"].place.tolist()) == ([2, 0, 2], [1, 1, 2])


def test_no_pairs_are_no_parts(tmp_path):
    runs = write_runs(tmp_path, [[], []])
    set_beside(runs, "splits", lambda _: 0, np.uint8)
    assert plan_parts(tmp_path, runs) == []
