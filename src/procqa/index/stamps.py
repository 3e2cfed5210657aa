"""What the files of a folder looked like when they were read, so that those that look the same are not read again.

The stamps lie beside the index, in ``NAME.sources.json``: they hold clocks and paths, which no artifact does. They
are a help and never the truth: without them every file is read.
"""

import contextlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from procqa.corpora.project import Project, deciding_files
from procqa.errors import ArtifactError
from procqa.files import place_of_output, sha256_file, write_durably
from procqa.manifest import as_json

SETTLED_NS = 2_000_000_000
"""A file that was written so shortly before it was read may be written again within one tick of its clock."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file looked like: bytes, times of its last change in ns since 1970, and the sha256 of what it held.

    Args:
        changed_ns: as programs may set it; 0 where it was too young to tell.
        status_ns: as only the system sets it.
    """

    size: int
    changed_ns: int
    status_ns: int
    sha256: str


def digest_project(folder: Path, project: Project, known: Mapping[str, Stamp]) -> dict[str, Stamp]:
    """The stamp of each deciding file of a project, by place; those that look like the known ones are not read.

    Raises:
        ArtifactError: a file cannot be read.
    """
    started_ns = time.time_ns()
    stamps = {}
    for place, path in deciding_files(folder, project):
        try:
            found = path.stat()
            stamp = known.get(place)
            looks = found.st_size, found.st_mtime_ns, found.st_ctime_ns
            if stamp is None or (stamp.size, stamp.changed_ns, stamp.status_ns) != looks:
                is_settled = found.st_mtime_ns < started_ns - SETTLED_NS
                stamp = Stamp(looks[0], looks[1] if is_settled else 0, looks[2], sha256_file(path))
        except OSError as error:
            raise ArtifactError(f"{path} must be a readable file: {error.strerror}") from error
        stamps[place] = stamp
    return stamps


def place_of(source: Path) -> Path:
    """Where a source lies, links followed; links that lead in a circle stay as they are."""
    return Path(os.path.realpath(source))


def stamps_file(index: Path) -> Path:
    """Where the stamps of the sources of an index lie."""
    place = place_of_output(index)
    return place.parent / f"{place.name}.sources.json"


def load_stamps(index: Path) -> dict[Path, dict[str, Stamp]]:
    """The sources of an index by their paths, in their order, with the stamps of their files; datasets have none."""
    try:
        return {
            Path(source["path"]): {place: Stamp(*fields) for place, fields in source["files"].items()}
            for source in _read(index)
        }
    except (TypeError, KeyError, AttributeError):
        return {}


def _read(index: Path) -> Any:  # Any: whatever stands there
    try:
        return json.loads(stamps_file(index).read_text(encoding="utf-8"))["sources"]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def write_stamps(index: Path, sources: Sequence[tuple[Path, Mapping[str, Stamp]]]) -> None:
    """Write the sources of an index down, with the stamps of their files, where that can be written."""
    listed = [
        {"path": str(place_of(path)), "files": {place: astuple(stamp) for place, stamp in stamps.items()}}
        for path, stamps in sources
    ]
    if as_json(listed) != _read(index):
        with contextlib.suppress(OSError):
            write_durably(stamps_file(index), json.dumps({"sources": listed}) + "\n")
