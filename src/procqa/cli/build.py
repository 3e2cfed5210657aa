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
@config_options(BuildConfig)
@config_options(RunConfig)
@force_option
@json_option
def command(
    dumps: tuple[str, ...],
    out: Path,
    benchmarks: tuple[Path, ...],
    rejects: Path | None,
    force: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Make a dataset from Stack Exchange dumps (.7z, .xml, .gz, .bz2, .xz, .zst, a folder, or - for standard input)."""
    from procqa.dataset.build import BuildRequest, build_dataset

    request = BuildRequest(
        dumps=dumps,
        out=out,
        config=to_config(BuildConfig, options, build_config),
        run=to_config(RunConfig, options),
        benchmarks=benchmarks,
        rejects=rejects,
        force=force,
    )
    with progress() as report:
        summary = build_dataset(request, report)
    if rejects is not None and not rejects.exists():
        click.echo(f"procqa: {out} was complete already, so no rejects were listed: build into another --out", err=True)
    if as_json:
        print_json(summary)
    else:
        print_dataset(summary)


def print_dataset(summary: dict[str, Any]) -> None:
    """Print what was kept, by language, and what was dropped, by reason."""
    from rich.console import Console
    from rich.table import Table

    table = Table("language", "train", "validation", "test", title=f"{summary['kept']:,} pairs in {summary['out']}")
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
