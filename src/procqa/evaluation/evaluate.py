"""Rankers × tasks → numbers that carry their protocol.

Every query with a relevant document is ranked against all documents of its task; there is no sampling of
candidates. What is held at once is the documents of one task with the rankers' indexes of them and a few
hundred rankings; of tasks that are done, numbers and ids alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from procqa.config import EvaluateConfig
from procqa.encoder.model import find_encoder
from procqa.errors import ArtifactError, ConfigError, ProcqaError
from procqa.evaluation.analysis import analyse
from procqa.evaluation.exam import Exam, prepare
from procqa.evaluation.labels import Labels, label_queries
from procqa.evaluation.leaks import Suspects, find_suspects
from procqa.evaluation.measure import measure_ranker
from procqa.evaluation.rankers import Ranker, Report, check_ranker_names, details_of, open_rankers
from procqa.evaluation.results import Result
from procqa.evaluation.runs import check_file, open_run, qrels_of, write_qrels
from procqa.evaluation.summarise import Measured, average_seeds, compare, correct, pool, summarise
from procqa.evaluation.tasks import Task, load_task, resolve_tasks

RUN_DEPTH = 1_000
"""Documents of each query that a run holds, or all where there are fewer, so that other tools measure the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What else an evaluation does than measure.

    Args:
        run: a file for the ranking of one ranker on one task in TREC format, and beside it ``NAME.qrels`` with the
            judgements.
        baseline: one of the rankers, with which the others are compared query by query.
        seeds: names of groups of rankers that differ in their seed alone; the mean of each is one more ranker.
        cache: a folder that keeps the vectors of models, so that no text is encoded twice, by whatever run.
        analyses: whether misses are explained, and the space of languages described.
    """

    run: Path | None = None
    baseline: str | None = None
    seeds: Mapping[str, Sequence[str]] = field(default_factory=dict)
    cache: Path | None = None
    analyses: bool = False


def evaluate(
    rankers: Sequence[str | Ranker],
    tasks: Sequence[str],
    roots: Sequence[Path],
    config: EvaluateConfig,
    *,
    run: Path | None = None,
    baseline: str | None = None,
    seeds: Mapping[str, Sequence[str]] | None = None,
    cache: Path | None = None,
    report: Report | None = None,
) -> Iterator[Result]:
    """The results of every ranker on every task, task by task; tasks with the same documents stand together.

    With a baseline all comparisons are corrected for one another, so results come once all is measured, or once
    something fails; those of each family of several tasks follow, their queries pooled.

    Args:
        rankers: names, as docs/evaluation.md#rankers has them, and rankers of the caller's own.
        tasks: ``FAMILY:PART``, or ``FAMILY`` for all of its parts that are at hand.
        roots: dataset folders and benchmark roots, mixed.
        run: see ``Plan``, as the others.
        report: is told what is being done and how much of it is done.

    Raises:
        ConfigError: an unknown task or ranker, none at all, or ``run`` with more than one or of fewer than 1,000
            documents a query.
        BenchmarkError: the data of a task is absent or not in its published layout.
        ArtifactError: a model or a dataset is absent or broken, or ``run`` cannot be written.
        MissingExtra: a ranker needs a package that is not installed.
    """
    plan = Plan(run=run, baseline=baseline, seeds=seeds or {}, cache=cache)
    measured = measure(rankers, tasks, roots, config, plan=plan, report=report)
    return (one.result for one in measured)


def measure(
    rankers: Sequence[str | Ranker],
    tasks: Sequence[str],
    roots: Sequence[Path],
    config: EvaluateConfig,
    *,
    plan: Plan,
    report: Report | None = None,
) -> Iterator[Measured]:
    """What ``evaluate`` gives, with the ranks of each query that it was got from."""
    report = report or _say_nothing
    names = check_ranker_names(rankers)
    resolved = resolve_tasks(tasks, roots)
    _check_plan(plan, names, [task.name for task in resolved], depth=config.depth)
    # What the others are compared with comes first, so that they can be compared as they come.
    first = plan.seeds.get(plan.baseline or "", [plan.baseline])
    ordered = sorted(rankers, key=lambda ranker: _name(ranker) not in first)
    with ExitStack() as stack:
        opened = open_rankers(ordered, config, report=report, cache=plan.cache, opened=stack)
        files = stack.pop_all()
    return _measure_with(files, opened, resolved, roots, config, plan, report)


def _measure_with(
    files: ExitStack,
    rankers: Sequence[Ranker],
    tasks: Sequence[Task],
    roots: Sequence[Path],
    config: EvaluateConfig,
    plan: Plan,
    report: Report,
) -> Iterator[Measured]:
    """Measure with open files, and close them."""
    with files:
        measured = _measure_tasks(rankers, tasks, roots, config, plan, report)
        if plan.baseline is None:
            yield from measured
            return
        done: list[Measured] = []
        try:
            for one in measured:
                done.append(one)
        except (ProcqaError, KeyboardInterrupt):
            yield from _corrected(done)  # what is measured is not lost
            raise
        yield from _corrected([*done, *_pool_families(done, config, plan.baseline)])


def _measure_tasks(
    rankers: Sequence[Ranker],
    tasks: Sequence[Task],
    roots: Sequence[Path],
    config: EvaluateConfig,
    plan: Plan,
    report: Report,
) -> Iterator[Measured]:
    for task in tasks:
        exam = prepare(task, load_task(task, roots))
        labels = label_queries(exam) if plan.analyses else None
        of_task: dict[str, Measured] = {}
        for ranker in rankers:
            of_task[ranker.name] = _measure_one(ranker, exam, labels, config, plan, report)
            yield _against(of_task[ranker.name], of_task, plan.baseline, config)
            for name, members in plan.seeds.items():
                if name not in of_task and all(member in of_task for member in members):
                    of_task[name] = average_seeds(name, [of_task[member] for member in members], config)
                    yield _against(of_task[name], of_task, plan.baseline, config)


def _measure_one(
    ranker: Ranker, exam: Exam, labels: Labels | None, config: EvaluateConfig, plan: Plan, report: Report
) -> Measured:
    """One ranker on one task, with its run written, its leaks looked for, and its misses explained."""
    run = plan.run
    with nullcontext() if run is None else open_run(run, tag=ranker.name) as writer:
        ranks = measure_ranker(ranker, exam, config.depth, writer=writer, report=report)
    if run is not None:
        write_qrels(qrels_of(run), exam.judgements())
    measured = summarise(ranker, exam, ranks, config, suspects=_suspects_of(ranker, exam))
    if labels is None:
        return measured
    report(f"{exam.task.name}: looking at what {ranker.name} missed", len(exam.queries))
    return replace(measured, analysis=analyse(ranker, exam, ranks, labels, seed=config.seed))


def _suspects_of(ranker: Ranker, exam: Exam) -> Suspects | None:
    """What is known of a ranker's training; a model of a user's own ranker need not be one that we can find."""
    models = details_of(ranker).models
    try:
        folders = [find_encoder(name, fetch=False) for name in models]
    except ArtifactError:
        return None
    return find_suspects(folders, exam) if models else None


def _against(
    measured: Measured, of_task: Mapping[str, Measured], baseline: str | None, config: EvaluateConfig
) -> Measured:
    """The result beside that of the baseline, where there is one and it is another."""
    if baseline is None or baseline not in of_task or measured.result.ranker == baseline:
        return measured
    comparison = compare(measured, of_task[baseline], config)
    return replace(measured, result=replace(measured.result, against=comparison))


def _pool_families(done: Sequence[Measured], config: EvaluateConfig, baseline: str) -> Iterator[Measured]:
    """The results over all queries of each family of several tasks."""
    families: dict[str, dict[str, list[Measured]]] = {}
    for one in done:
        families.setdefault(one.family, {}).setdefault(one.result.ranker, []).append(one)
    for of_family in families.values():
        if len(of_family[baseline]) > 1:
            pooled = {ranker: pool(parts, config) for ranker, parts in of_family.items()}
            for one in pooled.values():
                yield _against(one, pooled, baseline, config)


def _corrected(done: Sequence[Measured]) -> Iterator[Measured]:
    for one, result in zip(done, correct([one.result for one in done]), strict=True):
        yield replace(one, result=result)


def _check_plan(plan: Plan, rankers: Sequence[str], tasks: Sequence[str], *, depth: int) -> None:
    """Refuse a plan that cannot be carried out.

    Raises:
        ConfigError: it cannot.
    """
    if plan.run is not None:
        if (len(rankers), len(tasks)) != (1, 1):
            raise ConfigError(f"--run must have one ranker and one task, got {len(rankers)} and {len(tasks)}")
        if depth < RUN_DEPTH:
            raise ConfigError(f"--run must have {RUN_DEPTH:,} documents a query, got --depth {depth:,}: leave it out")
        check_file(plan.run, "--run")
        check_file(qrels_of(plan.run), "--run, with .qrels behind it,")
    for name, members in plan.seeds.items():
        if name in rankers:
            raise ConfigError(f"--seeds must give its rankers a name of their own, got {name!r}, which is a ranker")
        strangers = [member for member in members if member not in rankers]
        if strangers or len(members) < 2 or len(set(members)) < len(members):
            raise ConfigError(
                f"--seeds {name} must name two or more of the rankers {', '.join(rankers)}, each once, "
                f"got {', '.join(members)}"
            )
    known = [*rankers, *plan.seeds]
    if plan.baseline is not None and plan.baseline not in known:
        raise ConfigError(f"--baseline must be one of the rankers {', '.join(known)}, got {plan.baseline!r}")


def _name(ranker: str | Ranker) -> str:
    return ranker if isinstance(ranker, str) else ranker.name


def _say_nothing(stage: str, done: int) -> None:
    """The report of a caller who does not want one."""
