"""Archives that are cut off or changed: the table comes out whole, or a sentence says why not."""

import bz2
import gzip
import lzma
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import py7zr
import pyarrow as pa
from hypothesis import strategies as st

from procqa.dump.archive import open_table
from procqa.dump.blocks import read_blocks, rows_in
from procqa.dump.seven_zip import SevenZipReader
from procqa.dump.tables import find_tables
from procqa.errors import DumpError, ProcqaError
from tests.dump.containers import LZMA2, pack
from tests.dump.raw_rows import ANSWER, QUESTION
from tests.fuzz.mutations import POSITIONS, mutated

ROWS = 40
TABLE = b"<posts>\r\n" + b"".join(QUESTION + b"\r\n" + ANSWER + b"\r\n" for _ in range(ROWS // 2)) + b"</posts>"
OTHERS = {"Badges.xml": b"<badges>" + b"b" * 5_000 + b"</badges>", "Users.xml": b"<users></users>"}


def _seven_zip(filters: list[dict[str, int]], members: dict[str, bytes]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return Path(pack(Path(folder) / "a.7z", members, filters=filters)).read_bytes()


BZIP2 = [{"id": py7zr.FILTER_BZIP2}]
MAKERS: dict[str, Callable[[], bytes]] = {
    "plain": lambda: TABLE,
    "gz": lambda: gzip.compress(TABLE, mtime=0),
    "bz2": lambda: bz2.compress(TABLE),
    "xz": lambda: lzma.compress(TABLE),
    "zst": lambda: bytes(pa.compress(TABLE, codec="zstd", asbytes=True)),
    "7z of lzma2": lambda: _seven_zip(LZMA2, {**OTHERS, "Posts.xml": TABLE}),
    "7z of bzip2": lambda: _seven_zip(BZIP2, {"Posts.xml": TABLE}),
}
UNCHECKED = ("plain", "zst")
"""Containers that carry no checksum of their content."""


@lru_cache
def packed(container: str) -> bytes:
    """The table in a container."""
    return MAKERS[container]()


Broken = tuple[str, bytes]
TOKENS = (
    b"\0",
    b"\xff",
    b"7z\xbc\xaf\x27\x1c",
    b"BZh9",
    b"\x1f\x8b\x08",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"PK\x03\x04",
)


@st.composite
def broken_archives(draw: st.DrawFn) -> Broken:
    """A container of the table, cut off at any place, or with a few bytes changed."""
    container = draw(st.sampled_from(sorted(MAKERS)))
    data = packed(container)
    if draw(st.booleans()):
        return container, data[: int(draw(POSITIONS) * (len(data) + 1))]
    return container, draw(mutated([data], TOKENS, most=3))


def check_archive(broken: Broken) -> None:
    """What can be read to its end is the table; all else is refused in one sentence, and never hangs."""
    container, data = broken
    readers: tuple[SevenZipReader, ...] = ("library", "auto") if container.startswith("7z") else ("auto",)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stackoverflow.com"
        path.write_bytes(data)
        for reader in readers:
            _check_file(str(path), reader, must_be_whole=container not in UNCHECKED)


def _check_file(path: str, reader: SevenZipReader, *, must_be_whole: bool) -> None:
    refusal, rows = None, []
    try:
        tables = find_tables(path)
        with open_table(tables.posts, seven_zip=reader) as stream:
            rows = [raw for block in read_blocks(stream, name=path) for _, raw in rows_in(block)]
    except ProcqaError as error:
        refusal = error
    if refusal is not None:
        assert "\n" not in str(refusal)
        assert isinstance(refusal, DumpError)
        assert refusal.path == path
    elif must_be_whole:
        assert rows == [QUESTION, ANSWER] * (ROWS // 2)
