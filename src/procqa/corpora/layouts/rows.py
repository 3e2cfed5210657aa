"""The rows that readers of published files yield, and the fields of such files with the line of whatever is wrong.

Ids keep their published form, except that white space becomes "_", which a TREC run cannot hold.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from procqa.corpora.files import load_json, mend, read_objects
from procqa.errors import BenchmarkError

MISSING: Any = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One published row: a query, a document, or both.

    Args:
        id: of the query where there is one, else of the document.
        language: None where the file does not say.
        query: what is asked; None in a row that is a document alone.
        document: what is found; None in a row that is a query alone.
        document_id: the published id of the document, where it differs from ``id``.
        label: 0 where the publisher marks the document as wrong for the query.
        group: rows of one group answer each other: the programs for one problem.
        relevant: the published ids of the documents that answer the query, where the row names them.
        others: further texts that give the row away, each with its kind: an ``intent`` before it was rewritten, the
            ``docstring`` within a function, the ``description`` of a snippet.
        posts: the Stack Overflow question, and the answer where it is named, that the row was taken from.
    """

    id: str
    language: str | None = None
    query: str | None = None
    document: str | None = None
    document_id: str | None = None
    label: int = 1
    group: str | None = None
    relevant: tuple[str, ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    posts: tuple[int, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """One line of qrels, with the number of the line; a grade above 0 is relevant."""

    line: int
    query_id: str
    document_id: str
    grade: int


Reader = Callable[[Path], Iterator[Row]]


def first_keys(path: Path) -> frozenset[str]:
    """The keys of the first object of a JSON-lines file, which tell the layout; none for an empty file."""
    for _, row in read_objects(path, BenchmarkError):
        return frozenset(row)
    return frozenset()


def to_id(text: str) -> str:
    """An id with "_" for white space.

    Raises:
        ValueError: there is nothing left.
    """
    name = "_".join(text.split())
    if not name:
        raise ValueError("an id must not be empty")
    return name


def read_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a JSON-lines file, each with where it stands, which the functions below put into errors."""
    for number, row in read_objects(path, BenchmarkError):
        yield f"{path}, line {number}", row


def read_array(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file that is one JSON array, each with where it stands."""
    rows = load_json(path, BenchmarkError)
    if not isinstance(rows, list):
        raise BenchmarkError(f"{path}, line 1 must begin an array of rows, as published, got a {type(rows).__name__}")
    for number, row in enumerate(rows, start=1):
        where = f"{path}, row {number}"
        if not isinstance(row, dict):
            raise BenchmarkError(f"{where} must be an object, as published, got a {type(row).__name__}")
        yield where, row


def text_of(row: dict[str, Any], name: str, where: str) -> str:
    """A text that must be there and not be blank."""
    value = row.get(name, MISSING)
    if not isinstance(value, str) or not value.strip():
        raise BenchmarkError(f"{where} must have a text {name!r}, as published, {_got(value)}")
    return mend(value)


def optional_text_of(row: dict[str, Any], name: str, where: str) -> str | None:
    """A text that may be null, absent or blank, which is None."""
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise BenchmarkError(f"{where} must have a text or null as {name!r}, {_got(value)}")
    return mend(value) if value is not None and value.strip() else None


def integer_of(row: dict[str, Any], name: str, where: str) -> int:
    """A whole number that must be there."""
    value = row.get(name, MISSING)
    if not isinstance(value, int):
        raise BenchmarkError(f"{where} must have a whole number {name!r}, as published, {_got(value)}")
    return value


def id_of(row: dict[str, Any], name: str, where: str) -> str:
    """An id that must be there, a text or a number."""
    value = row.get(name, MISSING)
    if isinstance(value, str | int) and str(value).strip():
        return to_id(mend(str(value)))
    raise BenchmarkError(f"{where} must have an id {name!r}, as published, {_got(value)}")


def _got(value: Any) -> str:
    return "but has none" if value is MISSING else f"got {value!r:.60}"
