"""``procqa evaluate``: rankers × tasks → scores."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from procqa.cli.common import config_options, json_option, print_json, progress, split_names, table_console, to_config
from procqa.config import EvaluateConfig
from procqa.errors import ConfigError
from procqa.text import one_line

if TYPE_CHECKING:
    from procqa.evaluation.differences import Difference
    from procqa.evaluation.results import Result
    from procqa.evaluation.summarise import Measured

LEVEL = 0.05


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
        if rankers or tasks or roots or run or baseline or seeds or cache or results_file or report_file:
            raise click.UsageError("--compare takes two result files and measures nothing: leave the rest out.")
        _print_differences(*compare, config, as_json=as_json)
        return
    if not rankers:
        raise click.UsageError("Missing argument 'RANKER...'.")
    if not tasks:
        raise click.UsageError("Missing option '--task'.")
    from procqa.evaluation.evaluate import Plan, measure
    from procqa.evaluation.results import to_json
    from procqa.evaluation.saved import save_results

    _check_files(run, results_file, report_file)
    plan = Plan(
        run=run,
        baseline=baseline,
        seeds=_read_seeds(seeds),
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
    finally:  # what is measured is kept and shown even where a later task fails
        try:
            if done and results_file is not None:
                save_results(results_file, done, config)
        finally:
            if done and report_file is not None:
                from procqa.evaluation.report import write_report

                write_report(report_file, done, config)
            if done and not as_json:
                print_results(one.result for one in done)
    _warn_of_coarse_p([one.result for one in done])


def _check_files(run: Path | None, results_file: Path | None, report_file: Path | None) -> None:
    """Refuse files that cannot be written, or that would be written over one another, before anything is measured."""
    from procqa.evaluation.report import check_report
    from procqa.evaluation.runs import check_file, qrels_of

    named = {"--run": run, "--results": results_file, "--report": report_file}
    if run is not None:
        named["the judgements of --run"] = qrels_of(run)
    given = {option: file for option, file in named.items() if file is not None}
    if len({file.absolute() for file in given.values()}) < len(given):
        raise ConfigError(f"{', '.join(given)} must be files of their own, got {', '.join(map(str, given.values()))}")
    for option, file in given.items():
        check_file(file, option)
    if report_file is not None:
        check_report()


def _read_seeds(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The members of each ``NAME=RANKER,RANKER`` by its name."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, members = text.partition("=")
        if not (name and equals and members):
            raise ConfigError(f"--seeds must be NAME=RANKER,RANKER, got {text!r}")
        if name in found:
            raise ConfigError(f"--seeds must give each name once, got {name!r} twice")
        found[name] = split_names(members)
    return found


def _warn_of_coarse_p(results: "Sequence[Result]") -> None:
    """Say so where so many comparisons are made that no p-value of so few permutations can be below .05."""
    compared = [result.against for result in results if result.against is not None]
    if compared and len(compared) / (1 + compared[0].permutations) > LEVEL:
        click.echo(
            f"procqa: with {len(compared):,} comparisons no p-value of {compared[0].permutations:,} permutations can"
            f" be below {LEVEL}: raise --permutations",
            err=True,
        )


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
        click.echo(f"procqa: {one_line(name)}", err=True)


def _print_difference(difference: "Difference") -> None:
    """What differs on one task: settings, metrics, and the queries that moved most."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    before, after = difference.rankers
    console.print(f"[bold]{_plain(difference.task)}[/]: {_plain(before)} → {_plain(after)}")
    for name, (left, right) in difference.differs.items():
        console.print(f"  {_plain(name)}: {_plain(left)} → {_plain(right)}")
    if not difference.differs:
        console.print("  what both tell of data, protocol and ranker is the same")
    if difference.not_told:
        console.print(f"  told by one of them alone: {_plain(', '.join(difference.not_told))}")
    for name, values in difference.metrics.items():
        console.print(f"  {_plain(name)}: {values[0]:.4f} → {values[1]:.4f} ({values[1] - values[0]:+.4f})")
    if difference.common is None or difference.ci95 is None:
        console.print("  queries: not told by both files; write them with --results")
        return
    low, high = difference.ci95
    console.print(
        f"  {difference.common:,} common queries, first {difference.depth:,} ranks: {difference.better:,} moved up,"
        f" {difference.worse:,} down; reciprocal rank {difference.delta:+.4f} [{low:+.4f}, {high:+.4f}],"
        f" p {difference.p:.4f}, {difference.p_holm:.4f} by Holm"
    )
    for move in difference.moves:
        ranks = " → ".join(f"{rank:,}" if rank else "not ranked" for rank in (move.before, move.after))
        console.print(f"    {_plain(move.query)}: rank {ranks}")


def _plain(text: object) -> str:
    """Text of a file without power over the terminal or over markup."""
    from rich.markup import escape

    return escape(one_line(str(text)))


def print_results(results: Iterable["Result"]) -> None:
    """Print a table: a line for each task and ranker, MRR with its interval, and what is known of leaks."""
    from rich.markup import escape
    from rich.table import Table

    results = list(results)
    names = list(dict.fromkeys([*list(results[0].metrics)[:3], *(result.measure for result in results)]))
    compares = any(result.against is not None for result in results)
    trained = any(result.leak is not None for result in results)
    heads = [
        *map(str.upper, names),
        *(["- baseline", "p (Holm)"] if compares else []),
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
            cells.append(_leak(result))
        table.add_row(
            escape(result.task), escape(result.ranker), f"{result.queries:,}", f"{result.documents:,}", *cells
        )
    table_console().print(table)


def _against(result: "Result") -> list[str]:
    """The difference to the baseline with its interval, and the corrected p-value."""
    if result.against is None:
        return ["", ""]
    low, high = result.against.ci95
    difference = f"{result.against.delta:+.3f} [{low:+.3f}, {high:+.3f}]"
    return [f"{result.against.metric.upper()} {difference}", f"{result.against.p_holm:.4f}"]


def _leak(result: "Result") -> str:
    """How many queries were seen in training, they or their answers, and the score without them."""
    leak = result.leak
    if leak is None:
        return "nothing trained"
    if not leak.checked:
        return "leak not checked"
    same = ", same dataset" if leak.same_dataset else ""
    if leak.metrics is None:
        return f"all {leak.suspect:,}{same}"
    return f"{leak.suspect:,} ({leak.metrics[result.measure]:.3f} without){same}" if leak.suspect else f"none{same}"
