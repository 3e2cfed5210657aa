"""Search by vectors: one FAISS index a language, merged where all are asked for.

Vectors are kept as halves (two bytes a number). FAISS finds candidates, and their order is that of the exact products
with the halves, so equal vectors score alike. Large languages are searched in a part of their lists, unless a filter
leaves so little that all of it can be compared. Knows positions and vectors, not documents or models.
Source: ours, docs/decisions/0025.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from procqa.errors import ArtifactError
from procqa.index.lexical import Ranking
from procqa.topk import dot_products

Vectors = NDArray[np.float32]
Halves = NDArray[np.float16]

LEAST_SPARE = 16
"""Documents beyond k whose exact products are computed, at least; else k / 4. Source: ours, docs/decisions/0025."""

SAMPLED_ROWS = 4_096
"""Vectors by which it is estimated how many a document has. Source: ours, docs/decisions/0025."""

FEW_ROWS = 4_096
"""So few allowed rows are compared one by one, without FAISS. Source: ours, docs/decisions/0025."""

SELECTIVE = 4
"""A filter that leaves less than one row of so many is answered from all lists, for they are soon compared; one that
leaves more, from so many times the lists. Source: ours, docs/decisions/0025."""

TUNED_K = 10
"""The lists that are searched are enough for so many hits; for more, more are. Source: ours, docs/decisions/0025."""

POSITIONS_FILE = "positions.npy"
HALVES_FILE = "vectors.npy"
CODES_FILE = "vectors.faiss"


@dataclass(frozen=True, slots=True)
class Part:
    """The vectors of one language.

    Args:
        index: of FAISS, over the rows of the halves.
        halves: (n, D) float16.
        positions: (n,) the position of each row's document, ascending.
    """

    index: faiss.Index
    halves: Halves
    positions: NDArray[np.int64]

    @property
    def rows_a_document(self) -> float:
        """How many vectors a document has on average, among the first."""
        first = self.positions[:SAMPLED_ROWS]
        documents = 1 + int(np.count_nonzero(first[1:] != first[:-1]))
        return len(first) / documents

    @property
    def lists(self) -> int:
        """In how many lists its rows lie; 0 where all are compared."""
        return self.index.nlist if isinstance(self.index, faiss.IndexIVF) else 0


class DenseIndex:
    """The dense indexes of all languages, mapped into memory; safe to use from several threads.

    Raises:
        ArtifactError: the folder holds no readable index.
    """

    def __init__(self, folder: Path) -> None:
        try:
            names = sorted(path.name for path in folder.iterdir())
            self._parts = {name: open_part(folder / name) for name in names}
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
        with one_thread():
            hits = [hit for part in chosen.values() for hit in find_best(part, query, k, allowed)]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:k]


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep FAISS on the calling thread: one query is too little to share, and waking others costs more."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def open_part(folder: Path) -> Part:
    """The vectors of a language, mapped.

    Raises:
        OSError: a file is missing.
        EOFError: it is empty.
        ValueError: it is broken, or the files do not belong together.
        RuntimeError: FAISS cannot read its own.
    """
    # FAISS itself says which file it cannot map; numpy checks its own header.
    index = faiss.read_index(str(folder / CODES_FILE), faiss.IO_FLAG_MMAP_IFC)
    halves = np.load(folder / HALVES_FILE, mmap_mode="r", allow_pickle=False)
    positions = np.load(folder / POSITIONS_FILE, mmap_mode="r", allow_pickle=False)
    if not index.ntotal == len(positions) == len(halves):
        raise ValueError(f"{folder} holds {index.ntotal} codes and {len(halves)} vectors of {len(positions)} documents")
    return Part(index, halves, positions)


def find_best(
    part: Part, query: Vectors, k: int, allowed: NDArray[np.bool_] | None = None, *, probes: int | None = None
) -> Ranking:
    """The k best documents that are allowed, each by the best of its vectors.

    Asks for more while there are fewer, or the cut goes through a tie, so that a tie falls by position.

    Args:
        probes: lists that are searched, where there are lists; None takes what the index was tuned to.
    """
    mask = None if allowed is None else allowed[part.positions]
    rows = len(part.positions) if mask is None else int(np.count_nonzero(mask))
    if mask is not None and rows <= FEW_ROWS:
        return _join(part, query, np.flatnonzero(mask), k)[0]
    probes = probes or _probes(part, k, rows)
    bits = None if mask is None else np.packbits(mask, bitorder="little")
    limit = min(ceil((k + max(LEAST_SPARE, k // 4)) * part.rows_a_document), rows)
    while True:
        rough, found = part.index.search(query[None, :], limit, params=_options(part, bits, probes))
        reached = int(np.count_nonzero(found[0] >= 0))
        hits, best = _join(part, query, found[0, :reached], k)
        is_all = reached == rows or (reached < limit and probes >= part.lists)
        if is_all or (len(hits) == k and (reached < limit or rough[0, -1] < rough[0, best].min())):
            return hits
        if reached < limit:
            probes *= 2
        else:
            limit = min(2 * limit, rows)


def _probes(part: Part, k: int, rows: int) -> int:
    """How many lists are searched for k hits among some rows that are allowed."""
    if not part.lists or SELECTIVE * rows < len(part.positions):
        return part.lists
    tuned: int = part.index.nprobe  # type: ignore[attr-defined]  # of an IndexIVF
    wanted = ceil(tuned * max(1.0, sqrt(k / TUNED_K)))
    return min(wanted if rows == len(part.positions) else SELECTIVE * wanted, part.lists)


def _options(part: Part, bits: NDArray[np.uint8] | None, probes: int) -> faiss.SearchParameters:
    chosen = {} if bits is None else {"sel": faiss.IDSelectorBitmap(bits)}  # type: ignore[call-arg, arg-type]
    if part.lists:
        return faiss.SearchParametersIVF(**chosen, nprobe=min(probes, part.lists))  # type: ignore[call-arg]
    return faiss.SearchParameters(**chosen)


def _join(part: Part, query: Vectors, rows: NDArray[np.int64], k: int) -> tuple[Ranking, NDArray[np.int64]]:
    """The k best documents among some rows by their exact products, and the place of each one's row among them."""
    positions = np.asarray(part.positions[rows])
    scores = dot_products(query, part.halves[rows].astype(np.float32))
    order = np.lexsort((positions, -scores))
    # Of the vectors of one document the best counts.
    _, first = np.unique(positions[order], return_index=True)
    best = order[np.sort(first)[:k]]
    return list(zip(positions[best].tolist(), scores[best].tolist(), strict=True)), best
