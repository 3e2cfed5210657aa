"""Writes the page of one study or of several. Everything in it is escaped by the template.

Needs the extra ``eval``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from procqa.evaluation.report.rendering import render
from procqa.evaluation.saved import write_file
from procqa.figure import draw_element
from procqa.studies.report import words
from procqa.studies.report.cost import tell_cost, tell_runs
from procqa.studies.report.plots import plots_of
from procqa.studies.report.tables import Grid, tell_scores, tell_table
from procqa.studies.report.words import Told, tell_verdicts
from procqa.studies.results import Found

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What the page tells of one study.

    Args:
        stated: its statement, and what ran it.
        runs: what each arm of each base did and cost.
        plots: captions and elements.
        scores: a table for each exam and base.
        tables: what is looked at beside them.
        examples: by title.
    """

    stated: Mapping[str, Any]
    told: Sequence[Told]
    found: Found
    runs: Sequence[Mapping[str, Any]]
    plots: Sequence[tuple[str, str]]
    scores: Sequence[Grid]
    tables: Sequence[Grid]
    examples: Mapping[str, Sequence[Mapping[str, Any]]]


def write_page(studies: Sequence[tuple[Path, Found]], path: Path) -> None:
    """Write the page, which needs nothing else and loads nothing.

    Args:
        studies: folders and what they hold, in the order of the page.

    Raises:
        ArtifactError: the file cannot be written.
        MissingExtra: jinja2 is not installed.
    """
    sections = [_tell(found) for _, found in studies]
    spent = tell_cost([found for _, found in studies])
    values = {"sections": sections, "spent": spent, "words": words, "first_number": first_number}
    write_file(path, render("studies.html", values, folder=FOLDER))


def _tell(found: Found) -> Section:
    examples: dict[str, list[Mapping[str, Any]]] = {}
    for example in found.examples:
        examples.setdefault(f"{example['task']}: {example['arm']} on {example['base']}", []).append(example)
    return Section(
        stated=found.study,
        told=tell_verdicts(found),
        found=found,
        runs=tell_runs(found),
        plots=[(plot.caption, draw_element(plot.draw)) for plot in plots_of(found)],
        scores=tell_scores(found),
        tables=[tell_table(table) for table in found.tables],
        examples=examples,
    )


def first_number(cell: str) -> float:
    """What a cell of numbers is sorted by; one without any comes before all others."""
    found = re.match(r"−?[\d,.]+", cell)
    return float(found[0].replace(",", "").replace("−", "-")) if found else -1e9
