"""How sure a mean over queries is, and a difference of two: bootstrap intervals and paired randomisation tests."""

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


def paired_randomisation(
    differences: NDArray[np.float64], *, permutations: int, generator: np.random.Generator
) -> float:
    """The p-value of a mean difference: how often it is as large where each query's sign is left to chance.

    Two-sided, with the differences as they are among the permutations, so that no p-value is 0.
    Memory: O(queries + 16 MB), whatever ``permutations``.

    Args:
        differences: (Q,) of two rankers on the same queries; Q at least 1.
        permutations: assignments of signs that are drawn.
        generator: the only source of chance.

    Returns:
        In (0, 1].

    Source: Smucker, Allan and Carterette 2007 (Fisher's randomisation test).
    """
    observed = abs(differences.sum())
    tolerance = 1e-12 * np.abs(differences).sum()  # sums of the same numbers in another order may round otherwise
    at_least = 0
    at_once = max(1, DRAWS_AT_ONCE // len(differences))
    for start in range(0, permutations, at_once):
        size = min(at_once, permutations - start), len(differences)
        signs = generator.integers(0, 2, size, dtype=np.int8) * 2 - 1
        at_least += int((np.abs(signs @ differences) >= observed - tolerance).sum())
    return (1 + at_least) / (1 + permutations)
