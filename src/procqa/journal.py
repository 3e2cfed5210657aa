"""The log beside a folder, ``NAME.log.jsonl``: what is true of a run and not of its result.

Clocks, hosts and paths stand here, so that the folder itself holds the same bytes wherever and whenever it
is made. Source: ours, docs/decisions/0002.
"""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from procqa.files import place_of_output


def log_of(out: Path) -> Path:
    """The log beside a folder."""
    place = place_of_output(out)
    return place.parent / f"{place.name}.log.jsonl"


def append_log(out: Path, *entries: dict[str, Any]) -> None:
    """Add lines to the log beside a folder."""
    write_lines(log_of(out), entries)


def write_lines(path: Path, entries: Iterable[dict[str, Any]]) -> None:
    """Add lines to a file of JSON lines, behind a last line that a kill cut short."""
    with path.open("ab+") as stream:
        at = stream.seek(0, os.SEEK_END)
        is_cut = False
        if at:
            stream.seek(at - 1)
            is_cut = stream.read(1) != b"\n"
        lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        stream.write(("\n" * is_cut + lines).encode())


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file of JSON lines, without those that a kill cut short; none where there is no file."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as stream:
        for line in stream:
            with contextlib.suppress(ValueError):
                yield json.loads(line)


def last_logged(out: Path, name: str) -> dict[str, Any] | None:
    """What the log beside a folder told last under a name; None where it tells nothing.

    A line that a kill cut short is passed over.
    """
    found: dict[str, Any] | None = None
    with contextlib.suppress(OSError):
        for entry in read_lines(log_of(out)):
            found = entry.get(name, found)
    return found
