"""Files on disk: digests of their bytes, and writes that a kill or a crash cannot halve."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import TypeVar

Loaded = TypeVar("Loaded")


def loaded_once(name: str = "") -> Callable[[Callable[[Path], Loaded]], Callable[[Path], Loaded]]:
    """Keep what a function loaded last from a path, for as long as the file there is the same.

    Args:
        name: of the file in the path that tells whether all is the same; "" is the path itself.
    """

    def decorate(load: Callable[[Path], Loaded]) -> Callable[[Path], Loaded]:
        @lru_cache(maxsize=1)
        def load_stamped(path: Path, _stamp: tuple[int, int, int]) -> Loaded:
            return load(path)

        @wraps(load)
        def load_once(path: Path) -> Loaded:
            status = (path / name if name else path).stat()
            return load_stamped(path, (status.st_ino, status.st_mtime_ns, status.st_size))

        return load_once

    return decorate


def sha256_file(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def place_of_output(out: Path) -> Path:
    """Where an output folder stands: a link followed, and under a name, which ``.`` and ``..`` are not.

    What lies beside it, a lock, a log, unfinished work, is then the same by whatever path it is reached.
    """
    return Path(os.path.realpath(out)) if out.is_symlink() or out.name in ("", "..") else out


def unfinished_of(path: Path) -> Path:
    """Where a file stands while ``write_durably`` writes it, and where a kill leaves it."""
    return path.with_name(f".{path.name}.new")


def write_durably(path: Path, text: str) -> None:
    """Put text at a path so that a reader, or a kill, sees all of it or none."""
    new = unfinished_of(path)
    with new.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Make every file and folder below a folder durable."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        else:
            sync_folder(path)
    sync_folder(folder)


def remove_folder(folder: Path, *, last: str) -> None:
    """Take a folder away, one file of it last: that tells whose the folder is for as long as another is left.

    What cannot be removed stays, without an error.

    Args:
        last: the file, relative to the folder; it need not be there.
    """
    kept = folder / last
    for place in reversed(kept.parents[: len(Path(last).parts)]):
        for path in _entries(place):
            if path == kept or path in kept.parents:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _entries(folder: Path) -> list[Path]:
    """What stands in a folder; nothing where that cannot be told."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def is_hollow(folder: Path) -> bool:
    """Whether a folder holds folders at most: what a kill leaves of one that was being made or removed."""
    return folder.is_dir() and all(path.is_dir() and not path.is_symlink() for path in folder.rglob("*"))
