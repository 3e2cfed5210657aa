"""Exact blocked top-k of dot products in bounded memory, ties by lower index.

A matrix product in single precision rounds one and the same document differently from place to place
in its blocks, so equal documents would be ordered by chance. Here it only finds the candidates, with a
bound on its error; each candidate's score is its dot product in double precision, rounded once. The
result therefore depends neither on the size of the blocks nor on threads. Source: ours, docs/evaluation.md.
"""

import numpy as np
from numpy.typing import NDArray

from procqa.errors import ConfigError

Scores = NDArray[np.float32]
Indices = NDArray[np.int64]

BLOCK_ROWS = 8_192
QUERY_ROWS = 256
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
        Memory: O(Q·k + block_rows·D).

    Raises:
        ConfigError: k or block_rows below 1, shapes that do not fit, or a vector that is not finite.
    """
    if k < 1 or block_rows < 1:
        raise ConfigError(f"k and block_rows must be at least 1, got {k} and {block_rows}")
    if queries.ndim != 2 or documents.ndim != 2 or queries.shape[1] != documents.shape[1]:
        raise ConfigError(f"queries and documents must be (Q, D) and (N, D), got {queries.shape} and {documents.shape}")
    query_lengths = _lengths(queries)
    best = [(np.empty(0, np.float32), np.empty(0, np.int64))] * len(queries)
    for start in range(0, len(documents), block_rows):
        block = np.ascontiguousarray(documents[start : start + block_rows], dtype=np.float32)
        # |error| of a float32 dot product ≤ D · 2⁻²⁴ · |q| · |d|, in whatever order it is summed.
        bounds = (block.shape[1] + 2) * ROUNDING * query_lengths * _lengths(block).max(initial=0.0)
        for first in range(0, len(queries), QUERY_ROWS):
            rough = queries[first : first + QUERY_ROWS] @ block.T  # (≤ QUERY_ROWS, ≤ block_rows)
            for row, estimates in enumerate(rough, start=first):
                near = _candidates(estimates, best[row][0], k, bound=float(bounds[row]))
                if len(near):
                    exact = dot_products(queries[row], block[near])
                    best[row] = _merge(best[row], (exact, near + start), k)
    width = min(k, len(documents))
    scores = np.array([row_scores for row_scores, _ in best], np.float32).reshape(len(queries), width)
    indices = np.array([row_indices for _, row_indices in best], np.int64).reshape(len(queries), width)
    return scores, indices


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
    lengths: NDArray[np.float64] = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    if not np.isfinite(lengths).all():
        raise ConfigError("vectors must hold finite numbers, got NaN or infinity: the encoder that gave them is broken")
    return lengths


def _candidates(estimates: Scores, kept: Scores, k: int, *, bound: float) -> Indices:
    """The places in a block that may belong to the k best, given the scores kept from earlier blocks."""
    near = np.flatnonzero(estimates >= float(kept[-1]) - bound) if len(kept) == k else np.arange(len(estimates))
    if len(near) <= k:
        return near
    close = estimates[near]
    last = float(np.partition(close, len(close) - k)[len(close) - k])
    return near[close >= last - 2 * bound]


def dot_products(queries: NDArray[np.float32], vectors: NDArray[np.float32]) -> Scores:
    """Dot products (n,) that depend on nothing but the two vectors: each row is summed by itself.

    Args:
        queries: (D,), or (n, D) for one of each vector.
        vectors: (n, D).
    """
    products = vectors.astype(np.float64) * queries.astype(np.float64)  # (n, D)
    scores: Scores = products.sum(axis=1).astype(np.float32)
    return scores


def _merge(kept: tuple[Scores, Indices], found: tuple[Scores, Indices], k: int) -> tuple[Scores, Indices]:
    """The k best of both; what is kept has lower indices and wins every tie."""
    scores, places = top_k_of_scores(np.concatenate([kept[0], found[0]]), k)
    return scores.astype(np.float32, copy=False), np.concatenate([kept[1], found[1]])[places]
