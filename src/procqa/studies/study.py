"""One study, from its statement to a folder of results, plots and a page: ``procqa study``."""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from procqa import __version__
from procqa.artifact import find_complete, workspace
from procqa.errors import ConfigError
from procqa.manifest import Input, as_json, load_manifest
from procqa.studies.comparing import Difference, contrast_arms, describe_arm
from procqa.studies.looks import tell_examples, tell_slices, tell_traces
from procqa.studies.materials import Material, Materials, Sources
from procqa.studies.measuring import Scores
from procqa.studies.report import write_page, write_plots
from procqa.studies.results import KIND, RESULTS_FILE, Found, line, load_found, to_text
from procqa.studies.running import Run, Runner, drop_labels, find_commit
from procqa.studies.scales import BaseScale, ScaleName, scales_of
from procqa.studies.statement import BEFORE, Study
from procqa.studies.verdicts import Judgement, decide, judge

PAGE_FILE = "index.html"

Report = Callable[[str, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRequest:
    """Which study to run, on what, and where to.

    Args:
        out: the folder of results to make.
        work: where datasets, encoders and scores are kept, for this study and the others; None is ``OUT.work``.
        bases: those to run; none means all of the study. The results need all of them: where some are left out, the
            runs are made and no results are written.
        force: replace an ``out`` that another recipe made.
    """

    study: Study
    scale: ScaleName
    sources: Sources
    out: Path
    work: Path | None = None
    bases: tuple[str, ...] = ()
    force: bool = False


def run_study(request: StudyRequest, report: Report) -> Found | None:
    """Run a study to its end, or go on with one that was interrupted.

    Returns:
        What was found; None where only some of its bases were asked for.

    Raises:
        ConfigError: the study has no such base at this scale, or needs data that was not given.
        ArtifactError: ``out`` is taken or cannot be written.
        ProcqaError: whatever building, training or measuring says.
    """
    scales = scales_of(request.scale, request.study.bases)
    study = request.study.at(scales)
    if request.scale == "smoke" and request.sources.benchmarks is None:  # the sample has no benchmarks beside it
        absent = {exam.name for exam in study.exams if "benchmarks" in exam.roots}
        study = study.without_exams(absent) if len(absent) < len(study.exams) else study
    if unknown := sorted(set(request.bases) - scales.keys()):
        raise ConfigError(f"--base must be one of {', '.join(scales)} at scale {request.scale}, got {unknown[0]}")
    work = request.work or request.out.with_name(f"{request.out.name}.work")
    materials = Materials(request.sources, work / "data", falls_back=request.scale == "smoke", report=report)
    data = [materials.get(name) for name in study.data]
    recipe = as_json({"study": asdict(study), "scale": {name: asdict(scale) for name, scale in scales.items()}})
    inputs = [Input(material.name, 0, material.sha256) for material in data]
    if request.bases:
        runner = Runner(study, materials, work, report=report)
        for base in request.bases:
            for _ in runner.run_base(base, scales[base]):
                pass
        return None
    if find_complete(request.out, kind=KIND, recipe=recipe, inputs=inputs, force=request.force) is None:
        with workspace(request.out, kind=KIND, recipe=recipe, inputs=inputs) as made:
            made.is_kept = True
            runner = Runner(study, materials, work, report=report)
            lines = list(_tell(study, request.scale, scales, data, runner))
            (made.path / RESULTS_FILE).write_text(to_text(lines), encoding="utf-8")
            found = load_found(made.path)
            write_plots(found, made.path)
            write_page([(made.path, found)], made.path / PAGE_FILE)
            made.finish({"verdicts": {verdict["claim"]: verdict["verdict"] for verdict in found.verdicts}})
    load_manifest(request.out, kind=KIND)
    return load_found(request.out)


def _tell(
    study: Study, scale: ScaleName, scales: Mapping[str, BaseScale], data: Sequence[Material], runner: Runner
) -> Iterator[dict[str, Any]]:
    """Every line of the results."""
    yield line("study", {**_state(study, scale, scales), "data": [_describe(one) for one in data]})
    runs: list[Run] = []
    words = runner.run_words(next(iter(scales.values())))
    for base, of_base in scales.items():
        runs += runner.run_base(base, of_base)
    yield from (line("run", _describe_run(run)) for run in (words, *runs))
    arms = _by_base([words, *map(drop_labels, runs)])
    for base, by_arm in arms.items():
        yield from (line("score", told) for told in _tell_scores(base, by_arm))
    differences: dict[tuple[str, str], Difference] = {}
    for base in scales:
        for contrast in study.contrasts:
            found = contrast_arms(contrast, arms[base])
            if found is not None:
                differences[contrast.name, base] = found
    judgements = judge(study, differences)
    yield from (line("contrast", _describe_judgement(study, one, arms)) for one in judgements)
    if "slices" in study.looks_at:
        yield from (line("table", table) for table in tell_slices(runs, words))
    if "traces" in study.looks_at:
        yield from (line("table", table) for table in tell_traces(runs))
        yield from (line("example", example) for example in tell_examples(runs))
    for claim in study.claims:
        told = {**asdict(claim), "claim": claim.name, "verdict": decide(claim, judgements)}
        yield line("verdict", {name: value for name, value in told.items() if name != "name"})


def _state(study: Study, scale: ScaleName, scales: Mapping[str, BaseScale]) -> dict[str, Any]:
    """The statement, and what ran it."""
    told = asdict(study)
    told["arms"] = [{"name": BEFORE, "description": study.arm(BEFORE).description}, *told["arms"]]
    return {
        **told,
        "scale": scale,
        "scales": {name: asdict(base) for name, base in scales.items()},
        "version": __version__,
        "commit": find_commit(),
        "machine": {"system": platform.system(), "processor": platform.machine(), "python": platform.python_version()},
    }


def _describe(material: Material) -> dict[str, Any]:
    return {"name": material.name, "sha256": material.sha256, "rows": material.rows}


def _describe_run(run: Run) -> dict[str, Any]:
    return {
        "arm": run.arm,
        "base": run.base,
        "seed": run.seed,
        "sha256": run.sha256,
        "stages": run.stages,
        "cpu_s": round(sum(run.costs.values()), 1),
        "costs": run.costs,
        "scores": {scores.task: scores.mean for scores in run.scores},
    }


def _by_base(runs: Sequence[Run]) -> dict[str, dict[str, dict[int, Sequence[Scores]]]]:
    """Scores by base, arm and seed."""
    found: dict[str, dict[str, dict[int, Sequence[Scores]]]] = {}
    for run in runs:
        found.setdefault(run.base, {}).setdefault(run.arm, {})[run.seed] = run.scores
    return found


def _tell_scores(base: str, arms: Mapping[str, Mapping[int, Sequence[Scores]]]) -> Iterator[dict[str, Any]]:
    """Mean scores of every arm on every task, and on every family of more than one."""
    for arm, by_seed in arms.items():
        first = next(iter(by_seed.values()))
        tasks = {scores.task: scores for scores in first}
        families = dict.fromkeys(scores.family for scores in first)
        several = [name for name in families if sum(scores.family == name for scores in first) > 1]
        for on in (*tasks, *several):
            found = describe_arm(on, by_seed)
            if found is None:
                continue
            of_first = [scores for scores in first if on in (scores.task, scores.family)]
            yield {
                "arm": arm,
                "base": base,
                "on": on,
                "is_family": on in several,
                "measure": of_first[0].measure,
                "queries": sum(len(scores.queries) for scores in of_first),
                "documents": sum(scores.documents for scores in of_first),
                "seen": sum(sum(scores.seen) for scores in of_first),
                "mean": found.delta,
                "ci95": found.ci95,
                "seeds": dict(zip(map(str, by_seed), found.by_seed, strict=True)),
            }


def _describe_judgement(study: Study, judgement: Judgement, arms: Mapping[str, Any]) -> dict[str, Any]:
    """A contrast with its numbers, and each of its parts alone."""
    contrast = next(one for one in study.contrasts if one.name == judgement.contrast)
    told = {**asdict(contrast), "contrast": contrast.name, "parts": []}
    for part in contrast.parts:
        alone = contrast_arms(replace(contrast, parts=(part,)), arms[judgement.base])
        assert alone is not None  # the whole contrast was measured
        told["parts"].append({**asdict(part), "delta": alone.delta, "ci95": alone.ci95})
    return {
        **{name: value for name, value in told.items() if name != "name"},
        "base": judgement.base,
        **asdict(judgement.difference),
        "p_holm": judgement.p_holm,
        "smallest": judgement.smallest,
        "decides": judgement.decides,
        "outcome": judgement.outcome,
        "reason": judgement.reason,
    }
