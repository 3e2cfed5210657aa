"""The published files, row by row."""

import json
from pathlib import Path

import pytest

from procqa.corpora.layouts import Row, read_rosetta, recognise, to_id

REAL = Path(__file__).parents[3] / "shared" / "data" / "benchmarks"


def test_white_space_in_an_id_becomes_an_underscore_and_an_empty_id_is_refused():
    assert to_id(" a b\tc\n") == "a_b_c"
    with pytest.raises(ValueError, match="must not be empty"):
        to_id(" ")


@pytest.mark.parametrize(
    ("name", "row", "benchmark"),
    [
        ("test.jsonl", {"id": 1, "language": "c", "title": "t", "answer": "a"}, "codenn"),
        ("any.jsonl", {"id": 1, "language": "c", "docstring": "t", "code": "a"}, "csn-cloze"),
        ("programs.jsonl", {"task": "t", "language": "c", "file": "f", "code": "a"}, "rosetta"),
        ("mined.jsonl", {"id": "1_2_0", "question_id": 1, "intent": "t", "snippet": "a"}, "conala"),
        ("corpus.jsonl", {"_id": "1", "title": "", "text": "a"}, "beir:set"),
        ("queries.jsonl", {"_id": "1", "text": "a"}, "beir:set"),
        ("other.jsonl", {"text": "a"}, None),
        ("notes.md", {}, None),
    ],
)
def test_a_file_of_json_lines_is_recognised_by_the_keys_of_its_first_row(tmp_path, name, row, benchmark):
    path = tmp_path / "set" / name
    path.parent.mkdir()
    path.write_text(json.dumps(row))
    found = recognise(path)
    assert (found[0] if found else None) == benchmark


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
