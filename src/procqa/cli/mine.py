"""``procqa mine``: a dataset and a teacher → hard negatives and consistency scores."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from procqa.cli.common import config_options, force_option, json_option, print_json, progress, to_config
from procqa.config import MineConfig

if TYPE_CHECKING:
    from procqa.encoder.negatives import MineSummary


@click.command()
@click.argument("dataset", type=click.Path(path_type=Path))
@click.argument("model")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="the folder of the negatives")
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    help="a folder that keeps vectors for other runs [default: for this run alone]",
)
@config_options(MineConfig)
@force_option
@json_option
def command(
    dataset: Path, model: str, out: Path, cache: Path | None, force: bool, as_json: bool, **options: Any
) -> None:
    """Find hard negatives in the train split of a dataset, and the rank of each answer, by the encoder MODEL.

    A run that was interrupted goes on where it stopped; procqa train takes the folder as --hard-negatives.
    """
    config = to_config(MineConfig, options)
    from procqa.encoder.mining import mine

    with progress() as report:
        summary = mine(dataset, model, out, config, cache=cache, force=force, report=report)
    if as_json:
        print_json(asdict(summary))
    else:
        _print(summary)


def _print(summary: "MineSummary") -> None:
    """Print what was mined, by language, and what was passed over."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    cuts = list(summary.consistent)
    heads = ("language", "pairs", "negatives", "short", *(f"answer in {cut}" for cut in cuts))
    table = Table(*heads, title=escape(f"hard negatives by {summary.teacher} in {summary.out}"))
    for column in table.columns[1:]:
        column.justify = "right"
    for language, counts in {**summary.languages, "all": asdict(summary)}.items():
        numbers = [counts[name] for name in ("pairs", "negatives", "short")]
        numbers += [counts["consistent"][cut] for cut in cuts]
        table.add_row(language, *(f"{number:,}" for number in numbers))
    console = Console()
    console.print(table)
    for reason, count in {**summary.left_out, **summary.excluded}.items():
        if count:
            console.print(f"  passed over: {count:,} ({reason})", highlight=False)
    console.print(
        f"none has the text of one of {summary.held_out['documents']:,} validation and test answers,"
        f" sha256 {summary.sha256[:12]}",
        highlight=False,
        style="dim",
    )
