"""``procqa export``: dataset → the layouts that other programs read."""

from pathlib import Path
from typing import Any

import click

from procqa.cli.common import force_option, json_option, print_json, progress

LAYOUTS = ("paper", "beir", "jsonl")


@click.command()
@click.argument("dataset", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--as",
    "layout",
    required=True,
    type=click.Choice(LAYOUTS),
    help="the paper's qa.en.LANGUAGE.json; BEIR's corpus, queries and qrels, a folder a language; or every column"
    " as JSON lines, a file a language and split",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="PATH", help="the folder to write")
@force_option
@json_option
def command(dataset: Path, layout: Any, out: Path, force: bool, as_json: bool) -> None:
    """Write a dataset in another layout; authors and licences travel with it."""
    from procqa.dataset.export import ExportRequest, export_dataset

    with progress() as report:
        summary = export_dataset(ExportRequest(dataset=dataset, out=out, layout=layout, force=force), report)
    if as_json:
        print_json(summary)
    else:
        click.echo(
            f"{summary['rows']:,} pairs in {len(summary['languages'])} languages as {layout}:"
            f" {summary['files']:,} files in {out}"
        )
