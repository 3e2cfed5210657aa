"""Spill files: records and their texts by bucket, keys by another, found again by any range of buckets.

A file holds all records, then all texts, then all keys, each in the order of their buckets, and behind them
an index of where every bucket begins: so a range of buckets is one read of each, and files are joined by
copying. What is in a record is told by ``shuffle``. Nothing is compressed: LZ4 halves the bytes and costs a
fifth of a build. Source: ours, docs/decisions/0003.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

ROW_BUCKETS = 1_024
"""Buckets for rows: 1/1024 of a 100 GB dump fits in memory many times. Source: ours, docs/decisions/0003."""

KEY_BUCKETS = 64
"""Buckets for keys, 33 bytes a row. Source: ours, docs/decisions/0003."""

MOST_SPILLS = 512
"""Spill files above which they are joined. Source: ours, docs/decisions/0003."""

MERGED_SPILLS = 64
"""Spill files that are joined into one. Source: ours, docs/decisions/0003."""

_N_BUCKETS = (ROW_BUCKETS, ROW_BUCKETS, KEY_BUCKETS)
_FIRST = (0, ROW_BUCKETS + 1, 2 * ROW_BUCKETS + 2)
_INDEX_BYTES = 8 * (sum(_N_BUCKETS) + len(_N_BUCKETS))
_COPIED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Index:
    """Where in a spill file the buckets begin, and the last one ends.

    Args:
        records, texts: (ROW_BUCKETS + 1,) bytes from the start of the file.
        keys: (KEY_BUCKETS + 1,) the same.
    """

    records: NDArray[np.int64]
    texts: NDArray[np.int64]
    keys: NDArray[np.int64]

    @property
    def row_sizes(self) -> NDArray[np.int64]:
        """(ROW_BUCKETS,) the bytes of records and texts in each bucket."""
        return np.asarray(np.diff(self.records) + np.diff(self.texts))


def write_spill(path: Path, parts: Sequence[NDArray[np.uint8]], sizes: Sequence[NDArray[np.int64]]) -> None:
    """Write a spill file, atomically.

    Args:
        parts: the bytes of all records, all texts and all keys, in the order of their buckets.
        sizes: of each part the bytes in every bucket.
    """
    with _writing(path, sizes) as stream:
        for part in parts:
            stream.write(part.data)


@contextmanager
def _writing(path: Path, sizes: Sequence[NDArray[np.int64]]) -> Iterator[BinaryIO]:
    """A stream for the buckets of those sizes; the file appears with its index when all is written."""
    new = path.with_suffix(".new")
    with new.open("wb") as stream:
        yield stream
        start = 0
        for of_part in sizes:
            begins = start + np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(of_part, dtype=np.int64)))
            stream.write(begins.tobytes())
            start = int(begins[-1])
    new.replace(path)


def read_index(path: Path) -> Index:
    """Where everything in a spill file stands."""
    with path.open("rb") as stream:
        return _read_index(stream)


def _read_index(stream: BinaryIO) -> Index:
    stream.seek(-_INDEX_BYTES, os.SEEK_END)
    index = np.frombuffer(stream.read(_INDEX_BYTES), dtype="<i8")
    return Index(*(index[first : first + n + 1] for first, n in zip(_FIRST, _N_BUCKETS, strict=True)))


def read_rows(path: Path, buckets: range) -> tuple[bytes, bytes]:
    """The records of some row buckets, and their texts."""
    with path.open("rb") as stream:
        index = _read_index(stream)
        return _read_range(stream, index.records, buckets), _read_range(stream, index.texts, buckets)


def read_keys(path: Path, bucket: int) -> bytes:
    """The keys of one bucket."""
    with path.open("rb") as stream:
        return _read_range(stream, _read_index(stream).keys, range(bucket, bucket + 1))


def _read_range(stream: BinaryIO, begins: NDArray[np.int64], buckets: range) -> bytes:
    start, stop = int(begins[buckets.start]), int(begins[buckets.stop])
    stream.seek(start)
    return stream.read(stop - start)


@dataclass(frozen=True, slots=True)
class MergeTask:
    """Spill files to join into one.

    Args:
        removes: take the files away once they are joined.
    """

    spills: tuple[Path, ...]
    out: Path
    removes: bool


def merge_spills(task: MergeTask) -> Path:
    """Join spill files bucket by bucket, so that a later task opens one file in place of many.

    Memory: a megabyte of each file. A finished file is not made again.
    """
    if not task.out.exists():
        with ExitStack() as stack:
            streams = [stack.enter_context(path.open("rb")) for path in task.spills]
            indexes = [_read_index(stream) for stream in streams]
            begins = [(index.records, index.texts, index.keys) for index in indexes]
            sizes = [np.sum([np.diff(of_file[part]) for of_file in begins], axis=0) for part in range(len(_N_BUCKETS))]
            out = stack.enter_context(_writing(task.out, sizes))
            for part, n_buckets in enumerate(_N_BUCKETS):
                ranges = [of_file[part].tolist() for of_file in begins]
                for bucket in range(n_buckets):
                    for stream, of_file in zip(streams, ranges, strict=True):
                        _copy(stream, out, of_file[bucket], of_file[bucket + 1])
    if task.removes:
        for path in task.spills:
            path.unlink(missing_ok=True)
    return task.out


def _copy(stream: BinaryIO, out: BinaryIO, start: int, stop: int) -> None:
    stream.seek(start)
    while start < stop:
        piece = stream.read(min(stop - start, _COPIED_BYTES))
        out.write(piece)
        start += len(piece)
