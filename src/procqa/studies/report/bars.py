"""Stacked bars: of the right programs in each language, the share that is found and why the others are not."""

from collections.abc import Mapping
from typing import Any

from procqa.figure import GREY, INK, figure
from procqa.studies.report.drawing import Target, fold, left_inches, legend, legend_inches, style

COLOURS = ("#009e73", "#56b4e9", "#e69f00", "#cc79a7", "#d9d9d9")
"""Of what is found, and of each cause; light enough for numbers in them. Source: Okabe and Ito 2008."""

ROW, GAP = 0.72, 0.36
"""Heights of a bar and of the gap between two languages, in rows of a figure."""

LEAST_TOLD = 0.055
"""A share with room for its number."""

COLUMNS = 2


def draw_causes(target: Target, table: Mapping[str, Any]) -> None:
    """Draw a bar for each arm in each language, those of one language together.

    Args:
        table: rows of arm, language, number of right programs, and shares that add up to 1, as ``looks.tell_traces``
            has them.
    """
    causes = table["head"][3:]
    languages = list(dict.fromkeys(row[1] for row in table["rows"]))
    rows = [row for language in languages for row in table["rows"] if row[1] == language]
    names = [f"{language} ({n:,}), {arm}" for arm, language, n, *_ in rows]
    height = ROW * len(rows) + GAP * len(languages)
    with figure(
        target,
        [height],
        left_inches=left_inches(names),
        below_inches=legend_inches(len(causes), COLUMNS),
        above_inches=0.1,
    ) as drawn:
        (axes,) = drawn.axes
        places = [GAP * (languages.index(row[1]) + 0.5) + ROW * (number + 0.5) for number, row in enumerate(rows)]
        for y, row in zip(places, rows, strict=True):
            _draw_bar(axes, y, row[3:])
        axes.set_yticks(places, [fold(name) for name in names])
        axes.set_ylim(height, 0)
        axes.set_xlim(0, 100)
        style(axes, "% of the right programs (their number in brackets), mean of seeds")
        axes.spines["left"].set_visible(False)
        legend(axes, _handles(causes), columns=COLUMNS)


def _draw_bar(axes: Any, y: float, shares: list[float]) -> None:  # Any: matplotlib has no types here
    left = 0.0
    for share, colour in zip(shares, COLOURS, strict=False):
        axes.barh(y, 100 * share, left=left, height=ROW * 0.86, color=colour, edgecolor="white", linewidth=0.8)
        if share >= LEAST_TOLD:
            text = f"{100 * share:.0f}"
            axes.text(left + 50 * share, y, text, ha="center", va="center", fontsize=8, color=INK)
        left += 100 * share


def _handles(causes: list[str]) -> list[Any]:  # Any: matplotlib has no types here
    from matplotlib.patches import Patch

    return [
        Patch(facecolor=colour, edgecolor=GREY, label=cause) for cause, colour in zip(causes, COLOURS, strict=False)
    ]
