"""The plots of a study: its contrasts, the scores of its arms, and what it looks at beside them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from procqa.studies.report.bars import draw_causes
from procqa.studies.report.dots import Dots, dots_of_slices, draw_dots, panels_of_scores
from procqa.studies.report.forest import draw_contrasts
from procqa.studies.report.words import Line
from procqa.studies.results import Found

CONTRASTS = "contrasts"
"""The name of the plot that a page shows first."""

OF_LANGUAGES = ("language", "language resources")
"""The ways of telling queries apart that have a plot of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A picture that is drawn when it is asked for.

    Args:
        name: of its file, without ending.
        caption: what it shows, and how it is read.
        draw: into a file as PNG, or into an open one as SVG.
    """

    name: str
    caption: str
    draw: Callable[[Path | BinaryIO], None]


def write_plots(found: Found, folder: Path) -> None:
    """Write the plots of a study into its folder, as PNG."""
    for plot in plots_of(found):
        plot.draw(folder / f"{plot.name}.png")


def plots_of(found: Found) -> Iterator[Plot]:
    """Every plot of a study, the contrasts first."""
    if found.contrasts:
        yield Plot(
            name=CONTRASTS,
            caption="Contrasts by base: differences with 95 % intervals over seeds and queries",
            draw=partial(draw_contrasts, found=found),
        )
    for exam, dots in panels_of_scores(found).items():
        caption = f"Scores on {exam} by base: means of seeds with 95 % intervals; BM25 is the dashed line"
        yield _dots(f"scores-{exam}", caption, dots)
    for number, (family, base, tables) in enumerate(_slices(found), 1):
        told_by = ", ".join(dict.fromkeys(row[0] for table in tables for row in table["rows"]))
        caption = f"Slices of {family} on {base} by {told_by}: means with 95 % intervals; BM25 is the dashed line"
        yield _dots(f"slices-{number}", caption, dots_of_slices(tables))
    traces = [table for table in found.tables if table["look"] == "traces" and table["rows"]]
    for number, table in enumerate(traces, 1):
        yield Plot(
            name=f"causes-{number}",
            caption=f"{table['title'][:1].upper()}{table['title'][1:]}: shares of the right programs",
            draw=partial(draw_causes, table=table),
        )


def _dots(name: str, caption: str, dots: Dots) -> Plot:
    return Plot(name=name, caption=caption, draw=partial(draw_dots, dots=dots))


def _slices(found: Found) -> Iterator[tuple[str, str, list[Line]]]:
    """A family, a base, and the tables of the arms there: first what tells languages, then the rest, which is long."""
    slices = [table for table in found.tables if table["look"] == "slices"]
    for family, base in dict.fromkeys((table["family"], table["base"]) for table in slices):
        tables = [table for table in slices if (table["family"], table["base"]) == (family, base)]
        for is_of_languages in (True, False):
            cut: list[Line] = [
                {**table, "rows": [row for row in table["rows"] if (row[0] in OF_LANGUAGES) == is_of_languages]}
                for table in tables
            ]
            if any(table["rows"] for table in cut):
                yield family, base, cut
