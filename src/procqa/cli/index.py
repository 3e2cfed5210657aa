"""``procqa index``: datasets and folders of source code → index."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from procqa.cli.common import (
    config_options,
    encoder_options,
    force_option,
    given,
    json_option,
    print_json,
    progress,
    to_config,
)
from procqa.config import IndexConfig
from procqa.errors import ArtifactError

if TYPE_CHECKING:
    from procqa.index.build import IndexSummary


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(path_type=Path))
@click.option("--out", required=True, metavar="INDEX", type=click.Path(path_type=Path), help="the index's folder")
@click.option("--encoder", metavar="MODEL", help="a model folder or name; none for words only [default: default]")
@config_options(IndexConfig)
@encoder_options
@force_option
@json_option
def command(
    sources: tuple[Path, ...], out: Path, encoder: str | None, force: bool, as_json: bool, **options: Any
) -> None:
    """Make datasets and folders of source code searchable; again on the same INDEX updates it."""
    from procqa.encoder.model import find_encoder, open_encoder
    from procqa.encoder.reading import open_reader
    from procqa.index.build import WORDS_ONLY, build_index, kept_arithmetic, kept_encoder

    kept = None if force else kept_encoder(out)
    chosen = encoder or (WORDS_ONLY if kept == WORDS_ONLY else "default")
    model = None if chosen == WORDS_ONLY else chosen
    if encoder is None and kept == WORDS_ONLY:
        click.echo(f"procqa: {out} holds words only and goes on so: --encoder default adds vectors", err=True)
    if encoder is None and kept not in (None, "default", WORDS_ONLY):
        raise ArtifactError(f"{out} has the vectors of {kept}: name that --encoder again, or another one")
    config = to_config(IndexConfig, options)
    opened = None if model is None else open_encoder(model, **given(options))
    folder = None if model is None else find_encoder(model)
    if opened is not None and (was := kept_arithmetic(out, opened)) not in (None, opened.arithmetic):
        click.echo(f"procqa: {out} has vectors by {was}, so all are computed anew by {opened.arithmetic}", err=True)
    with progress() as report:
        summary = build_index(
            sources,
            out,
            encoder=opened,
            encoder_folder=folder,
            read_part=None if opened is None or folder is None else open_reader(folder, max_tokens=opened.max_tokens),
            config=config,
            force=force,
            report=report,
        )
    if as_json:
        print_json(dataclasses.asdict(summary))
    else:
        print_summary(summary)


def print_summary(summary: "IndexSummary") -> None:
    """Print what is searchable, by language, and what the sources could not use, by reason."""
    from rich.console import Console
    from rich.table import Table

    table = Table("language", "documents")
    table.columns[1].justify = "right"
    for language, documents in summary.languages.items():
        table.add_row(language, f"{documents:,}")
    console = Console()
    console.print(f"{summary.documents:,} documents in {summary.out}", markup=False, soft_wrap=True)
    console.print(table)
    console.print(f"ranked by words{'' if summary.encoder is None else f' and by the vectors of {summary.encoder}'}")
    if summary.repeated:
        console.print(f"{summary.repeated:,} documents came again later, and the later ones are served")
    for reason, number in summary.skipped.items():
        console.print(f"{number:,} passed over: {reason}", markup=False)
