"""Any container of a Posts table as one stream of its bytes, and the site that its name tells.

The first room of the flow: path → archive → blocks → rows → body. The container is told by its first
bytes, never by its name. Nothing is extracted to disk, and memory is bounded by the container's own
window. What the bytes mean is not known here: see ``blocks``. Source: ours, docs/decisions/0003.
"""

import bz2
import lzma
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from procqa.dump.seven_zip import SevenZipReader, holds_posts, open_seven_zip
from procqa.dump.stream import CHUNK_BYTES, ByteStream, Checked
from procqa.errors import DumpError

DEFAULT_SITE = "stackoverflow.com"

_MAGIC_BYTES = 6
_MAGICS = (
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x50\x2a\x4d\x18", "zstd"),  # a frame to skip, as pzstd puts before each
    (b"PK\x03\x04", "zip"),
    (b"BZh", "bz2"),
    (b"\x1f\x8b", "gzip"),
)
_CONTAINER_SUFFIXES = (".xml", ".7z", ".gz", ".bz2", ".xz", ".zst")
_TABLE_NAMES = ("posts.xml", *(f"posts.xml{suffix}" for suffix in _CONTAINER_SUFFIXES[1:]))
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
    with ExitStack() as stack:
        try:
            table = path if path == "-" else str(_find_table(Path(path)))
            file = _standard_input() if path == "-" else stack.enter_context(Path(table).open("rb", buffering=0))
            head = _read_head(file)
        except OSError as error:
            raise DumpError(f"{path} must be a readable dump: {error.strerror or error}", path=path) from error
        container = next((name for magic, name in _MAGICS if head.startswith(magic)), "plain")
        if container == "zip":
            raise DumpError(
                f"{table} is a zip archive, which is not read: unpack it and give its Posts.xml", path=table
            )
        if container == "7z":
            if not _is_seekable(file):
                raise DumpError(f"{table} is a 7z archive, which cannot be read from a pipe: give the file", path=table)
            yield stack.enter_context(open_seven_zip(table, seven_zip))
        else:
            yield Checked(_decompress(_Head(head, file), container), table)


def dump_site(path: str) -> str:
    """The site whose posts a dump holds, told by its file or folder name; else stackoverflow.com.

    The parent folder's name counts where the file is called Posts.xml or Posts.xml.gz and the like.
    Source: ours, docs/decisions/0003.
    """
    if path == "-":
        return DEFAULT_SITE
    place = Path(path).absolute()
    name = place.parent.name if place.name.lower() in _TABLE_NAMES else place.name
    name = _bare_name(name.lower())
    return name if _SITE.fullmatch(name) else DEFAULT_SITE


def _bare_name(name: str) -> str:
    """A lower-case file name without the suffixes of its containers and without ``-posts``."""
    while name.endswith(_CONTAINER_SUFFIXES):
        name = name[: name.rindex(".")]
    return name.removesuffix("-posts")


def _find_table(path: Path) -> Path:
    """The file to read: the path itself, or the Posts table inside a folder."""
    if not path.is_dir():
        return path
    names = sorted(entry for entry in path.iterdir() if entry.is_file())
    for wanted in _TABLE_NAMES:
        found = [entry for entry in names if entry.name.lower() == wanted]
        if found:
            return found[0]
    archives = [entry for entry in names if entry.suffix.lower() == ".7z"]
    by_name = [entry for entry in archives if entry.stem.lower().endswith("-posts")]
    found = by_name or [entry for entry in archives if holds_posts(entry)]
    if len(found) != 1:
        what = ", ".join(entry.name for entry in found) or "none"
        raise DumpError(
            f"{path} must hold one Posts.xml, Posts.xml.gz or the like, or one 7z archive of Posts,"
            f" but {what} was found: give the file itself",
            path=str(path),
        )
    return found[0]


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise OSError("standard input is closed")
    return sys.stdin.buffer


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
