"""``procqa search``: a query → hits with author and licence."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from procqa.cli.common import attribution_lines, config_options, json_option, one_line, print_json, to_config, visible
from procqa.config import MAX_QUERY_CHARS, SearchConfig
from procqa.errors import QueryError

if TYPE_CHECKING:
    from rich.console import Console

    from procqa.records import Hit
    from procqa.search.searcher import SearchResult

SHOWN_LINES = 14
SHOWN_CHARS = 1_200
"""How much of an answer a list of hits shows; ``--json`` has all of it."""


@click.command()
@click.argument("index", type=click.Path(path_type=Path))
@click.argument("query", required=False)
@click.option("--code", metavar="FILE", help="take a file of code as the query; - is standard input")
@config_options(SearchConfig)
@json_option
@click.option("--jsonl", "as_lines", is_flag=True, help="print JSON: one hit a line")
def command(index: Path, query: str | None, code: str | None, as_json: bool, as_lines: bool, **options: Any) -> None:
    """Answer QUERY from INDEX; - reads the query from standard input."""
    from procqa.search.searcher import Searcher, hit_json, result_json

    if as_json and as_lines:
        raise QueryError("--json and --jsonl are two forms of the same answer: give one of them")
    text = _load_query(query, code)
    config = to_config(SearchConfig, options)
    searcher = Searcher.open(index)
    try:
        result = searcher.search(text, config)
    finally:
        searcher.close()
    if as_json:
        print_json(result_json(result))
    elif as_lines:
        for hit in result.hits:
            click.echo(json.dumps(hit_json(hit), ensure_ascii=False))
    else:
        print_result(result)


def _load_query(query: str | None, code: str | None) -> str:
    """The words that were typed, or what stands in the file or on standard input."""
    if (query is None) == (code is None):
        raise QueryError("a search takes one query: give either QUERY or --code FILE")
    if query is not None and query != "-":
        return query
    source = "-" if code is None else code
    limit = 4 * MAX_QUERY_CHARS + 4  # a character has at most four bytes, so more than this is too long anyway
    try:
        with click.open_file(source, "rb") as stream:
            return str(stream.read(limit).decode("utf-8", "replace"))
    except OSError as error:
        raise QueryError(f"--code must name a file that can be read: {source}: {error.strerror}") from error


def print_result(result: "SearchResult") -> None:
    """Print hits for a reader: title, the head of the answer, and who wrote it under which licence."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    if not result.hits:
        click.echo("no document shares a word with the query", err=True)
    for hit in result.hits:
        _print_hit(hit, console)
    since = "" if result.dump_date is None else f", posts up to {result.dump_date[:10]}"
    number = "1 hit" if len(result.hits) == 1 else f"{len(result.hits)} hits"
    click.echo(f"{number} in {1_000 * result.seconds:.0f} ms, {result.mode}{since}", err=True)


def _print_hit(hit: "Hit", console: "Console") -> None:
    from rich.padding import Padding
    from rich.syntax import Syntax
    from rich.text import Text

    from procqa.search.searcher import markdown_of
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
    console.print()


def shorten(markdown: str) -> str:
    """The head of a text, by lines and by characters; a fence that is cut open is code to the end."""
    return "\n".join(markdown[:SHOWN_CHARS].split("\n")[:SHOWN_LINES])
