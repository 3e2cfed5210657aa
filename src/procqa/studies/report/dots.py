"""Dot plots of a study: arms beside one another on tasks, or on slices of the queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from procqa.evaluation.report.plots import Point
from procqa.figure import GREY, INK, ROW_INCHES, SERIES, figure
from procqa.studies.report.drawing import Target, fold, left_inches, legend, legend_inches, shorten, style, title
from procqa.studies.report.words import Line
from procqa.studies.results import WORDS, Found

MARKERS = ("o", "s", "D", "^", "v", "P", "X")
"""Beside the colours, of which there are eight: so no two arms look the same."""

ARM_INCHES, LEAST_INCHES, ABOVE_INCHES = 0.12, 0.3, 0.62
MOST_ROWS = 8
"""Tasks of an exam that are drawn one by one; of more, the families are."""

COLUMNS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Rows below one title.

    Args:
        rows: by name, by arm.
        words: what BM25 has in a row, by its name.
    """

    title: str
    rows: Mapping[str, Mapping[str, Point]]
    words: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """One figure.

    Args:
        label: of the numbers.
        arms: of all panels, each with a look of its own.
    """

    label: str
    arms: Sequence[str]
    panels: Sequence[Panel]


def panels_of_scores(found: Found) -> dict[str, Dots]:
    """By exam a panel for each base: a row for each task or family, a dot for each arm."""
    figures = {}
    for exam in dict.fromkeys(exam_of(score["on"]) for score in found.scores):
        scores = [one for one in found.scores if exam_of(one["on"]) == exam]
        shown = shown_scores(found, exam)
        if shown:
            measures = " or ".join(dict.fromkeys(one["measure"] for one in shown))
            figures[exam] = Dots(
                label=f"{measures}, from 0 to 1; 95 % intervals over seeds and queries",
                arms=list(dict.fromkeys(one["arm"] for one in shown)),
                panels=[
                    _panel_of_base(base, [one for one in shown if one["base"] == base], scores)
                    for base in dict.fromkeys(one["base"] for one in shown)
                ],
            )
    return figures


def shown_scores(found: Found, exam: str) -> list[Line]:
    """The scores of encoders on an exam that are worth a row: on what contrasts are of, or else on families."""
    asked = {part["on"] for contrast in found.contrasts for part in contrast["parts"]}
    scores = [one for one in found.scores if exam_of(one["on"]) == exam and one["base"] != WORDS]
    families = {(one["base"], one["on"]) for one in scores if one["is_family"]}
    whole = [one for one in scores if one["is_family"] or (one["base"], family_of(one["on"])) not in families]
    named = [one for one in scores if one in whole or one["on"] in asked]
    return named if len({one["on"] for one in named}) <= MOST_ROWS else whole


def exam_of(on: str) -> str:
    """The exam of ``EXAM/TASK``."""
    return on.partition("/")[0]


def family_of(task: str) -> str:
    """The family of ``EXAM/TASK``."""
    return task.partition(":")[0]


def _panel_of_base(base: str, shown: Sequence[Line], scores: Sequence[Line]) -> Panel:
    rows: dict[str, dict[str, Point]] = {}
    words: dict[str, float] = {}
    for one in shown:
        name = one["on"].partition("/")[2]
        rows.setdefault(name, {})[one["arm"]] = _point(one["mean"], *one["ci95"])
        known = words_on(one["on"], base, scores)
        if known is not None:
            words[name] = known
    return Panel(title=base, rows=rows, words=words)


def _point(mean: float, low: float | None, high: float | None) -> Point:
    """A mean with its interval, or alone where that has no ends."""
    return Point(mean, mean, mean) if low is None or high is None else Point(mean, low, high)


def words_on(on: str, base: str, scores: Sequence[Line]) -> float | None:
    """BM25 on a task, or on the tasks of a family that a base was measured on, their queries pooled."""
    tasks = (one for one in scores if not one["is_family"] and on in (one["on"], family_of(one["on"])))
    by_task = {(one["base"] == WORDS, one["on"]): one for one in tasks if one["base"] in (WORDS, base)}
    found = [one for (is_words, task), one in by_task.items() if is_words and (False, task) in by_task]
    queries = sum(one["queries"] for one in found)
    return sum(one["mean"] * one["queries"] for one in found) / queries if queries else None


def dots_of_slices(tables: Sequence[Line]) -> Dots:
    """A panel for each way of telling queries apart: a row for each slice, a dot for each arm.

    Args:
        tables: one for each arm, of the same queries.
    """
    panels: dict[str, tuple[dict[str, dict[str, Point]], dict[str, float]]] = {}
    for table in tables:
        for dimension, value, queries, words, mean, low, high in table["rows"]:
            rows, of_words = panels.setdefault(dimension, ({}, {}))
            name = f"{value} ({queries:,})"
            rows.setdefault(name, {})[table["arm"]] = _point(mean, low, high)
            of_words[name] = words
    return Dots(
        label="mean over the queries of a slice (their number), 95 % intervals",
        arms=[table["arm"] for table in tables],
        panels=[Panel(title=name, rows=rows, words=words) for name, (rows, words) in panels.items()],
    )


def draw_dots(target: Target, dots: Dots) -> None:
    """Draw the panels below one another, on one scale; a dashed line is BM25."""
    row_inches = max(LEAST_INCHES, ARM_INCHES * len(dots.arms) + 0.1)
    columns = COLUMNS if max(map(len, dots.arms)) <= 20 else COLUMNS - 1
    names = [name for panel in dots.panels for name in panel.rows]
    with figure(
        target,
        [row_inches / ROW_INCHES * len(panel.rows) for panel in dots.panels],
        left_inches=left_inches(names),
        below_inches=legend_inches(len(dots.arms) + 1, columns),
        above_inches=ABOVE_INCHES,
    ) as drawn:
        limits = _limits(dots.panels)
        for axes, panel in zip(drawn.axes, dots.panels, strict=True):
            _draw_panel(axes, panel, dots.arms)
            axes.set_xlim(*limits)
            style(axes, dots.label if panel is dots.panels[-1] else "")
            title(axes, panel.title)
        legend(drawn.axes[-1], _handles(dots.arms), columns=columns)


def _draw_panel(axes: Any, panel: Panel, arms: Sequence[str]) -> None:
    step = 0.86 / len(arms)
    for row, (name, points) in enumerate(panel.rows.items()):
        if row:
            axes.axhline(row, color=GREY, linewidth=0.6)
        if name in panel.words:
            axes.plot([panel.words[name]] * 2, [row + 0.04, row + 0.96], color=INK, linewidth=1, linestyle=(0, (3, 2)))
        for arm, point in points.items():
            place = arms.index(arm)
            marker, colour = _look(place)
            y = row + 0.07 + step * (place + 0.5)
            axes.plot([point.low, point.high], [y, y], color=colour, linewidth=1.3, solid_capstyle="butt")
            axes.plot([point.mean], [y], marker, markersize=4, color=colour)
    axes.set_yticks([row + 0.5 for row in range(len(panel.rows))], [fold(name) for name in panel.rows])
    axes.set_ylim(len(panel.rows), 0)


def _limits(panels: Sequence[Panel]) -> tuple[float, float]:
    """Of all that is drawn, within what a measure can be."""
    points = [point for panel in panels for row in panel.rows.values() for point in row.values()]
    words = [words for panel in panels for words in panel.words.values()]
    low = min([*(point.low for point in points), *words])
    high = max([*(point.high for point in points), *words])
    room = 0.04 * (high - low or 1.0)
    return max(low, 0.0) - room, min(high, 1.0) + room


def _look(place: int) -> tuple[str, str]:
    return MARKERS[place % len(MARKERS)], SERIES[place % len(SERIES)]


def _handles(arms: Sequence[str]) -> list[Any]:  # Any: matplotlib has no types here
    from matplotlib.lines import Line2D

    handles = []
    for place, arm in enumerate(arms):
        marker, colour = _look(place)
        handles.append(Line2D([], [], marker=marker, markersize=4, linewidth=1.3, color=colour, label=shorten(arm)))
    return [*handles, Line2D([], [], color=INK, linewidth=1, linestyle=(0, (3, 2)), label="bm25")]
