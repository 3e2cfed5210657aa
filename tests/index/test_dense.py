"""Vectors: exact search against numpy, and bytes instead of halves."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from procqa.index import dense_files
from procqa.index.dense import DenseIndex, open_part
from tests.index.small import write_vectors


def unit_rows(n: int, seed: int = 0) -> NDArray[np.float16]:
    vectors = np.random.default_rng(seed).standard_normal((n, 16)).astype(np.float32)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def queries(n: int) -> NDArray[np.float32]:
    return unit_rows(n, seed=1).astype(np.float32)


def test_all_languages_together_are_exactly_the_whole(tmp_path: Path):
    vectors = unit_rows(600)
    languages = [("go", "c", "rust")[number % 3] for number in range(600)]
    write_vectors(vectors, np.arange(600), languages, tmp_path / "i")
    index = DenseIndex(tmp_path / "i")
    for query in queries(10):
        expected = np.argsort(-(vectors @ query), kind="stable")[:20]
        assert [position for position, _ in index.search(query, 20)] == expected.tolist()
        of_go = [position for position in np.argsort(-(vectors @ query), kind="stable") if position % 3 == 0][:20]
        assert [position for position, _ in index.search(query, 20, language="go")] == of_go


def test_positions_need_not_follow_the_order_of_the_rows(tmp_path: Path):
    vectors = unit_rows(50)
    order = np.random.default_rng(3).permutation(50)
    write_vectors(vectors, order, ["c"] * 50, tmp_path / "i")
    index = DenseIndex(tmp_path / "i")
    assert len(index) == 50
    assert [index.search(vectors[row].astype(np.float32), 1)[0][0] for row in range(50)] == order.tolist()


def test_a_part_tells_how_many_vectors_a_document_has(tmp_path: Path):
    write_vectors(unit_rows(6), np.array([7, 3, 3, 9, 3, 9]), ["c"] * 6, tmp_path / "i")
    assert open_part(tmp_path / "i/c").rows_a_document == 2.0


def test_a_large_language_holds_bytes_and_loses_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dense_files, "SMALL_ROWS", 100)
    vectors = unit_rows(2_000)
    write_vectors(vectors, np.arange(2_000), ["c"] * 2_000, tmp_path / "i")
    assert (tmp_path / "i/c/vectors.faiss").stat().st_size < 2_000 * 16 + 1_000
    index = DenseIndex(tmp_path / "i")
    found = exact = 0
    for query in queries(50):
        best = set(np.argsort(-(vectors @ query))[:10].tolist())
        found += len(best & {position for position, _ in index.search(query, 10)})
        exact += 10
    assert found / exact >= 0.99


def test_the_score_is_the_product_with_the_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dense_files, "SMALL_ROWS", 100)
    vectors = unit_rows(500)
    write_vectors(vectors, np.arange(500), ["c"] * 500, tmp_path / "i")
    (query,) = queries(1)
    expected = vectors.astype(np.float64) @ query.astype(np.float64)
    for position, score in DenseIndex(tmp_path / "i").search(query, 20):
        assert score == pytest.approx(expected[position], abs=1e-7)
