"""Spill files: what one block of a dump sends to every bucket, found again by any bucket.

The rows of a thread can stand anywhere in a dump, so each block is parted by a hash of the thread's
question id, and a later task reads one range of buckets from every block. A second set of buckets holds
one small key a row, parted by the row's own id, for what only the whole dump can tell. Source: ours,
docs/decisions/0003.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

ROW_BUCKETS = 1_024
"""Buckets for rows: 1/1024 of a 100 GB dump fits in memory many times. Source: ours, docs/decisions/0003."""

KEY_BUCKETS = 64
"""Buckets for keys, 29 bytes a row. Source: ours, docs/decisions/0003."""

QUESTION, ANSWER, WANTED = 0, 1, 2
"""Kinds of key: a question, an answer, and the accepted id that a question wants."""

KEY = np.dtype([("kind", "u1"), ("id", "<i8"), ("thread", "<i8"), ("activity_ms", "<i8"), ("digest", "<u4")])
"""A key: of a WANTED one, ``id`` is the accepted id and ``thread`` the question that wants it."""

_CODEC = "lz4"
_GOLDEN = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1


def bucket_of(number: int, buckets: int) -> int:
    """The bucket of an id: its multiplicative hash scaled to [0, buckets), buckets a power of two."""
    return ((number * _GOLDEN & _WORD) >> 32) & (buckets - 1)


def write_spill(path: Path, rows: Sequence[list[bytes]], keys: Sequence[list[tuple[int, ...]]]) -> None:
    """Write the buckets of one block, atomically; the index stands at the end of the file.

    Args:
        rows: ROW_BUCKETS lists of raw rows.
        keys: KEY_BUCKETS lists of tuples of KEY.
    """
    segments = [b"\n".join(bucket) for bucket in rows]
    segments += [np.array(bucket, dtype=KEY).tobytes() for bucket in keys]
    sizes = np.zeros((len(segments), 2), dtype="<i8")  # stored bytes, bytes once decompressed
    new = path.with_suffix(".new")
    with new.open("wb") as stream:
        for number, segment in enumerate(segments):
            if segment:
                sizes[number] = stream.write(pa.compress(segment, codec=_CODEC, asbytes=True)), len(segment)
        stream.write(sizes.tobytes())
    new.replace(path)


def read_sizes(path: Path) -> NDArray[np.int64]:
    """Stored and decompressed bytes of every bucket of a spill file, shape (buckets, 2)."""
    n_segments = ROW_BUCKETS + KEY_BUCKETS
    with path.open("rb") as stream:
        stream.seek(-16 * n_segments, 2)
        return np.frombuffer(stream.read(), dtype="<i8").reshape(n_segments, 2)


def read_rows(path: Path, buckets: range) -> Iterator[bytes]:
    """What a spill file holds for a range of row buckets, one bucket of raw rows at a time."""
    yield from _read_segments(path, buckets)


def read_keys(paths: Iterable[Path], bucket: int) -> NDArray[np.void]:
    """The keys of one bucket from every spill file, as one KEY array."""
    segment = range(ROW_BUCKETS + bucket, ROW_BUCKETS + bucket + 1)
    parts = [np.frombuffer(data, dtype=KEY) for path in paths for data in _read_segments(path, segment)]
    return np.concatenate(parts) if parts else np.empty(0, dtype=KEY)


def _read_segments(path: Path, segments: range) -> Iterator[bytes]:
    sizes = read_sizes(path)
    with path.open("rb") as stream:
        stream.seek(int(sizes[: segments.start, 0].sum()))
        for stored, size in sizes[segments.start : segments.stop].tolist():
            if stored:
                yield pa.decompress(stream.read(stored), decompressed_size=size, codec=_CODEC, asbytes=True)


def group_buckets(paths: Iterable[Path], limit_bytes: int) -> list[range]:
    """Adjacent row buckets joined while their rows stay below a limit; empty dumps give one group."""
    total = np.zeros(ROW_BUCKETS, dtype=np.int64)
    for path in paths:
        total += read_sizes(path)[:ROW_BUCKETS, 1]
    groups, start, held = [], 0, 0
    for bucket, size in enumerate(total.tolist()):
        if held and held + size > limit_bytes:
            groups.append(range(start, bucket))
            start, held = bucket, 0
        held += size
    return [*groups, range(start, ROW_BUCKETS)]
