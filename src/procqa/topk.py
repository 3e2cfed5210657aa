"""Exact blocked top-k of dot products in bounded memory, ties by lower index.

A matrix product in single precision rounds one and the same document differently from place to place
in its blocks, so equal documents would be ordered by chance. Here it only finds the candidates, with a
bound on its error; each candidate's score is its dot product in double precision, rounded once. The
result therefore depends neither on the size of the blocks nor on threads. Source: ours, docs/evaluation.md.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from procqa.errors import ConfigError

Scores = NDArray[np.float32]
Indices = NDArray[np.int64]

BLOCK_ROWS = 2_048
QUERY_ROWS = 1_024
SPAN = 128  # estimates that are looked at together
ROUNDING = 2.0**-23  # twice the rounding of one float32 operation


def top_k(
    queries: NDArray[np.float32], documents: NDArray[np.float32], k: int, *, block_rows: int = BLOCK_ROWS
) -> tuple[Scores, Indices]:
    """The k documents with the largest dot product for each query, best first.

    Args:
        queries: (Q, D) float32.
        documents: (N, D) float32, or a memory map of that; read once, a block at a time.
        k: documents wanted, at least 1.
        block_rows: documents in memory at once; it never changes the result.

    Returns:
        Scores (Q, min(k, N)) float32 and indices (Q, min(k, N)) int64; equal scores by lower index.
        Memory: O(Q·k + block_rows·(D + QUERY_ROWS)).

    Raises:
        ConfigError: k or block_rows below 1, shapes that do not fit, or a vector that is not finite.
    """
    if k < 1 or block_rows < 1:
        raise ConfigError(f"k and block_rows must be at least 1, got {k} and {block_rows}")
    if queries.ndim != 2 or documents.ndim != 2 or queries.shape[1] != documents.shape[1]:
        raise ConfigError(f"queries and documents must be (Q, D) and (N, D), got {queries.shape} and {documents.shape}")
    width = min(k, len(documents))
    scores, indices = np.empty((len(queries), width), np.float32), np.empty((len(queries), width), np.int64)
    queries = np.ascontiguousarray(queries, dtype=np.float32)
    query_lengths = _lengths(queries)
    products = np.empty((min(QUERY_ROWS, len(queries)), min(block_rows, len(documents))), np.float32)
    for start in range(0, len(documents), block_rows):
        block = np.ascontiguousarray(documents[start : start + block_rows], dtype=np.float32)
        # |error| of a float32 dot product ≤ D · 2⁻²⁴ · |q| · |d|, in whatever order it is summed.
        bounds = (block.shape[1] + 2) * ROUNDING * query_lengths * _lengths(block).max(initial=0.0)
        for first in range(0, len(queries), QUERY_ROWS):
            some = slice(first, first + QUERY_ROWS)
            rough = products[: len(queries[some]), : len(block)]  # (≤ QUERY_ROWS, ≤ block_rows)
            with np.errstate(over="ignore", invalid="ignore"):  # the estimate is then near whatever is kept
                np.matmul(queries[some], block.T, out=rough)
            _keep_best(rough, queries[some], block, bounds[some], start, scores[some], indices[some])
    order = np.lexsort((indices, -scores))
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(indices, order, axis=1)


def top_k_of_scores(scores: NDArray[np.floating], k: int) -> tuple[NDArray[np.floating], Indices]:
    """The k largest of one vector of scores and their places, best first, ties by lower index.

    Args:
        scores: (N,) floating point.
        k: at least 1; fewer come back where N is less.

    Raises:
        ConfigError: k below 1, or a score is not a number.
    """
    if k < 1:
        raise ConfigError(f"k must be at least 1, got {k}")
    if np.isnan(scores).any():
        raise ConfigError("scores must be numbers, got NaN: the ranker that gave them is broken")
    chosen = np.arange(len(scores), dtype=np.int64)
    if k < len(scores):
        last = np.partition(scores, len(scores) - k)[len(scores) - k]
        above, level = np.flatnonzero(scores > last), np.flatnonzero(scores == last)
        chosen = np.sort(np.concatenate([above, level[: k - len(above)]]))
    order = chosen[np.argsort(-scores[chosen], kind="stable")]
    return scores[order], order


def _lengths(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Euclidean lengths of the rows; refuses what is not finite."""
    lengths = np.sqrt(_squares(vectors))
    if not np.isfinite(lengths).all():
        raise ConfigError("vectors must hold finite numbers, got NaN or infinity: the encoder that gave them is broken")
    return lengths


def dot_products(queries: NDArray[np.float32], vectors: NDArray[np.float32]) -> Scores:
    """Dot products (n,) that depend on nothing but the two vectors: each row is summed by itself.

    Args:
        queries: (D,), or (n, D) for one of each vector.
        vectors: (n, D).
    """
    rows = np.ascontiguousarray(np.broadcast_to(queries, vectors.shape), dtype=np.float32)
    return _dots(rows, np.ascontiguousarray(vectors, dtype=np.float32))


@njit(cache=True, nogil=True)
def _dot(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    """The dot product of two vectors in double precision, always summed in the same order."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    whole = len(left) // 4 * 4
    for i in range(0, whole, 4):
        a += np.float64(left[i]) * np.float64(right[i])
        b += np.float64(left[i + 1]) * np.float64(right[i + 1])
        c += np.float64(left[i + 2]) * np.float64(right[i + 2])
        d += np.float64(left[i + 3]) * np.float64(right[i + 3])
    for i in range(whole, len(left)):
        a += np.float64(left[i]) * np.float64(right[i])
    return (a + b) + (c + d)


@njit(cache=True, nogil=True)
def _dots(left: NDArray[np.float32], right: NDArray[np.float32]) -> Scores:
    """(n,) the dot product of each row with the row beside it."""
    products = np.empty(len(left), np.float32)
    for row in range(len(left)):
        products[row] = _dot(left[row], right[row])
    return products


@njit(cache=True, nogil=True)
def _squares(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,) the dot product of each row with itself."""
    squares = np.empty(len(vectors), np.float64)
    for row in range(len(vectors)):
        squares[row] = _dot(vectors[row], vectors[row])
    return squares


@njit(cache=True, nogil=True)
def _keep_best(
    rough: Scores,
    queries: NDArray[np.float32],
    block: NDArray[np.float32],
    bounds: NDArray[np.float64],
    start: int,
    scores: Scores,
    indices: Indices,
) -> None:
    """Take those documents of a block among the best of each query that belong there.

    Args:
        rough: (Q, n) products in single precision.
        queries: (Q, D).
        block: (n, D), documents from position ``start`` on.
        bounds: (Q,) how far an estimate of this block may be from the product.
        scores: (Q, k) the best so far, the first min(k, start) of them filled: a heap with the worst in front.
        indices: (Q, k) their positions.
    """
    width = scores.shape[1]
    for row in range(len(rough)):
        kept = min(width, start)
        least = _least(scores[row, 0], bounds[row]) if kept == width else np.float32(-np.inf)
        for first in range(0, len(block), SPAN):
            span = rough[row, first : first + SPAN]
            n_near = 0
            for estimate in span:
                n_near += not estimate < least  # so that NaN, of an overflow, is near
            if n_near == 0:
                continue
            for i in range(len(span)):
                if span[i] < least:
                    continue
                score = np.float32(_dot(queries[row], block[first + i]))
                if kept < width:
                    _sift_up(scores[row], indices[row], kept, score, start + first + i)
                    kept += 1
                elif score > scores[row, 0]:  # of equal scores the earlier document stays
                    _sift_down(scores[row], indices[row], score, start + first + i)
                if kept == width:
                    least = _least(scores[row, 0], bounds[row])


@njit(cache=True, nogil=True)
def _least(worst: np.float32, bound: np.float64) -> np.float32:
    """The smallest estimate of a document that may score above the worst that is kept."""
    return np.float32(worst - bound - abs(worst) * ROUNDING)


@njit(cache=True, nogil=True)
def _is_worse(score: np.float32, index: int, other_score: np.float32, other_index: int) -> bool:
    return bool(score < other_score or (score == other_score and index > other_index))


@njit(cache=True, nogil=True)
def _sift_up(scores: Scores, indices: Indices, place: int, score: np.float32, index: int) -> None:
    """Add a document behind a heap of so many."""
    while place > 0:
        parent = (place - 1) // 2
        if not _is_worse(score, index, scores[parent], indices[parent]):
            break
        scores[place], indices[place] = scores[parent], indices[parent]
        place = parent
    scores[place], indices[place] = score, index


@njit(cache=True, nogil=True)
def _sift_down(scores: Scores, indices: Indices, score: np.float32, index: int) -> None:
    """Put a document in the place of the worst of a full heap."""
    place, child, size = 0, 1, len(scores)
    while child < size:
        if child + 1 < size and _is_worse(scores[child + 1], indices[child + 1], scores[child], indices[child]):
            child += 1
        if not _is_worse(scores[child], indices[child], score, index):
            break
        scores[place], indices[place] = scores[child], indices[child]
        place, child = child, 2 * child + 1
    scores[place], indices[place] = score, index
