"""Files of corpora as lines and as paths: gzip told by its bytes, folders in a fixed order.

What cannot be read raises the error that the caller names, with the file and, where it is known, the line.
"""

import gzip
import hashlib
import json
import os
import stat
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from procqa.errors import DumpError, ProcqaError

GZIP_MAGIC = b"\x1f\x8b"
BLOCK_BYTES = 1 << 20
READ_ERRORS = (OSError, EOFError, zlib.error)


@contextmanager
def open_stream(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """The bytes of a file, decompressed where it is gzip whatever its name."""
    with path.open("rb") as file:
        is_gzip = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        if not is_gzip:
            yield file
            return
        with gzip.GzipFile(fileobj=file) as stream:
            yield stream


def sha256_content(path: Path, broken: type[ProcqaError]) -> str:
    """The sha256 of a file, decompressed where it is gzip.

    Raises:
        broken: the file cannot be read to its end.
    """
    digest = hashlib.sha256()
    try:
        with open_stream(path) as stream:
            while block := stream.read(BLOCK_BYTES):
                digest.update(block)
    except READ_ERRORS as error:
        raise _unreadable(path, "on the way", error, broken) from error
    return digest.hexdigest()


def read_lines(path: Path, broken: type[ProcqaError]) -> Iterator[tuple[int, bytes]]:
    """The lines of a plain or gzipped file with their numbers from 1, lazily; empty ones are passed over.

    Raises:
        broken: the file cannot be read to its end.
    """
    number = 0
    try:
        with open_stream(path) as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield number, line
    except READ_ERRORS as error:
        raise _unreadable(path, f"after line {number}", error, broken) from error


def read_objects(path: Path, broken: type[ProcqaError]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON-lines file with their line numbers, lazily.

    Raises:
        broken: the file cannot be read, or a line is no JSON object.
    """
    for number, line in read_lines(path, broken):
        yield number, to_object(line, f"{path}, line {number}", broken)


def to_object(line: bytes, where: str, broken: type[ProcqaError]) -> dict[str, Any]:
    """The JSON object in a line; ``where`` names it in the error.

    Raises:
        broken: the line is no JSON object.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise broken(f"{where} must be a JSON object: {error}") from error
    if not isinstance(row, dict):
        raise broken(f"{where} must be a JSON object, got a {type(row).__name__}")
    return row


def load_json(path: Path, broken: type[ProcqaError]) -> Any:
    """The JSON value that fills a file.

    Raises:
        broken: the file cannot be read or is no JSON; the sentence names the line.
    """
    try:
        with open_stream(path) as stream:
            text = stream.read()
    except READ_ERRORS as error:
        raise _unreadable(path, "on the way", error, broken) from error
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise broken(f"{path}, line {error.lineno} must be JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise broken(f"{path} must be JSON in UTF-8: {error}") from error


def _unreadable(path: Path, where: str, error: Exception, broken: type[ProcqaError]) -> ProcqaError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return broken(f"{path} must be readable to its end, but {where}: {reason}; put a whole copy there")


def kind_of(path: Path) -> Literal["file", "folder"] | None:
    """What a path is; None where there is nothing of either kind, or it may not be looked at."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else None


def list_entries(source: Path) -> list[Path]:
    """A file by itself, or what lies in a folder, by name; nothing where there is neither.

    Raises:
        DumpError: the folder cannot be listed.
    """
    kind = kind_of(source)
    try:
        return sorted(source.iterdir()) if kind == "folder" else [source] if kind == "file" else []
    except OSError as error:
        raise DumpError(
            f"{source} must be a folder that can be read, but: {error.strerror}", path=str(source)
        ) from error


def plain_name(path: Path) -> str:
    """The name of a file without the ``.gz`` that a compressed copy adds."""
    return path.name.removesuffix(".gz")


def walk_files(folder: Path, broken: type[ProcqaError], *, skip_folders: Collection[str] = ()) -> list[Path]:
    """Every file below a folder, sorted by its parts; hidden names and the skipped folders are left out.

    Links to folders are not followed.

    Raises:
        broken: a folder cannot be listed.
    """

    def refuse(error: OSError) -> None:
        raise broken(f"{error.filename} must be readable, but: {error.strerror}; allow reading it") from error

    found: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in skip_folders]
        found.extend(Path(parent, name) for name in names if not name.startswith("."))
    return sorted(found, key=lambda path: path.parts)


def mend(text: str) -> str:
    """The text with each half of a broken surrogate pair, which UTF-8 cannot hold, as a replacement character."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
