"""Languages in a space: by hand, and against scipy."""

import numpy as np
import pytest

from procqa.evaluation.space import (
    DISTRIBUTION,
    FOUND,
    NEGATIVES,
    REPRESENTATION,
    describe_space,
    trace_languages,
)
from procqa.topk import top_k
from tests.evaluation.exams import ByHand, make_exam


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_languages_that_keep_to_themselves():
    generator = np.random.default_rng(0)
    centres = np.repeat([[5.0, 0, 0], [0, 5.0, 0]], 30, axis=0)
    space = describe_space(unit(centres + generator.normal(0, 0.1, (60, 3))), ["go"] * 30 + ["rust"] * 30, seed=1)

    assert (space.vectors, space.own_language, space.identified) == (60, 1, 1)
    assert space.by_chance == pytest.approx(29 / 59)
    assert space.majority == 1 / 2


def test_languages_that_are_mixed():
    vectors = unit(np.random.default_rng(0).normal(0, 1, (400, 16)))
    space = describe_space(vectors, ["go", "rust"] * 200, seed=1)

    assert space.own_language == pytest.approx(space.by_chance, abs=0.05)
    assert space.identified == pytest.approx(1 / 2, abs=0.1)


def test_hubness_is_the_skewness_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    vectors = unit(np.random.default_rng(3).normal(0.3, 1, (200, 12)))
    _, nearest = top_k(vectors, vectors, 11)
    times = np.bincount([n for row, near in enumerate(nearest) for n in near[near != row][:10]], minlength=200)

    space = describe_space(vectors, ["go"] * 100 + ["rust"] * 100, seed=1)

    assert space.hubness == pytest.approx(stats.skew(times), abs=1e-9)
    assert space.never == pytest.approx((times == 0).mean())


def trace(order: list[str], languages: dict[str, str], qrels: dict[str, int], **fields):
    exam = make_exam(
        {"q": "Q"}, {name: name for name in languages}, {"q": qrels}, document_languages=languages, **fields
    )
    return trace_languages(ByHand({"Q": order}), exam)


def test_a_right_document_of_each_language_is_found_or_has_a_cause():
    go = [f"go{n:03}" for n in range(150)]
    languages = dict.fromkeys(go, "go") | {"ruby1": "ruby", "java1": "java"}

    # ruby1 stands below twelve programs in Go, the first of its own language; java1 first of all; go140 far down.
    counts = trace(["java1", *go[:12], "ruby1"], languages, {"ruby1": 1, "java1": 1, "go140": 1})

    assert counts == {"go": {REPRESENTATION: 1}, "java": {FOUND: 1}, "ruby": {DISTRIBUTION: 1}}


def test_a_right_document_behind_others_of_its_language_was_not_told_from_them():
    go = [f"go{n:03}" for n in range(150)]

    assert trace([], dict.fromkeys(go, "go"), {"go050": 1}) == {"go": {NEGATIVES: 1}}


def test_the_query_itself_does_not_count_as_a_document_above():
    go = [f"go{n:03}" for n in range(11)]
    languages = dict.fromkeys(go, "go") | {"q": "go"}

    assert trace(["q"], languages, {"go009": 1}, excludes_itself=True) == {"go": {FOUND: 1}}
    assert trace(["q"], languages, {"go010": 1}, excludes_itself=True) == {"go": {NEGATIVES: 1}}
