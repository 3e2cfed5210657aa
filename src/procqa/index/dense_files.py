"""Writes the vectors of an index: halves, and what FAISS searches them by, chosen by how many there are.

Up to 10,000 vectors of a language the halves themselves, then one byte a number, and above 200,000 that in lists of
which a search looks into as many as it needs. What is not exact is measured against what is, by titles that are asked
as queries. Source: ours, docs/decisions/0025.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Literal

import faiss
import numpy as np
from numpy.typing import NDArray

from procqa.errors import ArtifactError
from procqa.index.dense import (
    CODES_FILE,
    HALVES_FILE,
    POSITIONS_FILE,
    TUNED_K,
    Halves,
    Part,
    Vectors,
    find_best,
    one_thread,
    open_part,
)
from procqa.topk import top_k

SMALL_ROWS = 10_000
"""Up to so many vectors of a language are compared by their halves. Source: ours, docs/decisions/0007."""

TRAINING_ROWS = 100_000
ROWS_A_CENTRE = 64
BLOCK_ROWS = 8_192

SAMPLE = 100
"""Queries that the lists are tuned by, and as many others that recall is measured by."""

LEAST_RECALL = 0.97
"""Of the exact first ten. Source: ours, docs/decisions/0025."""

GROWTH = 1.25
"""How many more lists are searched where the queries that chose their number were easier than those that measure."""

Kind = Literal["halves", "bytes", "lists"]
Ask = Callable[[NDArray[np.int64]], Vectors]
"""The vectors of queries that documents at some positions answer, (n, D)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSummary:
    """How the vectors of one language are searched.

    Args:
        recall: share of the exact first ten that is found, over queries that chose nothing; 1 where all is exact.
        queries: how many those were; 0 where nothing had to be measured.
    """

    kind: Kind
    vectors: int
    lists: int
    probes: int
    recall: float
    queries: int


@dataclass(frozen=True, slots=True)
class DenseRows:
    """The vectors of an index in the order in which they were made.

    Args:
        vectors: (n, D) float16, rounded unit rows, in memory or mapped.
        positions: (n,) the position of each row's document.
        languages: (n,) the language of each row.
    """

    vectors: Halves
    positions: NDArray[np.int64]
    languages: Sequence[str]


def write_dense(rows: DenseRows, folder: Path, *, ask: Ask, exact_vectors: int) -> dict[str, PartSummary]:
    """Write one index a language into a new folder; how each is searched.

    Memory: the index of the largest language, and a block of vectors.

    Args:
        ask: gives the queries by which recall is measured.
        exact_vectors: a language with more is searched in lists.

    Raises:
        ArtifactError: the disk is full or refuses.
    """
    folder.mkdir()
    names = sorted(set(rows.languages))
    number = {language: number for number, language in enumerate(names)}
    numbers = np.fromiter((number[language] for language in rows.languages), np.int16, count=len(rows.languages))
    summaries = {}
    for language in names:
        chosen = np.flatnonzero(numbers == number[language])
        chosen = chosen[np.argsort(rows.positions[chosen], kind="stable")]
        place = folder / language
        place.mkdir()
        np.save(place / POSITIONS_FILE, rows.positions[chosen])
        halves = _write_halves(rows.vectors, chosen, place / HALVES_FILE)
        with one_thread():
            summaries[language] = _write_codes(halves, place, ask, exact_vectors)
    return summaries


def _write_halves(vectors: Halves, rows: NDArray[np.int64], path: Path) -> Halves:
    """The chosen rows as a file of numpy, mapped; written as a stream, for a map dies of a full disk."""
    with path.open("wb") as stream:
        shape = {"descr": "<f2", "fortran_order": False, "shape": (len(rows), vectors.shape[1])}
        np.lib.format.write_array_header_1_0(stream, shape)
        for start in range(0, len(rows), BLOCK_ROWS):
            stream.write(np.ascontiguousarray(vectors[rows[start : start + BLOCK_ROWS]], dtype="<f2").tobytes())
    halves: Halves = np.load(path, mmap_mode="r", allow_pickle=False)
    return halves


def _write_codes(halves: Halves, folder: Path, ask: Ask, exact_vectors: int) -> PartSummary:
    """Write what FAISS searches by, and measure it."""
    kind: Kind = "lists" if len(halves) > exact_vectors else "halves" if len(halves) <= SMALL_ROWS else "bytes"
    index = _train(halves, kind)
    for start in range(0, len(halves), BLOCK_ROWS):
        index.add(halves[start : start + BLOCK_ROWS].astype(np.float32))
    _save(index, folder)
    if kind == "halves":
        return PartSummary(kind=kind, vectors=len(halves), lists=0, probes=0, recall=1.0, queries=0)
    part = open_part(folder)
    sample = _sample(part.positions)
    probes, recall, measured = _tune(part, ask(sample))
    if part.lists:
        index.nprobe = probes  # type: ignore[attr-defined]  # of an IndexIVF
        _save(index, folder)
    return PartSummary(
        kind=kind, vectors=len(halves), lists=part.lists, probes=probes, recall=round(recall, 4), queries=measured
    )


def _train(halves: Halves, kind: Kind) -> faiss.Index:
    rows, dimensions = halves.shape
    training_rows = TRAINING_ROWS
    if kind == "lists":
        lists = 1 << round(np.log2(2 * sqrt(rows)))
        training_rows = ROWS_A_CENTRE * lists
        index: faiss.Index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(dimensions),
            dimensions,
            lists,
            faiss.ScalarQuantizer.QT_8bit,
            faiss.METRIC_INNER_PRODUCT,
            False,  # one code for equal vectors, whatever list they lie in
        )
    else:
        code = faiss.ScalarQuantizer.QT_fp16 if kind == "halves" else faiss.ScalarQuantizer.QT_8bit
        index = faiss.IndexScalarQuantizer(dimensions, code, faiss.METRIC_INNER_PRODUCT)
    index.train(halves[:: max(1, rows // training_rows)].astype(np.float32))
    return index


def _save(index: faiss.Index, folder: Path) -> None:
    try:
        faiss.write_index(index, str(folder / CODES_FILE))
    except RuntimeError as error:  # so FAISS words what the disk says
        raise ArtifactError(f"{folder / CODES_FILE} could not be written") from error


def _sample(positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Up to twice SAMPLE documents, drawn by chance but always the same."""
    distinct = np.unique(positions)
    chosen: NDArray[np.int64] = np.random.default_rng(0).permutation(distinct)[: 2 * SAMPLE]
    return chosen


def _tune(part: Part, queries: Vectors) -> tuple[int, float, int]:
    """The lists to search, what of the exact first ten they find, and over how many queries that was measured.

    One half of the queries chooses the lists, the other half measures; where it finds less than is owed, more lists.
    """
    queries = queries[queries.any(axis=1)]
    if not len(queries):
        return part.lists, 1.0, 0
    exact = _exact_scores(part, queries)
    half = len(queries) // 2 if part.lists else 0
    least, probes = 0, part.lists
    while probes - least > 1:
        middle = (least + probes) // 2
        is_enough = _recall(part, queries[:half], exact[:half], middle) >= LEAST_RECALL
        least, probes = (least, middle) if is_enough else (middle, probes)
    recall = _recall(part, queries[half:], exact[half:], probes)
    while probes < part.lists and recall < LEAST_RECALL:
        probes = min(ceil(GROWTH * probes), part.lists)
        recall = _recall(part, queries[half:], exact[half:], probes)
    return probes, recall, len(queries) - half


def _exact_scores(part: Part, queries: Vectors) -> NDArray[np.float32]:
    """(n, ≤ 10) the exact scores of the first ten documents of each query, best first."""
    _, counts = np.unique(part.positions, return_counts=True)
    width = min(TUNED_K, len(counts))
    scores, rows = top_k(queries, part.halves, TUNED_K * int(counts.max()))  # type: ignore[arg-type]  # halves widen
    firsts = [np.sort(np.unique(found, return_index=True)[1])[:width] for found in part.positions[rows]]
    return np.stack([of_query[first] for of_query, first in zip(scores, firsts, strict=True)])


def _recall(part: Part, queries: Vectors, exact: NDArray[np.float32], probes: int) -> float:
    """The share of the exact first documents that are found; one that scores as much as the last of them counts."""
    found = 0
    for query, scores in zip(queries, exact, strict=True):
        hits = find_best(part, query, len(scores), probes=probes)
        found += sum(score >= scores[-1] for _, score in hits)
    return found / max(exact.size, 1)
