"""What the commands share: flags from config fields, JSON output, posts on a terminal, and progress."""

import codecs
import dataclasses
import json
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from procqa.config import EvaluateConfig
from procqa.records import LOCAL, Attribution, CodePlace
from procqa.text import one_line

if TYPE_CHECKING:
    from rich.console import Console

ConfigType = TypeVar("ConfigType")
Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="print JSON: one object a line")
force_option = click.option("--force", is_flag=True, help="replace a folder that another recipe made")

FILE_WIDTH = 200
"""Columns of a table that goes to a file or a pipe, where 80 would break its numbers."""

COMPUTING = {"precision", "backend"}
"""The fields of EvaluateConfig that ``open_encoder`` takes and that change a vector by rounding alone."""


def config_options(config_class: type, *, leave_out: Iterable[str] = ()) -> Callable[[Command], Command]:
    """Give a command one option for each field of a config; only what is typed reaches it.

    Options arrive as keyword arguments named like the fields, None where they were not given: pass them
    to ``to_config``. A tuple of strings is one comma-separated option.
    """
    hints = typing.get_type_hints(config_class)
    skipped = set(leave_out)

    def decorate(command: Command) -> Command:
        for field in reversed(dataclasses.fields(config_class)):
            if field.name in skipped:
                continue
            text = field.metadata["help"]
            if field.default is not None and not isinstance(field.default, tuple):
                text += f" [default: {field.default}]"
            flag = f"--{field.name.removesuffix('_s').replace('_', '-')}"
            flags = ("-k", field.name) if field.name == "k" else (flag, field.name)
            if hints[field.name] is bool:
                command = click.option(*flags, is_flag=True, default=None, help=field.metadata["help"])(command)
            else:
                command = click.option(*flags, type=_click_type(hints[field.name]), default=None, help=text)(command)
        return command

    return decorate


def encoder_options(command: Command) -> Command:
    """Give a command the options that say how a model computes its vectors; see ``given``."""
    others = {field.name for field in dataclasses.fields(EvaluateConfig)} - COMPUTING
    return config_options(EvaluateConfig, leave_out=others)(command)


def table_console() -> "Console":
    """A console for tables: as wide as its terminal, and in a file or a pipe wide enough for their numbers."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = FILE_WIDTH
    return console


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were typed."""
    return {name: value for name, value in options.items() if value is not None}


def _click_type(hint: Any) -> click.Choice[Any] | type:  # Any: a type hint, and any choice
    """The click type of a config field's type hint."""
    if isinstance(hint, types.UnionType):
        hint = next(member for member in typing.get_args(hint) if member is not type(None))
    if typing.get_origin(hint) is typing.Literal:
        return click.Choice(typing.get_args(hint))
    return hint if hint in (int, float) else str


def to_config(
    config_class: type[ConfigType],
    options: dict[str, Any],
    make: Callable[[dict[str, Any]], ConfigType] | None = None,
) -> ConfigType:
    """The config with the options that were given; takes its own fields out of ``options``.

    Args:
        make: makes the config from the fields that were given, where a preset has a say.

    Raises:
        ConfigError: a value is out of range.
    """
    given: dict[str, Any] = {}
    for field in dataclasses.fields(config_class):  # type: ignore[arg-type]  # every config is a dataclass
        value = options.pop(field.name, None)
        if value is not None:
            is_list = isinstance(field.default, tuple)
            given[field.name] = split_names(value) if is_list else value
    return config_class(**given) if make is None else make(given)


def split_names(text: str) -> tuple[str, ...]:
    """The names in a comma-separated option."""
    return tuple(filter(None, map(str.strip, text.split(","))))


def print_json(value: Any) -> None:  # Any: whatever JSON can hold
    """Print one JSON object on one line of standard output, in ASCII where that takes no UTF-8."""
    is_utf8 = codecs.lookup(sys.stdout.encoding or "utf-8").name == "utf-8"
    click.echo(json.dumps(value, ensure_ascii=not is_utf8))


def attribution_lines(by: Attribution, place: CodePlace | None) -> Iterator[str]:
    """Who wrote the question and the answer, under which licences, and where both stand; safe to print."""
    answer = f"{by.answer_author}, {by.answer_licence}{_link(by.answer_author_url)}"
    question = f"{by.question_author}, {by.question_licence}{_link(by.question_author_url)}"
    if answer == question:
        yield one_line(f"{'by' if place else 'question and answer by'} {answer}")
    else:
        yield one_line(f"answer by {answer}")
        yield one_line(f"question by {question}")
    if place is not None:
        yield one_line(f"{by.origin}, {place.path}:{place.line} {place.symbol}")
    else:
        links = " ".join(dict.fromkeys(filter(None, (by.question_url, by.answer_url))))
        if links or by.origin != LOCAL:
            yield one_line(f"{by.origin}{_link(links)}")


def _link(url: str | None) -> str:
    return f", {url}" if url else ""


@contextmanager
def progress() -> Iterator[Callable[[str, int], None]]:
    """A function that shows the stage and its finished tasks on standard error.

    On a terminal one line is rewritten; elsewhere each stage is one line.
    """
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    seen: list[str] = []
    with console.status("starting") as status:

        def report(stage: str, done: int) -> None:
            if console.is_terminal:
                status.update(escape(one_line(f"{stage}: {done:,}")))
            elif stage not in seen:
                seen.append(stage)
                console.print(f"{one_line(stage)} …", highlight=False, markup=False)

        yield report
