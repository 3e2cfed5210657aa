"""Slices by hand."""

from dataclasses import replace

import numpy as np
import pytest

from procqa.config import EvaluateConfig
from procqa.evaluation.analysis import analyse
from procqa.evaluation.exam import Exam
from procqa.evaluation.labels import label_queries
from procqa.evaluation.slices import measure_slices
from procqa.evaluation.summarise import Measured, summarise
from tests.evaluation.exams import ByHand, make_exam, rank_by_hand

CONFIG = EvaluateConfig(bootstrap=200)


def measure_by_hand(exam: Exam, orders: dict[str, list[str]]) -> Measured:
    ranker, ranks = ByHand(orders), rank_by_hand(exam, orders)
    ranker.index(exam.pool)
    analysis = analyse(ranker, exam, ranks, label_queries(exam), seed=1)
    return replace(summarise(ranker, exam, ranks, CONFIG), analysis=analysis)


def test_the_worst_slice_comes_first_and_small_ones_are_left_out():
    texts = {f"q{n:02}": f"word{n} short" if n < 30 else f"word{n} and " + "very " * 9 + "long" for n in range(60)}
    texts["r"] = "a query of a length that no other has " * 5
    exam = make_exam(texts, texts, {name: {name: 1} for name in texts})
    orders = {text: [name] if n < 30 else ["r", name] for n, (name, text) in enumerate(texts.items())}
    orders[texts["r"]] = ["r"]
    measured = measure_by_hand(exam, orders)

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
        return measure_by_hand(exam, orders)

    slices = measure_slices([measure("go", 1), measure("rust", 2)], CONFIG)

    assert [(part.value, part.mean, part.delta) for part in slices if part.dimension == "language"] == [
        ("rust", 0.5, -0.5),
        ("go", 1, 0.5),
    ]
    assert np.all([part.queries < 50 for part in slices])
