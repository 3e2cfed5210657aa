"""From the metrics of queries to results: means, intervals, comparisons, several tasks pooled, several seeds as one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.config import EvaluateConfig
from procqa.evaluation.analysis import Analysis
from procqa.evaluation.exam import Exam, number_groups
from procqa.evaluation.leaks import Suspects, concatenate_suspects, join_suspects, tell_leak
from procqa.evaluation.measure import Ranks, Values, metric_names
from procqa.evaluation.rankers import Details, Ranker, details_of
from procqa.evaluation.results import Comparison, Leak, Result, Seeds
from procqa.evaluation.statistics import (
    adjust_holm,
    bootstrap_intervals,
    compare_seeds,
    paired_randomisation,
    seed_intervals,
    standardised_difference,
)

POOLED = "/pool"
"""The end of the name of a metric among the candidates of a publisher's other protocol."""

NO_RANKS = np.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A result with what it was got from, query by query; no text of a task is held.

    Args:
        family: of the task, ``-all`` behind its name where documents of all languages are ranked together.
        values: (Q, M), by ``metric_names``.
        query_ids: (Q,), of one task or of several behind one another.
        groups: (Q,), see ``Exam.groups``.
        first: (Q,) ranks of the first relevant documents; none where several rankers or tasks are taken together.
        among: see ``Ranks.among_candidates``.
        is_trained: whether a trained model has a say.
        suspects: what it saw of the task in training; None where that is unknown.
        seeds: the metrics of each seed; none for one ranker.
        analysis: what one ranker missed on one task, where that was asked for.
        is_pooled: whether it is of several tasks.
    """

    result: Result
    family: str
    values: Values
    query_ids: tuple[str, ...]
    groups: tuple[str, ...]
    first: NDArray[np.int64] | None = None
    among: NDArray[np.float64] = field(default_factory=lambda: NO_RANKS)
    is_trained: bool = False
    suspects: Suspects | None = None
    seeds: tuple[Values, ...] = ()
    analysis: Analysis | None = None
    is_pooled: bool = False

    @property
    def by_measure(self) -> NDArray[np.float64]:
        """(Q,) the metric by which the publisher ranks."""
        return self.values[:, self.column]

    @property
    def column(self) -> int:
        """Of ``values``, that of the metric by which the publisher ranks."""
        return list(self.result.metrics).index(self.result.measure)


def summarise(
    ranker: Ranker, exam: Exam, ranks: Ranks, config: EvaluateConfig, *, suspects: Suspects | None = None
) -> Measured:
    """Means, intervals, and the setting they were got in.

    Args:
        suspects: what a trained ranker saw of the exam; see ``leaks``.
    """
    names = metric_names(config.depth)
    is_trained = bool(details_of(ranker).models)
    collection = exam.collection
    result = Result(
        task=exam.task.name,
        language=collection.language,
        ranker=ranker.name,
        revision=ranker.revision,
        measure=collection.measure if collection.measure in names else names[0],
        setting=_setting(ranker, exam, ranks, config),
        queries=len(exam.queries),
        documents=len(exam.pool.ids),
        metrics={},
        ci95={},
    )
    measured = Measured(
        result=result,
        family=f"{exam.task.family.name}{'-all' if collection.document_languages else ''}",
        values=ranks.values,
        query_ids=exam.query_ids,
        groups=exam.groups,
        first=ranks.first,
        among=ranks.among_candidates,
        is_trained=is_trained,
        suspects=suspects,
    )
    return _with_means(measured, config)


def pool(parts: Sequence[Measured], config: EvaluateConfig) -> Measured:
    """One ranker over all queries of several tasks of a family, each among the documents of its own task.

    A query that several tasks ask is one group of queries.
    """
    results = [part.result for part in parts]
    groups = tuple(group for part in parts for group in part.groups)
    several = ", ".join(result.task for result in results)
    setting = dict(results[0].setting) | {
        "pool": f"the queries of {several} pooled, each among the documents of its own task",
        "data": "that of each task, in its own line",
    }
    result = replace(
        results[0],
        task=parts[0].family,
        language=None,
        setting=_redrawn(setting, groups, config, seeds=bool(parts[0].seeds)),
        queries=len(groups),
        documents=sum(result.documents for result in results),
        against=None,
    )
    measured = Measured(
        result=result,
        family=parts[0].family,
        values=np.concatenate([part.values for part in parts]),
        query_ids=tuple(query for part in parts for query in part.query_ids),
        groups=groups,
        is_trained=parts[0].is_trained,
        suspects=concatenate_suspects([part.suspects for part in parts]),
        seeds=tuple(np.concatenate(of_seed) for of_seed in zip(*(part.seeds for part in parts), strict=True)),
        is_pooled=True,
    )
    return _with_means(measured, config)


def average_seeds(name: str, parts: Sequence[Measured], config: EvaluateConfig) -> Measured:
    """The mean of encoders that differ in their seed alone, on one task; its intervals draw queries and seeds."""
    first = parts[0]
    protocols = " · ".join(part.result.setting["ranker"]["protocol"] for part in parts)
    ranker = asdict(Details()) | {"protocol": f"mean over {len(parts)} seeds of ({protocols})"}
    result = replace(
        first.result,
        ranker=name,
        revision=" + ".join(part.result.revision for part in parts),
        setting=_redrawn(dict(first.result.setting) | {"ranker": ranker}, first.groups, config, seeds=True),
        seeds=Seeds(rankers=tuple(part.result.ranker for part in parts), deviation={}),
        against=None,
    )
    seeds = tuple(part.values for part in parts)
    measured = replace(
        first,
        result=result,
        values=np.mean(seeds, axis=0),
        first=None,
        among=np.mean([part.among for part in parts], axis=0),
        is_trained=any(part.is_trained for part in parts),
        suspects=join_suspects([part.suspects for part in parts if part.is_trained]),
        seeds=seeds,
        analysis=None,
    )
    return _with_means(measured, config)


def compare(measured: Measured, baseline: Measured, config: EvaluateConfig) -> Comparison:
    """Two rankers on the same queries, by the publisher's metric; ``p_holm`` is p until ``correct`` knows of others."""
    column = measured.column
    differences = measured.by_measure - baseline.by_measure
    chance: dict[str, Any] = {"generator": _chance(config), "groups": number_groups(measured.groups)}
    if measured.seeds or baseline.seeds:
        ours, theirs = (
            [of_seed[:, [column]] for of_seed in one.seeds or (one.values,)] for one in (measured, baseline)
        )
        ci95, p = compare_seeds(ours, theirs, resamples=config.bootstrap, **chance)
    else:
        ci95 = _ends(bootstrap_intervals(differences[:, None], resamples=config.bootstrap, **chance)[0])
        p = paired_randomisation(differences, permutations=config.permutations, **chance)
    return Comparison(
        baseline=baseline.result.ranker,
        metric=measured.result.measure,
        delta=float(differences.mean()),
        ci95=ci95,
        p=p,
        p_holm=p,
        effect=standardised_difference(differences),
        better=int((differences > 0).sum()),
        worse=int((differences < 0).sum()),
        permutations=config.permutations,
        seed=config.seed,
    )


def correct(results: Sequence[Result]) -> list[Result]:
    """The results with their p-values corrected for every comparison among them."""
    compared = [result.against for result in results if result.against is not None]
    adjusted = iter(adjust_holm([against.p for against in compared]))
    return [
        result if result.against is None else replace(result, against=replace(result.against, p_holm=next(adjusted)))
        for result in results
    ]


def _with_means(measured: Measured, config: EvaluateConfig) -> Measured:
    """The means of all metrics with their intervals, over all queries and without those that were seen in training."""
    names = metric_names(config.depth)
    drawn: Mapping[str, Any] = {"resamples": config.bootstrap, "groups": number_groups(measured.groups)}
    intervals = (
        seed_intervals(measured.seeds, generator=_chance(config), **drawn)
        if measured.seeds
        else bootstrap_intervals(measured.values, generator=_chance(config), **drawn)
    )
    metrics = dict(zip(names, map(float, measured.values.mean(axis=0)), strict=True))
    ci95 = {name: _ends(ends) for name, ends in zip(names, intervals, strict=True)}
    if len(measured.among):
        name = f"{names[0]}{POOLED}"
        among = measured.among[:, None]
        ends = bootstrap_intervals(among, resamples=config.bootstrap, generator=_chance(config))
        metrics[name], ci95[name] = float(among.mean()), _ends(ends[0])
    leak: Leak | None = tell_leak(measured.suspects, measured.values, names) if measured.is_trained else None
    seeds = measured.result.seeds
    if seeds is not None:
        means = np.stack([of_seed.mean(axis=0) for of_seed in measured.seeds])  # (S, M)
        spread = dict(zip(names, map(float, means.std(axis=0, ddof=1)), strict=True))
        seeds = replace(seeds, deviation=spread)
    return replace(measured, result=replace(measured.result, metrics=metrics, ci95=ci95, leak=leak, seeds=seeds))


def _ends(interval: NDArray[np.float64]) -> tuple[float, float]:
    low, high = interval
    return float(low), float(high)


def _chance(config: EvaluateConfig) -> np.random.Generator:
    return np.random.default_rng(config.seed)


def _setting(ranker: Ranker, exam: Exam, ranks: Ranks, config: EvaluateConfig) -> dict[str, Any]:
    """Everything a reader needs to get the same number again."""
    collection, family = exam.collection, exam.task.family
    names = metric_names(config.depth)
    among = (
        f"; {names[0]}{POOLED}: {len(ranks.among_candidates)} queries, each among the {collection.candidates}"
        " documents of its block in the published order"
        if len(ranks.among_candidates)
        else ""
    )
    absent = f"; {exam.n_absent} judged documents are not in the pool" if exam.n_absent else ""
    setting = {
        "metrics": f"{', '.join(names[:3])}, map over {config.depth} ranks{among}",
        "pool": f"all {len(exam.pool.ids)} documents" + (" but the query itself" if collection.excludes_itself else ""),
        "query": family.query,
        "document": family.document,
        "relevant": f"{family.relevant}{absent}",
        "data": f"{collection.source} (licence: {collection.licence})",
        "ranker": {"protocol": ranker.protocol, **asdict(details_of(ranker))},
    }
    return _redrawn(setting, exam.groups, config, seeds=False)


def _redrawn(setting: dict[str, Any], groups: Sequence[str], config: EvaluateConfig, *, seeds: bool) -> dict[str, Any]:
    """A setting that says what its intervals draw."""
    n_groups = len(set(groups))
    drawn = "queries" if n_groups == len(groups) else f"{n_groups} groups of queries that repeat one another"
    words = f"95 % percentile bootstrap over {drawn}, {config.bootstrap} resamples, seed {config.seed}"
    return setting | {"intervals": f"{words}, seeds drawn too" if seeds else words}
