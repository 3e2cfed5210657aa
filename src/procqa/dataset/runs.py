"""Sorted runs of pairs, and the parts of the dataset that are merged from them.

Every task of a build writes its pairs as one run, sorted by language and order, in small batches. When
all runs are there the order of every row is known, the parts are planned, and each part is a pure task
that reads the rows it holds. So memory is bounded by a part, and neither the number of workers nor the
size of the runs shows in the bytes. Source: ours, docs/decisions/0003.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from procqa.dataset.schema import SCHEMA, SPLITS, part_path
from procqa.records import Pair
from procqa.text import count_chars

BATCH_ROWS = 128
"""Rows in a batch of a run: what a part reads too much at each end. Source: ours, docs/decisions/0003."""

PART_ROWS = 50_000
PART_CHARS = 32 << 20
"""A part ends at either limit, rows or characters, which bounds what one task holds."""

KEY = np.dtype([("order", "<i8"), ("id", "<i8"), ("site", "<i8"), ("chars", "<i8")])
"""What sorts a row within its language, and how long its texts are."""


@dataclass(frozen=True, slots=True)
class OrderedPair:
    """A pair with what sorts it within its language: order, then id, then index of its site."""

    pair: Pair
    order: int
    site: int

    @property
    def key(self) -> tuple[int, int, int, int]:
        """The pair's KEY."""
        n_chars = len(self.pair.title) + len(self.pair.question) + len(self.pair.answer)
        return self.order, self.pair.question_id, self.site, n_chars


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file to make, and the rows of each run (run, start, stop) that go into it."""

    path: Path
    language: str
    split: str
    pieces: tuple[tuple[Path, int, int], ...]


@dataclass(frozen=True, slots=True)
class PartStats:
    """What a part holds, for the card: rows and characters, summed."""

    language: str
    split: str
    rows: int
    title_chars: int
    question_chars: int
    answer_chars: int
    question_code_chars: int
    answer_code_chars: int


def write_run(path: Path, pairs: list[OrderedPair]) -> None:
    """Write pairs as one run: rows, keys, and the range of rows of each language; atomically."""
    pairs.sort(key=lambda row: (row.pair.language, row.key))
    ranges: dict[str, list[int]] = {}
    for place, row in enumerate(pairs):
        ranges.setdefault(row.pair.language, [place, place])[1] = place + 1
    new = path.with_suffix(".new")
    with pa.OSFile(str(new), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        for start in range(0, len(pairs), BATCH_ROWS):
            batch = [to_row(row.pair) for row in pairs[start : start + BATCH_ROWS]]
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=SCHEMA))
    np.save(_keys_path(path), np.array([row.key for row in pairs], dtype=KEY))
    _ranges_path(path).write_text(json.dumps(ranges), encoding="utf-8")
    new.replace(path)


def _keys_path(run: Path) -> Path:
    return run.with_suffix(".npy")


def _ranges_path(run: Path) -> Path:
    return run.with_suffix(".ranges")


def to_row(pair: Pair) -> dict[str, object]:
    """A pair as a row of SCHEMA."""
    question_code, question_text = count_chars(pair.question)
    answer_code, answer_text = count_chars(pair.answer)
    return {
        **{name: getattr(pair, name) for name in _PAIR_COLUMNS},
        "tags": list(pair.tags),
        "question_created": pair.question_created_ms,
        "answer_created": pair.answer_created_ms,
        "question_code_chars": question_code,
        "question_text_chars": question_text,
        "answer_code_chars": answer_code,
        "answer_text_chars": answer_text,
        "duplicate_cluster": None,
    }


_PAIR_COLUMNS = tuple(name for name in SCHEMA.names if name in Pair.__dataclass_fields__)


def plan_parts(
    folder: Path,
    runs: Sequence[Path],
    cuts: Callable[[NDArray[np.int64]], tuple[int, int]],
    *,
    part_rows: int = PART_ROWS,
) -> Iterator[Part]:
    """The parts of a dataset, planned from the keys of all runs, a language at a time.

    Args:
        folder: the dataset's folder.
        cuts: from the sorted orders of a language to the ends of train and validation.
        part_rows: rows in a part, at most.
    """
    ranges = {run: json.loads(_ranges_path(run).read_text(encoding="utf-8")) for run in runs}
    for language in sorted({name for of_run in ranges.values() for name in of_run}):
        holders = [(run, *ranges[run][language]) for run in runs if language in ranges[run]]
        keys = np.concatenate([np.load(_keys_path(run))[start:stop] for run, start, stop in holders])
        holder = np.repeat(np.arange(len(holders)), [stop - start for _, start, stop in holders])
        place = np.concatenate([np.arange(start, stop) for _, start, stop in holders])
        by_key = np.argsort(keys, order=("order", "id", "site"))
        keys, holder, place = keys[by_key], holder[by_key], place[by_key]
        ends = cuts(keys["order"])
        for split, start, stop in zip(SPLITS, (0, *ends), (*ends, len(keys)), strict=True):
            limits = [(start + low, start + high) for low, high in _limits(keys["chars"][start:stop], part_rows)]
            for number, (low, high) in enumerate(limits):
                pieces = tuple(
                    (holders[run][0], int(rows.min()), int(rows.max()) + 1)
                    for run in np.unique(holder[low:high])
                    for rows in [place[low:high][holder[low:high] == run]]
                )
                yield Part(folder / part_path(language, split, number, len(limits)), language, split, pieces)


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


def write_part(part: Part) -> PartStats:
    """Make one Parquet part from the runs that hold its rows; a finished one is only counted."""
    if part.path.exists():
        return _stats(part, pq.read_table(part.path, columns=_COUNTED))
    part.path.parent.mkdir(parents=True, exist_ok=True)
    table = _merge(part.pieces)
    new = part.path.with_suffix(".new")
    pq.write_table(table, new, compression="zstd", row_group_size=len(table))
    new.replace(part.path)
    return _stats(part, table)


_COUNTED = ["title", "question", "answer", "question_code_chars", "answer_code_chars"]


def _merge(pieces: Sequence[tuple[Path, int, int]]) -> pa.Table:
    """The rows of some ranges of runs, sorted by their keys."""
    batches: list[pa.RecordBatch] = []
    keys: list[NDArray[np.void]] = []
    for run, start, stop in pieces:
        keys.append(np.load(_keys_path(run), mmap_mode="r")[start:stop])
        with pa.OSFile(str(run)) as source, pa.ipc.open_file(source) as reader:
            for number in range(start // BATCH_ROWS, (stop - 1) // BATCH_ROWS + 1):
                first = number * BATCH_ROWS
                batch = reader.get_batch(number)
                low, high = max(start - first, 0), min(stop - first, len(batch))
                batches.append(batch.slice(low, high - low))
    order = np.argsort(np.concatenate(keys), order=("order", "id", "site"))
    return pa.Table.from_batches(batches).take(order).combine_chunks()


def _stats(part: Part, table: pa.Table) -> PartStats:
    columns = [table.column(name) for name in _COUNTED]
    lengths = [pc.utf8_length(column) if pa.types.is_string(column.type) else column for column in columns]
    return PartStats(part.language, part.split, len(table), *(pc.sum(column).as_py() or 0 for column in lengths))
