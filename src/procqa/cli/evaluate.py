"""``procqa evaluate``: rankers × tasks → scores."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from procqa.cli.common import config_options, json_option, print_json, progress, to_config
from procqa.config import EvaluateConfig

if TYPE_CHECKING:
    from procqa.evaluation.results import Result

FILE_WIDTH = 200
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
    from procqa.evaluation.results import to_json

    config = to_config(EvaluateConfig, options)
    done: list[Result] = []
    try:
        with progress() as report:
            results = evaluate(rankers, tasks, roots, config, run=run, baseline=baseline, cache=cache, report=report)
            for result in results:
                done.append(result)
                if as_json:
                    print_json(to_json(result))
    finally:  # what is measured is shown even where a later task fails
        if done and not as_json:
            print_results(done)


def print_results(results: Iterable["Result"]) -> None:
    """Print a table: a line for each task and ranker, MRR with its interval, and what is known of leaks."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    results = list(results)
    names = list(dict.fromkeys([*list(results[0].metrics)[:3], *(result.measure for result in results)]))
    compares = any(result.against is not None for result in results)
    trained = any(result.leak is not None for result in results)
    heads = [
        *map(str.upper, names),
        *([f"{names[0].upper()} - baseline", "p (Holm)"] if compares else []),
        *(["seen in training"] if trained else []),
    ]
    table = Table("task", "ranker", "queries", "documents", *heads)
    for column in table.columns[2:]:
        column.justify = "right"
    for result in results:
        cells = [f"{result.metrics[name]:.3f}" if name in result.metrics else "" for name in names]
        low, high = result.ci95[names[0]]
        cells[0] += f" [{low:.3f}, {high:.3f}]"
        if compares:
            cells += _against(result)
        if trained:
            cells.append(_leak(result, names[0]))
        table.add_row(
            escape(result.task), escape(result.ranker), f"{result.queries:,}", f"{result.documents:,}", *cells
        )
    console = Console()
    if not console.is_terminal:
        console.width = FILE_WIDTH
    console.print(table)


def _against(result: "Result") -> list[str]:
    """The difference to the baseline with its interval, and the corrected p-value."""
    if result.against is None:
        return ["", ""]
    low, high = result.against.ci95
    return [f"{result.against.delta:+.3f} [{low:+.3f}, {high:+.3f}]", f"{result.against.p_holm:.4f}"]


def _leak(result: "Result", name: str) -> str:
    """How many queries were seen in training, they or their answers, and the score without them."""
    leak = result.leak
    if leak is None:
        return "nothing trained"
    if not leak.checked:
        return "leak not checked"
    if leak.metrics is None:
        return f"all {leak.suspect:,}"
    return f"{leak.suspect:,} ({leak.metrics[name]:.3f} without)" if leak.suspect else "none"
