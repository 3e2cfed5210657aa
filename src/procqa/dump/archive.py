"""Any container of a table as one stream of its bytes, and the site that its name tells.

The first room of the flow: path → tables → archive → blocks → rows → body. The container is told by its first
bytes, never by its name. Nothing is extracted to disk, and memory is bounded by the container's own
window. What the bytes mean is not known here: see ``blocks``. Source: ours, docs/decisions/0003.
"""

import bz2
import lzma
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from procqa.dump.seven_zip import MAGIC, SevenZipReader, open_seven_zip
from procqa.dump.stream import CHUNK_BYTES, ByteStream, Checked
from procqa.dump.tables import Table, bare_name, find_posts, is_posts_name
from procqa.errors import DumpError

DEFAULT_SITE = "stackoverflow.com"

_MAGIC_BYTES = 6
_MAGICS = (
    (MAGIC, "7z"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x50\x2a\x4d\x18", "zstd"),  # a frame to skip, as pzstd puts before each
    (b"PK\x03\x04", "zip"),
    (b"BZh", "bz2"),
    (b"\x1f\x8b", "gzip"),
)
_SITE = re.compile(
    r"(?:[a-z0-9-]+\.)+stackexchange\.com|(?:[a-z0-9-]+\.)*stackoverflow\.com"
    r"|superuser\.com|serverfault\.com|askubuntu\.com|mathoverflow\.net|stackapps\.com"
)


@contextmanager
def open_dump(path: str, *, seven_zip: SevenZipReader = "auto") -> Iterator[ByteStream]:
    """The decompressed bytes of the one Posts table at a path, as a stream.

    Args:
        path: a file (.xml, .7z, .gz, .bz2, .xz, .zst), a folder that holds one, or ``-`` for standard input.
        seven_zip: what reads a 7z archive: an installed program, the library py7zr, or the
            program where there is one.

    Raises:
        ConfigError: a 7z program is asked for and none is installed.
        DumpError: there is no Posts table at the path, or, from ``read`` too, it cannot be read to its end.
    """
    with open_table(find_posts(path), seven_zip=seven_zip) as stream:
        yield stream


@contextmanager
def open_table(table: Table, *, seven_zip: SevenZipReader = "auto") -> Iterator[ByteStream]:
    """The decompressed bytes of one table of a dump, as a stream.

    Raises:
        ConfigError: a 7z program is asked for and none is installed.
        DumpError: there is no such table at the path, or, from ``read`` too, it cannot be read to its end.
    """
    path = table.path
    with ExitStack() as stack:
        try:
            file = _standard_input() if path == "-" else stack.enter_context(Path(path).open("rb", buffering=0))
            head = _read_head(file)
        except OSError as error:
            raise DumpError(f"{path} must be a readable dump: {error.strerror or error}", path=path) from error
        container = next((name for magic, name in _MAGICS if head.startswith(magic)), "plain")
        if container == "zip":
            raise DumpError(
                f"{path} is a zip archive, which is not read: unpack it and give its {table.member}.xml", path=path
            )
        if container == "7z":
            if not _is_seekable(file):
                raise DumpError(f"{path} is a 7z archive, which cannot be read from a pipe: give the file", path=path)
            yield stack.enter_context(open_seven_zip(path, seven_zip, table=table.member))
        else:
            place = _place_of(path, file) if container == "plain" else None
            yield Checked(_decompress(_Head(head, file), container), path, file=place)


def dump_site(path: str) -> str:
    """The site whose posts a dump holds, told by its file or folder name; else stackoverflow.com.

    The parent folder's name counts where the file is called Posts.xml or Posts.xml.gz and the like, and the
    name of the archive inside a folder where the folder's own says nothing. Source: ours, docs/decisions/0003.
    """
    if path == "-":
        return DEFAULT_SITE
    place = Path(path).absolute()
    names = [place.parent.name if is_posts_name(place.name) else place.name]
    try:
        if place.is_dir():
            names.append(Path(find_posts(path).path).name)
    except (OSError, DumpError):
        return _site_of(names)  # opening the dump says what is wrong
    return _site_of(names)


def _site_of(names: list[str]) -> str:
    """The first site among the names of files and folders."""
    sites = (bare_name(name).removesuffix("-posts") for name in names)
    return next((site for site in sites if _SITE.fullmatch(site)), DEFAULT_SITE)


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise OSError("standard input is closed")
    return sys.stdin.buffer


def _place_of(path: str, file: BinaryIO) -> Path | None:
    """Where another process finds the same file; None of a pipe, and of a path such as ``/dev/fd/3``."""
    if not _is_seekable(file):
        return None
    place = Path(os.path.realpath(path))
    try:
        is_same = os.path.samestat(place.stat(), os.fstat(file.fileno()))
    except OSError:
        return None
    return place if is_same and not place.is_relative_to("/proc") and not place.is_relative_to("/dev") else None


def _is_seekable(file: BinaryIO) -> bool:
    """Whether the stream is a file with a path of its own that can be opened again."""
    return file is not getattr(sys.stdin, "buffer", None) and file.seekable()


def _read_head(file: BinaryIO) -> bytes:
    """The first bytes of a file; a pipe may hand them out one by one."""
    head = b""
    while len(head) < _MAGIC_BYTES and (more := file.read(_MAGIC_BYTES - len(head))):
        head += more
    return head


class _Head:
    """A stream whose first bytes have been looked at already; enough of a file for pyarrow."""

    closed = False

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head = head
        self._file = file

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        if self._head:
            head, self._head = self._head[:size], self._head[size:]
            return head
        return self._file.read(size)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        """Leave the file to whoever opened it."""


def _decompress(source: _Head, container: str) -> ByteStream:
    """The bytes inside a compressed stream, all its members or frames one after the other."""
    if container == "plain":
        return source
    if container == "xz":
        return _Streams(source, lzma.LZMADecompressor)
    if container == "bz2":
        return _Streams(source, bz2.BZ2Decompressor)
    return _Arrow(source, container)


class _Decompressor(Protocol):
    """What the decompressors of lzma and bz2 have in common: one is good for one stream."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Streams:
    """The bytes of all streams of an xz or bzip2 file.

    Unlike lzma.LZMAFile and bz2.BZ2File it takes no broken stream for padding.
    """

    def __init__(self, source: ByteStream, make: Callable[[], _Decompressor]) -> None:
        self._source = source
        self._make = make
        self._stream = make()

    def read(self, size: int, /) -> bytes:
        while True:
            packed = b""
            if self._stream.eof:
                packed = self._skip_padding(self._stream.unused_data)
                if not packed:
                    return b""
                self._stream = self._make()
            elif self._stream.needs_input:
                packed = self._source.read(CHUNK_BYTES)
                if not packed:
                    raise EOFError("Truncated compressed stream")
            data = self._stream.decompress(packed, size)
            if data:
                return data

    def _skip_padding(self, packed: bytes) -> bytes:
        """The first bytes of the next stream, behind the zeros that may stand between two; none at the end."""
        packed = packed.lstrip(b"\0")
        while not packed and (more := self._source.read(CHUNK_BYTES)):
            packed = more.lstrip(b"\0")
        return packed


class _Arrow:
    """The bytes of all members of a gzip file or all frames of a Zstandard file, by pyarrow."""

    def __init__(self, source: _Head, codec: str) -> None:
        import pyarrow as pa

        self._error: type[Exception] = pa.ArrowException
        self._stream = pa.CompressedInputStream(pa.PythonFile(source, "r"), codec)

    def read(self, size: int, /) -> bytes:
        try:
            data: bytes = self._stream.read(size)
        except self._error as error:
            raise OSError(str(error)) from error
        return data
