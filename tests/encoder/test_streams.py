from pathlib import Path

import numpy as np
import pytest

from procqa.encoder.streams import EMPTY, FIELDS, Texts, dataset_names, text_hash, write_texts
from procqa.errors import ArtifactError
from tests.encoder.small import make_dataset


def test_each_language_has_a_stream_for_each_pair_type(tmp_path: Path):
    dataset = make_dataset(tmp_path / "Q", {"go": [("t", "q", "a")], "c": [("u", "r", "b"), ("v", "s", "d")]})
    corpus = write_texts([dataset], tmp_path / "texts.arrow")
    assert {stream.name: stream.rows.tolist() for stream in corpus.streams} == {
        "Q/c/title-question": [0, 1],
        "Q/c/title-answer": [0, 1],
        "Q/c/question-answer": [0, 1],
        "Q/go/title-question": [2],
        "Q/go/title-answer": [2],
        "Q/go/question-answer": [2],
    }
    assert corpus.rows == 3


def test_pairs_with_an_empty_or_an_equal_side_are_left_out_and_counted(tmp_path: Path):
    rows = [
        ("How to sort?", "how to  SORT", "sorted(x)"),
        ("title", "", "answer"),
        (None, "body", "answer two"),
        ("one", "two", "three"),
    ]
    corpus = write_texts([make_dataset(tmp_path / "Q", {"python": rows})], tmp_path / "texts.arrow")
    assert {stream.name: stream.rows.tolist() for stream in corpus.streams} == {
        "Q/python/title-question": [3],
        "Q/python/title-answer": [0, 1, 3],
        "Q/python/question-answer": [0, 2, 3],
    }
    assert corpus.left_out == {"a side is empty": 4, "both sides are equal": 1}
    assert sum(map(len, corpus.streams)) + sum(corpus.left_out.values()) == 3 * corpus.rows


def test_only_the_train_split_is_read(tmp_path: Path):
    dataset = make_dataset(tmp_path / "Q", {"python": [("t", "q", "a")]}, split="validation")
    assert write_texts([dataset], tmp_path / "texts.arrow").streams == ()


def test_texts_come_back_in_the_order_of_the_rows(tmp_path: Path):
    rows = [(f"title {number}", f"body {number}", f"answer {number}") for number in range(3_000)]
    one = make_dataset(tmp_path / "one", {"python": rows})
    two = make_dataset(tmp_path / "two", {"go": [("é", "☃\n", "x")]})
    write_texts([one, two], tmp_path / "texts.arrow")
    with Texts(tmp_path / "texts.arrow") as texts:
        wanted = np.array([2_999, 0, 3_000, 1_500], dtype=np.int32)
        assert texts.take(wanted, FIELDS.index("answer")) == ["answer 2999", "answer 0", "x", "answer 1500"]
        assert texts.take(wanted[2:3], FIELDS.index("question")) == ["☃\n"]
        assert sum(len(batch) for batch in texts.read()) == 3 * 3_001


def test_folders_of_one_name_are_told_apart(tmp_path: Path):
    folders = [tmp_path / "a" / "Q", tmp_path / "b" / "Q", tmp_path / "R"]
    assert dataset_names(folders) == ["Q", "Q#2", "R"]


def test_texts_that_differ_in_case_and_blanks_have_one_hash():
    assert text_hash("Sort  a List") == text_hash("sort a\nlist")
    assert text_hash("sort a list") != text_hash("sort a tuple")
    assert text_hash(" \n") == EMPTY


def test_a_folder_that_is_no_dataset_is_refused(tmp_path: Path):
    with pytest.raises(ArtifactError, match="no such folder"):
        write_texts([tmp_path / "none"], tmp_path / "texts.arrow")
