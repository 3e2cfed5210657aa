"""Programs for problems, as published."""

from pathlib import Path

import pytest

from procqa.corpora.layouts.programs import read_rosetta
from procqa.corpora.layouts.rows import Row

REAL = Path(__file__).parents[4] / "shared" / "data" / "benchmarks"


def test_a_lone_surrogate_in_a_text_is_replaced(tmp_path):
    path = tmp_path / "programs.jsonl"
    path.write_text('{"task": "a b", "language": "c", "file": "x y.c", "code": "\\ud83d;"}')
    assert list(read_rosetta(path)) == [Row(id="a_b/x_y.c", language="c", document="\ufffd;", group="a_b")]


@pytest.mark.skipif(not REAL.is_dir(), reason="the published benchmarks are not on this machine")
def test_rosetta_code_holds_its_11499_programs_of_761_tasks():
    rows = list(read_rosetta(REAL / "rosetta" / "programs.jsonl.gz"))
    assert (len(rows), len({row.group for row in rows}), len({(row.language, row.id) for row in rows})) == (
        11_499,
        761,
        11_499,
    )
