"""Writes the page of an evaluation. Everything in it that a stranger wrote is escaped by the template.

Needs the extra ``eval``.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from procqa import __version__
from procqa.config import EvaluateConfig
from procqa.errors import MissingExtra
from procqa.evaluation.analysis import Analysis
from procqa.evaluation.exam import Exam
from procqa.evaluation.misses import CAUSES, Miss, count_causes
from procqa.evaluation.report.plots import Point, draw_matrix, draw_scores
from procqa.evaluation.results import Result, headline
from procqa.evaluation.saved import write_file
from procqa.evaluation.slices import Slice, measure_slices
from procqa.evaluation.summarise import Measured

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent
MOST_MISSES, MOST_HITS, MOST_CHARS = 25, 3, 800
"""Misses of a ranker on a task that can be browsed, documents above the right one, and characters of each text."""

MOST_SLICES, PLOTTED_SLICES = 60, 14
FEW_PAIRS = 4
"""Pairs of languages below which a table says as much as a plot of languages by languages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A miss with its texts, cut."""

    miss: Miss
    query: str
    right: str
    hits: tuple[tuple[str, float, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """What a ranker missed on a task: how often each cause, and some of the misses."""

    result: Result
    n_misses: int
    causes: Mapping[str, int]
    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Tasks that differ in their part: plots and slices are of all of them."""

    name: str
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
    name = headline(results)
    style, script = ((FOLDER / file).read_text(encoding="utf-8") for file in ("report.css", "report.js"))
    page = (
        _templates()
        .get_template("report.html")
        .render(
            version=__version__,
            results=results,
            headline=name,
            names=list(dict.fromkeys([*list(results[0].metrics)[:3], *(result.measure for result in results)])),
            compares=any(result.against is not None for result in results),
            trained=any(result.leak is not None for result in results),
            families=list(_families(measured, config, name)),
            missed=[_missed(one.result, one.analysis, one.exam) for one in measured if one.analysis and one.exam],
            spaces=[one for one in measured if one.analysis is not None and one.analysis.traced],
            causes=CAUSES,
            style=style,
            script=script,
            script_digest=_digest(script),
        )
    )
    write_file(path, page)


def _families(measured: Sequence[Measured], config: EvaluateConfig, name: str) -> Iterator[Family]:
    families: dict[str, list[Measured]] = {}
    rankers = list(dict.fromkeys(one.result.ranker for one in measured))
    for one in measured:
        if one.exam is not None:
            families.setdefault(one.exam.task.family.name, []).append(one)
    for family, parts in families.items():
        sliced = [(ranker, [part for part in parts if part.result.ranker == ranker]) for ranker in rankers]
        yield Family(
            name=family,
            scores=draw_scores(_points(parts, name), rankers, label=f"{name}, 95 % intervals"),
            differences=_draw_differences(parts, rankers, name),
            matrices=tuple(_matrices(sliced)),
            slices=tuple(_slices(sliced, config, name)),
        )


def _points(parts: Sequence[Measured], name: str) -> dict[str, dict[str, Point]]:
    points: dict[str, dict[str, Point]] = {}
    for part in parts:
        result = part.result
        low, high = result.ci95[name]
        points.setdefault(result.task, {})[result.ranker] = Point(result.metrics[name], low, high)
    return points


def _draw_differences(parts: Sequence[Measured], rankers: Sequence[str], name: str) -> str | None:
    """Before and after: the difference of each ranker to the baseline; None where there is none."""
    points: dict[str, dict[str, Point]] = {}
    for part in parts:
        against = part.result.against
        if against is not None:
            points.setdefault(part.result.task, {})[part.result.ranker] = Point(against.delta, *against.ci95)
            baseline = against.baseline
    if not points:
        return None
    return draw_scores(points, rankers, label=f"{name} minus that of {baseline}, 95 % intervals", zero=True)


def _matrices(sliced: Sequence[tuple[str, Sequence[Measured]]]) -> Iterator[tuple[str, str]]:
    """A ranker and its plot of languages by languages, where a family has such parts."""
    for ranker, parts in sliced:
        values = {}
        for part in parts:
            asking, dash, answering = (part.exam.task.part or "").partition("-") if part.exam else ("", "", "")
            if dash and part.exam is not None and part.exam.task.family.part == "A-B":
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


def _missed(result: Result, analysis: Analysis, exam: Exam) -> Missed:
    return Missed(
        result=result,
        n_misses=len(analysis.misses),
        causes=count_causes(analysis.misses),
        shown=tuple(_show(miss, exam) for miss in _choose(analysis.misses)),
    )


def _choose(misses: Sequence[Miss]) -> list[Miss]:
    """Some of the misses, of every cause in turn, in the order of queries."""
    by_cause: dict[str, list[Miss]] = {}
    for miss in misses:
        by_cause.setdefault(miss.cause, []).append(miss)
    chosen: list[Miss] = []
    for turn in range(MOST_MISSES):
        chosen += [of_cause[turn] for of_cause in by_cause.values() if turn < len(of_cause)]
        if len(chosen) >= MOST_MISSES:
            break
    return sorted(chosen[:MOST_MISSES], key=lambda miss: (list(CAUSES).index(miss.cause), miss.query_id))


def _show(miss: Miss, exam: Exam) -> Shown:
    texts = exam.collection.documents
    return Shown(
        miss=miss,
        query=_cut(exam.collection.queries[miss.query_id]),
        right=_cut(texts[miss.right]),
        hits=tuple((name, score, _cut(texts[name])) for name, score in miss.hits[:MOST_HITS]),
    )


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]}…"


def _digest(text: str) -> str:
    """What the page's own policy lets run: this text and nothing else."""
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _templates() -> "Environment":
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtra("eval", "a report") from error
    templates = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {"number": lambda value: f"{value:,}", "score": lambda value: f"{value:.3f}"}
    templates.filters.update(filters | {"signed": lambda value: f"{value:+.3f}"})
    return templates
