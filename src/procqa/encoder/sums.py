"""Sums of embeddings, without a copy of each: what a static encoder spends its time on beside its tokenizer.

Numbers are added up in pairs, in the order in which ``numpy.add.reduceat`` adds them: so vectors have the bits that
they have always had, and rounding errors stay small. Source: ours, docs/decisions/0025.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

LANES = 8
"""Partial sums of neighbours, as numpy has them."""

BLOCK = 128
"""So many rows are added up without being halved, as numpy does."""


@njit(cache=True, nogil=True)
def sum_rows(
    embeddings: NDArray[np.float32], tokens: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.float32]:
    """(n, D) the sum of the rows of each text's tokens, in single precision.

    Args:
        embeddings: (V, D).
        tokens: (t,) rows of the embeddings, text after text.
        lengths: (n,) tokens of each text, at least 1; their sum is t.
    """
    sums = np.empty((len(lengths), embeddings.shape[1]), np.float32)
    start = 0
    for text in range(len(lengths)):
        end = start + lengths[text]
        sums[text] = embeddings[tokens[start]] + _sum_pairwise(embeddings, tokens[start + 1 : end])
        start = end
    return sums


@njit(cache=True, nogil=True)
def _sum_pairwise(embeddings: NDArray[np.float32], tokens: NDArray[np.int64]) -> NDArray[np.float32]:
    """(D,) the sum of some rows, of none zeros."""
    if len(tokens) > BLOCK:
        half = len(tokens) // 2
        half -= half % LANES
        return _sum_pairwise(embeddings, tokens[:half]) + _sum_pairwise(embeddings, tokens[half:])
    sums = np.zeros((LANES, embeddings.shape[1]), np.float32)
    whole = len(tokens) - len(tokens) % LANES
    for place in range(whole):
        _add(sums[place % LANES], embeddings[tokens[place]])
    total: NDArray[np.float32] = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + (
        (sums[4] + sums[5]) + (sums[6] + sums[7])
    )
    for place in range(whole, len(tokens)):
        _add(total, embeddings[tokens[place]])
    return total


@njit(cache=True, nogil=True)
def _add(total: NDArray[np.float32], row: NDArray[np.float32]) -> None:
    for dimension in range(len(row)):
        total[dimension] += row[dimension]
