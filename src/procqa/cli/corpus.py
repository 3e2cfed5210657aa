"""``procqa corpus``: published functions, queries and questions, or a folder of source code → dataset."""

from pathlib import Path
from typing import Literal

import click

from procqa.cli.build import print_dataset
from procqa.cli.common import force_option, json_option, print_json, progress, split_names
from procqa.config import LANGUAGES


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="the dataset's folder")
@click.option("--languages", default=",".join(LANGUAGES), help="languages to keep, comma-separated [default: all]")
@click.option("--skip-folders", default="", help="further names of source folders to pass over, comma-separated")
@click.option("--author", help="who wrote the source code [default: its folder's name]")
@click.option("--licence", help="the licence of the source code [default: as its folder says]")
@click.option(
    "--text",
    type=click.Choice(["raw", "tokens"]),
    default="raw",
    help="of CodeSearchNet's rows: docstring and code as published, or their published tokens [default: raw]",
)
@click.option(
    "--benchmarks",
    multiple=True,
    type=click.Path(path_type=Path),
    help="benchmark files whose texts must not stand in the dataset; may be repeated",
)
@force_option
@json_option
def command(
    source: Path,
    out: Path,
    languages: str,
    skip_folders: str,
    author: str | None,
    licence: str | None,
    text: Literal["raw", "tokens"],
    benchmarks: tuple[Path, ...],
    force: bool,
    as_json: bool,
) -> None:
    """Make a dataset of documented functions: title = name, question = docstring, answer = the function without it.

    SOURCE is a folder (or file) of JSON lines in CodeSearchNet's layout, or a folder of source code; or CoSQA's
    cosqa-*.json or CoNaLa's conala-*.json and conala-mined.jsonl; or the paper's released questions and answers,
    qa.en.LANGUAGE.json; or a folder of such files.
    """
    from procqa.dataset.corpus import CorpusRequest, build_corpus

    request = CorpusRequest(
        source=source,
        out=out,
        languages=split_names(languages),
        skip_folders=split_names(skip_folders),
        author=author,
        licence=licence,
        text=text,
        benchmarks=benchmarks,
        force=force,
    )
    with progress() as report:
        summary = build_corpus(request, report)
    if as_json:
        print_json(summary)
    else:
        print_dataset(summary)
