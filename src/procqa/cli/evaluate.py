"""``procqa evaluate``: rankers × tasks → scores."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from procqa.cli.common import config_options, json_option, print_json, progress, to_config
from procqa.config import EvaluateConfig

if TYPE_CHECKING:
    from procqa.evaluation.evaluate import Result

FILE_WIDTH = 160
"""Columns of a table that goes to a file or a pipe, where 80 would break its numbers."""


@click.command()
@click.argument("rankers", nargs=-1, required=True, metavar="RANKER...")
@click.option(
    "--task",
    "tasks",
    multiple=True,
    required=True,
    help="what to rank for, such as procqa:python or cosqa; a family alone means all its parts; may be repeated",
)
@click.option(
    "--data",
    "roots",
    multiple=True,
    type=click.Path(path_type=Path),
    help="a dataset folder, or a folder that holds benchmarks; may be repeated",
)
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    help="write the ranking of one ranker on one task as a TREC run, and FILE.qrels beside it",
)
@config_options(EvaluateConfig)
@json_option
def command(
    rankers: tuple[str, ...],
    tasks: tuple[str, ...],
    roots: tuple[Path, ...],
    run: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure rankers on retrieval tasks, with 95 % intervals.

    RANKER is bm25, a model (minilm, default, a folder, a hub name), or hybrid:MODEL.
    """
    from procqa.evaluation.evaluate import evaluate

    config = to_config(EvaluateConfig, options)
    done: list[Result] = []
    try:
        with progress() as report:
            for result in evaluate(rankers, tasks, roots, config, run=run, report=report):
                done.append(result)
                if as_json:
                    print_json(asdict(result))
    finally:  # what is measured is shown even where a later task fails
        if done and not as_json:
            print_results(done)


def print_results(results: Iterable["Result"]) -> None:
    """Print a table: a line for each task and ranker, MRR with its interval."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    results = list(results)
    names = [name for name in results[0].metrics if name != "map"]
    table = Table("task", "ranker", "queries", "documents", *map(str.upper, names))
    for column in table.columns[2:]:
        column.justify = "right"
    for result in results:
        cells = [f"{result.metrics[name]:.3f}" for name in names]
        low, high = result.ci95[names[0]]
        cells[0] += f" [{low:.3f}, {high:.3f}]"
        table.add_row(
            escape(result.task), escape(result.ranker), f"{result.queries:,}", f"{result.documents:,}", *cells
        )
    console = Console()
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(table)
