"""Validation splits → scores: equal to a dense computation, test splits never read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from procqa.errors import ConfigError
from procqa.evaluation.validate import ValidationScorer, open_scorer
from tests.encoder.small import WORDS, make_dataset, questions_about, small_dataset


class Letters:
    """An encoder whose vectors count the letters of a text."""

    dimensions = 26

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self.encode_documents(texts)

    def encode_documents(self, texts: Sequence[str]) -> np.ndarray:
        self.encoded += texts
        counts = np.array([[text.lower().count(chr(97 + letter)) for letter in range(26)] for text in texts])
        return (counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)).astype(np.float32)


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = {"python": questions_about(WORDS[:2], "python"), "go": questions_about(WORDS[3:4], "go")}
    return make_dataset(tmp_path_factory.mktemp("held") / "questions", rows, split="validation")


def test_a_dataset_without_a_validation_split_has_no_scorer(tmp_path: Path):
    assert open_scorer([small_dataset(tmp_path / "d")], seed=1) is None


def test_questions_are_asked_by_title_and_by_title_and_body(held_out: Path):
    validation = ValidationScorer([held_out], seed=1)(Letters())

    assert list(validation["sets"]) == ["questions by title", "questions by title and body"]
    assert {of_set["queries"] for of_set in validation["sets"].values()} == {45}
    assert {of_set["documents"] for of_set in validation["sets"].values()} == {45}


def test_questions_without_a_body_are_asked_once(tmp_path: Path):
    rows = {"python": [(f"how to {word}", "", f"use {word}") for word in WORDS]}
    queries = make_dataset(tmp_path / "queries", rows, split="validation")

    assert list(ValidationScorer([queries], seed=1)(Letters())["sets"]) == ["queries by title"]


def test_functions_are_asked_by_their_documentation(tmp_path: Path):
    rows = {"python": [(f"f{n}", f"Adds {word}.", f"def f{n}(): add_{word}") for n, word in enumerate(WORDS)]}
    functions = make_dataset(tmp_path / "functions", rows, split="validation", kind="functions")

    (of_set,) = ValidationScorer([functions], seed=1)(Letters())["sets"].items()

    assert (of_set[0], of_set[1]["queries"], of_set[1]["bm25"]) == ("functions by documentation", len(WORDS), 1.0)


def test_the_score_is_the_mean_reciprocal_rank_within_a_language(held_out: Path):
    validation = ValidationScorer([held_out], seed=1)(encoder := Letters())

    values = []
    for word_group, language in ((WORDS[:2], "python"), (WORDS[3:4], "go")):
        rows = questions_about(word_group, language)
        answers = encoder.encode_documents([row[2] for row in rows])
        for place, row in enumerate(rows):
            scores = encoder.encode_queries([row[0]]) @ answers.T
            ties = (scores[0, :place] == scores[0, place]).sum()
            values.append(1 / (1 + (scores > scores[0, place]).sum() + ties))
    assert validation["sets"]["questions by title"]["dense"] == pytest.approx(np.mean(values), abs=0.02)
    means = [of_set["dense"] for of_set in validation["sets"].values()]
    assert validation["score"] == pytest.approx(np.mean(means), abs=1e-6)


def test_both_together_are_no_worse_than_the_better_part_where_a_weight_near_it_is_allowed(held_out: Path):
    validation = ValidationScorer([held_out], seed=1)(Letters())

    better = max(np.mean([of_set[part] for of_set in validation["sets"].values()]) for part in ("bm25", "dense"))
    assert np.mean([of_set["hybrid"] for of_set in validation["sets"].values()]) >= better - 0.01
    assert 0 < validation["fusion_weight"] < 1


def test_the_same_seed_gives_the_same_scores_and_every_document_is_encoded_once(held_out: Path):
    scorer = ValidationScorer([held_out], seed=1)
    encoder = Letters()
    first = scorer(encoder)

    assert first == ValidationScorer([held_out], seed=1)(Letters())
    documents = [text for text in encoder.encoded if text.startswith("Call ")]
    assert len(documents) == len(set(documents)) == 45


def test_test_splits_are_never_read(tmp_path: Path):
    rows = {"python": questions_about(WORDS[:1], "python")}
    tested = make_dataset(tmp_path / "tested", rows, split="test")

    assert open_scorer([tested], seed=1) is None
    both = make_dataset(
        tmp_path / "both", rows, split="validation", others={"test": {"python": questions_about(WORDS[1:2], "python")}}
    )
    scorer = open_scorer([both], seed=1)
    assert scorer is not None
    scorer(encoder := Letters())
    assert {row[2] for row in rows["python"]} <= set(encoder.encoded)
    assert not [text for text in encoder.encoded if text.startswith(f"Call `{WORDS[1]}_to")]


def test_two_datasets_of_one_name_are_told_apart(tmp_path: Path):
    folders = [
        make_dataset(tmp_path / word / "d", {"python": questions_about([word], "python")}, split="validation")
        for word in WORDS[:2]
    ]

    assert list(ValidationScorer(folders, seed=1).described["datasets"]) == ["d", "d#2"]


def test_a_dataset_that_is_named_twice_counts_once(held_out: Path):
    scorer = ValidationScorer([held_out], seed=1, also=[held_out])

    assert list(scorer.described["datasets"]) == ["questions"]


def test_a_further_dataset_must_have_a_validation_split(tmp_path: Path, held_out: Path):
    without = small_dataset(tmp_path / "d")

    with pytest.raises(ConfigError, match="--validate must name datasets with a validation split"):
        open_scorer([held_out], seed=1, also=[without])


def test_only_the_languages_that_are_trained_on_are_scored(held_out: Path):
    scorer = ValidationScorer([held_out], seed=1, languages=["go"])

    assert scorer.described["datasets"]["questions"]["languages"] == ("go",)
    assert scorer(Letters())["sets"]["questions by title"]["queries"] == 15
