"""Rankers × tasks → numbers that carry their protocol.

Every query with a relevant document is ranked against all documents of its task; there is no sampling of
candidates and no other pool. What is held at once is the documents of one task with the rankers' indexes
of them and a few hundred rankings.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from procqa.config import EvaluateConfig
from procqa.corpora.benchmarks import Collection
from procqa.errors import BenchmarkError, ConfigError
from procqa.evaluation.metrics import average_precision, ndcg, recall, reciprocal_rank
from procqa.evaluation.rankers import Pool, Ranker, Ranking, Report, check_ranker_names, open_rankers
from procqa.evaluation.runs import RunWriter, open_run, write_qrels
from procqa.evaluation.statistics import bootstrap_intervals, paired_randomisation
from procqa.evaluation.tasks import Task, load_task, resolve_tasks

CUT = 10
"""Ranks that nDCG and recall look at. Source: ours, docs/evaluation.md."""

Values = NDArray[np.float64]
"""(Q, 4) the metrics of each query."""

Write = Callable[[str, Sequence[str], NDArray[np.float32]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A ranker beside the baseline on the same queries, by the first metric.

    Args:
        baseline: the ranker it is compared with.
        delta: mean difference, above 0 where the ranker is better.
        ci95: of the difference, by a bootstrap over queries.
        p: of a paired randomisation test, two-sided, not corrected for several comparisons.
        permutations: drawn for it.
        seed: of these, and of the bootstrap.
    """

    baseline: str
    delta: float
    ci95: tuple[float, float]
    p: float
    permutations: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one ranker scored on one task; its fields are the JSON of ``procqa evaluate --json``.

    Args:
        language: of the documents; None where they have several or none.
        protocol: metrics, cut-offs, pool, text format, data, model and revision, in words.
        revision: version or sha256 of the ranker.
        queries: measured: those with a relevant document.
        metrics: means over the queries, in [0, 1].
        ci95: lower and upper end of each mean's bootstrap interval.
        against: the ranker compared with the baseline; None where none was asked for, and for the baseline itself.
    """

    task: str
    language: str | None
    ranker: str
    revision: str
    protocol: str
    queries: int
    documents: int
    metrics: dict[str, float]
    ci95: dict[str, tuple[float, float]]
    against: Comparison | None = None


@dataclass(frozen=True, slots=True)
class _Exam:
    """A task made ready to be ranked: queries and documents by id, judgements by position.

    Args:
        relevant: for each query the positions of its graded documents, and their grades; a document that
            is judged but not in the pool has position -1.
        own: for each query the position of the document that is the query itself, or -1.
    """

    task: Task
    collection: Collection
    pool: Pool
    query_ids: tuple[str, ...]
    queries: tuple[str, ...]
    relevant: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]
    own: tuple[int, ...]


def evaluate(
    rankers: Sequence[str],
    tasks: Sequence[str],
    roots: Sequence[Path],
    config: EvaluateConfig,
    *,
    run: Path | None = None,
    baseline: str | None = None,
    cache: Path | None = None,
    report: Report | None = None,
) -> Iterator[Result]:
    """The results of every ranker on every task, task by task; tasks with the same documents stand together.

    With a baseline the results of each family of several tasks follow, their queries pooled.

    Args:
        rankers: ``bm25``, the name or folder of a model, or ``hybrid:MODEL``.
        tasks: ``FAMILY:PART``, or ``FAMILY`` for all of its parts that are at hand.
        roots: dataset folders and benchmark roots, mixed.
        run: a file for the ranking of one ranker on one task in TREC format, and beside it
            ``NAME.qrels`` with the judgements.
        baseline: one of the rankers, with which the others are compared query by query.
        cache: a folder that keeps the vectors of models, so that no text is encoded twice, by whatever run.
        report: is told what is being done and how much of it is done.

    Raises:
        ConfigError: an unknown task or ranker, none at all, or ``run`` with more than one.
        BenchmarkError: the data of a task is absent or not in its published layout.
        ArtifactError: a model or a dataset is absent or broken, or ``run`` cannot be written.
        MissingExtra: a ranker needs a package that is not installed.
    """
    report = report or _say_nothing
    names = check_ranker_names(rankers)
    resolved = resolve_tasks(tasks, roots)
    if run is not None and (len(names), len(resolved)) != (1, 1):
        raise ConfigError(f"--run must have one ranker and one task, got {len(names)} and {len(resolved)}")
    if baseline is not None and baseline not in names:
        raise ConfigError(f"--baseline must be one of the rankers {', '.join(names)}, got {baseline!r}")
    # The baseline comes first, so that the others can be compared as they come.
    names = [name for name in names if name == baseline] + [name for name in names if name != baseline]
    with ExitStack() as stack:
        opened = open_rankers(names, config, report=report, cache=cache, opened=stack)
        files = stack.pop_all()
    return _results(opened, resolved, roots, config, run=run, baseline=baseline, report=report, files=files)


def _results(
    rankers: Sequence[Ranker],
    tasks: Sequence[Task],
    roots: Sequence[Path],
    config: EvaluateConfig,
    *,
    run: Path | None,
    baseline: str | None,
    report: Report,
    files: ExitStack,
) -> Iterator[Result]:
    with files:
        yield from _measure_all(rankers, tasks, roots, config, run=run, baseline=baseline, report=report)


def _measure_all(
    rankers: Sequence[Ranker],
    tasks: Sequence[Task],
    roots: Sequence[Path],
    config: EvaluateConfig,
    *,
    run: Path | None,
    baseline: str | None,
    report: Report,
) -> Iterator[Result]:
    pooled: dict[tuple[str, str], list[tuple[Result, Values]]] = {}
    for task in tasks:
        exam = _prepare(task, load_task(task, roots))
        of_baseline: Values | None = None
        for ranker in rankers:
            with nullcontext() if run is None else open_run(run, tag=ranker.name) as writer:
                values = _measure(ranker, exam, config.depth, writer=writer, report=report)
            if run is not None:
                write_qrels(run.with_name(f"{run.name}.qrels"), _judgements(exam))
            result = _summarise(ranker, exam, values, config)
            if baseline is not None:
                if of_baseline is not None:
                    result = replace(result, against=_compare(values, of_baseline, baseline, config))
                else:
                    of_baseline = values
                pooled.setdefault((task.family.name, ranker.name), []).append((result, values))
            yield result
    if baseline is not None:
        yield from _pool(pooled, baseline, config)


def _compare(values: Values, of_baseline: Values, baseline: str, config: EvaluateConfig) -> Comparison:
    """Two rankers on the same queries, by the first metric."""
    differences = values[:, 0] - of_baseline[:, 0]
    generator = np.random.default_rng(config.seed)
    ((low, high),) = bootstrap_intervals(differences[:, None], resamples=config.bootstrap, generator=generator)
    p = paired_randomisation(differences, permutations=config.permutations, generator=generator)
    return Comparison(
        baseline=baseline,
        delta=float(differences.mean()),
        ci95=(float(low), float(high)),
        p=p,
        permutations=config.permutations,
        seed=config.seed,
    )


def _pool(
    measured: Mapping[tuple[str, str], Sequence[tuple[Result, Values]]], baseline: str, config: EvaluateConfig
) -> Iterator[Result]:
    """The results over all queries of each family of several tasks."""
    for (family, ranker), parts in measured.items():
        if len(parts) < 2:
            continue
        results = [result for result, _ in parts]
        values = np.concatenate([part for _, part in parts])
        against = None
        if ranker != baseline:
            of_baseline = np.concatenate([part for _, part in measured[family, baseline]])
            against = _compare(values, of_baseline, baseline, config)
        metrics, ci95 = _means(values, config)
        yield Result(
            task=family,
            language=None,
            ranker=ranker,
            revision=results[0].revision,
            protocol=f"the queries of {', '.join(result.task for result in results)} pooled, each among the documents"
            f" of its own task; {results[0].protocol}; the pool and the data of the others are in their own lines",
            queries=len(values),
            documents=sum(result.documents for result in results),
            metrics=metrics,
            ci95=ci95,
            against=against,
        )


def _prepare(task: Task, collection: Collection) -> _Exam:
    """Sort a collection by id and turn its judgements into positions."""
    ids = sorted(collection.documents)
    position = {identifier: place for place, identifier in enumerate(ids)}
    query_ids = sorted(
        query
        for query, grades in collection.qrels.items()
        if query in collection.queries and any(grade > 0 for grade in grades.values())
    )
    if not query_ids or not ids:
        raise BenchmarkError(f"{task.name} must have documents and a query with a relevant one, but it has none")
    relevant = []
    for query in query_ids:
        grades = {document: grade for document, grade in collection.qrels[query].items() if grade > 0}
        places = np.array([position.get(document, -1) for document in grades], np.int64)
        relevant.append((places, np.array(list(grades.values()), np.int64)))
    own = [position.get(query, -1) if collection.excludes_itself else -1 for query in query_ids]
    pool = Pool(ids, [collection.documents[identifier] for identifier in ids])
    queries = tuple(collection.queries[query] for query in query_ids)
    return _Exam(task, collection, pool, tuple(query_ids), queries, tuple(relevant), tuple(own))


def _measure(
    ranker: Ranker, exam: _Exam, depth: int, *, writer: RunWriter | None, report: Report
) -> NDArray[np.float64]:
    """One row of metric values for each query, (Q, 4)."""
    ranker.index(exam.pool)
    excludes = exam.collection.excludes_itself
    values: list[NDArray[np.float64]] = []
    first = 0
    for scores, ranked in ranker.rank(exam.queries, depth + excludes):
        places = range(first, first + len(ranked))
        if excludes:
            scores, ranked = _without_own((scores, ranked), [exam.own[place] for place in places], depth)
        values.append(_score(ranked, [exam.relevant[place] for place in places], len(exam.pool.ids), depth))
        if writer is not None:
            for row, place in enumerate(places):
                writer.write(exam.query_ids[place], [exam.pool.ids[number] for number in ranked[row]], scores[row])
        first += len(ranked)
        report(f"{exam.task.name}: {ranker.name} ranks for {len(exam.queries):,} queries", first)
    return np.concatenate(values)


def _without_own(ranking: Ranking, own: Sequence[int], depth: int) -> Ranking:
    """The rankings without the document that is the query itself, cut to ``depth``."""
    scores, ranked = ranking
    width = min(depth, ranked.shape[1] - 1)
    keep = ranked != np.array(own)[:, None]  # (Q, k)
    keep &= keep.cumsum(axis=1) <= width
    return scores[keep].reshape(-1, width), ranked[keep].reshape(-1, width)


def _score(
    ranked: NDArray[np.int64],
    relevant: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    n_documents: int,
    depth: int,
) -> NDArray[np.float64]:
    """The metrics of a block of rankings, (Q, 4), in the order of ``metric_names``."""
    grade_of = np.zeros(n_documents + 1, np.int64)  # the last one is for documents that are not in the pool
    grades = np.empty_like(ranked)
    n_relevant = np.array([len(places) for places, _ in relevant])
    ideal = np.zeros((len(relevant), n_relevant.max()), np.int64)
    for row, (places, their_grades) in enumerate(relevant):
        grade_of[places] = their_grades
        grades[row] = grade_of[ranked[row]]
        grade_of[places] = 0
        ideal[row, : len(places)] = np.sort(their_grades)[::-1]
    return np.column_stack(
        [
            reciprocal_rank(grades, depth),
            ndcg(grades, ideal, CUT),
            recall(grades, n_relevant, CUT),
            average_precision(grades, n_relevant),
        ]
    )


def metric_names(depth: int) -> tuple[str, str, str, str]:
    """The keys of ``Result.metrics``; MRR and MAP look at the first ``depth`` documents."""
    return f"mrr@{depth}", f"ndcg@{CUT}", f"recall@{CUT}", "map"


def _summarise(ranker: Ranker, exam: _Exam, values: NDArray[np.float64], config: EvaluateConfig) -> Result:
    """Means, intervals and the protocol they were got by."""
    metrics, ci95 = _means(values, config)
    return Result(
        task=exam.task.name,
        language=exam.collection.language,
        ranker=ranker.name,
        revision=ranker.revision,
        protocol=_protocol(ranker, exam, config),
        queries=len(exam.queries),
        documents=len(exam.pool.ids),
        metrics=metrics,
        ci95=ci95,
    )


def _means(values: Values, config: EvaluateConfig) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """The mean of each metric, and its interval."""
    generator = np.random.default_rng(config.seed)
    intervals = bootstrap_intervals(values, resamples=config.bootstrap, generator=generator)
    names = metric_names(config.depth)
    means = dict(zip(names, map(float, values.mean(axis=0)), strict=True))
    return means, {name: (float(low), float(high)) for name, (low, high) in zip(names, intervals, strict=True)}


def _protocol(ranker: Ranker, exam: _Exam, config: EvaluateConfig) -> str:
    """Everything a reader needs to get the same number again, in one line."""
    pool = f"all {len(exam.pool.ids)} documents" + (" but the query itself" if exam.collection.excludes_itself else "")
    return "; ".join(
        [
            f"{', '.join(metric_names(config.depth)[:3])}, map over {config.depth} ranks",
            f"pool: {pool}",
            f"query: {exam.task.family.query}, document: {exam.task.family.document}",
            f"relevant: {exam.task.family.relevant}",
            f"data: {exam.collection.source} (licence: {exam.collection.licence})",
            f"ranker: {ranker.protocol}",
            f"intervals: 95 % percentile bootstrap over queries, {config.bootstrap} resamples, seed {config.seed}",
        ]
    )


def _judgements(exam: _Exam) -> Mapping[str, Mapping[str, int]]:
    """The judgements of the queries that were measured."""
    return {query: exam.collection.qrels[query] for query in exam.query_ids}


def _say_nothing(stage: str, done: int) -> None:
    """The report of a caller who does not want one."""
