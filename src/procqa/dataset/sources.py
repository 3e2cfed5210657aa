"""What a build reads: the tables of each dump, their digests, and standard input, which passes by once."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from procqa.artifact import Input, digest_input
from procqa.dump.archive import dump_site, open_table
from procqa.dump.rows import LOCAL_SITE
from procqa.dump.stream import ByteStream
from procqa.dump.tables import Table, Tables, bare_name, find_tables

STDIN = "-"


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


def digest_sources(sources: Sequence[Source], *, reads_stdin: bool) -> list[Input]:
    """The files of all dumps, each once, in their order.

    Args:
        reads_stdin: read standard input to its end for its digest; else it is an input still to be digested.

    Raises:
        ArtifactError: a file cannot be read.
    """
    paths = dict.fromkeys(table.path for source in sources for table in source.wanted_tables())
    return [_digest_stdin(reads_stdin) if path == STDIN else digest_input(Path(path)) for path in paths]


def _digest_stdin(reads: bool) -> Input:
    if not reads:
        return Input(STDIN, 0, "")
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
