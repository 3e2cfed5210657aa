"""``procqa evaluate``: rankers × tasks → scores."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from procqa.cli.common import config_options, json_option, print_json, progress, split_names, to_config
from procqa.config import EvaluateConfig
from procqa.errors import ConfigError
from procqa.text import visible

if TYPE_CHECKING:
    from procqa.evaluation.differences import Difference
    from procqa.evaluation.results import Result
    from procqa.evaluation.summarise import Measured

FILE_WIDTH = 200
"""Columns of a table that goes to a file or a pipe, where 80 would break its numbers."""


@click.command()
@click.argument("rankers", nargs=-1, metavar="RANKER...")
@click.option(
    "--task",
    "tasks",
    multiple=True,
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
@click.option(
    "--seeds",
    multiple=True,
    metavar="NAME=RANKER,…",
    help="one more ranker: the mean of encoders that differ in their seed alone; may be repeated",
)
@click.option("--cache", type=click.Path(path_type=Path), help="keep vectors here: no text is encoded twice")
@click.option(
    "--results",
    "results_file",
    type=click.Path(path_type=Path),
    help="write the results, with the rank of every query, as JSON lines",
)
@click.option(
    "--report",
    "report_file",
    type=click.Path(path_type=Path),
    help="write a page of tables, plots, slices and misses as HTML",
)
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(path_type=Path),
    metavar="A B",
    help="say what differs between two files of --results, and measure nothing",
)
@config_options(EvaluateConfig)
@json_option
def command(
    rankers: tuple[str, ...],
    tasks: tuple[str, ...],
    roots: tuple[Path, ...],
    run: Path | None,
    baseline: str | None,
    seeds: tuple[str, ...],
    cache: Path | None,
    results_file: Path | None,
    report_file: Path | None,
    compare: tuple[Path, Path] | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure rankers on retrieval tasks, with 95 % intervals.

    RANKER is bm25, a model (minilm, default, a folder, a hub name), hybrid:MODEL, rerank:CROSSENCODER,RANKER, or
    index:FOLDER.
    """
    config = to_config(EvaluateConfig, options)
    if compare is not None:
        if rankers or tasks:
            raise click.UsageError("--compare takes two result files, and neither a ranker nor a task.")
        _print_differences(*compare, config, as_json=as_json)
        return
    if not rankers:
        raise click.UsageError("Missing argument 'RANKER...'.")
    if not tasks:
        raise click.UsageError("Missing option '--task'.")
    from procqa.evaluation.evaluate import Plan, measure
    from procqa.evaluation.results import to_json
    from procqa.evaluation.saved import check_file, save_results

    for file, option in ((results_file, "--results"), (report_file, "--report")):
        if file is not None:
            check_file(file, option)
    plan = Plan(
        run=run,
        baseline=baseline,
        seeds=dict(map(_read_seeds, seeds)),
        cache=cache,
        analyses=results_file is not None or report_file is not None,
    )
    done: list[Measured] = []
    try:
        with progress() as report:
            for one in measure(rankers, tasks, roots, config, plan=plan, report=report):
                done.append(one)
                if as_json:
                    print_json(to_json(one.result))
    finally:  # what is measured is shown even where a later task fails
        if done and not as_json:
            print_results(one.result for one in done)
    if results_file is not None:
        save_results(results_file, done, config)
    if report_file is not None:
        from procqa.evaluation.report import write_report

        write_report(report_file, done, config)


def _read_seeds(text: str) -> tuple[str, tuple[str, ...]]:
    """The name and the members of ``NAME=RANKER,RANKER``."""
    name, equals, members = text.partition("=")
    if not (name and equals and members):
        raise ConfigError(f"--seeds must be NAME=RANKER,RANKER, got {text!r}")
    return name, split_names(members)


def _print_differences(before: Path, after: Path, config: EvaluateConfig, *, as_json: bool) -> None:
    """What differs between two result files."""
    from procqa.evaluation.differences import compare_results

    differences = compare_results(before, after, config)
    for difference in differences.pairs:
        if as_json:
            print_json(asdict(difference))
        else:
            _print_difference(difference)
    for name in differences.unmatched:
        click.echo(f"procqa: {name}", err=True)


def _print_difference(difference: "Difference") -> None:
    """What differs on one task: settings, metrics, and the queries that moved most."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    before, after = difference.rankers
    console.print(f"[bold]{escape(difference.task)}[/]: {escape(before)} → {escape(after)}")
    for name, (left, right) in difference.differs.items():
        console.print(f"  {escape(name)}: {escape(visible(str(left)))} → {escape(visible(str(right)))}")
    if not difference.differs:
        console.print("  data, protocol and ranker are told to be the same")
    for name, values in difference.metrics.items():
        console.print(f"  {name}: {values[0]:.4f} → {values[1]:.4f} ({values[1] - values[0]:+.4f})")
    if difference.common is None or difference.ci95 is None:
        console.print("  queries: not told by both files; write them with --results")
        return
    low, high = difference.ci95
    console.print(
        f"  {difference.common:,} common queries: {difference.better:,} moved up, {difference.worse:,} down; reciprocal"
        f" rank {difference.delta:+.4f} [{low:+.4f}, {high:+.4f}], p {difference.p:.4f}"
    )
    for move in difference.moves:
        ranks = " → ".join(f"{rank:,}" if rank else "not ranked" for rank in (move.before, move.after))
        console.print(f"    {escape(move.query)}: rank {ranks}")


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
