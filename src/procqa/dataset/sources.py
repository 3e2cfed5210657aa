"""What a build reads: the tables of each dump, their digests, and standard input, which passes by once."""

import hashlib
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from procqa.dump.archive import dump_site, open_table
from procqa.dump.rows import LOCAL_SITE
from procqa.dump.stream import ByteStream
from procqa.dump.tables import Table, Tables, bare_name, find_tables
from procqa.errors import ArtifactError
from procqa.manifest import Input

STDIN = "-"

STDIN_NOT_READ = Input(STDIN, 0, "")
"""Standard input before it has been read."""


@dataclass(frozen=True, slots=True)
class Source:
    """A dump, its site, and the files of its tables.

    Args:
        dump: as the user named it.
    """

    dump: str
    site: str
    tables: Tables

    @property
    def origin(self) -> str:
        """The site, or the dump's own name where its posts have no pages."""
        return self.site if self.site != LOCAL_SITE else bare_name(Path(self.dump).name) or self.site

    def wanted_tables(self) -> Iterator[Table]:
        """Posts, then what stands beside it."""
        yield self.tables.posts
        for table in (self.tables.users, self.tables.post_links):
            if table is not None:
                yield table


def find_sources(dumps: Sequence[str], site: str | None) -> tuple[Source, ...]:
    """The dumps with their sites and tables.

    Args:
        site: of all of them; None tells it by each one's name.

    Raises:
        DumpError: a folder holds no Posts table, or an archive's header is broken.
    """
    return tuple(Source(dump, site or dump_site(dump), find_tables(dump)) for dump in dumps)


class Digests:
    """The digests of the files of all dumps, each once and in their order, taken in a thread beside the work on them.

    In a ``with`` block, which ends the thread where the work fails.

    Attributes:
        stamps: the same inputs with what tells a file that was not changed, in place of its digest.

    Raises:
        ArtifactError: a file is not there, cannot be read, or is a pipe.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._paths = list(dict.fromkeys(table.path for source in sources for table in source.wanted_tables()))
        for path in self._paths:
            if path != STDIN:
                _require_readable(Path(path))
        self.stamps = self._stamp()
        self._inputs: list[Input] = []
        self._error: Exception | None = None
        self._is_over = False
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Digests":
        """The digests, being taken."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the thread end."""
        self._is_over = True

    def _stamp(self) -> list[Input]:
        return [STDIN_NOT_READ if path == STDIN else _stamp_file(Path(path)) for path in self._paths]

    def _take(self) -> None:
        try:
            for path in self._paths:
                if path == STDIN:
                    self._inputs.append(STDIN_NOT_READ)
                else:
                    with Path(path).open("rb") as stream:
                        self._inputs.append(self._digest(Path(path).name, stream))
        except (OSError, MemoryError) as error:
            self._error = error

    def _digest(self, name: str, stream: BinaryIO) -> Input:
        digest, size = hashlib.sha256(), 0
        while not self._is_over and (piece := stream.read(1 << 20)):
            digest.update(piece)
            size += len(piece)
        return Input(name, size, digest.hexdigest())

    def wait(self, stdin: Input = STDIN_NOT_READ) -> list[Input]:
        """The inputs with their digests, once all files are read.

        Args:
            stdin: what stands for standard input among them.

        Raises:
            ArtifactError: a file cannot be read, or was changed meanwhile.
        """
        self._thread.join()
        if self._error is not None:
            raise ArtifactError(f"{', '.join(self._paths)} must be readable to the end: {self._error}") from self._error
        self.check()
        return [stdin if path == STDIN else entry for path, entry in zip(self._paths, self._inputs, strict=True)]

    def check(self) -> None:
        """Refuse to go on where a file was changed since the digests were begun.

        Raises:
            ArtifactError: one was.
        """
        # The last number is the time of any change of a file's owner or links, which changes no byte.
        now, then = ([entry.sha256.rpartition("-")[0] for entry in stamps] for stamps in (self._stamp(), self.stamps))
        sizes_now, sizes_then = ([entry.size for entry in stamps] for stamps in (self._stamp(), self.stamps))
        if (now, sizes_now) != (then, sizes_then):
            raise ArtifactError(
                f"a dump must not change while it is read, but one of {', '.join(self._paths)} did:"
                " wait until it is complete, and give the command again"
            )


def _require_readable(path: Path) -> None:
    """Refuse a file that cannot be read now, and not when a build of hours ends."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ArtifactError(f"{path} must be a file, but it is a pipe or a device: give - and pipe into it")
        with path.open("rb") as stream:
            stream.read(1)
    except OSError as error:
        raise ArtifactError(f"{path} must be a readable file: {error.strerror}") from error


def _stamp_file(path: Path) -> Input:
    try:
        status = path.stat()
    except OSError as error:
        raise ArtifactError(f"{path} must stay where it is while it is read: {error.strerror}") from error
    return Input(path.name, status.st_size, f"{status.st_ino}-{status.st_mtime_ns}-{status.st_ctime_ns}")


def digest_stdin() -> Input:
    """Standard input, read to its end for its digest.

    Raises:
        DumpError: it cannot be read to its end.
    """
    with open_table(Table(STDIN, "Posts")) as stream:
        hashed = HashedStream(stream)
        while hashed.read(1 << 20):
            pass
    return hashed.input()


class HashedStream:
    """Standard input, read and hashed at once: it cannot be read twice."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream, self._digest, self._size = stream, hashlib.sha256(), 0

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes; see ``ByteStream``."""
        data = self._stream.read(size)
        self._digest.update(data)
        self._size += len(data)
        return data

    def input(self) -> Input:
        """What was read, once all is."""
        return Input(STDIN, self._size, self._digest.hexdigest())


@contextmanager
def open_posts(source: Source) -> Iterator[ByteStream | HashedStream]:
    """The Posts table of a dump as a stream, hashed where it is standard input.

    Raises:
        DumpError: there is none, or it cannot be read to its end.
    """
    with open_table(source.tables.posts) as stream:
        yield HashedStream(stream) if source.dump == STDIN else stream
