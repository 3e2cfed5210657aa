"""Sorted runs of pairs, and the parts of the dataset that are merged from them.

Every task of a build writes its pairs as one run, sorted by language and order, in small batches. When
all runs are there the order of every row is known, the parts are planned, and each part is a pure task
that reads the rows it holds. So memory is bounded by a part, and neither the number of workers nor the
size of the runs shows in the bytes. Source: ours, docs/decisions/0003.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from procqa.dataset import columnar
from procqa.dataset.authors import fill_names
from procqa.dataset.schema import SCHEMA, SPLITS, TIMESTAMP, part_path
from procqa.dataset.statistics import PartStats, describe_table
from procqa.records import Pair
from procqa.text import count_chars

BATCH_ROWS = 128
"""Rows in a batch of a run: what a part reads too much at each end. Source: ours, docs/decisions/0003."""

_ROWS_AT_ONCE = 8 * BATCH_ROWS

PART_ROWS = 50_000
PART_CHARS = 16 << 20
"""A part ends at either limit, rows or characters, which bounds what one task holds."""

KEY = np.dtype([("order", "<i8"), ("id", "<i8"), ("site", "<i8"), ("chars", "<i8"), ("group", "<u8")])
"""What sorts a row within its language, how long its texts are, and a hash of what must not be parted."""

SORTED_BY = ("order", "id", "site")

_OWNERS = ("question_owner", "answer_owner")
_RUN_SCHEMA = pa.schema([*SCHEMA, *((name, pa.int64()) for name in _OWNERS)])


def sort_by(records: NDArray[np.void], names: Sequence[str] = SORTED_BY) -> NDArray[np.int64]:
    """The order of records by some of their fields, the first first, and else as they stand."""
    return np.lexsort([records[name] for name in reversed(names)])  # many times as fast as argsort(order=names)


@dataclass(frozen=True, slots=True)
class OrderedPair:
    """A pair with what sorts it within its language: order, then id, then index of its site.

    Args:
        group: 64-bit hash of what a split must not part; 0 where the cut looks at the order alone.
        owners: ids of the users who asked and answered, where a Users table may know their names.
    """

    pair: Pair
    order: int
    site: int
    group: int = 0
    owners: tuple[int | None, int | None] = (None, None)

    @property
    def key(self) -> tuple[int, int, int, int, int]:
        """The pair's KEY."""
        n_chars = len(self.pair.title) + len(self.pair.question) + len(self.pair.answer)
        return self.order, self.pair.question_id, self.site, n_chars, self.group


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file to make.

    Args:
        number: which rows of the runs go into it: those that ``Run.parts`` gives this number.
        pieces: the range of each run (run, start, stop) that holds them.
        names: where ``authors.keep_names`` wrote; None where there is no Users table.
    """

    path: Path
    language: str
    split: str
    number: int
    pieces: tuple[tuple[Path, int, int], ...]
    names: Path | None


def sort_run(pairs: Sequence[OrderedPair]) -> list[int]:
    """The order of pairs in a run."""
    return sorted(range(len(pairs)), key=lambda place: (pairs[place].pair.language, pairs[place].key))


def write_run(path: Path, pairs: Sequence[OrderedPair]) -> None:
    """Write pairs as one run: rows, keys, and the range of rows of each language; atomically.

    Args:
        pairs: in the order of ``sort_run``.
    """
    ranges: dict[str, list[int]] = {}
    for place, row in enumerate(pairs):
        ranges.setdefault(row.pair.language, [place, place])[1] = place + 1
    new = path.with_suffix(".new")
    with pa.OSFile(str(new), "wb") as sink, pa.ipc.new_file(sink, _RUN_SCHEMA) as writer:
        for start in range(0, len(pairs), _ROWS_AT_ONCE):
            rows = to_batch(pairs[start : start + _ROWS_AT_ONCE])
            for first in range(0, len(rows), BATCH_ROWS):
                writer.write_batch(rows.slice(first, BATCH_ROWS))
    np.save(beside(path, "keys"), np.array([row.key for row in pairs], dtype=KEY))
    beside(path, "ranges").write_text(json.dumps(ranges), encoding="utf-8")
    new.replace(path)


def beside(run: Path, what: str) -> Path:
    """The file beside a run that tells ``what`` of its rows: keys, ranges, splits, clusters, parts, signatures."""
    return run.with_suffix(".ranges.json" if what == "ranges" else f".{what}.npy")


def to_batch(rows: Sequence[OrderedPair]) -> pa.RecordBatch:
    """Pairs as rows of a run, with the characters of code and text counted."""
    counts = _count([row.pair.question for row in rows]) + _count([row.pair.answer for row in rows])
    columns = []
    for field in SCHEMA:
        if field.name in _COUNTS:
            columns.append(columnar.integers(counts[_COUNTS.index(field.name)]))
        elif field.name == "duplicate_cluster":
            columns.append(columnar.integers([None] * len(rows)))
        elif field.name == "tags":
            columns.append(columnar.string_lists([row.pair.tags for row in rows]))
        elif field.type == TIMESTAMP:
            name = f"{field.name}_ms"
            columns.append(columnar.integers([getattr(row.pair, name) for row in rows], TIMESTAMP))
        else:
            make = columnar.strings if pa.types.is_string(field.type) else columnar.integers
            columns.append(make([getattr(row.pair, field.name) for row in rows]))
    owners = [columnar.integers([row.owners[place] for row in rows]) for place in range(len(_OWNERS))]
    return pa.RecordBatch.from_arrays([*columns, *owners], schema=_RUN_SCHEMA)


def _count(texts: Sequence[str]) -> list[list[int]]:
    """The characters of code, and those of prose, in each text."""
    from procqa.dataset.word_counts import UNSURE, count_code

    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    counts = count_code(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets)
    for row in np.flatnonzero(counts[:, 0] == UNSURE).tolist():
        counts[row] = count_chars(texts[row])
    columns: list[list[int]] = counts.T.tolist()
    return columns


_COUNTS = ("question_code_chars", "question_text_chars", "answer_code_chars", "answer_text_chars")


@dataclass(frozen=True, slots=True)
class LanguageRows:
    """The rows of one language in all runs, sorted.

    Args:
        keys: (n,) KEY in the order of SORTED_BY.
        run: (n,) index of the run that holds each row.
        place: (n,) its row there.
    """

    language: str
    keys: NDArray[np.void]
    run: NDArray[np.int64]
    place: NDArray[np.int64]


def read_languages(runs: Sequence[Path]) -> Iterator[LanguageRows]:
    """The rows of each language, one language at a time."""
    ranges = [json.loads(beside(run, "ranges").read_text(encoding="utf-8")) for run in runs]
    for language in sorted({name for of_run in ranges for name in of_run}):
        holders = [(number, *of_run[language]) for number, of_run in enumerate(ranges) if language in of_run]
        keys = np.concatenate([np.load(beside(runs[number], "keys"))[start:stop] for number, start, stop in holders])
        run = np.concatenate([np.full(stop - start, number) for number, start, stop in holders])
        place = np.concatenate([np.arange(start, stop) for _, start, stop in holders])
        order = sort_by(keys)
        yield LanguageRows(language, keys[order], run[order], place[order])


def plan_parts(
    folder: Path, runs: Sequence[Path], *, names: Path | None = None, part_rows: int = PART_ROWS
) -> list[Part]:
    """The parts of a dataset, planned from the keys and the splits of all runs.

    The number of each row's part is written beside its run.

    Args:
        folder: the dataset's folder.
        runs: with their ``splits`` beside them, as ``split.assign_splits`` writes.
        part_rows: rows in a part, at most.
    """
    splits = [np.load(beside(run, "splits")) for run in runs]
    numbers = [np.full(len(of_run), -1, dtype=np.int32) for of_run in splits]
    parts: list[Part] = []
    for rows in read_languages(runs):
        split_of = np.zeros(len(rows.keys), dtype=np.int64)
        for number in np.unique(rows.run).tolist():
            of_run = rows.run == number
            split_of[of_run] = splits[number][rows.place[of_run]]
        for code, split in enumerate(SPLITS):
            chosen = np.flatnonzero(split_of == code)
            limits = list(_limits(rows.keys["chars"][chosen], part_rows))
            for number, (low, high) in enumerate(limits):
                pieces = []
                for run in np.unique(rows.run[chosen[low:high]]).tolist():
                    held = chosen[low:high][rows.run[chosen[low:high]] == run]
                    places = rows.place[held]
                    numbers[run][places] = len(parts)
                    pieces.append((runs[run], int(places.min()), int(places.max()) + 1))
                path = folder / part_path(rows.language, split, number, len(limits))
                parts.append(Part(path, rows.language, split, len(parts), tuple(pieces), names))
    for run, of_run in zip(runs, numbers, strict=True):
        np.save(beside(run, "parts"), of_run)
    return parts


def _limits(chars: NDArray[np.int64], part_rows: int) -> Iterator[tuple[int, int]]:
    """Ranges of rows, each as long as ``part_rows`` and PART_CHARS allow."""
    total = np.cumsum(chars)
    low = 0
    while low < len(chars):
        before = int(total[low - 1]) if low else 0
        high = max(low + 1, int(np.searchsorted(total, before + PART_CHARS, side="right")))
        high = min(high, low + part_rows, len(chars))
        yield low, high
        low = high


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """A part that is there: what it holds, and whether an earlier run had made it."""

    stats: PartStats
    was_done: bool


def write_part(part: Part) -> WrittenPart:
    """Make one Parquet part from the runs that hold its rows; a finished one is only counted."""
    if part.path.exists():
        return WrittenPart(describe_table(part.language, part.split, pq.read_table(part.path)), True)
    part.path.parent.mkdir(parents=True, exist_ok=True)
    table = _merge(part)
    new = part.path.with_suffix(".new")
    pq.write_table(table, new, compression="zstd", row_group_size=len(table))
    new.replace(part.path)
    return WrittenPart(describe_table(part.language, part.split, table), False)


def _merge(part: Part) -> pa.Table:
    """The rows of a part, sorted by their keys, with their clusters and the names of their authors."""
    batches: list[pa.RecordBatch] = []
    keys: list[NDArray[np.void]] = []
    clusters: list[NDArray[np.int64]] = []
    for run, start, stop in part.pieces:
        is_ours = np.load(beside(run, "parts"), mmap_mode="r")[start:stop] == part.number
        keys.append(np.load(beside(run, "keys"), mmap_mode="r")[start:stop][is_ours])
        if beside(run, "clusters").exists():
            clusters.append(np.load(beside(run, "clusters"), mmap_mode="r")[start:stop][is_ours])
        with pa.OSFile(str(run)) as source, pa.ipc.open_file(source) as reader:
            for number in range(start // BATCH_ROWS, (stop - 1) // BATCH_ROWS + 1):
                first = number * BATCH_ROWS
                low, high = max(start - first, 0), min(stop - first, BATCH_ROWS)
                wanted = np.flatnonzero(is_ours[first + low - start : first + high - start])
                if len(wanted) == high - low:
                    batches.append(reader.get_batch(number).slice(low, high - low))
                elif len(wanted):
                    batches.append(reader.get_batch(number).take(columnar.integers((wanted + low).tolist())))
    order = sort_by(np.concatenate(keys))
    table = pa.Table.from_batches(batches).take(columnar.integers(order.tolist())).combine_chunks()
    if part.names is not None:
        table = _name_authors(table, part.names, np.concatenate(keys)["site"][order])
    table = table.drop_columns(list(_OWNERS))
    if clusters:
        of_rows = np.concatenate(clusters)[order].tolist()
        column = columnar.integers([cluster if cluster >= 0 else None for cluster in of_rows])
        table = table.set_column(SCHEMA.names.index("duplicate_cluster"), "duplicate_cluster", column)
    return table


def _name_authors(table: pa.Table, names: Path, sites: NDArray[np.int64]) -> pa.Table:
    for owner in _OWNERS:
        author = owner.replace("owner", "author")
        filled = fill_names(names, table.column(author), sites, table.column(owner))
        table = table.set_column(SCHEMA.names.index(author), author, filled)
    return table
