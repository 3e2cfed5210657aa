"""Any container of a Posts table as one stream of its bytes, and the site that its name tells.

The first room of the flow: path → archive → rows → body. The container is told by its first bytes, never
by its name. Nothing is extracted to disk, and memory is bounded by the container's own window. A 7z
archive is read by 7zz, 7z or 7za where one is installed, else by py7zr in a thread. What the bytes
mean is not known here: see ``rows``. Source: ours, docs/decisions/0003.
"""

import bz2
import io
import lzma
import re
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from queue import Empty, Queue
from typing import BinaryIO, Literal, Protocol

from procqa.errors import ConfigError, DumpError

SevenZipReader = Literal["auto", "library", "program"]
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
_PROGRAMS = ("7zz", "7z", "7za")
# Names that no 7z program takes for a switch, a wildcard or a list of files.
_PLAIN_MEMBER = re.compile(r"[\w.][\w. /-]*")
_CHUNK_BYTES = 1 << 20
_QUEUED_CHUNKS = 8
# py7zr decompresses all it has read in one go, so it is fed little: the ratio of LZMA2 goes to 7,000.
_LIBRARY_READ_BYTES = 16 << 10


class ByteStream(Protocol):
    """Bytes that are read in order."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most ``size`` and at least one; none at the end."""
        ...


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
            yield stack.enter_context(_open_seven_zip(table, seven_zip))
        else:
            yield _Checked(_decompress(_Head(head, file), container), table)


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
    found = by_name or [entry for entry in archives if _holds_posts(entry)]
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

    def read(self, size: int = _CHUNK_BYTES) -> bytes:
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
                packed = self._source.read(_CHUNK_BYTES)
                if not packed:
                    raise EOFError("Truncated compressed stream")
            data = self._stream.decompress(packed, size)
            if data:
                return data

    def _skip_padding(self, packed: bytes) -> bytes:
        """The first bytes of the next stream, behind the zeros that may stand between two; none at the end."""
        packed = packed.lstrip(b"\0")
        while not packed and (more := self._source.read(_CHUNK_BYTES)):
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


class _Checked:
    """A stream that counts its bytes and says in one sentence where it cannot go on."""

    def __init__(self, source: ByteStream, path: str) -> None:
        self._source = source
        self._path = path
        self._offset = 0

    def read(self, size: int, /) -> bytes:
        try:
            data = self._source.read(size)
        except _UNREADABLE as error:
            raise _broken(self._path, self._offset, error) from error
        self._offset += len(data)
        return data


# What a decompressor or the file system may say of bytes that are cut off, changed or out of reach.
_UNREADABLE = (OSError, EOFError, ValueError, MemoryError, lzma.LZMAError)


def _broken(path: str, offset: int, error: BaseException) -> DumpError:
    why = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return DumpError(
        f"{path} is cut off or corrupt after byte {offset:,} of its decompressed data ({why}): fetch it again",
        path=path,
        offset=offset,
    )


@dataclass(frozen=True, slots=True)
class _Member:
    """A file inside a 7z archive.

    Args:
        size: bytes, decompressed.
        small_blocks: the archive is packed by BZip2 alone, whose blocks of 900 kB several threads unpack
            in little memory; LZMA2 takes up to 1 GB a thread.
    """

    name: str
    size: int
    small_blocks: bool


@contextmanager
def _open_seven_zip(path: str, reader: SevenZipReader) -> Iterator[ByteStream]:
    """The bytes of the Posts table inside a 7z archive."""
    member = _posts_member(path, _list_seven_zip(path))
    program = None
    if reader != "library" and _PLAIN_MEMBER.fullmatch(member.name):
        program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None and reader == "program":
        raise ConfigError(
            "a 7z archive can be read by a program where 7zz, 7z or 7za is installed, but none is on PATH"
        )
    unpacked = _ByLibrary(path, member) if program is None else _ByProgram(program, path, member)
    try:
        yield _Checked(unpacked, path)
    finally:
        unpacked.close()


def _holds_posts(archive: Path) -> bool:
    return any(_is_posts(member) for member in _list_seven_zip(str(archive)))


def _is_posts(member: _Member) -> bool:
    return PurePosixPath(member.name).name.lower() == "posts.xml"


def _posts_member(path: str, members: list[_Member]) -> _Member:
    """The one member to read: Posts.xml wherever it lies, or the archive's only file where that is XML."""
    found = [member for member in members if _is_posts(member)]
    if not found and len(members) == 1 and members[0].name.lower().endswith(".xml"):
        found = members
    if len(found) != 1:
        held = ", ".join(member.name for member in (found or members)[:8]) or "nothing"
        raise DumpError(f"{path} must hold one Posts.xml, but it holds {held}: give the archive of Posts", path=path)
    return found[0]


def _list_seven_zip(path: str) -> list[_Member]:
    """The files that an archive's header names, in their order."""
    import py7zr
    from py7zr.exceptions import ArchiveError, PasswordRequired

    # A header that was written to deceive fails py7zr in as many ways as it has fields.
    deceived = (LookupError, TypeError, AttributeError, AssertionError, ArithmeticError, struct.error)
    encrypted = DumpError(f"{path} is encrypted, which is not read: unpack it and give its Posts.xml", path=path)
    try:
        with py7zr.SevenZipFile(path) as archive:
            if archive.needs_password():
                raise encrypted
            files = [entry for entry in archive.list() if entry.is_file]
            small_blocks = bool(files) and set(archive.archiveinfo().method_names) == {"BZip2"}
    except PasswordRequired as error:
        raise encrypted from error
    except (*_UNREADABLE, *deceived, ArchiveError) as error:
        raise _broken(path, 0, error) from error
    return [_Member(entry.filename, entry.uncompressed, small_blocks) for entry in files]


class _ByProgram:
    """A member of a 7z archive, piped out of an installed program."""

    def __init__(self, program: str, path: str, member: _Member) -> None:
        self._name = Path(program).name
        self._member = member
        self._read_bytes = 0
        threads = "-mmt=on" if member.small_blocks else "-mmt=1"
        self._process = subprocess.Popen(
            [program, "x", "-so", "-bd", "-y", threads, "--", path, member.name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            pipesize=_CHUNK_BYTES,
        )

    def read(self, size: int, /) -> bytes:
        assert self._process.stdout is not None
        data: bytes = self._process.stdout.read(size)
        self._read_bytes += len(data)
        if not data:
            self._check_end()
        return data

    def _check_end(self) -> None:
        # A truncated archive yields bytes that look right: only status and size tell.
        status = self._process.wait()
        if status != 0 or self._read_bytes != self._member.size:
            raise EOFError(
                f"{self._name} ended with status {status} and {self._read_bytes:,} of {self._member.size:,} bytes"
            )

    def close(self) -> None:
        """End the program, wherever it is."""
        if self._process.poll() is None:
            self._process.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()


class _Abandoned(Exception):
    """Ends py7zr's thread when nobody wants its bytes any more."""


class _ArchiveFile(io.FileIO):
    """The archive as py7zr reads it: little by little once ``gently`` is set, and not on after ``abandoned``."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.gently = False
        self.abandoned = threading.Event()

    def read(self, size: int | None = -1, /) -> bytes:
        if self.abandoned.is_set():
            raise _Abandoned
        wanted = -1 if size is None else size
        if self.gently:
            wanted = _LIBRARY_READ_BYTES if wanted < 0 else min(wanted, _LIBRARY_READ_BYTES)
        return super().read(wanted)


class _ByLibrary:
    """A member of a 7z archive, decompressed by py7zr in a thread that waits where nobody reads."""

    def __init__(self, path: str, member: _Member) -> None:
        self._file = _ArchiveFile(path)
        self._chunks: Queue[bytes] = Queue(_QUEUED_CHUNKS)
        self._chunk = memoryview(b"")
        self._ended = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="py7zr")
        self._job = self._thread.submit(self._extract, member.name)

    def _extract(self, name: str) -> None:
        import py7zr

        try:
            with py7zr.SevenZipFile(self._file) as archive:
                self._file.gently = True
                archive.extract(targets=[name], factory=_SinkFactory(self._chunks, self._file.abandoned))
        finally:
            self._chunks.put(b"")

    def read(self, size: int, /) -> bytes:
        if not self._chunk and not self._ended:
            self._chunk = memoryview(self._chunks.get())
            self._ended = not self._chunk
        if self._ended and (error := self._job.exception()) is not None:
            raise EOFError(str(error) or type(error).__name__) from error
        data, self._chunk = bytes(self._chunk[:size]), self._chunk[size:]
        return data

    def close(self) -> None:
        """End the thread, wherever it is."""
        self._file.abandoned.set()
        # One round is enough: the thread puts at most one chunk and the end mark after it.
        try:
            while True:
                self._chunks.get_nowait()
        except Empty:
            pass
        self._thread.shutdown(wait=True)
        self._file.close()


class _SinkFactory:
    """What py7zr asks for a place to write a member to."""

    def __init__(self, chunks: "Queue[bytes]", abandoned: threading.Event) -> None:
        self._chunks = chunks
        self._abandoned = abandoned

    def create(self, filename: str) -> "_Sink":  # noqa: ARG002
        return _Sink(self._chunks, self._abandoned)


class _Sink:
    """Where py7zr writes a member: pieces of at most a chunk go into the queue."""

    def __init__(self, chunks: "Queue[bytes]", abandoned: threading.Event) -> None:
        self._chunks = chunks
        self._abandoned = abandoned

    def write(self, data: bytes) -> int:
        for start in range(0, len(data), _CHUNK_BYTES):
            if self._abandoned.is_set():
                raise _Abandoned
            self._chunks.put(bytes(data[start : start + _CHUNK_BYTES]))
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:  # noqa: ARG002
        """Stay: py7zr rewinds what it has written, which nobody reads again."""
        return offset

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing is held."""
