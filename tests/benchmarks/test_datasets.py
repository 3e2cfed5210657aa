"""Datasets that are grown from real rows."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.datasets import dense_dataset, grow_dataset, make_queries, split_rows

from procqa.dataset.schema import read_rows
from procqa.text import lexical_tokens

Split = dict[str, tuple[list[dict], list[dict]]]


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return dense_dataset(tmp_path_factory.mktemp("source"), documents=400, seed=3)


@pytest.fixture(scope="module")
def split(source) -> Split:
    return split_rows([source])


def test_of_fifty_rows_one_is_left_out(source, split: Split):
    rows = sum(1 for _ in read_rows(source))
    left_out = {row["answer_id"] for _, rows in split.values() for row in rows}
    kept = {row["answer_id"] for rows, _ in split.values() for row in rows}
    assert len(left_out) + len(kept) == rows
    assert not left_out & kept
    assert len(left_out) == sum((len(kept) + len(left)) // 50 for kept, left in split.values())


def test_grown_rows_begin_with_the_real_ones_and_all_are_distinct(tmp_path, split: Split):
    grown = list(read_rows(grow_dataset(split, tmp_path / "grown", documents=3_000)))
    real = {row["answer_id"]: row["answer"] for rows, _ in split.values() for row in rows}
    assert len({row["answer_id"] for row in grown}) == len(grown) == 3_000
    assert real.items() <= {row["answer_id"]: row["answer"] for row in grown}.items()
    assert len({(row["title"], row["answer"]) for row in grown}) > 0.95 * len(grown)


def test_grown_answers_are_as_long_as_real_ones_and_have_new_words(tmp_path, split: Split):
    grown = list(read_rows(grow_dataset(split, tmp_path / "grown", documents=3_000)))
    real = [row["answer"] for rows, _ in split.values() for row in rows]
    cuts = (25, 50, 75, 95)
    expected = np.percentile([len(answer) for answer in real], cuts)
    np.testing.assert_allclose(np.percentile([len(row["answer"]) for row in grown], cuts), expected, rtol=0.15)
    words = {word for answer in real for word in lexical_tokens(answer)}
    assert len({word for row in grown for word in lexical_tokens(row["answer"])}) > 1.05 * len(words)


def test_the_same_rows_grow_to_the_same_dataset_and_edited_ones_end_with_a_line(tmp_path, split: Split):
    first, second, edited = (
        list(read_rows(grow_dataset(split, tmp_path / name, documents=600, edited_share=share)))
        for name, share in (("first", 0.0), ("second", 0.0), ("edited", 0.1))
    )
    assert first == second
    changed = [new["answer"] for old, new in zip(first, edited, strict=True) if old != new]
    assert 30 < len(changed) < 90
    assert all("\n\nEdited: " in answer for answer in changed)


def test_a_grown_function_is_one(tmp_path, split: Split):
    rows = [
        {**row, "question_id": row["answer_id"], "answer": "def f(x):\n    return x\n"} for row in split["python"][0]
    ]
    grown = list(read_rows(grow_dataset({"python": (rows, [])}, tmp_path / "grown", documents=300)))
    assert all(row["question_id"] == row["answer_id"] for row in grown)
    assert {row["answer"] for row in grown} == {"def f(x):\n    return x\n"}


def test_queries_are_of_three_kinds_and_most_ask_for_what_is_not_there(split: Split):
    queries = make_queries(split, 100)
    assert queries == make_queries(split, 100)
    kinds = [query["kind"] for query in queries]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"new words": 60, "known words": 20, "code": 20}
    known = {row["title"] for rows, _ in split.values() for row in rows}
    assert all(query["text"] in known for query in queries if query["kind"] == "known words")
    assert all(len(query["text"].splitlines()) <= 20 for query in queries)


def test_queries_need_code_somewhere(split: Split):
    without = {"python": ([{**row, "question": "words", "answer": "words"} for row in split["python"][0]], [])}
    with pytest.raises(ValueError, match="queries need rows with code"):
        make_queries(without, 5)
    kept, left_out = split["python"]
    wordy = {"python": (kept, [{**row, "question": "words", "answer": "words"} for row in left_out or kept[:1]])}
    assert [query["kind"] for query in make_queries(wordy, 5)][4] == "code"
