"""How far an index lies behind its sources: which files changed, came or went since they were read.

Cheap enough for every start of a search: a file is only read where its size or the time of its last change differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from procqa.corpora.files import mend
from procqa.errors import ArtifactError, DumpError, MissingExtra
from procqa.index.generations import generation_folder
from procqa.index.sources import Source
from procqa.index.stamps import Stamp, load_stamps, place_of
from procqa.index.units import SourceEntry, load_units
from procqa.manifest import load_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Staleness:
    """What differs between the sources of an index and what it holds of them; a dataset counts as one file.

    Args:
        changed: files that hold something else.
        new: files that the index does not know.
        gone: files that are no more.
        unknown: names of sources that cannot be looked at.
    """

    changed: int = 0
    new: int = 0
    gone: int = 0
    unknown: tuple[str, ...] = ()

    @property
    def is_stale(self) -> bool:
        """Whether an update would change the index."""
        return bool(self.changed or self.new or self.gone)

    @property
    def sentence(self) -> str:
        """What to tell a user."""
        files = f"{self.changed:,} files changed, {self.new:,} new, {self.gone:,} gone"
        return f"the index lies behind its sources: {files}; procqa index brings it up to date"


def find_staleness(index: Path, sources: Sequence[Path] | None = None) -> Staleness:
    """How far an index lies behind its sources.

    Args:
        sources: where they lie now, in any order; None looks where they lay when they were read.

    Raises:
        ArtifactError: the index is none, or is broken.
        MissingExtra: a source is a folder of source code, and the extra ``code`` is not installed.
    """
    folder = generation_folder(index, load_manifest(index, kind="index"))
    entries = list(load_units(folder / "documents"))
    stamps = load_stamps(index)
    changed = new = gone = 0
    unknown = []
    for path in stamps if sources is None else sources:
        place = place_of(path)
        known = stamps.get(place, {})
        name = mend(place.name)
        held = _take_entry(entries, name)
        now = _keys_now(path, known)
        if now is None:
            unknown.append(name)
            continue
        changed += sum(now[place] != held[place] for place in now.keys() & held.keys())
        new += len(now.keys() - held.keys())
        gone += len(held.keys() - now.keys())
    unknown += [entry.name for entry in entries]
    return Staleness(changed=changed, new=new, gone=gone, unknown=tuple(unknown))


def tell_staleness(index: Path) -> str | None:
    """The sentence for a user whose index lies behind its sources; None where it does not, or where nobody can tell.

    An index that answers is of use, so what cannot be looked at is no failure here; an update will tell of it.
    """
    try:
        behind = find_staleness(index)
    except (ArtifactError, MissingExtra):
        return None
    return behind.sentence if behind.is_stale else None


def _take_entry(entries: list[SourceEntry], name: str) -> dict[str, str]:
    """The keys by place of the first source of a name, which is taken off the list; none where there is none."""
    for number, entry in enumerate(entries):
        if entry.name == name:
            return {unit.place: unit.key for unit in entries.pop(number).units}
    return {}


def _keys_now(path: Path, known: dict[str, Stamp]) -> dict[str, str] | None:
    """The keys by place of a source as it is; None where it cannot be read."""
    try:
        return {unit.place: unit.key for unit in Source(path, known).units()}
    except (ArtifactError, DumpError, OSError):
        return None
