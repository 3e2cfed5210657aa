"""A few slices of a table that stand for all of it, and how large all of it is.

For an estimate before a build. A plain file is entered in as many places as there are slices; a compressed
one is passed through as far as that takes no more than seconds, and slices are kept of what passes. A row
belongs to the slice that it begins in, so long rows are not drawn more often than short ones.
Source: ours, docs/dataset.md#an-estimate-first.
"""

import io
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from procqa.dump.archive import open_table
from procqa.dump.blocks import MAX_ROW_BYTES, read_blocks
from procqa.dump.seven_zip import is_seven_zip
from procqa.dump.stream import CHUNK_BYTES, ByteStream
from procqa.dump.tables import Table
from procqa.errors import ConfigError, DumpError

SHARE = 0.01
"""The part of a table that is sampled, within the next two limits."""

LEAST_BYTES, MOST_BYTES = 2 << 20, 64 << 20
"""A table up to the first is read whole; beyond the second more rows make no estimate better."""

N_SLICES = 16
"""Slices of a sample; of what is compressed from nine to sixteen."""

PASSED_BYTES = 256 << 20
"""Up to so much is decompressed to take slices of, or SHARE of the table where that is more."""

_PACKED_SHARE = 8
_LIKELY_ROW_BYTES = 64 << 10
_ROW = re.compile(rb"<row[ \t\r\n/>]")

Kind = Literal["whole", "spread", "head"]
"""All rows; slices from all over the table; slices from its first part, the rest being out of reach."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of a table that stand for all of them.

    Args:
        total_bytes: of the table, decompressed; estimated where its container does not tell.
        width_bytes: bytes of the table that the slices stand for: all rows that begin in them are there.
        slices: whole rows, one after the other.
        read_bytes_per_s: how fast the table was read and decompressed, by the wall clock; None of a plain file.
    """

    kind: Kind
    total_bytes: int
    width_bytes: int
    slices: tuple[bytes, ...]
    read_bytes_per_s: float | None

    @property
    def factor(self) -> float:
        """How many times the table holds what the sample holds."""
        return self.total_bytes / self.width_bytes if self.width_bytes else 1.0

    @property
    def size_bytes(self) -> int:
        """Bytes of all slices."""
        return sum(map(len, self.slices))


def sample_table(table: Table) -> Sample:
    """A sample of a table: SHARE of it, but all of a small one.

    Raises:
        ConfigError: the table is standard input, which passes by once.
        DumpError: there is no such table, it begins as no dump does, or cannot be read where it is sampled.
    """
    if table.path == "-":
        raise ConfigError("a dry run needs a dump in a file, for standard input passes by only once: give its path")
    path = Path(table.path)
    try:
        packed_bytes = path.stat().st_size
        whole = _whole(table, packed_bytes)
        if whole is not None:
            return whole
        if _is_plain(table):
            return _sample_file(path, packed_bytes)
        if is_seven_zip(path):
            return _sample_stream(table, _size_in_seven_zip(table), packed_bytes)
        return _sample_stream(table, None, packed_bytes)
    except OSError as error:
        raise DumpError(f"{path} must be a readable dump: {error.strerror or error}", path=str(path)) from error


def _whole(table: Table, packed_bytes: int) -> Sample | None:
    """All of a small table; None of a larger one, whose head is looked at."""
    with open_table(table) as stream:
        head = _read_up_to(stream, LEAST_BYTES + 1) if packed_bytes <= LEAST_BYTES else b""
    if head and len(head) <= LEAST_BYTES:
        slices = tuple(block.data for block in read_blocks(io.BytesIO(head), name=table.path))
        return Sample("whole", len(head), len(head), slices, None)
    with open_table(table) as stream:  # what is no dump is told by its first rows
        next(read_blocks(stream, name=table.path, block_bytes=_LIKELY_ROW_BYTES), None)
    return None


def _wanted_bytes(total_bytes: int) -> int:
    return min(max(int(total_bytes * SHARE), LEAST_BYTES), MOST_BYTES)


def _is_plain(table: Table) -> bool:
    """Whether a file holds the bytes of its table as they are."""
    with open_table(table) as stream, Path(table.path).open("rb") as file:
        head = _read_up_to(stream, CHUNK_BYTES)
        return file.read(len(head)) == head


def _sample_file(path: Path, total_bytes: int) -> Sample:
    """Slices spread evenly over a plain file."""
    width = _wanted_bytes(total_bytes) // N_SLICES
    slices = []
    with path.open("rb") as file:
        for number in range(N_SLICES):
            file.seek(int((number + 0.5) * total_bytes / N_SLICES - width / 2))
            slices.append(_rows_of(file.read(width), width, file))
    return Sample("spread", total_bytes, N_SLICES * width, tuple(slices), None)


def _sample_stream(table: Table, total_bytes: int | None, packed_bytes: int) -> Sample:
    """Slices of what a compressed table gives while it passes by.

    Args:
        total_bytes: None where the container does not tell.
    """
    likely_bytes = total_bytes or packed_bytes * _PACKED_SHARE
    # Half of N_SLICES to all of them will be kept: as a rule three quarters.
    width = _wanted_bytes(likely_bytes) * 4 // (3 * N_SLICES)
    passed_limit = max(PASSED_BYTES, int(likely_bytes * SHARE))
    started = time.perf_counter()
    if total_bytes is not None:
        with open_table(table) as stream:
            taken = _take_slices(stream, width, passed_limit)
    else:
        packed_limit = passed_limit // _PACKED_SHARE
        with _first_bytes(table, packed_limit) as (head, is_all), open_table(head) as stream:
            taken = _take_slices(stream, width, None, is_cut=not is_all)
        total_bytes = int(taken.passed_bytes * max(1.0, packed_bytes / packed_limit))
    kind: Kind = "spread" if taken.passed_bytes >= total_bytes else "head"
    speed = taken.passed_bytes / max(time.perf_counter() - started, 1e-6)
    return Sample(kind, total_bytes, len(taken.slices) * width, tuple(taken.slices), speed)


@dataclass(frozen=True, slots=True)
class _Taken:
    slices: list[bytes]
    passed_bytes: int


def _take_slices(stream: ByteStream, width: int, limit: int | None, *, is_cut: bool = False) -> _Taken:
    """Slices at even distances of all that passes by, as many as N_SLICES at the most.

    How long the stream is need not be known: where there are too many slices, every second is given up
    and the distance doubles.

    Args:
        width: bytes of a slice.
        limit: bytes after which no more are read.
        is_cut: the stream breaks off somewhere, which is its end.
    """
    reader = _Reader(stream, is_cut=is_cut)
    slices: list[bytes] = []
    begin, distance = 0, 2 * width
    while limit is None or reader.passed < limit:
        reader.skip_to(begin)
        data = reader.read(width)
        if len(data) < width:
            break
        slices.append(_rows_of(data, width, reader))
        if len(slices) == N_SLICES:
            slices = slices[::2]
            distance *= 2
        begin = len(slices) * distance
    return _Taken(slices, reader.passed)


class _Reader:
    """A stream that can be read in any amounts; counts what has passed, and may look ahead."""

    def __init__(self, stream: ByteStream, *, is_cut: bool) -> None:
        self._stream, self._is_cut = stream, is_cut
        self._held = b""
        self.passed = 0

    def read(self, size: int, /) -> bytes:
        pieces = [self._held[:size]]
        self._held = self._held[size:]
        missing = size - len(pieces[0])
        while missing > 0 and (more := self._more(missing)):
            pieces.append(more)
            missing -= len(more)
        self.passed += size - missing
        return b"".join(pieces)

    def skip_to(self, place: int) -> None:
        while self.passed < place and self.read(min(place - self.passed, CHUNK_BYTES)):
            pass

    def _more(self, size: int) -> bytes:
        try:
            return self._stream.read(min(size, CHUNK_BYTES))
        except DumpError:
            if not self._is_cut:
                raise
            return b""


def _rows_of(data: bytes, width: int, rest: ByteStream) -> bytes:
    """The rows that begin within the first bytes of a slice, the last of them whole.

    Args:
        data: the slice.
        rest: what follows it; read as far as the last row goes.
    """
    first = _ROW.search(data)
    if first is None:
        return b""
    end = None
    while end is None and len(data) < width + MAX_ROW_BYTES:
        more = rest.read(_LIKELY_ROW_BYTES)
        if not more:
            break
        # A border may stand half in what was there before.
        searched_from = max(width - 4, len(data) - 4)
        data += more
        end = _ROW.search(data, searched_from)
    stop = end.start() if end is not None else max(data.rfind(b"/>") + 2, data.rfind(b"</row>") + 6)
    return data[first.start() : stop]


def _size_in_seven_zip(table: Table) -> int:
    """The decompressed bytes of a table, as the header of its archive tells; it has been opened before."""
    import py7zr

    with py7zr.SevenZipFile(table.path) as archive:
        sizes = {entry.filename: int(entry.uncompressed) for entry in archive.list() if entry.is_file}
    named = [size for name, size in sizes.items() if PurePosixPath(name).name.lower() == f"{table.member.lower()}.xml"]
    return [*named, *sizes.values()][0]


@contextmanager
def _first_bytes(table: Table, size: int) -> Iterator[tuple[Table, bool]]:
    """A table of the first bytes of a compressed file, and whether they are all of it.

    How many bytes a decompressor has taken in is known only where it can get no more.
    """
    path = Path(table.path)
    if path.stat().st_size <= size:
        yield table, True
        return
    with tempfile.TemporaryDirectory(prefix="procqa-") as folder:
        head = Path(folder) / "head"
        with path.open("rb") as source, head.open("wb") as sink:
            for place in range(0, size, CHUNK_BYTES):
                sink.write(source.read(min(CHUNK_BYTES, size - place)))
        yield Table(str(head), table.member), False


def _read_up_to(stream: ByteStream, size: int) -> bytes:
    pieces, held = list[bytes](), 0
    while held < size and (piece := stream.read(min(size - held, CHUNK_BYTES))):
        pieces.append(piece)
        held += len(piece)
    return b"".join(pieces)
