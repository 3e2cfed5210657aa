"""The live generation of an index, for what an update takes over from it instead of making it again.

Rows are taken by the unit they came from, words and vectors by the digest of the text. Files that are not as they
were made give nothing, so no damage is handed on.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from procqa.errors import ArtifactError
from procqa.files import sha256_file
from procqa.index.dense import HALVES_FILE, POSITIONS_FILE, Halves
from procqa.index.documents import Documents, Rows
from procqa.index.lexical import Words
from procqa.index.units import UnitEntry, load_units
from procqa.index.vectors import KeptVectors
from procqa.index.words import KeptWords
from procqa.manifest import Manifest

WORDS_FILE = "words.arrow"
TAKEN = ("documents/*", WORDS_FILE, f"dense/*/{HALVES_FILE}", f"dense/*/{POSITIONS_FILE}")
"""The files that something is taken from."""

READING = ("reading", "boosts")
"""What rows and words depend on, in a recipe."""

VECTORS = ("text", "chunks", "encoder")
"""What vectors depend on, in a recipe."""

NO_MATTER = ("name", "fusion_weight")
"""What no vector depends on, of an encoder in a recipe."""


class Previous:
    """A generation that an update takes from; close it.

    Args:
        recipe: of the update; what is made otherwise now is not taken.

    Raises:
        ArtifactError: the generation is broken.
    """

    def __init__(self, folder: Path, manifest: Manifest, recipe: dict[str, Any]) -> None:
        for path in [path for pattern in TAKEN for path in folder.glob(pattern)]:
            entry = manifest.files.get(f"{folder.name}/{path.relative_to(folder).as_posix()}")
            if entry is None or sha256_file(path) != entry["sha256"]:
                raise ArtifactError(f"{path} is not as it was made: run procqa verify on the index")
        self._documents = Documents(folder / "documents")
        digests = self._documents.digests()
        self._positions = np.argsort(digests, kind="stable")
        self._digests = digests[self._positions]
        is_read_alike = all(manifest.recipe.get(name) == recipe[name] for name in READING)
        is_encoded_alike = recipe["encoder"] is not None and _vector_recipe(manifest.recipe) == _vector_recipe(recipe)
        try:
            self._units = _rows_by_key(folder / "documents") if is_read_alike else {}
            self._words = KeptWords(folder / WORDS_FILE) if is_read_alike else None
            self._vectors = KeptVectors(folder / "dense") if is_encoded_alike else None
        except (OSError, ValueError, pa.ArrowException) as error:
            raise ArtifactError(f"{folder} is broken: run procqa index again") from error
        # Words lie in the order of the rows that are served.
        self._rank = np.empty(len(digests), dtype=np.int64)
        self._rank[np.argsort(self._documents.order)] = np.arange(len(digests))

    def close(self) -> None:
        """Let go of the mapped files."""
        self._documents.close()
        if self._words is not None:
            self._words.close()

    def unit(self, key: str) -> tuple[UnitEntry, int] | None:
        """The unit of a key, and the row where its rows begin; None where it is not held."""
        return self._units.get(key)

    def rows(self, start: int, end: int) -> Iterator[Rows]:
        """The rows [start, end)."""
        return self._documents.rows(start, end)

    def find(self, digests: NDArray[np.bytes_]) -> NDArray[np.int64]:
        """The position of a document with each digest; -1 where there is none."""
        places = np.minimum(np.searchsorted(self._digests, digests), len(self._digests) - 1)
        found: NDArray[np.int64] = np.where(self._digests[places] == digests, self._positions[places], -1)
        return found

    def words(self, positions: NDArray[np.int64]) -> list[Words | None]:
        """The words of documents by position; None where they are not held."""
        if self._words is None:
            return [None] * len(positions)
        return self._words.take(np.where(positions < 0, -1, self._rank[positions]))

    def vector_rows(self, positions: NDArray[np.int64]) -> list[list[int]]:
        """The rows of the vectors of documents by position; none where they are not held."""
        return [[] for _ in positions] if self._vectors is None else self._vectors.rows_of(positions)

    def vectors(self, rows: Sequence[int]) -> Halves:
        """The vectors in some of these rows."""
        assert self._vectors is not None
        return self._vectors.take(rows)


def _vector_recipe(recipe: dict[str, Any]) -> dict[str, Any]:
    described = {name: recipe.get(name) for name in VECTORS}
    if described["encoder"] is not None:
        described["encoder"] = {key: value for key, value in described["encoder"].items() if key not in NO_MATTER}
    return described


def _rows_by_key(folder: Path) -> dict[str, tuple[UnitEntry, int]]:
    found, start = {}, 0
    for source in load_units(folder):
        for unit in source.units:
            found[unit.key] = (unit, start)
            start += unit.rows
    return found
