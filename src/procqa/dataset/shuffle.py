"""What one block of a dump sends to every bucket, found again by any share of the buckets.

The rows of a thread can stand anywhere in a dump, so each block is parted by a hash of the thread's
question id, and a later task reads one range of buckets from every block. A second set of buckets holds
one small key a row, parted by the row's own id, for what only the whole dump can tell. Source: ours,
docs/decisions/0003.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.dataset.spill import KEY_BUCKETS, ROW_BUCKETS, read_index, read_keys, read_rows, write_spill

QUESTION, ANSWER, WANTED = 0, 1, 2
"""Kinds of key: a question, an answer, and the accepted id that a question wants."""

KEY = np.dtype([("kind", "u1"), ("id", "<i8"), ("thread", "<i8"), ("activity_ms", "<i8"), ("digest", "<u8")])
"""A key: of a WANTED one, ``id`` is the accepted id and ``thread`` the question that wants it."""

NO_KEYS = np.empty(0, dtype=KEY)

_GOLDEN = 0x9E3779B97F4A7C15


def bucket_of(numbers: NDArray[np.int64], buckets: int) -> NDArray[np.int64]:
    """The bucket of each id: its multiplicative hash scaled to [0, buckets), buckets a power of two."""
    hashed = numbers.astype(np.uint64) * np.uint64(_GOLDEN)
    return ((hashed >> np.uint64(32)) & np.uint64(buckets - 1)).astype(np.int64)


def write_rows(
    path: Path,
    records: NDArray[np.void],
    texts: NDArray[np.uint8],
    buckets: NDArray[np.int64],
    keys: NDArray[np.void] = NO_KEYS,
) -> None:
    """Write what one block sends to every bucket, atomically.

    Args:
        records: (n,) in the order of their buckets, with a field ``sizes`` of the bytes of their texts.
        texts: the texts of all records, one after the other.
        buckets: (n,) sorted.
        keys: (m,) KEY in any order; they are parted by their ids.
    """
    place = bucket_of(keys["id"], KEY_BUCKETS)
    keys = keys[np.argsort(place, kind="stable")]
    of_bucket = np.searchsorted(buckets, np.arange(ROW_BUCKETS + 1))
    text_ends = np.concatenate(([0], np.cumsum(_text_sizes(records))))
    sizes = (
        np.diff(of_bucket) * records.itemsize,
        np.diff(text_ends[of_bucket]),
        np.bincount(place, minlength=KEY_BUCKETS) * keys.itemsize,
    )
    write_spill(path, [_as_bytes(part) for part in (records, texts, keys)], sizes)


def _as_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:  # Any: an array of any kind is bytes
    return np.ascontiguousarray(values).view(np.uint8)


def _text_sizes(records: NDArray[np.void]) -> NDArray[np.int64]:
    """(n,) the bytes of all texts of each record."""
    return np.asarray(records["sizes"].sum(axis=1, dtype=np.int64))


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
        total += read_index(path).row_sizes
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


@dataclass(frozen=True, slots=True)
class Records:
    """Records from several spill files with the texts that belong to them.

    Args:
        rows: (n,) of one dtype.
        source: (n,) which of the spills given each record came from.
    """

    rows: NDArray[np.void]
    source: NDArray[np.int64]
    _texts: Sequence[bytes]
    _start: NDArray[np.int64]

    def texts(self, places: NDArray[np.int64]) -> Iterator[bytes]:
        """The texts of each record at some places, one after the other."""
        starts = self._start[places]
        stops = starts + _text_sizes(self.rows[places])
        for source, start, stop in zip(self.source[places].tolist(), starts.tolist(), stops.tolist(), strict=True):
            yield self._texts[source][start:stop]


def read_records(paths: Sequence[Path], share: Share, dtype: np.dtype[np.void]) -> Records:
    """The records of a share of the row buckets from spill files.

    Memory: the share, and its buckets in one file.
    """
    parts = [_read_share(path, share, dtype) for path in paths]
    counts = [len(rows) for rows, _, _ in parts]
    return Records(
        np.concatenate([np.empty(0, dtype=dtype), *(rows for rows, _, _ in parts)]),
        np.repeat(np.arange(len(parts)), counts),
        [texts for _, texts, _ in parts],
        np.concatenate([np.empty(0, dtype=np.int64), *(starts for _, _, starts in parts)]),
    )


def _read_share(
    path: Path, share: Share, dtype: np.dtype[np.void]
) -> tuple[NDArray[np.void], bytes, NDArray[np.int64]]:
    """The records of a share in one file, their texts, and where among those each record's begin."""
    data, texts = read_rows(path, share.buckets)
    rows = np.frombuffer(data, dtype=dtype)
    sizes = _text_sizes(rows)
    stops = np.cumsum(sizes)
    if share.of == 1:
        return rows, texts, stops - sizes
    chosen = np.flatnonzero(share.holds(rows["thread"]))
    pieces = zip((stops - sizes)[chosen].tolist(), stops[chosen].tolist(), strict=True)
    kept = sizes[chosen]
    return rows[chosen], b"".join([texts[start:stop] for start, stop in pieces]), np.cumsum(kept) - kept


def read_bucket_keys(paths: Iterable[Path], bucket: int) -> NDArray[np.void]:
    """The keys of one bucket from every spill file, as one KEY array."""
    return np.frombuffer(b"".join([read_keys(path, bucket) for path in paths]), dtype=KEY)
