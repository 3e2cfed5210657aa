"""Retrieval metrics as pure functions of the grades along a ranking.

A ranking is a row of grades: how relevant the document at each rank is, 0 where it is not or was not
judged. Whoever ranks has settled the order, ties included, and writes the run in that same order
(``runs``); so the numbers equal those of trec_eval on the run file. A query without a relevant document
scores 0, as in trec_eval.
"""

import numpy as np
from numpy.typing import NDArray

Grades = NDArray[np.int64]
Values = NDArray[np.float64]


def reciprocal_rank(grades: Grades, depth: int) -> Values:
    """One over the rank of the first relevant document, 0 if none is among the first ``depth``.

    Args:
        grades: (Q, n) grades in the order of the ranking; above 0 is relevant.

    Returns:
        (Q,) in [0, 1]; the mean over queries is MRR@depth.

    Source: docs/paper.md#benchmark-protocol; trec_eval ``recip_rank``.
    """
    relevant = grades[:, :depth] > 0
    if relevant.shape[1] == 0:
        return np.zeros(len(grades))
    return np.where(relevant.any(axis=1), 1.0 / (relevant.argmax(axis=1) + 1), 0.0)


def ndcg(grades: Grades, ideal: Grades, depth: int) -> Values:
    """Discounted gain of the first ``depth`` ranks over that of the best possible ranking.

    DCG = Σ grade(r) / log2(r + 1) over ranks r from 1 to ``depth``; nDCG = DCG / DCG of ``ideal``.

    Args:
        grades: (Q, n) grades in the order of the ranking; below 0 gains nothing.
        ideal: (Q, m) all positive grades of each query, falling, filled up with 0.

    Returns:
        (Q,) in [0, 1].

    Source: Järvelin and Kekäläinen 2002 with linear gains, as trec_eval ``ndcg_cut``.
    """
    return _divide(_discounted_gain(grades, depth), _discounted_gain(ideal, depth))


def recall(grades: Grades, n_relevant: NDArray[np.int64], depth: int) -> Values:
    """The share of a query's relevant documents that is among the first ``depth``.

    Args:
        grades: (Q, n) grades in the order of the ranking.
        n_relevant: (Q,) relevant documents of each query, ranked or not.

    Returns:
        (Q,) in [0, 1].

    Source: docs/paper.md#benchmark-protocol; trec_eval ``recall``.
    """
    return _divide((grades[:, :depth] > 0).sum(axis=1), n_relevant)


def average_precision(grades: Grades, n_relevant: NDArray[np.int64]) -> Values:
    """The mean over a query's relevant documents of the precision at the rank of each, 0 where it is not ranked.

    AP = 1/R · Σ over relevant ranks r of (relevant documents up to r) / r.

    Args:
        grades: (Q, n) grades in the order of the ranking.
        n_relevant: (Q,) relevant documents of each query, ranked or not.

    Returns:
        (Q,) in [0, 1]; the mean over queries is MAP.

    Source: docs/paper.md#suite; trec_eval ``map``.
    """
    relevant = grades > 0
    ranks = np.arange(1, grades.shape[1] + 1)
    precision = relevant.cumsum(axis=1) / ranks  # (Q, n)
    return _divide((precision * relevant).sum(axis=1), n_relevant)


def average_precision_at_r(grades: Grades, n_relevant: NDArray[np.int64]) -> Values:
    """Average precision over the first R ranks alone, R being the number of a query's relevant documents.

    Args:
        grades: (Q, n) grades in the order of the ranking.
        n_relevant: (Q,) relevant documents of each query, ranked or not.

    Returns:
        (Q,) in [0, 1]; the mean over queries is MAP@R.

    Source: docs/paper.md#suite (POJ-104).
    """
    ranks = np.arange(1, grades.shape[1] + 1)
    return average_precision(np.where(ranks <= n_relevant[:, None], grades, 0), n_relevant)


def precision(grades: Grades, depth: int) -> Values:
    """The share of the first ``depth`` ranks that hold a relevant document; ranks that are not there hold none.

    Args:
        grades: (Q, n) grades in the order of the ranking.

    Returns:
        (Q,) in [0, 1].

    Source: trec_eval ``P``.
    """
    return np.asarray((grades[:, :depth] > 0).sum(axis=1) / depth, np.float64)


def success(grades: Grades, depth: int) -> Values:
    """1 where one of the first ``depth`` ranks holds a relevant document, else 0.

    Args:
        grades: (Q, n) grades in the order of the ranking.

    Returns:
        (Q,) of 0 and 1.

    Source: trec_eval ``success``; docs/paper.md#suite (hit@k).
    """
    return np.asarray((grades[:, :depth] > 0).any(axis=1), np.float64)


def _discounted_gain(grades: Grades, depth: int) -> Values:
    """Σ max(grade, 0) / log2(rank + 1) of each row, (Q,)."""
    cut = np.maximum(grades[:, :depth], 0)
    gain: Values = (cut / np.log2(np.arange(2, cut.shape[1] + 2))).sum(axis=1)
    return gain


def _divide(above: NDArray[np.float64] | NDArray[np.int64], below: NDArray[np.float64] | NDArray[np.int64]) -> Values:
    """The quotient, 0 where the divisor is 0."""
    return np.divide(above, below, out=np.zeros(len(above)), where=np.asarray(below) > 0)
