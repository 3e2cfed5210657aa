"""``procqa search``: a query → hits with author and licence."""

import contextlib
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from procqa.cli.common import attribution_lines, config_options, json_option, print_json, to_config
from procqa.config import MAX_QUERY_CHARS, SearchConfig
from procqa.errors import QueryError
from procqa.text import one_line, visible

if TYPE_CHECKING:
    from rich.console import Console

    from procqa.records import Explanation, Hit
    from procqa.search.searcher import SearchResult

KINDS = {"code": "code", "error": "an error message"}
SHOWN_LINES = 14
SHOWN_CHARS = 1_200
"""How much of an answer a list of hits shows; ``--json`` has all of it."""


@click.command()
@click.argument("index", type=click.Path(path_type=Path))
@click.argument("query", required=False)
@click.option("--code", metavar="FILE", help="take a file of code as the query; - is standard input")
@click.option("--rerank", metavar="MODEL", help="a cross-encoder that reads the first fifty hits and orders them")
@config_options(SearchConfig)
@json_option
@click.option("--jsonl", "as_lines", is_flag=True, help="print JSON: one hit a line")
@click.option("--no-pager", is_flag=True, help="never show long answers in a pager")
def command(
    index: Path,
    query: str | None,
    code: str | None,
    rerank: str | None,
    as_json: bool,
    as_lines: bool,
    no_pager: bool,
    **options: Any,
) -> None:
    """Answer QUERY from INDEX; - reads the query from standard input, no QUERY asks for one after the other.

    Words may hold filters: lang:python tag:pandas after:2020 before:2021-06 score:5 "exact phrase" -word.
    Code and error messages may be pasted as they are.
    """
    from procqa.encoder.cross_encoder import open_cross_encoder
    from procqa.index.staleness import tell_staleness
    from procqa.search.searcher import Searcher

    if as_json and as_lines:
        raise QueryError("--json and --jsonl are two forms of the same answer: give one of them")
    if query is not None and code is not None:
        raise QueryError("a search takes one query: give either QUERY or --code FILE")
    asked = [_load_query(query, code)] if query is not None or code is not None else _ask()
    config = to_config(SearchConfig, options)
    show = _json_of if as_json else _lines_of if as_lines else partial(_page, pager=not no_pager)
    reader = None if rerank is None else open_cross_encoder(rerank)
    searcher = Searcher.open(index, reader=reader, with_encoder=config.mode != "lexical")
    unanswered = 0
    try:
        for text in asked:
            try:
                show(searcher.search(text, config, is_code=code is not None))
            except QueryError as error:
                if query is not None or code is not None:
                    raise
                click.echo(f"procqa: {one_line(str(error))}", err=True)
                unanswered += 1
    finally:
        searcher.close()
    if behind := tell_staleness(index):
        click.echo(f"procqa: {behind}", err=True)
    if unanswered and not sys.stdin.isatty():  # at a prompt the next line was the answer to it
        raise QueryError(f"every line must be a query that can be answered, but {unanswered} could not be; see above")


def _ask() -> Iterator[str]:
    """The queries that are typed at a prompt, or stand in the lines of standard input, until it ends."""
    _require_stdin()
    yield from filter(None, map(str.strip, _typed_lines() if sys.stdin.isatty() else _piped_lines()))


def _require_stdin() -> None:
    if sys.stdin is None:
        raise QueryError("standard input must be open where no QUERY and no --code FILE is given")


def _typed_lines() -> Iterator[str]:
    import readline  # noqa: F401  # gives input() its history and editing

    click.echo("one query a line; Ctrl-D ends", err=True)
    shown = "query> " if sys.stdout.isatty() else ""  # else it would stand among the answers
    with contextlib.suppress(EOFError):
        while True:
            yield input(shown)


def _piped_lines() -> Iterator[str]:
    """The lines of standard input; what is no UTF-8 in them is replaced, as it is in an argument."""
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", "replace")


def _json_of(result: "SearchResult") -> None:
    from procqa.search.forms import result_json

    print_json(result_json(result))


def _lines_of(result: "SearchResult") -> None:
    from procqa.search.forms import hit_json

    for hit in result.hits:
        print_json(hit_json(hit))


def _page(result: "SearchResult", *, pager: bool) -> None:
    """Print hits, in a pager where they are longer than the screen of a terminal."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    if not (pager and console.is_terminal and console.is_interactive):
        print_result(result, console)
        return
    with console.capture() as captured:
        print_result(result, console)
    printed = captured.get()
    if printed.count("\n") <= console.height:
        click.echo(printed, nl=False, color=True)
    else:
        os.environ.setdefault("LESS", "-FRX")
        click.echo_via_pager(printed, color=True)


def _load_query(query: str | None, code: str | None) -> str:
    """The words that were typed, or what stands in the file or on standard input."""
    if query is not None and query != "-":
        return query
    source = "-" if code is None else code
    if source == "-":
        _require_stdin()
    limit = 4 * MAX_QUERY_CHARS + 4  # a character has at most four bytes, so more than this is too long anyway
    try:
        with click.open_file(source, "rb") as stream:
            return str(stream.read(limit).decode("utf-8", "replace"))
    except OSError as error:
        raise QueryError(f"--code must name a file that can be read: {source}: {error.strerror}") from error


def print_result(result: "SearchResult", console: "Console | None" = None) -> None:
    """Print hits for a reader: title, the head of the answer, and who wrote it under which licence."""
    from rich.console import Console

    console = console or Console(highlight=False, soft_wrap=True)
    if not result.hits:
        click.echo("no document has what the query asks for", err=True)
    for hit in result.hits:
        _print_hit(hit, console)
    since = "" if result.dump_date is None else f", posts up to {result.dump_date[:10]}"
    number = "1 hit" if len(result.hits) == 1 else f"{len(result.hits)} hits"
    taken = "" if result.kind == "words" else f", the query taken for {KINDS[result.kind]}"
    click.echo(f"{number} in {1_000 * result.seconds:.0f} ms, {result.mode}{since}{taken}", err=True)


def _print_hit(hit: "Hit", console: "Console") -> None:
    from rich.padding import Padding
    from rich.syntax import Syntax
    from rich.text import Text

    from procqa.search.forms import markdown_of
    from procqa.text import segments

    document = hit.document
    title = Text(f"{hit.rank}. ", "bold").append(one_line(document.title), "bold cyan")
    console.print(title.append(f"  [{document.language}, {hit.score:.4g}]", "dim"))
    markdown = markdown_of(document)[1]
    head = shorten(markdown)
    for segment in segments(head):
        text = visible(segment.text).strip("\n")
        if segment.kind == "text":
            console.print(Text(text))
        elif console.is_terminal:
            code = Syntax(text, segment.language or document.language, theme="ansi_dark", background_color="default")
            console.print(Padding(code, (0, 0, 0, 4)), soft_wrap=False)
        else:
            console.print(Text("\n".join(f"    {line}" for line in text.split("\n"))))
    if head != markdown:
        console.print(Text("    …", "dim"))
    for line in attribution_lines(document.attribution, document.place):
        console.print(Text(f"   {line}", "dim"))
    if hit.explanation is not None:
        console.print(Text(f"   {_explain(hit.explanation)}", "italic"))
    console.print()


def _explain(explanation: "Explanation") -> str:
    """Why a hit stands where it does, in one line."""
    parts = []
    if explanation.words_rank is not None:
        parts.append(
            f"words: rank {explanation.words_rank}, BM25 {explanation.words_score:.3g} of {explanation.words_limit:.3g}"
        )
    if explanation.vectors_rank is not None:
        parts.append(f"vectors: rank {explanation.vectors_rank}, cosine {explanation.cosine:.3f}")
    if explanation.weight is not None:
        parts.append(f"score: {1 - explanation.weight:.2g} × words + {explanation.weight:.2g} × cosine")
    if explanation.read is not None:
        parts.append(f"read: {explanation.read:.3f}")
    matched = " ".join(map(one_line, explanation.matched))
    return "; ".join([*parts, f"shared: {matched}" if matched else "no word shared"])


def shorten(markdown: str) -> str:
    """The head of a text, by lines and by characters; a fence that is cut open is code to the end."""
    return "\n".join(markdown[:SHOWN_CHARS].split("\n")[:SHOWN_LINES])
