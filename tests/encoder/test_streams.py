from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.config import PAIRS
from procqa.encoder.streams import (
    CHARS_A_TOKEN,
    EMPTY,
    NOT_SHARED,
    REASONS,
    StreamConfig,
    Texts,
    dataset_names,
    judge_pair,
    text_hash,
    write_texts,
)
from procqa.encoder.views import MODALITIES
from procqa.errors import ArtifactError
from procqa.text import fold
from tests.encoder.small import make_dataset

MACP = StreamConfig(pairs=PAIRS)


def rows_of(corpus):
    return {stream.name: stream.rows.tolist() for stream in corpus.streams}


def test_each_language_has_a_stream_for_each_pair_type(tmp_path: Path):
    dataset = make_dataset(tmp_path / "Q", {"go": [("t", "q", "a")], "c": [("u", "r", "b"), ("v", "s", "d")]})
    corpus = write_texts([dataset], tmp_path / "texts.arrow", MACP)
    assert rows_of(corpus) == {
        "Q/c/title-question": [0, 1],
        "Q/c/title-answer": [0, 1],
        "Q/c/question-answer": [0, 1],
        "Q/go/title-question": [2],
        "Q/go/title-answer": [2],
        "Q/go/question-answer": [2],
    }
    assert corpus.rows == 3
    assert corpus.views == ("title", "question", "answer")


def test_functions_give_docstring_and_function_and_nothing_else(tmp_path: Path):
    functions = make_dataset(
        tmp_path / "F", {"go": [("name", "says what", "func f()"), ("f", "", "g")]}, kind="functions"
    )
    questions = make_dataset(tmp_path / "Q", {"go": [("t", "q", "a")]})
    corpus = write_texts([functions, questions], tmp_path / "texts.arrow", MACP)
    assert rows_of(corpus) == {
        "F/go/docstring-function": [0],
        "Q/go/title-question": [2],
        "Q/go/title-answer": [2],
        "Q/go/question-answer": [2],
    }
    assert corpus.left_out["docstring-function"]["a side is empty"] == 1


def test_a_question_can_be_asked_with_its_title_and_body(tmp_path: Path):
    dataset = make_dataset(tmp_path / "Q", {"c": [("title", "body", "answer")]})
    corpus = write_texts([dataset], tmp_path / "texts.arrow", StreamConfig(pairs=("both-answer",)))
    assert rows_of(corpus) == {"Q/c/both-answer": [0]}
    with Texts(tmp_path / "texts.arrow") as texts:
        assert texts.columns == ("title+question", "answer")
        assert texts.take(np.array([0], dtype=np.int32), 0) == ["title\nbody"]


def test_pairs_that_repeat_a_side_are_left_out_and_counted(tmp_path: Path):
    rows = [
        ("How to sort?", "how to  SORT", "sorted(x)"),
        ("title", "", "answer"),
        (None, "body", "answer two"),
        ("How to sort?", "How to sort, in C", "Sort a list"),
        ("one", "two", "three"),
    ]
    corpus = write_texts([make_dataset(tmp_path / "Q", {"python": rows})], tmp_path / "texts.arrow", MACP)
    assert rows_of(corpus) == {
        "Q/python/title-question": [4],
        "Q/python/title-answer": [0, 1, 3, 4],
        "Q/python/question-answer": [0, 2, 3, 4],
    }
    assert corpus.left_out["title-question"] == {
        "a side is empty": 2,
        "both sides are equal": 1,
        "one side begins with the other": 1,
    }
    for name in ("title-question", "title-answer", "question-answer"):
        pairs = sum(len(stream) for stream in corpus.streams if stream.pair_type == name)
        assert pairs + sum(corpus.left_out[name].values()) == corpus.rows
    assert sum(corpus.left_out["docstring-function"].values()) == 0


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ("sort a list", "Sort, a list!", "both sides are equal"),
        ("sort a list", "sort a list of numbers", "one side begins with the other"),
        ("sort a list", "sort a listing", None),
        ("list", "sort a list", None),
        ("", "sort", "a side is empty"),
        ("?!", "sort", "a side is empty"),
    ],
)
def test_a_side_repeats_the_other_word_by_word(one, other, reason):
    assert REASONS.get(judge_pair(fold(one), fold(other))) == reason
    assert REASONS.get(judge_pair(fold(other), fold(one))) == reason


@given(st.text(max_size=30), st.text(max_size=30))
def test_what_is_put_behind_a_text_never_makes_a_pair_of_both(text, more):
    assert judge_pair(fold(text), fold(f"{text} {more}")) != 0 or not fold(f"{text} {more}").startswith(fold(text))


def test_only_the_train_split_is_read(tmp_path: Path):
    dataset = make_dataset(tmp_path / "Q", {"python": [("t", "q", "a")]}, split="validation")
    assert write_texts([dataset], tmp_path / "texts.arrow", MACP).streams == ()


def test_only_the_languages_asked_for_are_read(tmp_path: Path):
    dataset = make_dataset(tmp_path / "Q", {"go": [("t", "q", "a")], "c": [("u", "r", "b")]})
    corpus = write_texts([dataset], tmp_path / "texts.arrow", StreamConfig(pairs=PAIRS, languages=("go",)))
    assert {stream.name.split("/")[1] for stream in corpus.streams} == {"go"}
    with pytest.raises(ArtifactError, match="have no rust: they have c, go"):
        write_texts([dataset], tmp_path / "texts.arrow", StreamConfig(pairs=PAIRS, languages=("go", "rust")))


def test_texts_come_back_in_the_order_of_the_rows(tmp_path: Path):
    rows = [(f"title {number}", f"body {number}", f"answer {number}") for number in range(3_000)]
    one = make_dataset(tmp_path / "one", {"python": rows})
    two = make_dataset(tmp_path / "two", {"go": [("é", "☃\n", "x")]})
    write_texts([one, two], tmp_path / "texts.arrow", MACP)
    with Texts(tmp_path / "texts.arrow") as texts:
        wanted = np.array([2_999, 0, 3_000, 1_500], dtype=np.int32)
        assert texts.take(wanted, 2) == ["answer 2999", "answer 0", "x", "answer 1500"]
        assert texts.take(wanted, np.array([0, 1, 1, 2])) == ["title 2999", "body 0", "☃\n", "answer 1500"]
        assert sum(len(batch) for batch in texts.read()) == 3 * 3_001


def test_a_text_is_kept_as_far_as_it_can_be_read(tmp_path: Path):
    dataset = make_dataset(tmp_path / "Q", {"c": [("t", "q " * 1_000_000, "a")]})
    write_texts([dataset], tmp_path / "texts.arrow", StreamConfig(pairs=PAIRS, max_tokens=8))
    with Texts(tmp_path / "texts.arrow") as texts:
        (text,) = texts.take(np.array([0], dtype=np.int32), 1)
    assert text == "q " * (8 * CHARS_A_TOKEN // 2)


MIXED = ("Sort?", "Why\n\n```\nxs\n```", "So:\n\n```\nsorted(xs)\n```\n\nor\n\n```\nxs.sort()\n```")
PROSE = ("Why?", "Because of what", "Nobody knows")


def test_modalities_are_cut_from_the_same_rows(tmp_path: Path):
    dataset = make_dataset(tmp_path / "Q", {"c": [MIXED, PROSE]})

    def streams(modality, *, shared):
        config = StreamConfig(pairs=MODALITIES[modality], shared_rows=shared)
        corpus = write_texts([dataset], tmp_path / "texts.arrow", config)
        left_out = {name: reasons.get(NOT_SHARED) for name, reasons in corpus.left_out.items()}
        return {stream.pair_type: stream.rows.tolist() for stream in corpus.streams}, left_out

    assert streams("bimodal", shared=False) == ({"prose-code": [0]}, {"prose-code": None})
    assert streams("unimodal", shared=False)[0] == {"prose-prose": [0, 1], "first-code-others": [0], "code-code": [0]}
    shared, left_out = streams("unimodal", shared=True)
    assert shared == {"prose-prose": [0], "first-code-others": [0], "code-code": [0]}
    assert left_out == {"prose-prose": 1, "first-code-others": 0, "code-code": 0}
    assert streams("agnostic", shared=True)[0] == {name: [0] for name in MODALITIES["agnostic"]}


def test_rows_of_a_cluster_share_a_group_and_others_do_not(tmp_path: Path):
    dataset = make_dataset(
        tmp_path / "Q",
        {"c": [("a", "b", "c"), ("d", "e", "f"), ("g", "h", "i")], "go": [("j", "k", "l")]},
        clusters={"c": [4, None, 4], "go": [4]},
    )
    other = make_dataset(tmp_path / "R", {"c": [("m", "n", "o")]}, clusters={"c": [4]})
    corpus = write_texts([dataset, other], tmp_path / "texts.arrow", MACP)
    groups = corpus.streams[0].groups.tolist()
    assert groups[0] == groups[2] == groups[3]
    assert len(set(groups)) == 3


def test_folders_of_one_name_are_told_apart(tmp_path: Path):
    folders = [tmp_path / "a" / "Q", tmp_path / "b" / "Q", tmp_path / "R"]
    assert dataset_names(folders) == ["Q", "Q#2", "R"]


def test_texts_that_differ_in_case_and_blanks_have_one_hash():
    assert text_hash("Sort  a List") == text_hash("sort a\nlist")
    assert text_hash("sort a list") != text_hash("sort a tuple")
    assert text_hash(" \n") == EMPTY


def test_a_folder_that_is_no_dataset_is_refused(tmp_path: Path):
    with pytest.raises(ArtifactError, match="no such folder"):
        write_texts([tmp_path / "none"], tmp_path / "texts.arrow", MACP)
