"""``procqa report``: what studies found → one page, and their verdicts."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from procqa.cli.common import json_option, print_json, table_console
from procqa.errors import ConfigError
from procqa.text import one_line

if TYPE_CHECKING:
    from procqa.studies.report.words import Told
    from procqa.studies.results import Found


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="the page to write, as HTML")
@json_option
def command(folders: tuple[Path, ...], out: Path, as_json: bool) -> None:
    """Write what studies found as one page: verdicts, tables, plots, limits and cost.

    DIR is a folder that procqa study made.
    """
    from procqa.evaluation.report import check_report
    from procqa.evaluation.runs import check_file
    from procqa.studies.report import write_page
    from procqa.studies.report.words import tell_verdicts
    from procqa.studies.results import load_found

    check_file(out, "--out")
    check_report()
    studies = [(folder, load_found(folder)) for folder in folders]
    _refuse_repeats(studies)
    write_page(studies, out)
    told = [one for _, found in studies for one in tell_verdicts(found)]
    if as_json:
        for one in told:
            print_json({**asdict(one), "verdict": one.verdict, "out": str(out)})
    else:
        print_verdicts(told)


def _refuse_repeats(studies: "Sequence[tuple[Path, Found]]") -> None:
    """A study is told once: of two runs of it the reader would not know which holds."""
    seen: dict[str, Path] = {}
    for folder, found in studies:
        name = found.study["name"]
        if name in seen:
            raise ConfigError(f"each study must be given once, got {name} in {seen[name]} and in {folder}")
        seen[name] = folder


def print_verdicts(told: "Sequence[Told]") -> None:
    """Print a table: a line for each claim, with its verdict in two sentences."""
    from rich.markup import escape
    from rich.table import Table

    table = Table("study", "claim", "verdict", "it rests on")
    for one in told:
        cells = (one.study, one.claim["sentence"], one.verdict, one.said)
        table.add_row(*(escape(one_line(str(cell))) for cell in cells), end_section=True)
    table_console().print(table)
