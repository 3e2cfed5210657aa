"""Vectors while an index is made: on disk as they come, and those that a former index holds already.

Knows texts and rows, not documents or models. Rounded to halves at once, so that an update, which takes them from
the index, has the very numbers of a new build. Source: ours, docs/decisions/0025.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from procqa.index.dense import HALVES_FILE, POSITIONS_FILE, Halves, Vectors


class DocumentEncoder(Protocol):
    """What an index needs of an encoder."""

    @property
    def name(self) -> str:
        """As the user gave it."""
        ...

    @property
    def revision(self) -> str:
        """The sha256 of its weights."""
        ...

    @property
    def dimensions(self) -> int:
        """D, the size of a vector."""
        ...

    @property
    def fusion_weight(self) -> float:
        """In [0, 1], of its cosines beside words."""
        ...

    @property
    def arithmetic(self) -> str:
        """What computes the vectors and in which numbers."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows."""
        ...

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows."""
        ...


Wanted = str | int
"""A vector to be made: of a text, or the one in that row of a former index."""


class VectorFile:
    """Vectors on disk in the order they were made; a run that was killed goes on where it stopped.

    Args:
        path: the file; its rows are float16.
        dimensions: D, of every row.
    """

    def __init__(self, path: Path, dimensions: int) -> None:
        self.path = path
        self.dimensions = dimensions

    def fill(self, wanted: Iterable[Sequence[Wanted]], make: Callable[[Sequence[Wanted]], Vectors | Halves]) -> Halves:
        """Make every vector that is not there yet, a batch at a time; all of them, (n, D) float16, mapped."""
        row_bytes = 2 * self.dimensions
        done = self.path.stat().st_size // row_bytes if self.path.exists() else 0
        with self.path.open("r+b" if done else "wb") as stream:
            stream.truncate(done * row_bytes)
            stream.seek(0, 2)
            for batch in wanted:
                rest = batch[done:]
                done -= len(batch) - len(rest)
                if rest:
                    stream.write(np.ascontiguousarray(make(rest), dtype="<f2").tobytes())
                    stream.flush()
        if self.path.stat().st_size == 0:
            return np.zeros((0, self.dimensions), dtype=np.float16)
        halves: Halves = np.memmap(self.path, dtype="<f2", mode="r").reshape(-1, self.dimensions)
        return halves


class KeptVectors:
    """The vectors of an index by the positions of its documents, mapped.

    Memory: 20 bytes a vector.

    Raises:
        OSError: a file is missing.
        ValueError: a file is broken.
    """

    def __init__(self, folder: Path) -> None:
        names = sorted(path.name for path in folder.iterdir())
        self._halves = [np.load(folder / name / HALVES_FILE, mmap_mode="r", allow_pickle=False) for name in names]
        positions = [np.load(folder / name / POSITIONS_FILE, allow_pickle=False) for name in names]
        self._starts = np.cumsum([0, *map(len, positions)])
        together = np.concatenate(positions)
        # Rows of one position lie in one language, one after the other.
        self._order = np.argsort(together, kind="stable")
        self._positions = together[self._order]

    def rows_of(self, positions: NDArray[np.int64]) -> list[list[int]]:
        """The rows of the vectors of each position; none for a position below 0."""
        first = np.searchsorted(self._positions, positions, side="left")
        last = np.searchsorted(self._positions, positions, side="right")
        return [self._order[start:end].tolist() for start, end in zip(first.tolist(), last.tolist(), strict=True)]

    def take(self, rows: Sequence[int]) -> Halves:
        """(n, D) the vectors of some rows."""
        wanted = np.asarray(rows, dtype=np.int64)
        vectors: Halves = np.empty((len(wanted), self._halves[0].shape[1]), dtype=np.float16)
        part_of = np.searchsorted(self._starts, wanted, side="right") - 1
        for part in np.unique(part_of).tolist():
            places = np.flatnonzero(part_of == part)
            vectors[places] = self._halves[part][wanted[places] - self._starts[part]]
        return vectors
