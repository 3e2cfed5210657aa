"""What differs between two results: what was asked, of what, by what — and which queries moved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from procqa.config import EvaluateConfig
from procqa.errors import ArtifactError
from procqa.evaluation.exam import number_groups
from procqa.evaluation.results import SETTING
from procqa.evaluation.saved import Saved, load_results
from procqa.evaluation.statistics import adjust_holm, bootstrap_intervals, paired_randomisation

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
        depth: ranks that are looked at: those that both rankings went to.
        delta: mean difference of the reciprocal ranks on common queries, with its interval and p-values, plain and
            corrected for all tasks of the two files; None where nothing is known of queries.
        not_told: what one of the two does not tell, so that it cannot be compared.
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
    p_holm: float | None
    depth: int | None
    not_told: tuple[str, ...]
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
    found = [_compare(*pair, config) for pair in pairs]
    corrected = iter(adjust_holm([difference.p for difference in found if difference.p is not None]))
    told = [one if one.p is None else replace(one, p_holm=next(corrected)) for one in found]
    return Differences(tuple(told), tuple(unmatched))


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
    depth = min((_depth(one) for one in (before, after)), default=0)
    ranks = np.array([(before.ranks[query], after.ranks[query]) for query in common], np.int64).reshape(-1, 2)
    ranks[ranks > depth] = 0
    reciprocal = np.divide(1, ranks, out=np.zeros(ranks.shape), where=ranks > 0)
    change = reciprocal[:, 1] - reciprocal[:, 0]
    delta, ci95, p = None, None, None
    if common:
        groups = number_groups([before.groups.get(query, f"alone {query}") for query in common])
        generator = np.random.default_rng(config.seed)
        drawn: dict[str, Any] = {"generator": generator, "groups": groups}
        ((low, high),) = bootstrap_intervals(change[:, None], resamples=config.bootstrap, **drawn)
        delta, ci95 = float(change.mean()), (float(low), float(high))
        p = paired_randomisation(change, permutations=config.permutations, **drawn)
    largest = [int(row) for row in np.argsort(-np.abs(change), kind="stable")[:MOVERS] if change[row] != 0]
    both_told = bool(before.told["setting"] and after.told["setting"])
    facts, others = (_facts(one.told, in_parts=both_told) for one in (before, after))
    return Difference(
        task=before.told["task"],
        rankers=(before.told["ranker"], after.told["ranker"]),
        differs={name: (value, others[name]) for name, value in facts.items() if others.get(name, value) != value},
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
        p_holm=p,
        depth=depth if common else None,
        not_told=tuple(sorted(facts.keys() ^ others.keys())),
        moves=tuple(Move(query=common[row], before=int(ranks[row, 0]), after=int(ranks[row, 1])) for row in largest),
    )


def _depth(saved: Saved) -> int:
    """How many documents were ranked, as the name of the metric says: mrr@1000."""
    named = [name for name in saved.told["metrics"] if name.startswith("mrr@") and name[4:].isdigit()]
    return int(named[0][4:]) if named else max(saved.ranks.values(), default=0)


def _facts(told: Mapping[str, Any], *, in_parts: bool) -> dict[str, Any]:
    """What a result tells of how it was got, by what it is called.

    Args:
        in_parts: part by part, which older files do not tell; else the protocol as one.
    """
    facts = {"revision of the ranker": told["revision"], "queries": told["queries"], "documents": told["documents"]}
    setting = told["setting"]
    if not in_parts:
        return facts | ({"protocol": told["protocol"]} if "protocol" in told else {})
    for name in SETTING:
        if name in setting and name != "ranker":
            facts[WORDS[name]] = setting[name]
    ranker = setting.get("ranker", {})
    for name, word in WORDS.items():
        if name in ranker:
            value = ranker[name]
            facts[word] = ", ".join(map(str, value)) if isinstance(value, list) else value
    return facts
