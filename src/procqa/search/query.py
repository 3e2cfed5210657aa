"""What a user typed → what is ranked by, and what a document must and must not have.

Words may hold filters (``lang:python``, ``tag:pandas``, ``after:2020``, ``before:2021-06``, ``score:5``,
``source:NAME``), phrases in double quotes, and words to leave out (``-word``). Code and error messages are full of
the same signs, so in them nothing is syntax. Source: ours, docs/search.md#queries.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from procqa.config import MAX_QUERY_CHARS
from procqa.errors import QueryError
from procqa.index.filters import Filter
from procqa.search.salient import find_salient

Kind = Literal["words", "code", "error"]

LANGUAGE_NAMES = {
    "c++": "cpp", "cxx": "cpp", "c#": "csharp", "cs": "csharp", "golang": "go", "js": "javascript",
    "node": "javascript", "common-lisp": "lisp", "py": "python", "python3": "python", "rb": "ruby", "rs": "rust",
}  # fmt: skip
"""What languages are also called. Source: ours, docs/search.md#queries."""

ANY_LANGUAGE = "all"
"""What stands for each of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query that can be ranked by.

    Args:
        asked: as it was typed.
        text: what is ranked by: the words without their filters, the code, or what an error says.
        kind: what it was taken for.
        wanted: what a hit must be.
        phrases: a hit holds each of these, in any case.
        without: a hit holds none of these words.
    """

    asked: str
    text: str
    kind: Kind
    wanted: Filter = field(default_factory=Filter)
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def parse_query(asked: str, *, is_code: bool = False) -> Query:
    """Understand a query.

    Args:
        is_code: it is code whatever it looks like.

    Raises:
        QueryError: it is blank, or longer than 20,000 characters, or a filter in it cannot be understood.
    """
    text = check_query(asked)
    if is_code:
        return Query(asked=text, text=text, kind="code")
    salient = find_salient(text)
    if salient:
        return Query(asked=text, text="\n".join(salient), kind="error")
    if looks_like_code(text):
        return Query(asked=text, text=text, kind="code")
    return _parse_words(text)


def check_query(query: str) -> str:
    """The query as it can be searched: what is no Unicode text is replaced.

    Raises:
        QueryError: it is blank, or longer than 20,000 characters.
    """
    if not query.strip():
        raise QueryError("a query must hold at least one character that is not blank, got none")
    if len(query) > MAX_QUERY_CHARS:
        raise QueryError(f"a query must have at most {MAX_QUERY_CHARS:,} characters, got {len(query):,}: shorten it")
    return query.encode("utf-8", "replace").decode("utf-8")


_STATEMENT = re.compile(
    r"""^\s*(?:
        (?:def|class|function|func|fn|let|const|var|public|private|protected|static|package|using|namespace|import|from
           |return|for|while|if|else|elif|try|catch|switch|struct|enum|impl|use|defun|require|module)\b.*[({;:=<>"'\])}]
        | [\w.$\[\]'"]+\s*(?:[-+*/|&]?=|:=|<-|=>)\s*\S
        | \#\s*include\b | <\?php | \#! | @\w+ | //|/\*|\*/ | [{})\]]+[;,]?\s*$
        | \((?:def\w*|let\*?|lambda|setf?q?|format)\b
        | .*[;{]\s*$
        | [\w.:$>-]+\([^()]*(?:\([^()]*\)[^()]*)*\);?$
    )""",
    re.VERBOSE,
)
"""A line that is code rather than prose."""


def looks_like_code(text: str) -> bool:
    """Whether half of the lines that are not blank are statements of some language, and no line is a sentence."""
    lines = [line for line in text.splitlines() if line.strip()]
    statements = sum(_STATEMENT.match(line) is not None for line in lines)
    return 2 * statements >= len(lines)


MAX_PARTS = 16
"""Phrases, and words with a minus, of a query: each is looked for by itself. Source: ours, docs/decisions/0001."""

_PART = re.compile(r'(?<!\S)(?:"(?P<phrase>[^"]+)"(?=\s|$)|(?P<minus>-)(?P<word>[^\W\d][\w+#.]+)(?=\s|$)|'
                   r"(?P<key>lang|language|tag|after|before|score|source):(?P<value>\S+))")  # fmt: skip


def _parse_words(text: str) -> Query:
    """Words, with what stands among them taken out."""
    found: dict[str, list[str]] = {}
    for name, value in _find_parts(text):
        found.setdefault(name, []).append(value)
    phrases = tuple(dict.fromkeys(" ".join(phrase.split()) for phrase in found.get("phrase", [])))
    rest = _PART.sub(lambda part: part["phrase"] or " ", text)
    words = " ".join(rest.split())
    languages = tuple(_name_language(value) for value in _each(found, "lang", "language"))
    wanted = Filter(
        languages=() if ANY_LANGUAGE in languages else languages,
        tags=tuple(value.lower() for value in _each(found, "tag")),
        after_ms=max((_to_ms(value, "after") for value in found.get("after", [])), default=None),
        before_ms=min((_to_ms(value, "before") for value in found.get("before", [])), default=None),
        min_score=max((_to_number(value) for value in found.get("score", [])), default=None),
        sources=tuple(_each(found, "source")),
    )
    if not words:
        # Nothing is looked for beside filters, so they are no filters: `-A0` may be an option somebody asks about.
        return Query(asked=text, text=text, kind="words")
    without = tuple(dict.fromkeys(found.get("without", [])))
    for asked_for, name in ((phrases, "phrases in quotation marks"), (without, "words with a minus")):
        if len(asked_for) > MAX_PARTS:
            raise QueryError(f"a query must have at most {MAX_PARTS} {name}, got {len(asked_for):,}: leave some out")
    return Query(asked=text, text=words, kind="words", wanted=wanted, phrases=phrases, without=without)


def _find_parts(text: str) -> Iterator[tuple[str, str]]:
    for part in _PART.finditer(text):
        if part["phrase"]:
            yield "phrase", part["phrase"]
        elif part["minus"]:
            yield "without", part["word"]
        else:
            yield part["key"], part["value"]


def _each(found: dict[str, list[str]], *names: str) -> Iterator[str]:
    """The values of filters, apart at commas."""
    for name in names:
        for value in found.get(name, []):
            yield from filter(None, value.split(","))


def _name_language(value: str) -> str:
    name = value.lower()
    return LANGUAGE_NAMES.get(name, name)


def _to_ms(value: str, name: str) -> int:
    """The beginning of a year, a month or a day, in milliseconds since 1970.

    Raises:
        QueryError: it is none of them.
    """
    for form in ("%Y", "%Y-%m", "%Y-%m-%d"):
        try:
            return round(datetime.strptime(value, form).replace(tzinfo=UTC).timestamp() * 1_000)
        except ValueError:
            continue
    raise QueryError(f"{name}: must be followed by a year, a month or a day, as in {name}:2020-06, got {value!r}")


def _to_number(value: str) -> int:
    try:
        return int(value)
    except ValueError as error:
        raise QueryError(f"score: must be followed by a whole number, as in score:5, got {value!r}") from error
