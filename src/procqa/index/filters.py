"""Which documents a search may answer with: by language, tag, date, score and source.

Beside the documents lie their columns by position, mapped into memory, so that a filter becomes an array of
allowed positions without a look at a row. Both indexes take that array and lose no hit to it.
Source: ours, docs/decisions/0025.
"""

import json
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.errors import ArtifactError
from procqa.index.documents import Documents

Allowed = NDArray[np.bool_]
"""(n,) whether the document at each position may be a hit."""

NAMED = ("language", "origin", "source", "tag")
NUMBERED = {"score": np.int64, "created_ms": np.int64}
NAMES_FILE = "names.json"
NO_DATE = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a document must be to be a hit; every condition that is given must hold. Letter case does not matter.

    Args:
        languages: it is in one of these; none given takes all.
        tags: it has each of these.
        after_ms: it was written then or later, in ms since 1970-01-01 UTC; a document without a date was not.
        before_ms: it was written earlier than then.
        min_score: its votes, at least.
        sources: it is of one of these: the base name of a dataset or folder, or a site such as stackoverflow.com.
    """

    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    after_ms: int | None = None
    before_ms: int | None = None
    min_score: int | None = None
    sources: tuple[str, ...] = ()


def write_columns(documents: Documents, sources: Sequence[tuple[str, int]], folder: Path) -> None:
    """Write what filters look at into a new folder, each column in the order of positions.

    Memory: 30 bytes a document, and 8 a tag of each.

    Args:
        sources: the name of each source and how many rows it gave, in the order in which they were read.
    """
    folder.mkdir()
    names: dict[str, dict[str, int]] = {name: {} for name in NAMED}
    columns: dict[str, NDArray[Any]] = {
        name: np.zeros(len(documents), dtype=np.int32) for name in ("language", "origin")
    }
    columns |= {name: np.zeros(len(documents), dtype=kind) for name, kind in NUMBERED.items()}
    tags: list[NDArray[np.int32]] = []
    tagged: list[NDArray[np.int32]] = []
    for positions, rows in documents.scan(["language", "origin", "score", "created_ms", "tags"]):
        for name in ("language", "origin"):
            columns[name][positions] = [_code(names[name], value) for value in rows[name]]
        columns["score"][positions] = rows["score"]
        columns["created_ms"][positions] = [NO_DATE if value is None else value for value in rows["created_ms"]]
        of_row = [sorted({_code(names["tag"], tag) for tag in row}) for row in rows["tags"]]
        tags.append(np.array([tag for row in of_row for tag in row], dtype=np.int32))
        tagged.append(np.repeat(positions.astype(np.int32), [len(row) for row in of_row]))
    ends = np.cumsum([rows for _, rows in sources])
    source_codes = np.array([_code(names["source"], name) for name, _ in sources], dtype=np.int32)
    columns["source"] = source_codes[np.searchsorted(ends, documents.order, side="right")]
    columns |= _postings(tags, tagged, len(names["tag"]))
    for name, column in columns.items():
        np.save(folder / f"{name}.npy", column)
    listed = {name: list(codes) for name, codes in names.items()}
    (folder / NAMES_FILE).write_text(json.dumps(listed, ensure_ascii=False), encoding="utf-8")


def _code(names: dict[str, int], value: str) -> int:
    """The number of a name, the next one where it is new."""
    return names.setdefault(value.casefold(), len(names))


def _postings(
    tags: list[NDArray[np.int32]], tagged: list[NDArray[np.int32]], n_tags: int
) -> dict[str, NDArray[np.int32] | NDArray[np.int64]]:
    """The positions that have each tag, ascending, one tag after the other, and where each tag's begin."""
    codes = np.concatenate([np.empty(0, np.int32), *tags])
    positions = np.concatenate([np.empty(0, np.int32), *tagged])
    ends = np.cumsum(np.bincount(codes, minlength=n_tags), dtype=np.int64)
    starts = np.concatenate([np.zeros(1, np.int64), ends])
    return {"tag_positions": positions[np.lexsort((positions, codes))], "tag_starts": starts}


class FilterColumns:
    """The columns of an index that filters look at, mapped into memory; safe to use from several threads.

    Raises:
        ArtifactError: a file is missing or broken.
    """

    def __init__(self, folder: Path) -> None:
        names = ("language", "origin", "source", *NUMBERED, "tag_positions", "tag_starts")
        try:
            self._columns: dict[str, NDArray[Any]] = {
                name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names
            }
            listed = json.loads((folder / NAMES_FILE).read_text(encoding="utf-8"))
            self._codes = {name: {value: code for code, value in enumerate(listed[name])} for name in NAMED}
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{folder} holds no readable filters: run procqa index again") from error

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self._columns["language"])

    def known(self, column: str) -> tuple[str, ...]:
        """The names that documents have in a column, in lower case and by name.

        Args:
            column: ``language``, ``tag``, ``origin`` or ``source``.
        """
        return tuple(sorted(self._codes[column]))

    def allowed(self, wanted: Filter) -> Allowed | None:
        """Which documents a filter lets through; None where it lets all of them. A name that none has lets none.

        Cost: a pass over one column for each condition, about a millisecond for a million documents.
        """
        return reduce(operator.and_, conditions) if (conditions := list(self._conditions(wanted))) else None

    def _conditions(self, wanted: Filter) -> Iterator[Allowed]:
        if wanted.languages:
            yield self._is_any("language", wanted.languages)
        if wanted.sources:
            yield self._is_any("source", wanted.sources) | self._is_any("origin", wanted.sources)
        for tag in wanted.tags:
            yield self._has_tag(tag)
        for column, bound, holds in (
            ("created_ms", wanted.after_ms, operator.ge),
            ("created_ms", wanted.before_ms, operator.lt),
            ("score", wanted.min_score, operator.ge),
        ):
            if bound is not None:
                yield self._compare(column, bound, holds)

    def _is_any(self, column: str, values: Sequence[str]) -> Allowed:
        codes = self._codes[column]
        is_wanted = np.zeros(len(codes), dtype=bool)
        is_wanted[[codes[value.casefold()] for value in values if value.casefold() in codes]] = True
        found: Allowed = is_wanted[self._columns[column]]
        return found

    def _has_tag(self, tag: str) -> Allowed:
        found = np.zeros(len(self), dtype=bool)
        code = self._codes["tag"].get(tag.casefold())
        if code is not None:
            start, end = self._columns["tag_starts"][code : code + 2]
            found[self._columns["tag_positions"][start:end]] = True
        return found

    def _compare(self, column: str, bound: int, holds: Callable[[Any, Any], Any]) -> Allowed:
        values = self._columns[column]
        found: Allowed = holds(values, bound)
        return found & (values != NO_DATE) if column == "created_ms" else found
