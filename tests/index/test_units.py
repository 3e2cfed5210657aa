"""What came from where is written down and read back."""

from pathlib import Path

import pytest

from procqa.errors import ArtifactError
from procqa.index.units import SourceEntry, UnitEntry, load_units, write_units

SOURCE = SourceEntry(
    "shop",
    {"file: a licence": 1},
    (UnitEntry("k1", "a.py", "s1", 3), UnitEntry("k2", "b.py", "s2", 0, {"file: binary": 1, "file: a licence": 1})),
)


def test_entries_come_back_and_add_up(tmp_path: Path):
    write_units([SOURCE, SourceEntry("d", {}, ())], tmp_path)
    assert load_units(tmp_path) == (SOURCE, SourceEntry("d", {}, ()))
    assert SOURCE.rows == 3
    assert SOURCE.skipped == {"file: a licence": 2, "file: binary": 1}


@pytest.mark.parametrize("text", [None, "", "[1]", '[["a"]]'])
def test_broken_entries_are_one_sentence(tmp_path: Path, text: str | None):
    if text is not None:
        (tmp_path / "units.json").write_text(text)
    with pytest.raises(ArtifactError, match="run procqa index again"):
        load_units(tmp_path)
