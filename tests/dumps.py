"""Writes small dumps for tests: a row is a dictionary of attributes."""

import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

Row = Mapping[str, object]

HEADER = '﻿<?xml version="1.0" encoding="utf-8"?>\n<posts>\n'
FOOTER = "</posts>\n"


def question(number: int, *, accepted: int | None = None, tags: str = "<python>", **more: object) -> dict[str, object]:
    """A question that every rule keeps."""
    row: dict[str, object] = {
        "Id": number,
        "PostTypeId": 1,
        "CreationDate": f"2010-01-01T00:00:{number % 60:02d}.000",
        "Score": 1,
        "ViewCount": 10,
        "Title": f"How do I do thing {number}?",
        "Body": f"<p>I tried this {number}:</p><pre><code>thing({number})\n</code></pre>",
        "Tags": tags,
        "OwnerUserId": 5,
    }
    if accepted is not None:
        row["AcceptedAnswerId"] = accepted
    return row | more


def answer(number: int, parent: int, **more: object) -> dict[str, object]:
    """An answer that every rule keeps."""
    return {
        "Id": number,
        "PostTypeId": 2,
        "ParentId": parent,
        "CreationDate": "2010-01-02T00:00:00.000",
        "Score": 2,
        "Body": f"<p>Use <code>other({number})</code> instead.</p>",
        "OwnerDisplayName": "Ann",
    } | more


def xml_row(row: Row) -> str:
    """A row as a dump writes it: one line, line breaks as references."""
    attributes = " ".join(
        f"{name}={quoteattr(str(value), {chr(10): '&#xA;', chr(9): '&#x9;', chr(13): '&#xD;'})}"
        for name, value in row.items()
        if value is not None
    )
    return f"  <row {attributes} />\n"


def write_dump(path: Path, rows: Iterable[Row | str]) -> Path:
    """A dump of rows; a row given as text goes in as it is."""
    body = "".join(row if isinstance(row, str) else xml_row(row) for row in rows)
    path.write_text(HEADER + body + FOOTER, encoding="utf-8", newline="")
    return path


def shuffled(rows: Iterable[Row | str], seed: int) -> list[Row | str]:
    """The rows in another order."""
    rows = list(rows)
    random.Random(seed).shuffle(rows)
    return rows


def threads(count: int) -> list[Row]:
    """Questions 1, 3, 5 … each accepted by the answer that follows, in three languages."""
    tags = ("<python><list>", "|c#|linq|", "<go>")
    rows: list[Row] = []
    for number in range(count):
        rows.append(question(2 * number + 1, accepted=2 * number + 2, tags=tags[number % 3]))
        rows.append(answer(2 * number + 2, 2 * number + 1))
    return rows
