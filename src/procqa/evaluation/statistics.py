"""How sure a mean over queries is: percentile bootstrap intervals."""

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
DRAWS_AT_ONCE = 2_000_000  # 16 MB of indices


def bootstrap_intervals(
    values: NDArray[np.float64], *, resamples: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """The 95 % percentile interval of each column's mean when queries are drawn again with replacement.

    Every column is drawn with the same queries. Memory: O(rows + 16 MB), whatever ``resamples``.

    Args:
        values: (Q, M) one row a query, one column a metric; Q at least 1.
        resamples: how many times Q queries are drawn.
        generator: the only source of chance.

    Returns:
        (M, 2): lower and upper end.

    Source: Efron and Tibshirani 1993, chapter 13; quantiles interpolated as scipy.stats.bootstrap does.
    """
    n_queries, n_metrics = values.shape
    means = np.empty((resamples, n_metrics))
    columns = np.ascontiguousarray(values.T)  # (M, Q)
    at_once = max(1, DRAWS_AT_ONCE // n_queries)
    for start in range(0, resamples, at_once):
        drawn = generator.integers(0, n_queries, (min(at_once, resamples - start), n_queries))
        for metric, column in enumerate(columns):
            means[start : start + len(drawn), metric] = column[drawn].mean(axis=1)
    tail = (1 - CONFIDENCE) / 2
    ends: NDArray[np.float64] = np.quantile(means, [tail, 1 - tail], axis=0).T
    return ends
