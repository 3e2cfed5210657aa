"""What one block of a dump sends to every bucket, found again by any share of the buckets.

The rows of a thread can stand anywhere in a dump, so each block is parted by a hash of the thread's
question id, and a later task reads one range of buckets from every block. A second set of buckets holds
one small key a row, parted by the row's own id, for what only the whole dump can tell. Source: ours,
docs/decisions/0003.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from procqa.dataset.spill import KEY_BUCKETS, ROW_BUCKETS, read_index, read_segments, write_segments

QUESTION, ANSWER, WANTED = 0, 1, 2
"""Kinds of key: a question, an answer, and the accepted id that a question wants."""

KEY = np.dtype([("kind", "u1"), ("id", "<i8"), ("thread", "<i8"), ("activity_ms", "<i8"), ("digest", "<u8")])
"""A key: of a WANTED one, ``id`` is the accepted id and ``thread`` the question that wants it."""

_GOLDEN = 0x9E3779B97F4A7C15


def bucket_of(numbers: NDArray[np.int64], buckets: int) -> NDArray[np.int64]:
    """The bucket of each id: its multiplicative hash scaled to [0, buckets), buckets a power of two."""
    hashed = numbers.astype(np.uint64) * np.uint64(_GOLDEN)
    return ((hashed >> np.uint64(32)) & np.uint64(buckets - 1)).astype(np.int64)


def write_spill(path: Path, rows: Iterable[bytes], keys: NDArray[np.void]) -> None:
    """Write the buckets of one block, atomically.

    Args:
        rows: ROW_BUCKETS segments, each records and texts of a bucket.
        keys: (n,) KEY in any order; they are parted by their ids.
    """
    place = bucket_of(keys["id"], KEY_BUCKETS)
    order = np.argsort(place, kind="stable")
    ends = np.searchsorted(place[order], np.arange(KEY_BUCKETS + 1))
    keys = keys[order]
    of_keys = (keys[start:stop].tobytes() for start, stop in pairwise(ends.tolist()))
    write_segments(path, chain(rows, of_keys))


def join_segments(records: NDArray[np.void], texts: NDArray[np.uint8], buckets: NDArray[np.int64]) -> Iterator[bytes]:
    """The segment of each row bucket: the number of its records, the records, and their texts.

    Args:
        records: (n,) in the order of their buckets, with a field ``sizes`` of the bytes of their texts.
        texts: the texts of all records, one after the other.
        buckets: (n,) sorted.
    """
    ends = np.searchsorted(buckets, np.arange(ROW_BUCKETS + 1))
    text_ends = np.concatenate(([0], np.cumsum(records["sizes"].sum(axis=1, dtype=np.int64))))[ends]
    for (start, stop), (low, high) in zip(pairwise(ends.tolist()), pairwise(text_ends.tolist()), strict=True):
        if start == stop:
            yield b""
        else:
            yield b"".join((np.int64(stop - start).tobytes(), records[start:stop].tobytes(), texts[low:high].tobytes()))


@dataclass(frozen=True, slots=True)
class Share:
    """What one task takes: a range of row buckets, or one of the equal shares of a bucket that is too large.

    Args:
        number: which share, of ``of``; a thread lies in one of them.
    """

    buckets: range
    number: int = 0
    of: int = 1

    @property
    def name(self) -> str:
        """A name for its files; names sort as buckets do."""
        return f"{self.buckets.start:04d}-{self.buckets.stop:04d}-{self.number:04d}-{self.of:04d}"

    def holds(self, threads: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which threads of the buckets belong to the share."""
        if self.of == 1:
            return np.ones(len(threads), dtype=bool)
        # Other bits of the hash than those that chose the bucket.
        mixed = (threads.astype(np.uint64) * np.uint64(_GOLDEN)) >> np.uint64(42)
        return np.asarray(mixed % np.uint64(self.of) == np.uint64(self.number))


def share_buckets(paths: Iterable[Path], limit_bytes: int) -> list[Share]:
    """All row buckets in shares that hold up to a limit of bytes each; empty dumps give one share."""
    total = np.zeros(ROW_BUCKETS, dtype=np.int64)
    for path in paths:
        total += read_index(path, range(ROW_BUCKETS))["size"][1:]
    shares, start, held = list[Share](), 0, 0
    for bucket, size in enumerate(total.tolist()):
        if held and held + size > limit_bytes:
            shares.append(Share(range(start, bucket)))
            start, held = bucket, 0
        if size > 2 * limit_bytes:
            if start < bucket:
                shares.append(Share(range(start, bucket)))
            n_shares = -(-size // limit_bytes)
            shares += [Share(range(bucket, bucket + 1), number, n_shares) for number in range(n_shares)]
            start, held = bucket + 1, 0
        else:
            held += size
    return shares if start == ROW_BUCKETS else [*shares, Share(range(start, ROW_BUCKETS))]


def _take_share(segment: bytes, *, share: Share, dtype: np.dtype[np.void]) -> bytes:
    """The part of a segment that belongs to a share."""
    if share.of == 1:
        return segment
    n_rows = int.from_bytes(segment[:8], "little")
    records = np.frombuffer(segment, dtype=dtype, count=n_rows, offset=8)
    chosen = np.flatnonzero(share.holds(records["thread"]))
    stops = 8 + records.nbytes + np.cumsum(records["sizes"].sum(axis=1, dtype=np.int64))
    starts = np.concatenate(([8 + records.nbytes], stops[:-1]))
    texts = [segment[start:stop] for start, stop in zip(starts[chosen].tolist(), stops[chosen].tolist(), strict=True)]
    return b"".join((np.int64(len(chosen)).tobytes(), records[chosen].tobytes(), *texts))


@dataclass(frozen=True, slots=True)
class Records:
    """Records from several segments with the texts that belong to them.

    Args:
        rows: (n,) of one dtype.
        source: (n,) which of the spills given each record came from.
    """

    rows: NDArray[np.void]
    source: NDArray[np.int64]
    _texts: Sequence[bytes]
    _text_of: NDArray[np.int64]
    _start: NDArray[np.int64]

    def texts(self, places: NDArray[np.int64]) -> Iterator[bytes]:
        """The texts of each record at some places, one after the other."""
        starts = self._start[places]
        stops = starts + self.rows["sizes"][places].sum(axis=1, dtype=np.int64)
        for segment, start, stop in zip(self._text_of[places].tolist(), starts.tolist(), stops.tolist(), strict=True):
            yield self._texts[segment][start:stop]


def read_records(paths: Sequence[Path], share: Share, dtype: np.dtype[np.void]) -> Records:
    """The records of a share of the row buckets from spill files.

    Memory: the share, and one piece of a file.
    """
    rows, texts = list[bytes](), list[bytes]()
    counts, sources = list[int](), list[int]()
    for source, path in enumerate(paths):
        for segment in map(partial(_take_share, share=share, dtype=dtype), read_segments(path, share.buckets)):
            n_rows = int.from_bytes(segment[:8], "little")
            if not n_rows:
                continue
            rows.append(segment[8 : 8 + n_rows * dtype.itemsize])
            counts.append(n_rows)
            sources.append(source)
            texts.append(segment)
    records = np.frombuffer(b"".join(rows), dtype=dtype)
    sizes = records["sizes"].sum(axis=1, dtype=np.int64)
    text_of = np.repeat(np.arange(len(texts)), counts)
    # Within its segment a text begins behind the number of records, the records, and the texts before it.
    before = np.cumsum(sizes) - sizes
    n_rows_of = np.array(counts, dtype=np.int64)
    first = np.cumsum(n_rows_of) - n_rows_of
    starts = before - np.repeat(before[first], counts) + 8 + n_rows_of[text_of] * dtype.itemsize
    return Records(records, np.array(sources, dtype=np.int64)[text_of], texts, text_of, starts)


def read_keys(paths: Iterable[Path], bucket: int) -> NDArray[np.void]:
    """The keys of one bucket from every spill file, as one KEY array."""
    segment = range(ROW_BUCKETS + bucket, ROW_BUCKETS + bucket + 1)
    parts = [np.frombuffer(data, dtype=KEY) for path in paths for data in read_segments(path, segment)]
    return np.concatenate(parts) if parts else np.empty(0, dtype=KEY)
