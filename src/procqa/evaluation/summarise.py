"""From the metrics of queries to results: means, intervals, comparisons, several tasks pooled, several seeds as one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.config import EvaluateConfig
from procqa.evaluation.analysis import Analysis
from procqa.evaluation.exam import Exam
from procqa.evaluation.measure import Ranks, Values, metric_names
from procqa.evaluation.rankers import Details, Ranker, details_of
from procqa.evaluation.results import HEADLINE, Comparison, Leak, Result, Seeds
from procqa.evaluation.statistics import (
    adjust_holm,
    bootstrap_intervals,
    paired_randomisation,
    seed_intervals,
    standardised_difference,
)

POOLED = "/pool"
"""The end of the name of a metric among the candidates of a publisher's other protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A result with what it was got from, query by query.

    Args:
        values: (Q, M), by ``metric_names``.
        groups: (Q,), see ``Exam.groups``.
        exam: None where queries of several tasks are pooled.
        ranks: None where several rankers or tasks are taken together.
        seeds: the metrics of each seed; none for one ranker.
        analysis: what one ranker missed on one task, where that was asked for.
    """

    result: Result
    values: Values
    groups: NDArray[np.int64]
    exam: Exam | None = None
    ranks: Ranks | None = None
    seeds: tuple[Values, ...] = ()
    analysis: Analysis | None = None


def summarise(ranker: Ranker, exam: Exam, ranks: Ranks, config: EvaluateConfig) -> Measured:
    """Means, intervals, and the setting they were got in."""
    metrics, ci95 = _means(ranks.values, exam.groups, config)
    if len(ranks.among_candidates):
        name = f"{metric_names(config.depth)[0]}{POOLED}"
        among = ranks.among_candidates[:, None]
        ends = bootstrap_intervals(among, resamples=config.bootstrap, generator=_chance(config))
        metrics[name], ci95[name] = float(among.mean()), _ends(ends[0])
    result = Result(
        task=exam.task.name,
        language=exam.collection.language,
        ranker=ranker.name,
        revision=ranker.revision,
        measure=exam.collection.measure,
        setting=_setting(ranker, exam, ranks, config),
        queries=len(exam.queries),
        documents=len(exam.pool.ids),
        metrics=metrics,
        ci95=ci95,
    )
    return Measured(result=result, values=ranks.values, groups=exam.groups, exam=exam, ranks=ranks)


def pool(parts: Sequence[Measured], config: EvaluateConfig) -> Measured:
    """One ranker over all queries of several tasks of a family, each among the documents of its own task."""
    results = [part.result for part in parts]
    values = np.concatenate([part.values for part in parts])
    groups = join_groups([part.groups for part in parts])
    seeds = tuple(np.concatenate(of_seed) for of_seed in zip(*(part.seeds for part in parts), strict=True))
    metrics, ci95 = _means(values, groups, config, seeds=seeds)
    several = ", ".join(result.task for result in results)
    setting = dict(results[0].setting) | {
        "pool": f"the queries of {several} pooled, each among the documents of its own task",
        "data": "that of each task, in its own line",
    }
    result = Result(
        task=results[0].task.partition(":")[0],
        language=None,
        ranker=results[0].ranker,
        revision=results[0].revision,
        measure=results[0].measure,
        setting=setting,
        queries=len(values),
        documents=sum(result.documents for result in results),
        metrics=metrics,
        ci95=ci95,
        seeds=None if not seeds else _seeds(results[0].seeds, seeds, config),
        leak=_pool_leaks(results),
    )
    return Measured(result=result, values=values, groups=groups, seeds=seeds)


def _pool_leaks(results: Sequence[Result]) -> Leak | None:
    """What is known of leaks in all tasks together; nothing where it is not known of one of them."""
    leaks = [(result.queries, result.leak) for result in results if result.leak is not None]
    if len(leaks) < len(results):
        return None
    if not all(leak.checked for _, leak in leaks):
        return Leak(checked=False)
    clean = [(queries - leak.suspect, leak.metrics) for queries, leak in leaks if leak.metrics is not None]
    total = sum(queries for queries, _ in clean)
    names = clean[0][1] if clean else {}
    return Leak(
        checked=True,
        queries=sum(leak.queries for _, leak in leaks),
        documents=sum(leak.documents for _, leak in leaks),
        suspect=sum(leak.suspect for _, leak in leaks),
        same_dataset=any(leak.same_dataset for _, leak in leaks),
        metrics={name: sum(n * metrics[name] for n, metrics in clean) / total for name in names} if clean else None,
    )


def join_groups(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """(Q,) the groups of the queries of several tasks; no group stands in two of them."""
    shifts = np.cumsum([0, *(int(groups.max()) + 1 for groups in parts[:-1])])
    return np.concatenate([groups + shift for groups, shift in zip(parts, shifts, strict=True)])


def average_seeds(name: str, parts: Sequence[Measured], config: EvaluateConfig) -> Measured:
    """The mean of encoders that differ in their seed alone, on one task.

    The interval draws queries and seeds; a comparison is by the mean of each query over the seeds.
    """
    first = parts[0].result
    seeds = tuple(part.values for part in parts)
    mean: Values = np.mean(seeds, axis=0)
    groups = parts[0].groups
    metrics, ci95 = _means(mean, groups, config, seeds=seeds)
    protocols = " · ".join(part.result.setting["ranker"]["protocol"] for part in parts)
    ranker = asdict(Details()) | {"protocol": f"mean over {len(parts)} seeds of ({protocols})"}
    words = f"{first.setting['intervals']}, seeds drawn too"
    result = replace(
        first,
        ranker=name,
        revision=" + ".join(part.result.revision for part in parts),
        setting=dict(first.setting) | {"ranker": ranker, "intervals": words},
        metrics=metrics,
        ci95=ci95,
        seeds=_seeds(Seeds(rankers=tuple(part.result.ranker for part in parts), deviation={}), seeds, config),
        leak=None,
        against=None,
    )
    return Measured(result=result, values=mean, groups=groups, exam=parts[0].exam, seeds=seeds)


def compare(measured: Measured, baseline: Measured, config: EvaluateConfig) -> Comparison:
    """Two rankers on the same queries, by the first metric; ``p_holm`` is p until ``correct`` knows of the others."""
    differences = measured.values[:, HEADLINE] - baseline.values[:, HEADLINE]
    generator = _chance(config)
    ends = bootstrap_intervals(
        differences[:, None], resamples=config.bootstrap, generator=generator, groups=measured.groups
    )
    p = paired_randomisation(differences, permutations=config.permutations, generator=generator, groups=measured.groups)
    return Comparison(
        baseline=baseline.result.ranker,
        delta=float(differences.mean()),
        ci95=_ends(ends[0]),
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


def _seeds(seeds: Seeds | None, values: Sequence[Values], config: EvaluateConfig) -> Seeds:
    means = np.stack([of_seed.mean(axis=0) for of_seed in values])  # (S, M)
    deviation = means.std(axis=0, ddof=1) if len(means) > 1 else np.zeros(means.shape[1])
    named = dict(zip(metric_names(config.depth), map(float, deviation), strict=True))
    return Seeds(rankers=() if seeds is None else seeds.rankers, deviation=named)


def _means(
    values: Values, groups: NDArray[np.int64], config: EvaluateConfig, *, seeds: Sequence[Values] = ()
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """The mean of each metric, and its interval."""
    drawn: Mapping[str, Any] = {"resamples": config.bootstrap, "generator": _chance(config), "groups": groups}
    intervals = seed_intervals(seeds, **drawn) if seeds else bootstrap_intervals(values, **drawn)
    names = metric_names(config.depth)
    means = dict(zip(names, map(float, values.mean(axis=0)), strict=True))
    return means, {name: _ends(ends) for name, ends in zip(names, intervals, strict=True)}


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
    groups = int(exam.groups.max()) + 1
    drawn = "queries" if groups == len(exam.queries) else f"{groups} groups of queries of one task"
    return {
        "metrics": f"{', '.join(names[:3])}, map over {config.depth} ranks{among}",
        "pool": f"all {len(exam.pool.ids)} documents" + (" but the query itself" if collection.excludes_itself else ""),
        "query": family.query,
        "document": family.document,
        "relevant": family.relevant,
        "data": f"{collection.source} (licence: {collection.licence})",
        "ranker": {"protocol": ranker.protocol, **asdict(details_of(ranker))},
        "intervals": f"95 % percentile bootstrap over {drawn}, {config.bootstrap} resamples, seed {config.seed}",
    }
