"""Which rows of an index came from which part of which source: ``documents/units.json``.

By it an update takes over what did not change, and a search can tell that its index is stale.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path

from procqa.errors import ArtifactError

UNITS_FILE = "units.json"


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """What an index holds of one unit.

    Args:
        key: digest of everything that its documents depend on.
        place: of a file, its path in its folder; "" is a dataset.
        sha256: of the dataset, or of the file's bytes; "" where they could not be read.
        rows: how many documents it gave, one row each.
        skipped: why it gave none, or fewer.
    """

    key: str
    place: str
    sha256: str
    rows: int
    skipped: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """What an index holds of one source: its name, and its units in the order of their rows.

    Args:
        left_out: the reason for each of its files that is no unit, and how often.
    """

    name: str
    left_out: dict[str, int]
    units: tuple[UnitEntry, ...]

    @property
    def rows(self) -> int:
        """How many rows came from it."""
        return sum(unit.rows for unit in self.units)

    @property
    def skipped(self) -> Counter[str]:
        """What it could not use, by reason."""
        return sum((Counter(unit.skipped) for unit in self.units), Counter(self.left_out))


def write_units(sources: Sequence[SourceEntry], folder: Path) -> None:
    """Write the entries of all sources beside the documents."""
    (folder / UNITS_FILE).write_text(json.dumps([astuple(source) for source in sources]), encoding="utf-8")


def load_units(folder: Path) -> tuple[SourceEntry, ...]:
    """The entries that lie beside the documents.

    Raises:
        ArtifactError: they are missing or broken.
    """
    try:
        listed = json.loads((folder / UNITS_FILE).read_text(encoding="utf-8"))
        return tuple(
            SourceEntry(name, left_out, tuple(UnitEntry(*fields) for fields in units))
            for name, left_out, units in listed
        )
    except (OSError, ValueError, TypeError) as error:
        raise ArtifactError(f"{folder / UNITS_FILE} is broken: run procqa index again") from error
