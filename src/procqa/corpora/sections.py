"""The sections of a document in Markdown, reStructuredText or plain text: what stands under each heading.

A heading counts as CommonMark and docutils write it; what only looks like one, in code or a table, does not. Text
without headings is one section. Linear in the length of the text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Markup = Literal["markdown", "rst", "text"]

MARKUP_BY_EXTENSION: dict[str, Markup] = {".md": "markdown", ".markdown": "markdown", ".rst": "rst", ".txt": "text"}
README = re.compile(r"readme", re.IGNORECASE)

_LINE_END = re.compile(r"\r\n?|\n")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*")
_NO_PARAGRAPH = re.compile(r"\s*(?:[-*+>|#]|\d+[.)]\s)|\s*$|    ")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,}+)([^`]*)")
_RULE = re.compile(r"([!-/:-@\[-`{-~])\1*")
_COMMENT_BEGINS, _COMMENT_ENDS = "<!--", "-->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What stands between one heading and the next.

    Args:
        headings: those around it, outermost first, its own last; none before the first heading.
        line: where it starts with its heading, from 1.
        text: what stands under the heading, without blank lines at its ends.
    """

    headings: tuple[str, ...]
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class _Heading:
    """A heading: its lines [start, end) from 0, its level from 1, and its words."""

    start: int
    end: int
    level: int
    words: str


def markup_of(name: str) -> Markup | None:
    """How the file of a name is written, by its ending; a bare README is plain text, None is no document."""
    _, dot, ending = name.rpartition(".")
    if not dot:
        return "text" if README.match(name) else None
    return MARKUP_BY_EXTENSION.get(f".{ending.lower()}")


def read_sections(text: str, markup: Markup) -> Iterator[Section]:
    """The sections of a text that say something, in order."""
    # The lines that an editor counts: str.splitlines would cut at a form feed and at others too.
    lines = _LINE_END.split(text)
    headings = list({"markdown": _markdown_headings, "rst": _rst_headings, "text": _no_headings}[markup](lines))
    starts = [*(heading.start for heading in headings), len(lines)]
    yield from _section(lines, (), 0, 0, starts[0])
    around: list[_Heading] = []
    for heading, end in zip(headings, starts[1:], strict=True):
        while around and around[-1].level >= heading.level:
            around.pop()
        around.append(heading)
        words = tuple(outer.words for outer in around if outer.words)
        yield from _section(lines, words, heading.start, heading.end, end)


def _section(lines: Sequence[str], headings: tuple[str, ...], line: int, start: int, end: int) -> Iterator[Section]:
    while start < end and not lines[start].strip():
        start += 1
    text = "\n".join(lines[start:end]).rstrip()
    if _is_said(text):
        yield Section(headings=headings, line=(line if headings else start) + 1, text=text)


def _is_said(text: str) -> bool:
    """Whether a text is more than comments and blanks."""
    place = 0
    while (begins := text.find(_COMMENT_BEGINS, place)) >= 0:
        ends = text.find(_COMMENT_ENDS, begins + len(_COMMENT_BEGINS))
        if ends < 0 or text[place:begins].strip():
            return True
        place = ends + len(_COMMENT_ENDS)
    return bool(text[place:].strip())


def _no_headings(_: Sequence[str]) -> Iterator[_Heading]:
    yield from ()


def _markdown_headings(lines: Sequence[str]) -> Iterator[_Heading]:
    fence = ""
    for number, line in enumerate(lines):
        mark = _FENCE.fullmatch(line)
        if fence:
            if mark is not None and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
        elif mark is not None:
            fence = mark[1]
        elif (atx := _ATX.fullmatch(line)) is not None:
            yield _Heading(number, number + 1, len(atx[1]), _open_words(atx[2] or ""))
        elif number and (setext := _SETEXT.fullmatch(line)) is not None and _is_alone(lines, number - 1):
            yield _Heading(number - 1, number + 1, 1 if setext[1][0] == "=" else 2, lines[number - 1].strip())


def _open_words(words: str) -> str:
    """The words of a heading without blanks at their ends and the signs that close it."""
    words = words.strip(" \t")
    before = words.rstrip("#")
    return before.rstrip(" \t") if not before or before[-1] in " \t" else words


def _is_alone(lines: Sequence[str], number: int) -> bool:
    """Whether a line is a paragraph of one line, as far as the lines above it tell."""
    return _NO_PARAGRAPH.match(lines[number]) is None and (number == 0 or not lines[number - 1].strip())


def _rst_headings(lines: Sequence[str]) -> Iterator[_Heading]:
    """Titles with a rule below, or above and below; the order in which the kinds first come is that of the levels."""
    levels: list[tuple[str, bool]] = []
    for number in range(1, len(lines)):
        title, under = lines[number - 1].rstrip(), lines[number].rstrip()
        above = lines[number - 2].rstrip() if number > 1 else ""
        if not title or _RULE.fullmatch(title) or not _RULE.fullmatch(under) or len(under) < min(len(title.strip()), 4):
            continue
        is_between = above == under
        if not is_between and (above or title[0].isspace()):
            continue
        style = (under[0], is_between)
        if style not in levels:
            levels.append(style)
        yield _Heading(number - 1 - is_between, number + 1, levels.index(style) + 1, title.strip())
