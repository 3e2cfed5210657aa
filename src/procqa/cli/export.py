"""``procqa export``: datasets and encoders in the forms that other programs read."""

from pathlib import Path
from typing import Any

import click

from procqa.cli.common import force_option, json_option, print_json, progress
from procqa.errors import ConfigError

LAYOUTS = ("paper", "beir", "jsonl")
FORMS = ("static", "int8", "openvino", "onnx")


@click.command()
@click.argument("source", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--as",
    "form",
    required=True,
    type=click.Choice(LAYOUTS + FORMS),
    help="of a dataset: the paper's qa.en.LANGUAGE.json; BEIR's corpus, queries and qrels, a folder a language; or"
    " every column as JSON lines, a file a language and split. Of an encoder: static embeddings distilled from a"
    " transformer; 8-bit embeddings of a static one; or a transformer's graph for OpenVINO or in ONNX",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="PATH", help="the folder to write")
@click.option("--dimensions", type=int, help="of static embeddings [default: 256, or the encoder's if fewer]")
@force_option
@json_option
def command(source: Path, form: Any, out: Path, dimensions: int | None, force: bool, as_json: bool) -> None:
    """Write a dataset in another layout, or an encoder in another form; what they come from travels with them.

    DIR is a dataset or an encoder; an encoder may be a name too, as minilm.
    """
    is_dataset = _is_dataset(source, form)
    if form not in (LAYOUTS if is_dataset else FORMS):
        kind, forms = ("a dataset", LAYOUTS) if is_dataset else ("an encoder", FORMS)
        raise ConfigError(f"{source} is {kind}, which --as must make {', '.join(forms)} of, got {form}")
    if is_dataset:
        if dimensions is not None:
            raise ConfigError("--dimensions must go with an encoder, but this is a dataset")
        _export_dataset(source, form, out, force=force, as_json=as_json)
    else:
        _export_encoder(source, form, out, dimensions, force=force, as_json=as_json)


def _is_dataset(source: Path, form: str) -> bool:
    """What a manifest says, else what is asked for: a folder from elsewhere can be an encoder alone."""
    from procqa.manifest import is_artifact, load_manifest

    if is_artifact(source):
        kind = load_manifest(source).kind
        return kind == "dataset" or (kind != "encoder" and form in LAYOUTS)
    return form in LAYOUTS


def _export_dataset(source: Path, layout: Any, out: Path, *, force: bool, as_json: bool) -> None:
    from procqa.dataset.export import ExportRequest, export_dataset

    with progress() as report:
        summary = export_dataset(ExportRequest(dataset=source, out=out, layout=layout, force=force), report)
    if as_json:
        print_json(summary)
    else:
        click.echo(
            f"{summary['rows']:,} pairs in {len(summary['languages'])} languages as {layout}:"
            f" {summary['files']:,} files in {out}"
        )


def _export_encoder(source: Path, form: Any, out: Path, dimensions: int | None, *, force: bool, as_json: bool) -> None:
    from procqa.encoder.export import EncoderExport, export_encoder
    from procqa.encoder.likeness import describe_likeness

    # A name such as minilm stays one; a folder keeps no name that means something else.
    name = str(source.absolute()) if source.is_dir() else str(source)
    summary = export_encoder(EncoderExport(encoder=name, out=out, form=form, dimensions=dimensions, force=force))
    if as_json:
        print_json(summary)
    else:
        click.echo(f"{summary['size_bytes'] / (1 << 20):,.1f} MB in {out}. {describe_likeness(summary['likeness'])}")
