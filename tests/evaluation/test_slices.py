"""Slices by hand."""

import numpy as np
import pytest

from procqa.config import EvaluateConfig
from procqa.corpora.collection import Facts
from procqa.evaluation.slices import SCORES, SHARES, WORDS, label_queries, measure_slices, share_words
from procqa.evaluation.summarise import summarise
from tests.evaluation.exams import ByHand, make_exam, rank_by_hand

CONFIG = EvaluateConfig(bootstrap=200)


def test_numbers_fall_into_named_ranges():
    assert [WORDS.name(n) for n in (1, 5, 6, 25, 26, 100, 101)] == [
        "1 to 5 words", "1 to 5 words", "6 to 10 words", "11 to 25 words", "26 to 100 words", "26 to 100 words",
        "over 100 words",
    ]  # fmt: skip
    assert [SHARES.name(share) for share in (0, 0.01, 0.25, 0.5, 0.75, 1)] == [
        "none", "up to 25 %", "25 to 50 %", "50 to 75 %", "over 75 %", "over 75 %",
    ]  # fmt: skip
    assert [SCORES.name(score) for score in (-1, 0, 1, 4, 5, 25)] == [
        "below 0", "0", "1 to 4", "1 to 4", "5 to 24", "25 and more",
    ]  # fmt: skip


def test_the_share_of_words_is_that_of_the_right_document_that_has_most():
    exam = make_exam(
        {"q": "merge two sorted lists", "r": "?"},
        {"a": "merge lists", "b": "heapq.merge on sorted lists", "c": "nothing"},
        {"q": {"a": 1, "b": 1}, "r": {"c": 1}},
    )

    assert share_words(exam).tolist() == [3 / 4, 0]


def test_a_question_is_told_apart_by_what_is_known_of_it():
    exam = make_exam(
        {"q1": "Sort a list\n\n```python\nxs\n```", "q2": "Read"},
        {"d": "use sorted"},
        {"q1": {"d": 1}, "q2": {"d": 1}},
        family="procqa",
        part="python",
        language="python",
        facts={"q1": Facts(tags=("python", "python-3.x", "sorting"), year=2019, score=7)},
    )

    labels = label_queries(exam)

    assert labels["language"] == [("python",), ("python",)]
    assert labels["tag"] == [("python-3.x", "sorting"), ()]
    assert labels["year"] == [("2019",), ()]
    assert labels["votes"] == [("5 to 24",), ()]
    assert labels["share of code"] == [("up to 25 %",), ("none",)]
    assert labels["language resources"] == [("fewer than 2,000 answers in the language",)] * 2


def test_the_worst_slice_comes_first_and_small_ones_are_left_out():
    texts = {f"q{n:02}": f"word{n} short" if n < 30 else f"word{n} and " + "very " * 9 + "long" for n in range(60)}
    texts["r"] = "a query of a length that no other has " * 5
    exam = make_exam(texts, texts, {name: {name: 1} for name in texts})
    orders = {text: [name] if n < 30 else ["r", name] for n, (name, text) in enumerate(texts.items())}
    orders[texts["r"]] = ["r"]
    measured = summarise(ByHand(orders), exam, rank_by_hand(exam, orders), CONFIG)

    slices = [part for part in measure_slices([measured], CONFIG) if part.dimension == "query length"]

    assert [(part.value, part.queries, part.mean) for part in slices] == [
        ("11 to 25 words", 30, 0.5),
        ("1 to 5 words", 30, 1),
    ]
    assert slices[0].delta == pytest.approx(0.5 - 31 / 31)
    assert slices[0].ci95 == (0.5, 0.5)


def test_slices_of_several_tasks_are_pooled_and_languages_told_apart():
    def measure(language: str, first: int):
        texts = {f"{language}{n}": f"{language} text {n}" for n in range(25)}
        exam = make_exam(
            texts, texts | {"x": "x"}, {name: {name: 1} for name in texts}, part=language, language=language
        )
        orders = {text: (["x"] if first == 2 else []) + [name] for name, text in texts.items()}
        return summarise(ByHand(orders), exam, rank_by_hand(exam, orders), CONFIG)

    slices = measure_slices([measure("go", 1), measure("rust", 2)], CONFIG)

    assert [(part.value, part.mean, part.delta) for part in slices if part.dimension == "language"] == [
        ("rust", 0.5, -0.5),
        ("go", 1, 0.5),
    ]
    assert np.all([part.queries < 50 for part in slices])
