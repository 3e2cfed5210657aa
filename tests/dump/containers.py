"""A table, 7z archives of it, and what ``open_dump`` reads out of them."""

from pathlib import Path

import py7zr
import pytest

from procqa.dump.archive import open_dump
from procqa.dump.seven_zip import SevenZipReader
from procqa.errors import DumpError

TABLE = b"<posts>\r\n" + b"".join(b'  <row Id="%d" Body="%x" />\r\n' % (n, n**9) for n in range(9_000)) + b"</posts>"
LZMA2 = [{"id": py7zr.FILTER_LZMA2, "preset": 1}]


def pack(path: Path, members: dict[str, bytes], *, filters: list[dict[str, int]] | None = None) -> str:
    with py7zr.SevenZipFile(path, "w", filters=filters or LZMA2) as archive:
        for name, data in members.items():
            archive.writestr(data, name)
    return str(path)


def content(path: str, reader: SevenZipReader = "auto", *, size: int = 1 << 20) -> bytes:
    pieces = []
    with open_dump(path, seven_zip=reader) as stream:
        while piece := stream.read(size):
            assert len(piece) <= size
            pieces.append(piece)
        assert stream.read(size) == b""
    return b"".join(pieces)


def failure(path: str, reader: SevenZipReader = "auto") -> DumpError:
    with pytest.raises(DumpError) as caught:
        content(path, reader)
    assert "\n" not in str(caught.value)
    assert caught.value.path == path
    return caught.value
