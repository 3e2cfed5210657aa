"""What every picture shares: a size, colours, and bytes that are equal for equal numbers.

The only module that knows matplotlib, which it loads when a picture is drawn. Equal numbers give equal
bytes under one version of matplotlib. Source: ours, docs/decisions/0013.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

WIDTH_INCHES, DPI = 8.0, 150
"""A picture is 1,200 pixels wide and readable at 800."""

ROW_INCHES, GAP_INCHES, RIGHT_INCHES = 0.3, 0.55, 0.15
INK, GREY = "#222222", "#d9d9d9"

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d1f")
"""Colours of what is compared, told apart by the colour-blind. Source: Okabe and Ito 2008, and one more."""


@contextmanager
def figure(
    target: Path | BinaryIO,
    rows: Sequence[float],
    *,
    left_inches: float,
    below_inches: float = 0.1,
    above_inches: float = GAP_INCHES,
) -> Iterator[Any]:  # Any: matplotlib has no types here
    """A figure with axes that have room for so many rows, saved without date and software at the end.

    It stands apart from what a user draws, and from a user's own style. Text is drawn as it is written.

    Args:
        target: a file for a PNG, or an open one for an SVG.
        left_inches: room for what stands to the left of the axes; ``below_inches`` below the last;
            ``above_inches`` above each, for a title.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    plain = {name: value for name, value in matplotlib.rcParamsDefault.items() if not name.startswith("backend")}
    with matplotlib.rc_context(plain | {"text.parse_math": False, "svg.hashsalt": "procqa"}):
        height_inches = ROW_INCHES * sum(rows) + above_inches * len(rows) + below_inches
        drawn = Figure(figsize=(WIDTH_INCHES, height_inches), dpi=DPI)
        FigureCanvasAgg(drawn)
        # Places are computed: a layout engine draws all of it twice to find them.
        above = height_inches
        for n_rows in rows:
            above -= above_inches + ROW_INCHES * n_rows
            drawn.add_axes(
                (
                    left_inches / WIDTH_INCHES,
                    above / height_inches,
                    1 - (left_inches + RIGHT_INCHES) / WIDTH_INCHES,
                    ROW_INCHES * n_rows / height_inches,
                )
            )
        for axes in drawn.axes:
            axes.spines[["top", "right"]].set_visible(False)
            axes.spines[["left", "bottom"]].set_color(GREY)
            axes.tick_params(color=GREY, labelcolor=INK, labelsize=9)
        yield drawn
        if isinstance(target, Path):
            drawn.savefig(target, format="png", metadata={"Software": None})
        else:
            drawn.savefig(target, format="svg", metadata={"Date": None, "Creator": None})


def draw_element(draw: Callable[[BinaryIO], None]) -> str:
    """A picture as an element of a page, which takes the width that it is given.

    Args:
        draw: draws with ``figure`` into an open file.
    """
    buffer = BytesIO()
    draw(buffer)
    text = buffer.getvalue().decode("utf-8")
    head, bracket, rest = text[text.index("<svg") :].partition(">")
    # Without a size of its own it takes the width of the page.
    return re.sub(r' (width|height)="[^"]*"', "", head) + bracket + rest
