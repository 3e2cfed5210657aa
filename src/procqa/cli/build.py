"""``procqa build``: dumps → dataset."""

from pathlib import Path
from typing import Any

import click

from procqa.cli.common import config_options, force_option, json_option, print_json, progress, to_config
from procqa.config import BuildConfig, RunConfig, build_config


@click.command()
@click.argument("dumps", nargs=-1, required=True, metavar="DUMP...")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="the dataset's folder")
@click.option(
    "--benchmarks",
    multiple=True,
    type=click.Path(path_type=Path),
    help="benchmark files whose texts must not stand in the dataset; may be repeated",
)
@click.option(
    "--rejects",
    type=click.Path(path_type=Path),
    help="list unreadable rows and dropped questions with their reasons, as JSON lines",
)
@click.option(
    "--since",
    type=click.Path(path_type=Path),
    help="an older dataset of the same recipe: only threads that changed since are converted again",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="write nothing: predict rows, pairs, time, memory and disk from a sample of the dumps",
)
@config_options(BuildConfig)
@config_options(RunConfig)
@force_option
@json_option
def command(
    dumps: tuple[str, ...],
    out: Path,
    benchmarks: tuple[Path, ...],
    rejects: Path | None,
    since: Path | None,
    dry_run: bool,
    force: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Make a dataset from Stack Exchange dumps (.7z, .xml, .gz, .bz2, .xz, .zst, a folder, or - for standard input)."""
    from procqa.text import one_line
    from procqa.workers import prepare_process

    prepare_process()
    from procqa.dataset.build import build_dataset
    from procqa.dataset.request import BuildRequest

    request = BuildRequest(
        dumps=dumps,
        out=out,
        config=to_config(BuildConfig, options, build_config),
        run=to_config(RunConfig, options),
        benchmarks=benchmarks,
        rejects=rejects,
        since=since,
        force=force,
    )
    if dry_run:
        from procqa.dataset.estimate import estimate_build

        estimate = estimate_build(request)
        if as_json:
            print_json(estimate)
        else:
            print_estimate(estimate)
        return
    before = _stamp(rejects)
    with progress() as report:
        summary = build_dataset(request, report)
    if rejects is not None and _stamp(rejects) == before:
        click.echo(f"procqa: {out} was complete already, so no rejects were listed: build into another --out", err=True)
    for warning in summary.get("warnings", ()):
        click.echo(one_line(f"procqa: {warning}"), err=True)
    if as_json:
        print_json(summary)
    else:
        print_dataset(summary)


def _stamp(path: Path | None) -> tuple[int, int] | None:
    """What tells whether a file was written anew."""
    if path is None or not path.exists():
        return None
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


_CERTAINTY = {
    "whole": "The dump is small and was read whole: the counts are exact.",
    "spread": "From {sample} of {total}, taken from all over the dump: expect all within a factor of two, but for rare"
    " languages.",
    "head": "From {sample} of {total}, all from the first part of the dump, for the rest of a compressed one is out of"
    " reach: where later rows are like these, expect all within a factor of two, but for rare languages.",
}


def print_estimate(estimate: dict[str, Any]) -> None:
    """Print what a build would come to, and how sure that is."""
    from rich.console import Console
    from rich.table import Table

    table = Table("figure", "expected", title="a dry run: nothing is built")
    table.columns[1].justify = "right"
    for name in ("rows", "questions", "answers", "pairs_read", "kept"):
        table.add_row(name.replace("_", " "), f"{estimate[name]:,}")
    for language, count in estimate["languages"].items():
        table.add_row(f"  {language}", f"{count:,}")
    table.add_row(f"time with {estimate['jobs']} job{'s' * (estimate['jobs'] > 1)}", _duration(estimate["seconds"]))
    table.add_row("memory at peak", _size(estimate["peak_memory_bytes"]))
    table.add_row("disk at peak", _size(estimate["disk_bytes"]))
    table.add_row("  of it while building", _size(estimate["scratch_bytes"]))
    console = Console()
    console.print(table)
    sizes = {"sample": _size(estimate["sample_bytes"]), "total": _size(estimate["total_bytes"])}
    console.print(_CERTAINTY[estimate["sample"]].format(**sizes), highlight=False, style="dim")


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7_200 else f"{seconds / 3_600:,.1f} h"


def _size(n_bytes: int) -> str:
    return f"{n_bytes / (1 << 20):,.0f} MB" if n_bytes < 10 << 30 else f"{n_bytes / (1 << 30):,.1f} GB"


def print_dataset(summary: dict[str, Any]) -> None:
    """Print what was kept, by language, and what was dropped, by reason."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        "language", "train", "validation", "test", title=escape(f"{summary['kept']:,} pairs in {summary['out']}")
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for language, splits in summary["languages"].items():
        table.add_row(language, *(f"{splits[split]:,}" for split in ("train", "validation", "test")))
    console = Console()
    console.print(table)
    for reason, count in summary["dropped"].items():
        console.print(f"  dropped {count:,}: {reason}", highlight=False)
    if summary.get("unreadable"):
        console.print(f"  unreadable rows: {summary['unreadable']:,} (reasons in funnel.json)", highlight=False)
    cost = [f"sha256 {summary['sha256'][:12]}"]
    if summary["seconds"] is not None:
        cost.append(f"{summary['seconds']:.1f} s")
    if summary.get("peak_memory_bytes") is not None:
        cost.append(f"{summary['peak_memory_bytes'] / (1 << 20):,.0f} MB at peak")
    console.print(", ".join(cost), highlight=False, style="dim")
