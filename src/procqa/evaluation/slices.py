"""Which questions are hard: the score of a ranker on parts of the queries, the worst first.

A query is in several slices at once, and in one of each tag it has. Slices of few queries are not told. The worst of
many slices is partly bad luck: its interval says how much.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from procqa.config import EvaluateConfig
from procqa.evaluation.exam import number_groups
from procqa.evaluation.statistics import bootstrap_intervals
from procqa.evaluation.summarise import Measured

FEW_QUERIES = 20
"""Slices with fewer queries are left out. Source: ours, docs/evaluation.md#slices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The score of a ranker on some of the queries, by the publisher's metric.

    Args:
        dimension: what the queries are told apart by.
        value: what these have in common.
        mean: over them.
        ci95: of the mean.
        delta: the mean minus that of all other queries.
    """

    dimension: str
    value: str
    queries: int
    mean: float
    ci95: tuple[float, float]
    delta: float


def measure_slices(parts: Sequence[Measured], config: EvaluateConfig) -> list[Slice]:
    """The slices of one ranker over the queries of one task or of several of a family, the worst first.

    Args:
        parts: one for each task; those without an analysis are in no slice.
    """
    values = np.concatenate([part.by_measure for part in parts])
    groups = number_groups([group for part in parts for group in part.groups])
    members: dict[tuple[str, str], list[int]] = {}
    first = 0
    for part in parts:
        if part.analysis is not None:
            for dimension, labels in part.analysis.labels.items():
                for row, of_query in enumerate(labels, start=first):
                    for value in of_query:
                        members.setdefault((dimension, value), []).append(row)
        first += len(part.values)
    slices = []
    for (dimension, value), rows in members.items():
        if FEW_QUERIES <= len(rows) < len(values):
            inside = values[rows]
            others = (values.sum() - inside.sum()) / (len(values) - len(rows))
            ((low, high),) = bootstrap_intervals(
                inside[:, None],
                resamples=config.bootstrap,
                generator=np.random.default_rng(config.seed),
                groups=np.unique(groups[rows], return_inverse=True)[1],
            )
            mean = float(inside.mean())
            slices.append(
                Slice(
                    dimension=dimension,
                    value=value,
                    queries=len(rows),
                    mean=mean,
                    ci95=(float(low), float(high)),
                    delta=mean - float(others),
                )
            )
    return sorted(slices, key=lambda part: (part.mean, part.dimension, part.value))
