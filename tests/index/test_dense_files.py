"""How vectors are searched follows from how many they are, and what is not exact is measured."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from procqa.index import dense_files
from procqa.index.dense import DenseIndex
from procqa.index.dense_files import PartSummary
from tests.index.small import write_vectors

ROWS = 6_000


def clustered(rows: int, seed: int = 0) -> NDArray[np.float32]:
    """Unit vectors around 60 centres, as vectors of texts are."""
    dice = np.random.default_rng(seed)
    centres = np.random.default_rng(9).standard_normal((60, 32))
    vectors = centres[dice.integers(0, 60, rows)] + 0.5 * dice.standard_normal((rows, 32))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, PartSummary]]:
    folder = tmp_path_factory.mktemp("lists") / "i"
    return folder, write_vectors(clustered(ROWS), np.arange(ROWS), ["c"] * ROWS, folder, exact_vectors=1_000)


def recall(index: DenseIndex, allowed: NDArray[np.bool_] | None = None) -> float:
    """Of the exact first ten, against numpy."""
    vectors = clustered(ROWS).astype(np.float16).astype(np.float64)
    found = total = 0
    for query in clustered(100, seed=1):
        scores = vectors @ query.astype(np.float64)
        if allowed is not None:
            scores[~allowed] = -2
        best = np.argsort(-scores)[:10]
        hits = {position for position, _ in index.search(query, 10, allowed=allowed)}
        found += len(hits & set(best.tolist()))
        total += min(10, ROWS if allowed is None else int(allowed.sum()))
    return found / total


def test_few_vectors_are_compared_by_their_halves_more_by_bytes_and_many_in_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dense_files, "SMALL_ROWS", 500)
    vectors = clustered(4_600)
    languages = ["go"] * 500 + ["c"] * 1_500 + ["rust"] * 2_600
    summaries = write_vectors(vectors, np.arange(4_600), languages, tmp_path / "i", exact_vectors=2_000)
    assert {language: (summary.kind, summary.vectors) for language, summary in summaries.items()} == {
        "c": ("bytes", 1_500),
        "go": ("halves", 500),
        "rust": ("lists", 2_600),
    }
    assert summaries["go"] == PartSummary(kind="halves", vectors=500, lists=0, probes=0, recall=1.0, queries=0)
    assert (summaries["c"].queries, summaries["rust"].queries) == (200, 100)
    assert summaries["c"].recall >= 0.99
    assert (summaries["rust"].lists, summaries["rust"].recall >= 0.97) == (128, True)


def test_lists_are_searched_as_far_as_the_recall_needs_and_no_further(lists: tuple[Path, dict[str, PartSummary]]):
    folder, summaries = lists
    summary = summaries["c"]
    assert summary.lists == 128
    assert 1 <= summary.probes < summary.lists
    assert summary.recall >= 0.97
    assert recall(DenseIndex(folder)) >= 0.95


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.24])
def test_a_selective_filter_over_lists_is_answered_exactly(lists: tuple[Path, dict[str, PartSummary]], share: float):
    allowed = np.random.default_rng(3).random(ROWS) < share
    assert recall(DenseIndex(lists[0]), allowed) == pytest.approx(1.0, abs=0.002)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_any_other_filter_over_lists_does_not_lower_recall(lists: tuple[Path, dict[str, PartSummary]], share: float):
    allowed = np.random.default_rng(3).random(ROWS) < share
    assert recall(DenseIndex(lists[0]), allowed) >= recall(DenseIndex(lists[0]))


def test_a_filter_that_lies_far_from_the_query_is_answered_exactly(lists: tuple[Path, dict[str, PartSummary]]):
    vectors = clustered(ROWS)
    allowed = vectors @ vectors[0] > 0.6
    assert 10 < allowed.sum() < ROWS / 4
    index = DenseIndex(lists[0])
    expected = np.flatnonzero(allowed)[
        np.argsort(-(vectors.astype(np.float16).astype(np.float64) @ -vectors[0])[allowed])
    ]
    assert [position for position, _ in index.search(-vectors[0], 10, allowed=allowed)] == expected[:10].tolist()


def test_many_hits_are_found_though_few_lists_are_searched(lists: tuple[Path, dict[str, PartSummary]]):
    hits = DenseIndex(lists[0]).search(clustered(1, seed=1)[0], 1_000)
    assert len(hits) == 1_000


def test_the_same_vectors_make_the_same_files(tmp_path: Path):
    for name in ("a", "b"):
        write_vectors(clustered(2_000), np.arange(2_000), ["c"] * 2_000, tmp_path / name, exact_vectors=1_000)
    for path in (tmp_path / "a").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
