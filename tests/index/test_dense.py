"""Vectors: exact search against numpy, bytes instead of floats, and vectors that survive a kill."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from procqa.index import dense
from procqa.index.dense import DenseIndex, VectorFile, write_dense


def unit_rows(n: int, seed: int = 0) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((n, 16)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_all_languages_together_are_exactly_the_whole(tmp_path: Path):
    vectors = unit_rows(600)
    languages = [("go", "c", "rust")[number % 3] for number in range(600)]
    write_dense(vectors, np.arange(600), languages, tmp_path / "i")
    index = DenseIndex(tmp_path / "i")
    for query in unit_rows(10, seed=1):
        expected = np.argsort(-(vectors @ query), kind="stable")[:20]
        assert [position for position, _ in index.search(query, 20)] == expected.tolist()
        of_go = [position for position in np.argsort(-(vectors @ query), kind="stable") if position % 3 == 0][:20]
        assert [position for position, _ in index.search(query, 20, language="go")] == of_go


def test_positions_need_not_follow_the_order_of_the_rows(tmp_path: Path):
    vectors = unit_rows(50)
    order = np.random.default_rng(3).permutation(50)
    write_dense(vectors, order, ["c"] * 50, tmp_path / "i")
    index = DenseIndex(tmp_path / "i")
    assert len(index) == 50
    assert [index.search(vectors[row], 1)[0][0] for row in range(50)] == order.tolist()


def test_a_large_language_holds_bytes_and_loses_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dense, "EXACT_ROWS", 100)
    vectors = unit_rows(2_000)
    write_dense(vectors, np.arange(2_000), ["c"] * 2_000, tmp_path / "i")
    assert (tmp_path / "i/c/vectors.faiss").stat().st_size < 2_000 * 16 * 2
    index = DenseIndex(tmp_path / "i")
    found = exact = 0
    for query in unit_rows(50, seed=1):
        best = set(np.argsort(-(vectors @ query))[:10].tolist())
        found += len(best & {position for position, _ in index.search(query, 10)})
        exact += 10
    assert found / exact >= 0.95


def test_vectors_that_a_killed_run_made_are_not_made_again(tmp_path: Path):
    made: list[str] = []

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        made.extend(texts)
        return np.array([[float(text), 1.0] for text in texts], dtype=np.float32)

    def killed() -> object:
        yield ["1", "2"]
        yield ["3", "4"]
        raise KeyboardInterrupt

    path = tmp_path / "vectors.f32"
    with pytest.raises(KeyboardInterrupt):
        VectorFile(path, 2).fill(killed(), encode)
    with path.open("ab") as stream:
        stream.write(b"\x00\x01\x02")
    vectors = VectorFile(path, 2).fill(iter([["1", "2"], ["3", "4"], ["5"]]), encode)
    assert made == ["1", "2", "3", "4", "5"]
    assert vectors.tolist() == [[1, 1], [2, 1], [3, 1], [4, 1], [5, 1]]


def test_no_texts_are_no_vectors(tmp_path: Path):
    vectors = VectorFile(tmp_path / "vectors.f32", 4).fill(iter([]), lambda *_: np.zeros((0, 4), dtype=np.float32))
    assert vectors.shape == (0, 4)
