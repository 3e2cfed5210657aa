"""Spill files: segments of bytes by bucket, found again by any range of buckets, and joined by copying.

A bucket is a run of pieces, each behind its size; an index of all buckets stands at the end. What is in a
segment is told by ``shuffle``. Nothing is compressed: LZ4 halves the bytes and costs a fifth of a build.
Source: ours, docs/decisions/0003.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

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

_N_BUCKETS = ROW_BUCKETS + KEY_BUCKETS
_INDEX = np.dtype([("end", "<i8"), ("size", "<i8")])
_SIZE = struct.Struct("<Q")


def write_segments(path: Path, segments: Iterable[bytes]) -> None:
    """Write a segment for each bucket, atomically; an empty one has no piece."""
    with _Writer(path) as writer:
        for segment in segments:
            if segment:
                writer.add(_SIZE.pack(len(segment)) + segment, len(segment))
            writer.end_bucket()


def read_index(path: Path, buckets: range | None = None) -> NDArray[np.void]:
    """Where buckets end and how many bytes of segments they hold; the first entry is that before the first bucket.

    Args:
        buckets: of all, rows first and then keys; None takes all.
    """
    chosen = range(_N_BUCKETS) if buckets is None else buckets
    with path.open("rb") as stream:
        stream.seek(_INDEX.itemsize * (chosen.start - _N_BUCKETS - 1), os.SEEK_END)
        return np.frombuffer(stream.read(_INDEX.itemsize * (len(chosen) + 1)), dtype=_INDEX)


def read_segments(path: Path, buckets: range) -> Iterator[bytes]:
    """The segments of some buckets: one from each block that had any rows for them."""
    ends = read_index(path, buckets)["end"]
    with path.open("rb") as stream:
        stream.seek(int(ends[0]))
        data = stream.read(int(ends[-1] - ends[0]))
    at = 0
    while at < len(data):
        (size,) = _SIZE.unpack_from(data, at)
        at += _SIZE.size
        yield data[at : at + size]
        at += size


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

    Memory: a bucket of each file. A finished file is not made again.
    """
    if not task.out.exists():
        indexes = [read_index(path) for path in task.spills]
        with ExitStack() as stack, _Writer(task.out) as writer:
            streams = [stack.enter_context(path.open("rb")) for path in task.spills]
            for bucket in range(_N_BUCKETS):
                for index, stream in zip(indexes, streams, strict=True):
                    start, stop = index["end"][bucket : bucket + 2].tolist()
                    stream.seek(start)
                    writer.add(stream.read(stop - start), int(index["size"][bucket + 1]))
                writer.end_bucket()
    if task.removes:
        for path in task.spills:
            path.unlink(missing_ok=True)
    return task.out


class _Writer:
    """A spill file being written; it appears when all is."""

    def __init__(self, path: Path) -> None:
        self._path, self._new = path, path.with_suffix(".new")
        self._index = np.zeros(_N_BUCKETS + 1, dtype=_INDEX)
        self._bucket = 1

    def __enter__(self) -> "_Writer":
        self._stream = self._new.open("wb")
        return self

    def add(self, pieces: bytes, size: int) -> None:
        """Add pieces that hold so many bytes of segments to the current bucket."""
        self._stream.write(pieces)
        self._index["size"][self._bucket] += size

    def end_bucket(self) -> None:
        """Go on with the next bucket."""
        self._index["end"][self._bucket] = self._stream.tell()
        self._bucket += 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._stream:
            self._stream.write(self._index.tobytes())
        if kind is None:
            self._new.replace(self._path)
