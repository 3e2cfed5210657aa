"""Datasets to search in and to train on: built from generated dumps that hold nothing but pairs, or grown from others.

A grown dataset holds more documents than there are real ones. It begins with the real rows; a further one has title and
question of one row and segments of other answers of the language, each about as long as what stands in its place in a
third. Some identifiers get the end of another, so that the vocabulary goes on growing as that of real text does.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.dumps import DENSE, write_dump
from procqa.artifact import workspace
from procqa.config import RunConfig
from procqa.dataset.build import build_dataset
from procqa.dataset.request import BuildRequest
from procqa.dataset.schema import SCHEMA, part_path, read_rows
from procqa.index.documents import is_code
from procqa.records import Segment
from procqa.text import count_chars, join, segments

PAIR_BYTES = 3_100
"""What a pair of a dense dump takes there, on average."""

PART_ROWS = 10_000
FIRST_ID = 10**12
"""Ids of further rows begin at multiples of it, one a language: no dump comes near."""

HELD_OUT = 50
"""Of so many rows one is left out of what is grown, to be asked for."""

LIKE_LENGTHS = 50
"""Segments on either side, in the order of their lengths, that may take the place of one."""

SPLIT_CHARS = 400
"""A longer segment is the beginning of one and the end of another."""

RENAMED = 0.3
"""Share of the compound identifiers that get another end: twice the documents then have 1.4 to 1.6 times the words; of
the real ones 1.6 to 1.7 times."""

COMPOUND = re.compile(r"\b([A-Za-z][a-z0-9]+)((?:_[a-z0-9]+|[A-Z][a-z0-9]+)+)\b")


def dense_dataset(scratch: Path, *, documents: int, seed: int) -> Path:
    """A dataset of about so many pairs below a folder."""
    dump, out = scratch / "dense.xml", scratch / "dataset"
    write_dump(dump, size_bytes=documents * PAIR_BYTES, seed=seed, shape=DENSE)
    build_dataset(BuildRequest(dumps=(str(dump),), out=out, run=RunConfig(jobs=1)))
    dump.unlink()
    return out


def split_rows(sources: Sequence[Path], languages: Collection[str] = ()) -> dict[str, tuple[list[Any], list[Any]]]:
    """The rows of datasets by their language: those to grow from, and those that are left out.

    Args:
        languages: only these; none given are all.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for row in (row for source in sources for row in read_rows(source)):
        if not languages or row["language"] in languages:
            found.setdefault(row["language"], []).append(row)
    return {
        name: ([row for place, row in enumerate(rows) if (place + 1) % HELD_OUT], rows[HELD_OUT - 1 :: HELD_OUT])
        for name, rows in found.items()
    }


def grow_dataset(
    of_language: dict[str, tuple[list[Any], list[Any]]], out: Path, *, documents: int, edited_share: float = 0.0
) -> Path:
    """A dataset of so many rows, the languages as large as in the rows that it grows from.

    Args:
        of_language: of ``split_rows``.
        edited_share: share of the rows whose answer ends with a line of its own.
    """
    ends = np.cumsum([len(rows) for rows, _ in of_language.values()])
    shares = np.diff(np.round(documents * ends / ends[-1]).astype(int), prepend=0).tolist()
    counts = {}
    with workspace(out, kind="dataset", recipe={}, inputs=[]) as work:
        for place, ((name, (rows, _)), wanted) in enumerate(zip(of_language.items(), shares, strict=True), start=1):
            path = work.path / part_path(name, "train", 0, 1)
            path.parent.mkdir(parents=True)
            grown = _edit(_grow(rows, wanted, place * FIRST_ID), edited_share)
            with pq.ParquetWriter(path, SCHEMA) as writer:
                while some := list(islice(grown, PART_ROWS)):
                    writer.write_table(pa.Table.from_pylist(some, SCHEMA))
            counts[name] = {"train": wanted}
        work.finish({"languages": counts, "dump_date": None})
    return out


def _edit(rows: Iterator[dict[str, Any]], share: float) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows):
        is_edited = Random(number).random() < share
        yield {**row, "answer": f"{row['answer']}\n\nEdited: {number}."} if is_edited else row


def _grow(rows: list[dict[str, Any]], wanted: int, first_id: int) -> Iterator[dict[str, Any]]:
    yield from rows[:wanted]
    mixer = _Mixer(rows, Random(first_id))
    for number in range(len(rows), wanted):
        row = rows[number % len(rows)]
        asked = mixer.dice.choice(rows)
        answer = mixer.mix(row)
        code_chars, text_chars = count_chars(answer)
        ids = {"answer_id": first_id + number}
        if is_code(row["question_id"], row["answer_id"]):
            ids["question_id"] = ids["answer_id"]
        copied = {name: asked[name] for name in ("title", "question", "question_code_chars", "question_text_chars")}
        yield {
            **row,
            **copied,
            **ids,
            "answer": answer,
            "answer_code_chars": code_chars,
            "answer_text_chars": text_chars,
        }


class _Mixer:
    """Puts answers together from the segments of those of one language."""

    def __init__(self, rows: list[dict[str, Any]], dice: Random) -> None:
        self.dice = dice
        self._of_kind: dict[str, list[str]] = {}
        ends: dict[str, None] = {}
        for row in rows:
            for kind, segment in _segments_of(row):
                self._of_kind.setdefault(kind, []).append(segment.text)
            ends |= dict.fromkeys(match[2] for match in COMPOUND.finditer(row["answer"]))
        for texts in self._of_kind.values():
            texts.sort(key=len)
        self._lengths = {kind: [len(text) for text in texts] for kind, texts in self._of_kind.items()}
        self._ends = list(ends)

    def mix(self, row: dict[str, Any]) -> str:
        """An answer of the shape of a row's."""
        mixed = [
            (kind, Segment(segment.kind, self._rename(self._like(kind, len(segment.text))), segment.language))
            for kind, segment in _segments_of(row)
        ]
        return mixed[0][1].text if [kind for kind, _ in mixed] == ["function"] else join(one for _, one in mixed)

    def _like(self, kind: str, chars: int) -> str:
        """A segment of about so many characters; a long one is put together of two."""
        first = self._draw(kind, chars)
        if chars <= SPLIT_CHARS:
            return first
        second = self._draw(kind, chars)
        return first[: _middle(first)] + second[_middle(second) :]

    def _draw(self, kind: str, chars: int) -> str:
        texts = self._of_kind[kind]
        place = bisect_left(self._lengths[kind], chars) + self.dice.randint(-LIKE_LENGTHS, LIKE_LENGTHS)
        return texts[min(max(place, 0), len(texts) - 1)]

    def _rename(self, text: str) -> str:
        return COMPOUND.sub(self._renamed, text)

    def _renamed(self, match: re.Match[str]) -> str:
        return match[1] + self.dice.choice(self._ends) if self.dice.random() < RENAMED else match[0]


def _segments_of(row: dict[str, Any]) -> list[tuple[str, Segment]]:
    """The segments of a row's answer, each with what it may be replaced by; a function is one."""
    if is_code(row["question_id"], row["answer_id"]):
        return [("function", Segment("text", row["answer"]))]
    return [(segment.kind, segment) for segment in segments(row["answer"])]


def _middle(text: str) -> int:
    """Where a text is cut in two: at a line break near its middle, else in the middle."""
    found = text.find("\n", len(text) // 2)
    return found if found >= 0 else len(text) // 2


def make_queries(of_language: dict[str, tuple[list[Any], list[Any]]], count: int) -> list[dict[str, str]]:
    """Queries, the same in every run: of ten six ask with words of rows that are left out, two with words of rows that
    are not, two with code of rows that are left out, or of others where none of those has any.

    Words are the title of a question and the first line of a function's documentation; code is at most 20 lines.

    Returns:
        Of each its kind ("new words", "known words" or "code") and its text.

    Raises:
        ValueError: no row has code.
    """
    dice = Random(0)
    kept = [row for rows, _ in of_language.values() for row in rows]
    left_out = [row for _, rows in of_language.values() for row in rows] or kept
    have_code = next((rows for rows in (left_out, kept) if any(_code_of(row).strip() for row in rows)), None)
    if have_code is None:
        raise ValueError("queries need rows with code, but none of the sources has any")
    rows_of = {"new words": left_out, "known words": kept, "code": have_code}
    queries = []
    while len(queries) < count:
        kind = ("new words", "new words", "new words", "known words", "code")[len(queries) % 5]
        row = dice.choice(rows_of[kind])
        text = _code_of(row) if kind == "code" else _words_of(row)
        if text.strip():
            queries.append({"kind": kind, "text": text})
    return queries


def _words_of(row: dict[str, Any]) -> str:
    is_function = is_code(row["question_id"], row["answer_id"])
    return str(row["question"].strip().partition("\n")[0] if is_function else row["title"])


def _code_of(row: dict[str, Any]) -> str:
    found = [segment for kind, segment in _segments_of(row) if kind != "text"]
    return "\n".join(found[0].text.splitlines()[:20]) if found else ""
