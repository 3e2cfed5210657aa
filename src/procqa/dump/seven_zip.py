"""A table inside a 7z archive as a stream, by an installed program or by the library py7zr.

Under ``archive``, which tells the container. The header is always read by py7zr; the member by 7zz, 7z or
7za where one is installed, else by py7zr in a thread. Nothing is extracted to disk. Source: ours,
docs/decisions/0003.
"""

import io
import re
import shutil
import struct
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from queue import Empty, Queue
from typing import Literal

from procqa.dump.stream import CHUNK_BYTES, UNREADABLE, ByteStream, Checked, broken
from procqa.errors import ConfigError, DumpError

SevenZipReader = Literal["auto", "library", "program"]
"""What reads an archive: the library, a program, or the program where there is one."""

MAGIC = b"7z\xbc\xaf\x27\x1c"
"""The first bytes of an archive."""

PROGRAMS = ("7zz", "7z", "7za")
"""Programs that unpack an archive, the best first."""
# Names that no 7z program takes for a switch, a wildcard or a list of files.
_PLAIN_MEMBER = re.compile(r"[\w.][\w. /-]*")
_QUEUED_CHUNKS = 8
# py7zr decompresses all it has read in one go, so it is fed little: the ratio of LZMA2 goes to 7,000.
_LIBRARY_READ_BYTES = 16 << 10


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
def open_seven_zip(path: str, reader: SevenZipReader, *, table: str = "Posts") -> Iterator[ByteStream]:
    """The bytes of a table inside a 7z archive: Posts.xml, say, or the archive's only file where that is XML.

    Args:
        table: the name of its file, in any case and folder, without ``.xml``.

    Raises:
        ConfigError: a program is asked for and none is installed.
        DumpError: the archive is broken or encrypted, or does not hold that table once; from ``read`` too.
    """
    member = _find_member(path, table)
    program = None
    if reader != "library" and _PLAIN_MEMBER.fullmatch(member.name):
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None and reader == "program":
        raise ConfigError(
            "a 7z archive can be read by a program where 7zz, 7z or 7za is installed, but none is on PATH"
        )
    unpacked = _ByLibrary(path, member) if program is None else _ByProgram(program, path, member)
    try:
        yield Checked(unpacked, path)
    finally:
        unpacked.close()


def is_seven_zip(path: Path) -> bool:
    """Whether a path is a regular file, or a link to one, that begins as a 7z archive does.

    Raises:
        OSError: the file cannot be read.
    """
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def holds_table(path: str, table: str) -> bool:
    """Whether a 7z archive holds a table: Posts.xml, say, in any case and folder.

    Raises:
        DumpError: the archive's header is broken or encrypted.
    """
    return any(_is_table(member, table) for member in _list_seven_zip(path))


def _is_table(member: _Member, table: str) -> bool:
    return PurePosixPath(member.name).name.lower() == f"{table.lower()}.xml"


def _find_member(path: str, table: str) -> _Member:
    """The one file to read: the table's wherever it lies, or the archive's only one where that is XML."""
    members = _list_seven_zip(path)
    found = [member for member in members if _is_table(member, table)]
    if not found and len(members) == 1 and members[0].name.lower().endswith(".xml"):
        found = members
    if len(found) != 1:
        held = ", ".join(member.name for member in (found or members)[:8]) or "nothing"
        raise DumpError(
            f"{path} must hold one {table}.xml, but it holds {held}: give the archive of {table}", path=path
        )
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
    except (*UNREADABLE, *deceived, ArchiveError) as error:
        raise broken(path, 0, error) from error
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
            pipesize=CHUNK_BYTES,
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
        for start in range(0, len(data), CHUNK_BYTES):
            if self._abandoned.is_set():
                raise _Abandoned
            self._chunks.put(bytes(data[start : start + CHUNK_BYTES]))
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:  # noqa: ARG002
        """Stay: py7zr rewinds what it has written, which nobody reads again."""
        return offset

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing is held."""
