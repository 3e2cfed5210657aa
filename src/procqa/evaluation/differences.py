"""What differs between two results: what was asked, of what, by what — and which queries moved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from procqa.config import EvaluateConfig
from procqa.errors import ArtifactError
from procqa.evaluation.results import SETTING
from procqa.evaluation.saved import Saved, load_results
from procqa.evaluation.statistics import bootstrap_intervals, paired_randomisation

MOVERS = 20
"""Queries that are named, those that moved most. Source: ours, docs/evaluation.md#two-results."""

WORDS = {
    "metrics": "metrics",
    "pool": "pool",
    "query": "text of a query",
    "document": "text of a document",
    "relevant": "what is relevant",
    "data": "data",
    "intervals": "intervals",
    "models": "models",
    "max_tokens": "truncation (tokens read)",
    "arithmetic": "precision",
    "weight": "weight of cosines",
    "protocol": "ranker",
}
"""What the parts of a setting are called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A query whose first relevant document stands at another rank; 0 is beyond those ranked."""

    query: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two results on one task.

    Args:
        rankers: before and after.
        differs: what is not the same in both, by name, before and after; empty where all that is told is equal.
        metrics: before and after, those that both have.
        common: queries that both ranked; None where a file does not say.
        better: of these, how many moved up; ``worse``: down.
        delta: mean difference of the reciprocal ranks on common queries, with its interval and p-value; None where
            nothing is known of queries.
        moves: the queries whose reciprocal rank changed most.
    """

    task: str
    rankers: tuple[str, str]
    differs: Mapping[str, tuple[Any, Any]]
    metrics: Mapping[str, tuple[float, float]]
    common: int | None
    better: int
    worse: int
    delta: float | None
    ci95: tuple[float, float] | None
    p: float | None
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Differences:
    """Two result files.

    Args:
        pairs: a task and ranker that stand in both.
        unmatched: a sentence for each line that has nothing to be compared with.
    """

    pairs: tuple[Difference, ...]
    unmatched: tuple[str, ...]


def compare_results(before: Path, after: Path, config: EvaluateConfig) -> Differences:
    """What differs between two result files, task by task.

    Lines are matched by task and ranker; where a task stands once in each file, by the task alone.

    Raises:
        ArtifactError: a file is no result file, or they have no task in common.
    """
    files = load_results(before), load_results(after)
    pairs = list(_match(*files))
    if not pairs:
        raise ArtifactError(f"{before} and {after} must have a task in common, but have none: evaluate the same tasks")
    matched = [{one.name for one in side} for side in zip(*pairs, strict=True)]
    unmatched = [
        f"{one.told['task']} by {one.told['ranker']} stands in {path} alone"
        for path, lines, names in zip((before, after), files, matched, strict=True)
        for one in lines
        if one.name not in names
    ]
    return Differences(tuple(_compare(*pair, config) for pair in pairs), tuple(unmatched))


def _match(before: list[Saved], after: list[Saved]) -> Iterator[tuple[Saved, Saved]]:
    named = {one.name: one for one in after}
    for one in before:
        same = named.get(one.name)
        if same is not None:
            yield one, same
            continue
        task = one.told["task"]
        alone = [other for other in after if other.told["task"] == task]
        if len(alone) == 1 and sum(other.told["task"] == task for other in before) == 1:
            yield one, alone[0]


def _compare(before: Saved, after: Saved, config: EvaluateConfig) -> Difference:
    common = sorted(before.ranks.keys() & after.ranks.keys())
    ranks = np.array([(before.ranks[query], after.ranks[query]) for query in common], np.float64).reshape(-1, 2)
    reciprocal = np.divide(1, ranks, out=np.zeros_like(ranks), where=ranks > 0)
    change = reciprocal[:, 1] - reciprocal[:, 0]
    delta, ci95, p = None, None, None
    if common:
        generator = np.random.default_rng(config.seed)
        ((low, high),) = bootstrap_intervals(change[:, None], resamples=config.bootstrap, generator=generator)
        delta, ci95 = float(change.mean()), (float(low), float(high))
        p = paired_randomisation(change, permutations=config.permutations, generator=generator)
    largest = [int(row) for row in np.argsort(-np.abs(change), kind="stable")[:MOVERS] if change[row] != 0]
    return Difference(
        task=before.told["task"],
        rankers=(before.told["ranker"], after.told["ranker"]),
        differs=_differing(before.told, after.told),
        metrics={
            name: (value, after.told["metrics"][name])
            for name, value in before.told["metrics"].items()
            if name in after.told["metrics"]
        },
        common=len(common) if common else None,
        better=int((change > 0).sum()),
        worse=int((change < 0).sum()),
        delta=delta,
        ci95=ci95,
        p=p,
        moves=tuple(Move(query=common[row], before=int(ranks[row, 0]), after=int(ranks[row, 1])) for row in largest),
    )


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What both tell and is not the same, by what it is called."""
    facts = [_facts(told) for told in (before, after)]
    names = list(dict.fromkeys([*facts[0], *facts[1]]))
    return {
        name: (facts[0].get(name), facts[1].get(name)) for name in names if facts[0].get(name) != facts[1].get(name)
    }


def _facts(told: Mapping[str, Any]) -> dict[str, Any]:
    facts = {"revision of the ranker": told["revision"], "queries": told["queries"], "documents": told["documents"]}
    setting = told.get("setting", {})
    for name in SETTING:
        if name in setting and name != "ranker":
            facts[WORDS[name]] = setting[name]
    ranker = setting.get("ranker", {})
    parts = {WORDS[name]: ranker[name] for name in WORDS if ranker.get(name) is not None}
    return facts | {name: ", ".join(value) if isinstance(value, list) else value for name, value in parts.items()}
