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
@click.option("--baseline", metavar="RANKER", help="compare the other rankers with this one, query by query")
@click.option("--cache", type=click.Path(path_type=Path), help="keep vectors here: no text is encoded twice")
@config_options(EvaluateConfig)
@json_option
def command(
    rankers: tuple[str, ...],
    tasks: tuple[str, ...],
    roots: tuple[Path, ...],
    run: Path | None,
    baseline: str | None,
    cache: Path | None,
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
            results = evaluate(rankers, tasks, roots, config, run=run, baseline=baseline, cache=cache, report=report)
            for result in results:
                done.append(result)
                if as_json:
                    print_json(_to_json(result, compares=baseline is not None))
    finally:  # what is measured is shown even where a later task fails
        if done and not as_json:
            print_results(done)


def _to_json(result: "Result", *, compares: bool) -> dict[str, Any]:
    """The fields of a result; ``against`` only where rankers are compared."""
    told = asdict(result)
    if not compares:
        del told["against"]
    return told


def print_results(results: Iterable["Result"]) -> None:
    """Print a table: a line for each task and ranker, MRR with its interval."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    results = list(results)
    names = [name for name in results[0].metrics if name != "map"]
    compares = any(result.against is not None for result in results)
    heads = [*map(str.upper, names), *([f"{names[0].upper()} - baseline", "p"] if compares else [])]
    table = Table("task", "ranker", "queries", "documents", *heads)
    for column in table.columns[2:]:
        column.justify = "right"
    for result in results:
        cells = [f"{result.metrics[name]:.3f}" for name in names]
        low, high = result.ci95[names[0]]
        cells[0] += f" [{low:.3f}, {high:.3f}]"
        if result.against is not None:
            low, high = result.against.ci95
            cells += [f"{result.against.delta:+.3f} [{low:+.3f}, {high:+.3f}]", f"{result.against.p:.4f}"]
        table.add_row(
            escape(result.task), escape(result.ranker), f"{result.queries:,}", f"{result.documents:,}", *cells
        )
    console = Console()
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(table)
