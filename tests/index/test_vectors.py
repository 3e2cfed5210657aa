"""Vectors that survive a kill, and those that are taken from an index."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from procqa.index.vectors import KeptVectors, VectorFile
from tests.index.small import write_vectors


def test_vectors_that_a_killed_run_made_are_not_made_again(tmp_path: Path):
    made: list[str] = []

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        made.extend(texts)
        return np.array([[float(text), 1.0] for text in texts], dtype=np.float32)

    def killed() -> Iterator[list[str]]:
        yield ["1", "2"]
        yield ["3", "4"]
        raise KeyboardInterrupt

    path = tmp_path / "vectors.f16"
    with pytest.raises(KeyboardInterrupt):
        VectorFile(path, 2).fill(killed(), encode)
    with path.open("ab") as stream:
        stream.write(b"\x00\x01\x02")
    vectors = VectorFile(path, 2).fill(iter([["1", "2"], ["3", "4"], ["5"]]), encode)
    assert made == ["1", "2", "3", "4", "5"]
    assert vectors.tolist() == [[1, 1], [2, 1], [3, 1], [4, 1], [5, 1]]
    assert vectors.dtype == np.float16


def test_no_texts_are_no_vectors(tmp_path: Path):
    vectors = VectorFile(tmp_path / "vectors.f16", 4).fill(iter([]), lambda *_: np.zeros((0, 4), dtype=np.float32))
    assert vectors.shape == (0, 4)


def test_the_vectors_of_an_index_are_found_by_position_and_come_back_as_they_were(tmp_path: Path):
    vectors = np.random.default_rng(0).standard_normal((7, 4)).astype(np.float16)
    positions = np.array([5, 0, 5, 2, 3, 1, 2])
    write_vectors(vectors, positions, ["go", "c", "go", "c", "go", "c", "c"], tmp_path / "i")
    kept = KeptVectors(tmp_path / "i")
    found = kept.rows_of(np.array([5, 0, -1, 4, 2]))
    assert [len(rows) for rows in found] == [2, 1, 0, 0, 2]
    taken = kept.take([row for rows in found for row in rows])
    assert taken.tolist() == vectors[[0, 2, 1, 3, 6]].tolist()
    assert kept.take([]).shape == (0, 4)
