"""Writes the page of an evaluation. Everything in it that a stranger wrote is escaped by the template.

Needs the extra ``eval``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from procqa.config import EvaluateConfig
from procqa.evaluation.analysis import Analysis, Example
from procqa.evaluation.misses import CAUSES, count_causes
from procqa.evaluation.report.plots import Point, draw_matrix, draw_scores
from procqa.evaluation.report.rendering import render
from procqa.evaluation.results import Result
from procqa.evaluation.saved import write_file
from procqa.evaluation.slices import Slice, measure_slices
from procqa.evaluation.space import TRACES
from procqa.evaluation.summarise import Measured
from procqa.evaluation.tasks import FAMILIES

SHOWN_METRICS = 3
"""Metrics that every result of the table shows, beside those by which publishers rank."""

MOST_SLICES, PLOTTED_SLICES = 60, 14
FEW_PAIRS = 4
"""Pairs of languages below which a table says as much as a plot of languages by languages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """What a ranker missed on a task: how often each cause, and some of the misses."""

    result: Result
    n_misses: int
    causes: Mapping[str, int]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Tasks that differ in their part: plots and slices are of all of them, by the metric of their publisher."""

    name: str
    measure: str
    scores: str
    differences: str | None
    matrices: tuple[tuple[str, str], ...]
    slices: tuple[tuple[str, tuple[Slice, ...], str | None], ...]


def write_report(path: Path, measured: Sequence[Measured], config: EvaluateConfig) -> None:
    """Write the page of an evaluation, which needs nothing else and loads nothing.

    Args:
        measured: with analyses, as ``measure`` gives them.

    Raises:
        ArtifactError: the file cannot be written.
        MissingExtra: jinja2 is not installed.
    """
    results = [one.result for one in measured]
    measures = (result.measure for result in results)
    values: dict[str, Any] = {
        "results": results,
        "first_metric": next(iter(results[0].metrics)),
        "names": list(dict.fromkeys([*list(results[0].metrics)[:SHOWN_METRICS], *measures])),
        "compares": any(result.against is not None for result in results),
        "trained": any(result.leak is not None for result in results),
        "families": list(_families(measured, config)),
        "missed": [_missed(one.result, one.analysis) for one in measured if one.analysis is not None],
        "spaces": [one for one in measured if one.analysis is not None and one.analysis.traced],
        "causes": CAUSES,
        "traces": TRACES,
    }
    write_file(path, render("report.html", values))


def _families(measured: Sequence[Measured], config: EvaluateConfig) -> Iterator[Family]:
    families: dict[str, list[Measured]] = {}
    rankers = list(dict.fromkeys(one.result.ranker for one in measured))
    for one in measured:
        if not one.is_pooled:
            families.setdefault(one.family, []).append(one)
    for family, parts in families.items():
        name = parts[0].result.measure
        sliced = [(ranker, [part for part in parts if part.result.ranker == ranker]) for ranker in rankers]
        sliced = [(ranker, of_ranker) for ranker, of_ranker in sliced if of_ranker]
        yield Family(
            name=family,
            measure=name,
            scores=draw_scores(_points(parts), rankers, label=f"{name}, 95 % intervals"),
            differences=_draw_differences(parts, rankers),
            matrices=tuple(_matrices(sliced)),
            slices=tuple(_slices(sliced, config, name)),
        )


def _points(parts: Sequence[Measured]) -> dict[str, dict[str, Point]]:
    points: dict[str, dict[str, Point]] = {}
    for part in parts:
        result = part.result
        low, high = result.ci95[result.measure]
        points.setdefault(result.task, {})[result.ranker] = Point(result.metrics[result.measure], low, high)
    return points


def _draw_differences(parts: Sequence[Measured], rankers: Sequence[str]) -> str | None:
    """Before and after: the difference of each ranker to the baseline; None where there is none."""
    points: dict[str, dict[str, Point]] = {}
    for part in parts:
        against = part.result.against
        if against is not None:
            points.setdefault(part.result.task, {})[part.result.ranker] = Point(against.delta, *against.ci95)
            label = f"{against.metric} minus that of {against.baseline}, 95 % intervals"
    return draw_scores(points, rankers, label=label, zero=True) if points else None


def _matrices(sliced: Sequence[tuple[str, Sequence[Measured]]]) -> Iterator[tuple[str, str]]:
    """A ranker and its plot of languages by languages, where a family has such parts."""
    for ranker, parts in sliced:
        values = {}
        for part in parts:
            name, _, pair = part.result.task.partition(":")
            asking, dash, answering = pair.partition("-")
            if dash and FAMILIES[name].part == "A-B":
                values[asking, answering] = part.result.metrics["map"]
        if len(values) >= FEW_PAIRS:
            yield ranker, draw_matrix(values, label="MAP")


def _slices(
    sliced: Sequence[tuple[str, Sequence[Measured]]], config: EvaluateConfig, name: str
) -> Iterator[tuple[str, tuple[Slice, ...], str | None]]:
    for ranker, parts in sliced:
        slices = measure_slices(parts, config)[:MOST_SLICES]
        worst = {
            f"{part.dimension}: {part.value} ({part.queries:,})": {ranker: Point(part.mean, *part.ci95)}
            for part in slices[:PLOTTED_SLICES]
        }
        plot = draw_scores(worst, [ranker], label=f"{name} of the worst slices, 95 % intervals") if worst else None
        if slices:
            yield ranker, tuple(slices), plot


def _missed(result: Result, analysis: Analysis) -> Missed:
    return Missed(
        result=result,
        n_misses=len(analysis.misses),
        causes=count_causes(analysis.misses),
        examples=analysis.examples,
    )
