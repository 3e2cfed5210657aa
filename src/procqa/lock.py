"""The right to write a folder: one living process at a time has it, and a dead one blocks nobody."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from procqa.errors import ArtifactError


@contextlib.contextmanager
def lock(out: Path) -> Iterator[None]:
    """Hold the right to write ``out``; the lock of a dead process does not block.

    Raises:
        ArtifactError: a living process writes the same folder.
    """
    path = out.parent / f".{out.name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("w")
    except OSError as error:
        raise ArtifactError(f"{out.parent} must be a folder that can be written: {error.strerror}") from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ArtifactError(
                f"{out} is being written by another process: wait for it, or give another --out"
            ) from error
        if not _is_same_file(stream.fileno(), path):
            raise ArtifactError(f"{out} was just finished by another process: run the command again")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _is_same_file(descriptor: int, path: Path) -> bool:
    """Whether the open file still stands at the path: its last holder unlinks it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
