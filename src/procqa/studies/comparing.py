"""Two arms on the same queries and seeds → the mean difference with its interval.

The difference of one seed is the mean over the parts of a contrast of the mean over their queries. Seeds are paired:
both arms of one began with the same weights. Its variance is the sum of two, over seeds and over groups of queries
that repeat one another, and its degrees of freedom are Satterthwaite's; both hold the noise of their crossing, so
intervals are rather too wide than too narrow. Source: Owen 2007 and Cameron, Gelbach and Miller 2011 for the sum of
two ways of clustering, Satterthwaite 1946; docs/decisions/0029-studies.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from procqa.evaluation.exam import number_groups
from procqa.studies.measuring import Scores
from procqa.studies.statement import Contrast

CONFIDENCE, POWER = 0.95, 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A mean with what is known of it.

    Args:
        delta: the mean.
        ci95: its interval; unbounded where there is but one seed.
        p: two-sided, that it is 0.
        by_seed: the mean of each seed.
        smallest: the smallest difference that such an experiment shows in four of five repetitions.
        queries: how many stand behind it.
    """

    delta: float
    ci95: tuple[float, float]
    p: float
    by_seed: tuple[float, ...]
    smallest: float
    queries: int


Values = Mapping[int, Sequence[Scores]]
"""The scores of an arm by seed."""


def contrast_arms(contrast: Contrast, arms: Mapping[str, Values]) -> Difference | None:
    """What a contrast comes to on one base; None where a part of it was not measured there.

    Args:
        arms: the scores of every arm, by seed.
    """
    parts: list[_Part] = []
    for part in contrast.parts:
        treatment, control = arms.get(part.treatment), arms.get(part.control)
        if treatment is None or control is None:
            return None
        seeds = [seed for seed in treatment if seed in control]
        measured = [_difference(part.on, treatment[seed], control[seed]) for seed in seeds]
        found = [one for one in measured if one is not None]
        if not found or len(found) < len(measured):
            return None
        parts.append(_Part(found[0].groups, np.stack([one.values for one in found])))
    return _combine(parts) if parts else None


def describe_arm(on: str, values: Values) -> Difference | None:
    """The mean of an arm on a task or a family of one exam; None where it was not measured."""
    return describe_scores([[one for one in of_seed if on in (one.task, one.family)] for of_seed in values.values()])


def describe_scores(by_seed: Sequence[Sequence[Scores]]) -> Difference | None:
    """The mean over seeds of scores on the same tasks, their queries pooled; None where there are none.

    Of a single seed the interval is that of the queries, as of words, which have none.
    """
    measured = [of_seed for of_seed in by_seed if any(len(one.values) for one in of_seed)]
    if not measured:
        return None
    groups = tuple(f"{one.family}/{group}" for one in measured[0] for group in one.groups)
    values = np.stack([np.concatenate([one.values for one in of_seed]) for of_seed in measured])
    return _combine([_Part(groups, values)], has_seeds=len(by_seed) > 1)


@dataclass(frozen=True, slots=True)
class _Of:
    """Of one seed: (Q,) values or differences, and (Q,) names of their groups."""

    values: NDArray[np.float64]
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """(Q,) names of groups and (S, Q) values."""

    groups: tuple[str, ...]
    values: NDArray[np.float64]


def _difference(on: str, treatment: Sequence[Scores], control: Sequence[Scores]) -> _Of | None:
    """Treatment minus control on the tasks of a part, query by query."""
    mine, theirs = ({one.task: one for one in side if on in (one.task, one.family)} for side in (treatment, control))
    if not mine or mine.keys() != theirs.keys():
        return None
    for name, scores in mine.items():
        if scores.queries != theirs[name].queries:
            raise RuntimeError(f"two arms were measured on other queries of {name}")
    groups = tuple(f"{scores.family}/{group}" for scores in mine.values() for group in scores.groups)
    return _Of(np.concatenate([scores.values - theirs[name].values for name, scores in mine.items()]), groups)


def _combine(parts: Sequence[_Part], *, has_seeds: bool = True) -> Difference:
    """The mean over parts, with the variance over seeds, where there are any, and that over groups of queries."""
    by_seed = np.mean([part.values.mean(axis=1) for part in parts], axis=0)  # (S,)
    n_seeds = len(by_seed)
    # What each query adds to the mean beside its part's own mean, so that groups of different sizes are no error.
    residuals = [part.values.mean(axis=0) for part in parts]
    shares = [(one - one.mean()) / (len(one) * len(parts)) for one in residuals]
    numbers = number_groups([group for part in parts for group in part.groups])
    of_groups = np.bincount(numbers, weights=np.concatenate(shares))
    n_groups = len(of_groups)
    over_groups = float(n_groups / (n_groups - 1) * (of_groups**2).sum()) if n_groups > 1 else float("inf")
    variances = [(over_groups, n_groups - 1)]
    if has_seeds:
        over_seeds = float(by_seed.var(ddof=1) / n_seeds) if n_seeds > 1 else float("inf")
        variances.append((over_seeds, n_seeds - 1))
    return _summarise(tuple(map(float, by_seed)), variances=variances, queries=len(numbers))


def _summarise(by_seed: tuple[float, ...], *, variances: Sequence[tuple[float, int]], queries: int) -> Difference:
    delta = float(np.mean(by_seed))
    total = sum(variance for variance, _ in variances)
    if not np.isfinite(total):
        return Difference(
            delta=delta,
            ci95=(float("-inf"), float("inf")),
            p=1.0,
            by_seed=by_seed,
            smallest=float("inf"),
            queries=queries,
        )
    error = sqrt(total)
    if error == 0:
        return Difference(
            delta=delta, ci95=(delta, delta), p=float(delta == 0), by_seed=by_seed, smallest=0.0, queries=queries
        )
    freedom = total**2 / sum(variance**2 / degrees for variance, degrees in variances)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, freedom))
    return Difference(
        delta=delta,
        ci95=(delta - half * error, delta + half * error),
        p=float(2 * stats.t.sf(abs(delta) / error, freedom)),
        by_seed=by_seed,
        smallest=(half + float(stats.t.ppf(POWER, freedom))) * error,
        queries=queries,
    )
