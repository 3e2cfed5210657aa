"""The forest plot of a study: each contrast on each base as a difference with its interval."""

from collections.abc import Mapping, Sequence
from typing import Any

from procqa.figure import GREY, INK, figure
from procqa.studies.report.drawing import Target, fold, left_inches, legend, legend_inches, style
from procqa.studies.results import Found

LOOKS = {"supported": ("o", "#0072b2"), "refuted": ("s", "#d55e00"), "undecided": ("D", "#6b6b6b")}
"""Marker and colour of each outcome, so that neither alone tells it."""

HEAD, ROW, GAP = 0.72, 0.62, 0.3
"""Heights of a contrast's name, of a base and of the gap between two contrasts, in rows of a figure."""

COLUMNS = 3


def draw_contrasts(target: Target, found: Found) -> None:
    """Draw a row for each base below the name of each contrast.

    A filled marker decides a claim, a hollow one is shown beside it; small rings are the contrast's parts. A dashed
    line stands at what is worth having, in the direction that is claimed.
    """
    names = list(dict.fromkeys(contrast["contrast"] for contrast in found.contrasts))
    groups = [[one for one in found.contrasts if one["contrast"] == name] for name in names]
    height = sum(HEAD + ROW * len(group) + GAP for group in groups)
    bases = [_name(contrast) for contrast in found.contrasts]
    n_handles = len(LOOKS) + 4
    with figure(
        target,
        [height],
        left_inches=left_inches(bases),
        below_inches=legend_inches(n_handles, COLUMNS),
        above_inches=0.1,
    ) as drawn:
        (axes,) = drawn.axes
        axes.set_xlim(*_limits(found.contrasts))
        top = 0.0
        marks: list[tuple[float, Mapping[str, Any]]] = []
        for group in groups:
            _draw_group(axes, group, top, marks)
            top += HEAD + ROW * len(group) + GAP
            if group is not groups[-1]:
                axes.axhline(top - GAP / 2, color=GREY, linewidth=0.6)
        axes.set_ylim(height, 0)
        axes.axvline(0, color=INK, linewidth=0.9)
        axes.set_yticks([y for y, _ in marks], [fold(_name(contrast)) for _, contrast in marks])
        for label, (_, contrast) in zip(axes.get_yticklabels(), marks, strict=True):
            label.set_fontweight("bold" if contrast["decides"] else "normal")
        style(axes, f"difference in {measures(found)} (treatment minus control), 95 % intervals")
        legend(axes, _handles(), columns=COLUMNS)


def measures(found: Found) -> str:
    """The measures that the contrasts are in."""
    parts = {part["on"] for contrast in found.contrasts for part in contrast["parts"]}
    of_parts = (score for score in found.scores if parts & {score["on"], score["on"].partition(":")[0]})
    named = dict.fromkeys(score["measure"] for score in of_parts)
    return " or ".join(named) or "the measure"


def _draw_group(
    axes: Any, group: Sequence[Mapping[str, Any]], top: float, marks: list[tuple[float, Mapping[str, Any]]]
) -> None:
    """Draw a contrast: its name over the rows of its bases, whose places are added to ``marks``."""
    first, left = group[0], axes.get_xlim()[0]
    axes.annotate(
        first["contrast"],
        (left, top + HEAD * 0.62),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=9,
        fontweight="bold",
        color=INK,
        annotation_clip=False,
    )
    worth = first["expected"] * first["least"]
    bottom = top + HEAD + ROW * len(group)
    axes.plot([worth, worth], [top + HEAD, bottom], color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
    for row, contrast in enumerate(group):
        y = top + HEAD + ROW * (row + 0.5)
        marks.append((y, contrast))
        _draw_contrast(axes, contrast, y)


def _draw_contrast(axes: Any, contrast: Mapping[str, Any], y: float) -> None:
    marker, colour = LOOKS[contrast["outcome"]]
    low, high = contrast["ci95"]
    endless = low is None or high is None
    ends = axes.get_xlim() if endless else (low, high)
    axes.plot(ends, [y, y], color=colour, linewidth=1.6, linestyle=":" if endless else "-", solid_capstyle="butt")
    if len(contrast["parts"]) > 1:
        parts = [part["delta"] for part in contrast["parts"]]
        axes.plot(parts, [y] * len(parts), "o", markersize=3, markeredgecolor="#8a8a8a", markerfacecolor="white")
    filled = colour if contrast["decides"] else "white"
    axes.plot(
        [contrast["delta"]], [y], marker, markersize=6.5, markeredgecolor=colour, markerfacecolor=filled, zorder=3
    )


def _limits(contrasts: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """From the lowest to the highest of what is drawn, with room beside it."""
    found = [0.0]
    for one in contrasts:
        found += [one["delta"], one["expected"] * one["least"], *(part["delta"] for part in one["parts"])]
        found += [end for end in one["ci95"] if end is not None]
    low, high = min(found), max(found)
    room = 0.04 * (high - low or 1.0)
    return low - room, high + room


def _name(contrast: Mapping[str, Any]) -> str:
    return str(contrast["base"])


def _handles() -> list[Any]:  # Any: matplotlib has no types here
    from matplotlib.lines import Line2D

    def mark(marker: str, colour: str, filled: str, label: str, size: float = 6.5) -> Any:
        look: dict[str, Any] = {"markersize": size, "markeredgecolor": colour, "markerfacecolor": filled}
        return Line2D([], [], linestyle="none", label=label, marker=marker, **look)

    return [
        *(mark(marker, colour, colour, outcome) for outcome, (marker, colour) in LOOKS.items()),
        mark("o", INK, INK, "filled, bold: decides"),
        mark("o", INK, "white", "hollow: shown, decides nothing"),
        mark("o", "#8a8a8a", "white", "one part of the mean", 3),
        Line2D([], [], color=INK, linewidth=0.9, linestyle=(0, (3, 2)), label="worth having, as claimed"),
    ]
