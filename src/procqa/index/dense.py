"""Search by vectors: one exhaustive FAISS index a language, merged where all are asked for.

Each vector is compared, so a filter by language costs nothing and loses nothing. Languages above 10,000
rows hold one byte a dimension (SQ8), smaller ones the floats themselves. Knows positions and vectors,
not documents or models.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from procqa.errors import ArtifactError
from procqa.index.lexical import Ranking

Vectors = NDArray[np.float32]

EXACT_ROWS = 10_000
"""Languages up to this size keep their floats. Source: ours, docs/decisions/0007."""

TRAINING_ROWS = 100_000
BLOCK_ROWS = 8_192
POSITIONS_FILE = "positions.npy"
VECTORS_FILE = "vectors.faiss"


def write_dense(vectors: Vectors, positions: NDArray[np.int64], languages: Sequence[str], folder: Path) -> None:
    """Write one index a language into a new folder.

    Memory: the index of the largest language, and a block of vectors.

    Args:
        vectors: (n, D) float32 unit rows, in memory or mapped.
        positions: (n,) the position of each row's document.
        languages: (n,) the language of each row.

    Raises:
        ArtifactError: the disk is full or refuses.
    """
    folder.mkdir()
    names = sorted(set(languages))
    number = {language: number for number, language in enumerate(names)}
    numbers = np.fromiter((number[language] for language in languages), dtype=np.int16, count=len(languages))
    for language in names:
        rows = np.flatnonzero(numbers == number[language])
        rows = rows[np.argsort(positions[rows], kind="stable")]
        index = _empty_index(vectors, rows)
        for start in range(0, len(rows), BLOCK_ROWS):
            index.add(np.ascontiguousarray(vectors[rows[start : start + BLOCK_ROWS]], dtype=np.float32))
        (folder / language).mkdir()
        try:
            faiss.write_index(index, str(folder / language / VECTORS_FILE))
        except RuntimeError as error:  # so FAISS words what the disk says
            raise ArtifactError(f"{folder / language / VECTORS_FILE} could not be written") from error
        np.save(folder / language / POSITIONS_FILE, positions[rows])


def _empty_index(vectors: Vectors, rows: NDArray[np.int64]) -> faiss.Index:
    dimensions = vectors.shape[1]
    if len(rows) <= EXACT_ROWS:
        return faiss.IndexFlatIP(dimensions)
    index = faiss.IndexScalarQuantizer(dimensions, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    sample = rows[:: max(1, len(rows) // TRAINING_ROWS)]
    index.train(np.ascontiguousarray(vectors[sample], dtype=np.float32))
    return index


class DenseIndex:
    """The dense indexes of all languages, mapped into memory; safe to use from several threads.

    Raises:
        ArtifactError: the folder holds no readable index.
    """

    def __init__(self, folder: Path) -> None:
        try:
            names = sorted(path.name for path in folder.iterdir())
            self._indexes = {name: _open(folder / name) for name in names}
        except (OSError, EOFError, ValueError, RuntimeError) as error:
            raise ArtifactError(f"{folder} holds no readable dense index: run procqa index again") from error

    def __len__(self) -> int:
        """How many documents there are."""
        return sum(len(positions) for _, positions in self._indexes.values())

    def search(
        self, query: Vectors, k: int, *, language: str | None = None, allowed: NDArray[np.bool_] | None = None
    ) -> Ranking:
        """The k documents whose vectors have the highest inner product with the query's.

        Args:
            query: (D,) float32 unit vector.
            language: only documents of this language; None takes all.
            allowed: (n,) whether the document at each position may be a hit; None takes all.

        Returns:
            Nothing where the query is a row of zeros: a text without a known word is like no document.
        """
        if not query.any():
            return []
        chosen = self._indexes if language is None else {language: self._indexes[language]}
        with _one_thread():
            hits = [hit for index, positions in chosen.values() for hit in _best(index, positions, query, k, allowed)]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:k]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep FAISS on the calling thread: one query is too little to share, and waking others costs more."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _open(folder: Path) -> tuple[faiss.Index, NDArray[np.int64]]:
    # FAISS itself says which file it cannot map; numpy checks its own header.
    index = faiss.read_index(str(folder / VECTORS_FILE), faiss.IO_FLAG_MMAP_IFC)
    positions = np.load(folder / POSITIONS_FILE, mmap_mode="r", allow_pickle=False)
    if index.ntotal != len(positions):
        raise ValueError(f"{folder} holds {index.ntotal} vectors for {len(positions)} documents")
    return index, positions


def _best(
    index: faiss.Index,
    positions: NDArray[np.int64],
    query: Vectors,
    k: int,
    allowed: NDArray[np.bool_] | None,
) -> Ranking:
    """The k best that are allowed; asks for more while the cut goes through a tie, so that it falls by position."""
    rows = len(positions) if allowed is None else int(np.count_nonzero(mask := allowed[positions]))
    options = None
    if rows < len(positions):
        bits = np.packbits(mask, bitorder="little")
        options = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))  # type: ignore[call-arg, arg-type]
    limit = min(k + 1, rows)
    while limit:
        scores, found = index.search(query[None, :], limit, params=options)
        if limit == rows or scores[0, -1] < scores[0, k - 1]:
            hits = zip(positions[found[0]].tolist(), scores[0].tolist(), strict=True)
            return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:k]
        limit = min(2 * limit, rows)
    return []


class VectorFile:
    """Vectors on disk in the order they were made; a run that was killed goes on where it stopped.

    Args:
        path: the file; its rows are float32.
        dimensions: D, of every row.
    """

    def __init__(self, path: Path, dimensions: int) -> None:
        self.path = path
        self.dimensions = dimensions

    def fill(self, texts: Iterator[Sequence[str]], encode: Callable[[Sequence[str]], Vectors]) -> Vectors:
        """Encode every batch of texts that is not there yet; all vectors, (n, D) float32, mapped."""
        row_bytes = 4 * self.dimensions
        done = self.path.stat().st_size // row_bytes if self.path.exists() else 0
        with self.path.open("r+b" if done else "wb") as stream:
            stream.truncate(done * row_bytes)
            stream.seek(0, 2)
            for batch in texts:
                rest = batch[done:]
                done -= len(batch) - len(rest)
                if rest:
                    stream.write(np.ascontiguousarray(encode(rest), dtype=np.float32).tobytes())
                    stream.flush()
        if self.path.stat().st_size == 0:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return np.memmap(self.path, dtype=np.float32, mode="r").reshape(-1, self.dimensions)
