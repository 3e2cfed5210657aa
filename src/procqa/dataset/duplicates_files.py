"""The files near-duplicates are found with: signatures by row, and band keys sorted so that a bucket is one slice.

Nothing is memory-mapped, for a touched page counts as resident: what is read is what is asked for. All files are
written under another name and renamed, so a file that exists is complete. Source: ours: docs/decisions/0012.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from procqa.dataset.minhash import PERMUTATIONS
from procqa.errors import ArtifactError

ROW_BYTES = 4 * PERMUTATIONS
MOST_ROWS = 1 << 32
"""Row numbers are kept in 32 bits."""


@dataclass(frozen=True, slots=True)
class SignatureFiles:
    """Signatures in several .npy files, numbered from 0 over all of them in the order given.

    Args:
        paths: the files.
        starts: the number of each file's first row, then the number of all rows.
    """

    paths: tuple[Path, ...]
    starts: tuple[int, ...]

    @classmethod
    def open(cls, paths: Sequence[Path]) -> "SignatureFiles":
        """Read the headers of some files.

        Raises:
            ArtifactError: a file is not (n, PERMUTATIONS) of uint32, or there are too many rows.
        """
        starts = [0]
        for path in paths:
            with path.open("rb") as stream:
                starts.append(starts[-1] + _read_header(stream, path))
        if starts[-1] >= MOST_ROWS:
            raise ArtifactError(f"signatures must be fewer than {MOST_ROWS:,}, got {starts[-1]:,}: build in parts")
        return cls(tuple(paths), tuple(starts))

    @property
    def n_rows(self) -> int:
        """Rows in all files."""
        return self.starts[-1]

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.uint32]:
        """The signatures of some rows: (n, PERMUTATIONS).

        Args:
            rows: (n,) row numbers, ascending, each once; neighbours are read together.
        """
        signatures = np.empty((len(rows), PERMUTATIONS), np.uint32)  # (n, PERMUTATIONS)
        ends = np.searchsorted(rows, self.starts)
        for number in np.flatnonzero(np.diff(ends)):
            low, high = int(ends[number]), int(ends[number + 1])
            self._read_from(int(number), rows[low:high] - self.starts[number], signatures[low:high])
        return signatures

    def _read_from(self, number: int, rows: NDArray[np.int64], out: NDArray[np.uint32]) -> None:
        path = self.paths[number]
        cuts = [0, *(np.flatnonzero(np.diff(rows) != 1) + 1).tolist(), len(rows)]
        with path.open("rb", buffering=0) as stream:
            _read_header(stream, path)
            first = stream.tell()
            for low, high in pairwise(cuts):
                stream.seek(first + int(rows[low]) * ROW_BYTES)
                if stream.readinto(out[low:high].data.cast("B")) != (high - low) * ROW_BYTES:
                    raise ArtifactError(f"{path.name} must hold all rows of its header, got fewer: delete it")


def _read_header(stream: BinaryIO, path: Path) -> int:
    """The number of rows of a .npy file of signatures; the stream stands at the first of them."""
    try:
        version = npy.read_magic(stream)
        shape, by_column, dtype = npy.read_array_header_1_0(stream)
    except ValueError as error:
        raise ArtifactError(f"{path.name} must be a .npy file, got {error}: delete it") from error
    if version != (1, 0) or len(shape) != 2 or shape[1] != PERMUTATIONS or by_column or dtype != np.dtype("<u4"):
        raise ArtifactError(
            f"{path.name} must hold rows of {PERMUTATIONS} uint32, got shape {shape} of {dtype}: delete it"
        )
    return int(shape[0])


def write_entries(path: Path, keys: NDArray[np.uint64], rows: NDArray[np.uint32], n_buckets: int) -> None:
    """Write band keys with the rows that have them, sorted by key, and where each bucket begins; atomically.

    Args:
        path: the file.
        keys: (n,) band keys; bucket b of B holds those from b/B to (b+1)/B of 2^64.
        rows: (n,) the row of each key, ascending among equal keys.
        n_buckets: B.
    """
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    inner = [(number << 64) // n_buckets for number in range(1, n_buckets)]
    bounds = np.searchsorted(keys, np.array(inner, np.uint64))
    bounds = np.concatenate([[0], bounds, [len(keys)]]).astype(np.int64)

    def write(stream: BinaryIO) -> None:
        for values in (bounds, keys, rows[order]):
            np.save(stream, values)

    write_atomically(path, write)


def read_entries(paths: Iterable[Path], bucket: int) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """The keys and rows of one bucket in all files, sorted by key, then in the order of the files."""
    slices = [_read_slice(path, bucket) for path in paths]
    keys = np.concatenate([keys for keys, _ in slices])
    rows = np.concatenate([rows for _, rows in slices])
    slices.clear()
    order = np.argsort(keys, kind="stable")  # merges sorted runs in linear time
    return keys[order], rows[order]


def _read_slice(path: Path, bucket: int) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    try:
        with path.open("rb") as stream:
            bounds = np.load(stream)
            start, stop, n = int(bounds[bucket]), int(bounds[bucket + 1]), int(bounds[-1])
            keys = np.frombuffer(_read_range(stream, start, stop, n, 8), np.uint64)
            rows = np.frombuffer(_read_range(stream, start, stop, n, 4), np.uint32)
    except (ValueError, EOFError) as error:
        raise _not_whole(path) from error
    if len(keys) != stop - start or len(rows) != stop - start:
        raise _not_whole(path)
    return keys, rows


def _read_range(stream: BinaryIO, start: int, stop: int, n: int, item_bytes: int) -> bytes:
    """The items from start to stop of a .npy array of n at which the stream stands; it stands behind it then."""
    npy.read_magic(stream)
    npy.read_array_header_1_0(stream)
    stream.seek(item_bytes * start, 1)
    data = stream.read(item_bytes * (stop - start))
    stream.seek(item_bytes * (n - stop), 1)
    return data


def load_whole(path: Path) -> NDArray[np.int64]:
    """The array in a .npy file.

    Raises:
        ArtifactError: the file was cut short, as by a crash of the machine.
    """
    try:
        return np.asarray(np.load(path), np.int64)
    except (ValueError, EOFError) as error:
        raise _not_whole(path) from error


def _not_whole(path: Path) -> ArtifactError:
    return ArtifactError(f"{path.parent.name}/{path.name} must be whole, got a part: delete it and start again")


def write_atomically(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file under another name and rename it, so that it is there as a whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as stream:
        write(stream)
    new.replace(path)
