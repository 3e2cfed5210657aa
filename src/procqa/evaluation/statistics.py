"""How sure a mean over queries is, and a difference of two: bootstrap intervals, randomisation tests, effect sizes.

Queries that repeat one another, such as the programs that solve one task, are drawn and turned together, as
groups: taken one by one they would make every mean look surer than it is.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
DRAWS_AT_ONCE = 2_000_000  # 16 MB of indices

Groups = NDArray[np.int64]
"""(Q,) numbers from 0, equal for queries of one group."""


def bootstrap_intervals(
    values: NDArray[np.float64], *, resamples: int, generator: np.random.Generator, groups: Groups | None = None
) -> NDArray[np.float64]:
    """The 95 % percentile interval of each column's mean when groups of queries are drawn again with replacement.

    Every column is drawn with the same queries. Memory: O(rows + 16 MB), whatever ``resamples``.

    Args:
        values: (Q, M) one row a query, one column a metric; Q at least 1.
        resamples: how many times as many groups as there are, are drawn.
        generator: the only source of chance.
        groups: None where each query stands alone.

    Returns:
        (M, 2): lower and upper end.

    Source: Efron and Tibshirani 1993, chapter 13; quantiles interpolated as scipy.stats.bootstrap does. Groups:
    Davison and Hinkley 1997, section 3.8, the mean being that of the queries drawn.
    """
    sums, sizes = _sum_groups(values, groups)
    columns = np.ascontiguousarray(sums.T)  # (M, G)
    alone = bool((sizes == 1).all())
    means = np.empty((resamples, len(columns)))
    at_once = max(1, DRAWS_AT_ONCE // len(sizes))
    for start in range(0, resamples, at_once):
        drawn = generator.integers(0, len(sizes), (min(at_once, resamples - start), len(sizes)))
        n_queries = len(sizes) if alone else sizes[drawn].sum(axis=1)
        for metric, column in enumerate(columns):
            means[start : start + len(drawn), metric] = column[drawn].sum(axis=1) / n_queries
    return _interval(means)


def seed_intervals(
    values: Sequence[NDArray[np.float64]],
    *,
    resamples: int,
    generator: np.random.Generator,
    groups: Groups | None = None,
) -> NDArray[np.float64]:
    """The 95 % percentile interval of each column's mean over seeds, when seeds and groups of queries are both drawn.

    With few seeds the draw of seeds is too narrow by about √((S − 1) / S): read the spread beside it.

    Args:
        values: S times (Q, M), one for each seed, of the same queries.
        groups: None where each query stands alone.

    Returns:
        (M, 2): lower and upper end.

    Source: the crossed ("pigeonhole") bootstrap, Owen 2007.
    """
    return _interval(_draw_seeds([values], resamples=resamples, generator=generator, groups=groups)[0])


def compare_seeds(
    values: Sequence[NDArray[np.float64]],
    baseline: Sequence[NDArray[np.float64]],
    *,
    resamples: int,
    generator: np.random.Generator,
    groups: Groups | None = None,
) -> tuple[tuple[float, float], float]:
    """The interval and the p-value of a difference of two means over seeds, when seeds and queries are both drawn.

    Both sides are drawn with the same queries and each with seeds of its own. The p-value is the share of draws on the
    other side of 0, doubled, and never 0.

    Args:
        values: S times (Q, 1), one for each seed.
        baseline: T times (Q, 1), of the same queries; one for a ranker without seeds.

    Source: as ``seed_intervals``.
    """
    ours, theirs = _draw_seeds([values, baseline], resamples=resamples, generator=generator, groups=groups)
    differences = ours[:, 0] - theirs[:, 0]
    ((low, high),) = _interval(differences[:, None])
    beyond = min((differences <= 0).sum(), (differences >= 0).sum())
    return (float(low), float(high)), min(1.0, 2 * (1 + int(beyond)) / (1 + resamples))


def _draw_seeds(
    sides: Sequence[Sequence[NDArray[np.float64]]],
    *,
    resamples: int,
    generator: np.random.Generator,
    groups: Groups | None,
) -> list[NDArray[np.float64]]:
    """For each side the means (B, M) of draws of its seeds, and of queries that are the same for all sides."""
    sums = [np.stack([_sum_groups(of_seed, groups)[0] for of_seed in side]) for side in sides]  # (S, G, M) each
    sizes = _sum_groups(sides[0][0], groups)[1]
    means = [np.empty((resamples, of_side.shape[2])) for of_side in sums]
    for resample in range(resamples):
        times = np.bincount(generator.integers(0, len(sizes), len(sizes)), minlength=len(sizes))
        for of_side, drawn in zip(sums, means, strict=True):
            seeds = generator.integers(0, len(of_side), len(of_side))
            weights = np.bincount(seeds, minlength=len(of_side)) / len(of_side)
            drawn[resample] = np.einsum("s,g,sgm->m", weights, times, of_side, optimize=True) / (times @ sizes)
    return means


def paired_randomisation(
    differences: NDArray[np.float64],
    *,
    permutations: int,
    generator: np.random.Generator,
    groups: Groups | None = None,
) -> float:
    """The p-value of a mean difference: how often it is as large where the sign of each group is left to chance.

    Two-sided, with the differences as they are among the permutations, so that no p-value is 0.
    Memory: O(queries + 16 MB), whatever ``permutations``.

    Args:
        differences: (Q,) of two rankers on the same queries; Q at least 1.
        permutations: assignments of signs that are drawn.
        generator: the only source of chance.
        groups: None where each query stands alone.

    Returns:
        In (0, 1].

    Source: Smucker, Allan and Carterette 2007 (Fisher's randomisation test).
    """
    sums = _sum_groups(differences[:, None], groups)[0][:, 0]
    observed = abs(sums.sum())
    tolerance = 1e-12 * np.abs(sums).sum()  # sums of the same numbers in another order may round otherwise
    at_least = 0
    at_once = max(1, DRAWS_AT_ONCE // len(sums))
    for start in range(0, permutations, at_once):
        size = min(at_once, permutations - start), len(sums)
        signs = generator.integers(0, 2, size, dtype=np.int8) * 2 - 1
        at_least += int((np.abs(signs @ sums) >= observed - tolerance).sum())
    return (1 + at_least) / (1 + permutations)


def adjust_holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of several comparisons, each so raised that the chance of one false finding stays below the level.

    The smallest is multiplied by their number n, the next by n − 1, and so on; none falls below one before it, none
    rises above 1.

    Source: Holm 1979.
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(order), 0, -1)
    raised = np.minimum(np.maximum.accumulate(np.asarray(p_values, np.float64)[order] * factors), 1.0)
    adjusted = np.empty(len(order))
    adjusted[order] = raised
    return [float(p) for p in adjusted]


def standardised_difference(differences: NDArray[np.float64]) -> float:
    """The mean of paired differences over their standard deviation, 0 where they do not differ at all.

    Args:
        differences: (Q,).

    Source: Cohen 1988, d_z.
    """
    if len(differences) < 2:
        return 0.0
    spread = differences.std(ddof=1)
    return float(differences.mean() / spread) if spread > 0 else 0.0


def _sum_groups(values: NDArray[np.float64], groups: Groups | None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The sum of each group's rows (G, M), and how many they are (G,)."""
    if groups is None:
        return values, np.ones(len(values), np.int64)
    sizes = np.bincount(groups)
    if (sizes == 1).all():
        return values, sizes
    return np.column_stack([np.bincount(groups, weights=column) for column in values.T]), sizes


def _interval(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """(M, 2) the quantiles of the means of resamples (B, M)."""
    tail = (1 - CONFIDENCE) / 2
    ends: NDArray[np.float64] = np.quantile(means, [tail, 1 - tail], axis=0).T
    return ends
