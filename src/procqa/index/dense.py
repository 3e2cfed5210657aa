"""Search by vectors: one FAISS index a language, merged where all are asked for.

Vectors are kept as halves (two bytes a number). FAISS finds candidates, by the halves themselves or by one byte a
number, and their order is that of the exact products, so equal vectors score alike. Each vector is compared, so a
filter loses nothing. Knows positions and vectors, not documents or models. Source: ours, docs/decisions/0025.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from procqa.errors import ArtifactError
from procqa.index.lexical import Ranking
from procqa.topk import dot_products

Vectors = NDArray[np.float32]
Halves = NDArray[np.float16]

SMALL_ROWS = 10_000
"""Languages up to this size are compared by their halves. Source: ours, docs/decisions/0007."""

LEAST_SPARE = 16
"""Candidates beyond k whose exact products are computed, at least; else k / 4. Source: ours, docs/decisions/0025."""

TRAINING_ROWS = 100_000
BLOCK_ROWS = 8_192
POSITIONS_FILE = "positions.npy"
HALVES_FILE = "vectors.npy"
CODES_FILE = "vectors.faiss"


def write_dense(vectors: Halves, positions: NDArray[np.int64], languages: Sequence[str], folder: Path) -> None:
    """Write one index a language into a new folder.

    Memory: the index of the largest language, and a block of vectors.

    Args:
        vectors: (n, D) float16, rounded unit rows, in memory or mapped.
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
        place = folder / language
        place.mkdir()
        np.save(place / POSITIONS_FILE, positions[rows])
        halves = _write_halves(vectors, rows, place / HALVES_FILE)
        index = _empty_index(halves)
        for start in range(0, len(rows), BLOCK_ROWS):
            index.add(halves[start : start + BLOCK_ROWS].astype(np.float32))
        try:
            faiss.write_index(index, str(place / CODES_FILE))
        except RuntimeError as error:  # so FAISS words what the disk says
            raise ArtifactError(f"{place / CODES_FILE} could not be written") from error


def _write_halves(vectors: Halves, rows: NDArray[np.int64], path: Path) -> Halves:
    """The chosen rows as a file of numpy, mapped; written as a stream, for a map dies of a full disk."""
    with path.open("wb") as stream:
        shape = {"descr": "<f2", "fortran_order": False, "shape": (len(rows), vectors.shape[1])}
        np.lib.format.write_array_header_1_0(stream, shape)
        for start in range(0, len(rows), BLOCK_ROWS):
            stream.write(np.ascontiguousarray(vectors[rows[start : start + BLOCK_ROWS]], dtype="<f2").tobytes())
    halves: Halves = np.load(path, mmap_mode="r", allow_pickle=False)
    return halves


def _empty_index(halves: Halves) -> faiss.Index:
    rows, dimensions = halves.shape
    kind = faiss.ScalarQuantizer.QT_fp16 if rows <= SMALL_ROWS else faiss.ScalarQuantizer.QT_8bit
    index = faiss.IndexScalarQuantizer(dimensions, kind, faiss.METRIC_INNER_PRODUCT)
    index.train(halves[:: max(1, rows // TRAINING_ROWS)].astype(np.float32))
    return index


@dataclass(frozen=True, slots=True)
class _Part:
    """The vectors of one language: (n, D) halves, and the position of each, ascending."""

    index: faiss.Index
    halves: Halves
    positions: NDArray[np.int64]


class DenseIndex:
    """The dense indexes of all languages, mapped into memory; safe to use from several threads.

    Raises:
        ArtifactError: the folder holds no readable index.
    """

    def __init__(self, folder: Path) -> None:
        try:
            names = sorted(path.name for path in folder.iterdir())
            self._parts = {name: _open(folder / name) for name in names}
        except (OSError, EOFError, ValueError, RuntimeError) as error:
            raise ArtifactError(f"{folder} holds no readable dense index: run procqa index again") from error

    def __len__(self) -> int:
        """How many vectors there are; a long document has several."""
        return sum(len(part.positions) for part in self._parts.values())

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
        chosen = self._parts if language is None else {language: self._parts[language]}
        with _one_thread():
            hits = [hit for part in chosen.values() for hit in _best(part, query, k, allowed)]
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


def _open(folder: Path) -> _Part:
    # FAISS itself says which file it cannot map; numpy checks its own header.
    index = faiss.read_index(str(folder / CODES_FILE), faiss.IO_FLAG_MMAP_IFC)
    halves = np.load(folder / HALVES_FILE, mmap_mode="r", allow_pickle=False)
    positions = np.load(folder / POSITIONS_FILE, mmap_mode="r", allow_pickle=False)
    if not index.ntotal == len(positions) == len(halves):
        raise ValueError(f"{folder} holds {index.ntotal} codes and {len(halves)} vectors of {len(positions)} documents")
    return _Part(index, halves, positions)


def _best(part: _Part, query: Vectors, k: int, allowed: NDArray[np.bool_] | None) -> Ranking:
    """The k best that are allowed; asks for more while the cut goes through a tie, so that it falls by position."""
    options, rows = None, len(part.positions)
    if allowed is not None:
        mask = allowed[part.positions]
        rows = int(np.count_nonzero(mask))
        bits = np.packbits(mask, bitorder="little")
        options = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))  # type: ignore[call-arg, arg-type]
    limit = min(k + max(LEAST_SPARE, k // 4), rows)
    while limit:
        rough, found = part.index.search(query[None, :], limit, params=options)
        scores = dot_products(query, part.halves[found[0]].astype(np.float32))
        order = np.lexsort((part.positions[found[0]], -scores))
        # Of the vectors of one document the best counts.
        _, first = np.unique(part.positions[found[0, order]], return_index=True)
        best = order[np.sort(first)[:k]]
        if limit == rows or (len(best) == k and rough[0, -1] < rough[0, best].min()):
            return list(zip(part.positions[found[0, best]].tolist(), scores[best].tolist(), strict=True))
        limit = min(2 * limit, rows)
    return []
