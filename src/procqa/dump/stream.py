"""Bytes that are read in order, and the one sentence that says where they cannot be read on.

Under ``archive`` and ``seven_zip``, which hand out such streams, and ``blocks``, which reads them.
"""

import lzma
from pathlib import Path
from typing import Protocol

from procqa.errors import DumpError

CHUNK_BYTES = 1 << 20
"""Bytes that are moved at a time. Source: ours, docs/decisions/0003."""


class ByteStream(Protocol):
    """Bytes that are read in order."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most ``size`` and at least one; none at the end."""
        ...


UNREADABLE = (OSError, EOFError, ValueError, MemoryError, lzma.LZMAError)
"""What a decompressor or the file system may say of bytes that are cut off, changed or out of reach."""


class Checked:
    """A stream that counts its bytes and says in one sentence where it cannot go on.

    Attributes:
        file: where the same bytes stand at the same places, if the source is a file that is not compressed.
    """

    def __init__(self, source: ByteStream, path: str, *, file: Path | None = None) -> None:
        self._source = source
        self._path = path
        self.file = file
        self._offset = 0

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most ``size``; none at the end.

        Raises:
            DumpError: the source is cut off, corrupt or out of reach.
        """
        try:
            data = self._source.read(size)
        except UNREADABLE as error:
            raise broken(self._path, self._offset, error) from error
        self._offset += len(data)
        return data


def broken(path: str, offset: int, error: BaseException) -> DumpError:
    """The error of a dump that cannot be read on after ``offset`` bytes of its decompressed data."""
    why = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return DumpError(
        f"{path} is cut off or corrupt after byte {offset:,} of its decompressed data ({why}): fetch it again",
        path=path,
        offset=offset,
    )
