"""``procqa encode``: lines of text → vectors."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

from procqa.cli.common import encoder_options, given, json_option, print_json
from procqa.errors import ArtifactError


@click.command()
@click.argument("model")
@click.option(
    "--input", "source", type=click.Path(path_type=Path), help="a file of lines of text [default: standard input]"
)
@click.option("--side", type=click.Choice(["document", "query"]), default="document", help="what the lines are")
@click.option("--out", type=click.Path(path_type=Path), help="write all vectors to this .npy file and print none")
@click.option(
    "--as",
    "kind",
    type=click.Choice(["float32", "int8"]),
    default="float32",
    help="numbers in --out; int8 rows have the direction of the vector and a length of their own",
)
@click.option("--max-tokens", type=int, default=128, help="tokens read of each line [default: 128]")
@encoder_options
@json_option
def command(
    model: str,
    source: Path | None,
    side: str,
    out: Path | None,
    kind: Any,
    max_tokens: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Print the vector of each line of text; MODEL is a folder, minilm, default, or a hub name.

    A vector is a line of numbers, with --json an object; a text of several lines is given as one with blanks.
    """
    from procqa.config import require
    from procqa.encoder.encode import encode_texts, read_lines, write_vectors
    from procqa.encoder.model import open_encoder
    from procqa.encoder.streams import CHARS_A_TOKEN

    require(max_tokens >= 1, f"max_tokens must be at least 1, got {max_tokens}")
    require(out is None or (bool(out.name) and not out.is_dir()), f"--out must be a file, got the folder {out}")
    require(out is not None or kind == "float32", "--as int8 must have a file to write, --out: int8 is not printed")
    encoder = open_encoder(model, max_tokens=max_tokens, **given(options))
    with _open(source) as stream:
        lines = read_lines(stream, most_bytes=4 * CHARS_A_TOKEN * max_tokens)
        batches = encode_texts(encoder, lines, side="query" if side == "query" else "document")
        if out is not None:
            n_rows = write_vectors(out, batches, dimensions=encoder.dimensions, kind=kind)
            summary = {
                "out": str(out),
                "vectors": n_rows,
                "dimensions": encoder.dimensions,
                "encoder": model,
                "arithmetic": encoder.arithmetic,
            }
            if as_json:
                print_json(summary)
            else:
                click.echo(f"{n_rows:,} vectors of {encoder.dimensions} numbers in {out}")
            return
        for batch in batches:
            for vector in batch.tolist():
                if as_json:
                    print_json({"vector": [round(number, 6) for number in vector]})
                else:
                    click.echo(" ".join(f"{number:.6g}" for number in vector))


@contextmanager
def _open(source: Path | None) -> Iterator[BinaryIO]:
    """A file, or standard input, as bytes."""
    if source is not None and str(source) != "-":
        try:
            stream = source.open("rb")
        except OSError as error:
            raise ArtifactError(f"--input must be a file that can be read: {source}: {error.strerror}") from error
        with stream:
            yield stream
    elif sys.stdin is None:
        raise ArtifactError("standard input must be open, or --input name a file")
    else:
        yield sys.stdin.buffer
