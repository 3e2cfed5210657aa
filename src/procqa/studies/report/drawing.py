"""What the plots of a study share: names that fit, and the look of axes and legends."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from procqa.figure import GREY, INK

Target = Path | BinaryIO
"""A file for a PNG, or an open one for an SVG."""

LETTER_INCHES, MOST_LEFT_INCHES = 0.075, 3.2
"""Room for a letter of the names of rows, and the most that they get."""

AXIS_INCHES, LEGEND_ROW_INCHES = 0.5, 0.22
LONGEST = 40
"""Letters of a name that is drawn whole, and of each of the two lines of one beside a row."""


def shorten(name: str) -> str:
    """A name that fits beside a plot."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST // 2 - 2]}…{name[-LONGEST // 2 :]}"


def fold(name: str) -> str:
    """A name beside a row: whole in a line or in two, or else shortened."""
    lines = textwrap.wrap(name, LONGEST, break_long_words=False)
    return "\n".join(lines) if len(lines) == 2 and max(map(len, lines)) <= LONGEST else shorten(name)


def left_inches(names: Sequence[str]) -> float:
    """Room for names at the left."""
    letters = max((len(line) for name in names for line in fold(name).split("\n")), default=0)
    return min(0.3 + LETTER_INCHES * letters, MOST_LEFT_INCHES)


def style(axes: Any, label: str) -> None:  # Any: matplotlib has no types here
    """Give axes their grid and the name of their numbers."""
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=GREY, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(label, color=INK, fontsize=9)


def title(axes: Any, text: str) -> None:  # Any: matplotlib has no types here
    """Name axes, above them."""
    axes.set_title(text, loc="left", fontsize=10, color=INK)


def legend(axes: Any, handles: Sequence[Any], *, columns: int) -> None:  # Any: matplotlib has no types here
    """Say below the figure what its marks are; ``legend_inches`` is the room for it."""
    axes.figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.0, 0.0),
        ncols=columns,
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
    )


def legend_inches(n_handles: int, columns: int) -> float:
    """Room for the axis and a legend below it."""
    return AXIS_INCHES + LEGEND_ROW_INCHES * -(-n_handles // columns)
