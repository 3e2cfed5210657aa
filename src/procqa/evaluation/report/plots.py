"""The plots of a report, as SVG that stands in the page: scores, differences, slices, and languages by languages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from procqa.figure import GREY, INK, SERIES, draw_element, figure

LETTER_INCHES, MOST_LEFT_INCHES = 0.075, 3.2
"""Room for a letter of the names of rows, and the most that they get."""

ROW, GAP = 0.62, 0.5
"""Heights of a ranker's line and of the gap between two groups, in rows of a figure."""

AXIS_INCHES, ABOVE_INCHES = 0.5, 0.1
MOST_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Point:
    """A mean with its interval."""

    mean: float
    low: float
    high: float


def draw_scores(
    groups: Mapping[str, Mapping[str, Point]], rankers: Sequence[str], *, label: str, zero: bool = False
) -> str:
    """A line for each ranker of each group: a dot with its interval.

    Args:
        groups: by name of the group and by ranker.
        rankers: of all plots of a page, each of which has its colour in all of them.
        label: of the numbers.
        zero: whether a line stands at 0, where no difference is.
    """
    shown = [ranker for ranker in rankers if any(ranker in points for points in groups.values())]
    heights = [ROW * len(points) + GAP for points in groups.values()]
    left_inches = _left_inches(groups)

    def draw(axes: Any) -> None:
        place, marks = 0.0, []
        for points, height in zip(groups.values(), heights, strict=True):
            for line, (ranker, point) in enumerate(points.items()):
                y = place + GAP / 2 + ROW * (line + 0.5)
                colour = SERIES[rankers.index(ranker) % len(SERIES)]
                axes.plot([point.low, point.high], [y, y], color=colour, linewidth=1.6, solid_capstyle="butt")
                axes.plot([point.mean], [y], marker="o", markersize=4.5, color=colour)
            marks.append(place + height / 2)
            place += height
        edges = np.cumsum([0, *heights])
        for edge in edges[1:-1]:
            axes.axhline(edge, color=GREY, linewidth=0.6)
        if zero:
            axes.axvline(0, color=INK, linewidth=0.8)
        else:
            axes.set_xlim(left=0)
        axes.set_ylim(float(edges[-1]), 0)
        axes.set_yticks(marks, [_cut(name) for name in groups])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=GREY, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel(label, color=INK, fontsize=9)
        if len(rankers) > 1:
            _legend(axes, {ranker: SERIES[rankers.index(ranker) % len(SERIES)] for ranker in shown})

    legend_rows = -(-len(shown) // MOST_COLUMNS) if len(rankers) > 1 else 0
    return _svg(draw, rows=sum(heights), left_inches=left_inches, below_inches=AXIS_INCHES + 0.22 * legend_rows)


def draw_matrix(values: Mapping[tuple[str, str], float], *, label: str) -> str:
    """A square for each pair of languages: the darker, the higher the score, which stands in it.

    Args:
        values: by language of the query and of the document.
        label: of the numbers.
    """
    asking = sorted({query for query, _ in values})
    answering = sorted({document for _, document in values})
    numbers = np.array([[values.get((query, document), np.nan) for document in answering] for query in asking])

    def draw(axes: Any) -> None:
        axes.imshow(numbers, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for row, column in np.argwhere(~np.isnan(numbers)):
            value = numbers[row, column]
            ink = "white" if value > 0.6 else INK
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=ink)
        axes.set_xticks(range(len(answering)), answering)
        axes.set_yticks(range(len(asking)), asking)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel(f"{label}: documents in; queries in the language at the left", color=INK, fontsize=9)

    return _svg(draw, rows=max(len(asking), 2), left_inches=0.95, below_inches=0.55)


def _svg(draw: Callable[[Any], None], *, rows: float, left_inches: float, below_inches: float) -> str:
    """The element of one plot."""

    def to_file(target: BinaryIO) -> None:
        room = {"left_inches": left_inches, "below_inches": below_inches, "above_inches": ABOVE_INCHES}
        with figure(target, [rows], **room) as drawn:
            draw(drawn.axes[0])

    return draw_element(to_file)


def _legend(axes: Any, colours: Mapping[str, str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker="o", markersize=4.5, linewidth=1.6, color=colour, label=_cut(ranker))
        for ranker, colour in colours.items()
    ]
    axes.figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.0, 0.0),
        ncols=min(len(handles), MOST_COLUMNS),
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
    )


def _left_inches(names: Mapping[str, object]) -> float:
    letters = max((len(_cut(name)) for name in names), default=0)
    return min(0.25 + LETTER_INCHES * letters, MOST_LEFT_INCHES)


def _cut(name: str) -> str:
    """A name that fits beside a plot."""
    return name if len(name) <= 40 else f"{name[:18]}…{name[-20:]}"
