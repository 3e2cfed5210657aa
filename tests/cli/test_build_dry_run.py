import json

import pytest
from click.testing import CliRunner

from procqa.cli import main
from tests.dumps import threads, write_dump


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def dump(tmp_path):
    return write_dump(tmp_path / "dump.xml", threads(30))


def test_a_dry_run_is_one_object_and_writes_nothing(dump, tmp_path):
    result = run("build", dump, "--out", tmp_path / "no/out", "--dry-run", "--json", "--jobs", 1)
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    found = json.loads(line)
    assert found.keys() >= {
        "dry_run", "sample_bytes", "total_bytes", "rows", "questions", "answers", "pairs_read", "kept", "languages",
        "seconds", "peak_memory_bytes", "disk_bytes", "scratch_bytes", "out",
    }  # fmt: skip
    assert (found["dry_run"], found["rows"], found["kept"]) == (True, 60, 30)
    assert found["out"] == str(tmp_path / "no/out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dump.xml"]


def test_a_person_sees_figures_with_units_and_how_sure_they_are(dump, tmp_path):
    result = run("build", dump, "--out", tmp_path / "out", "--dry-run", "--jobs", 1)
    assert result.exit_code == 0
    for text in ("a dry run", "pairs read", "time with 1 job", "memory at peak", "MB", "the counts are exact"):
        assert text in result.stdout, text


def test_a_dry_run_leaves_a_finished_folder_as_it_is(dump, tmp_path):
    run("build", dump, "--out", tmp_path / "out", "--jobs", 1)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for options in ([], ["--languages", "go"], ["--force"], ["--since", tmp_path / "out"]):
        result = run("build", dump, "--out", tmp_path / "out", "--dry-run", "--jobs", 1, *options)
        assert result.exit_code == 0, result.stderr
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_standard_input_cannot_be_estimated(tmp_path):
    result = run("build", "-", "--out", tmp_path / "out", "--dry-run")
    assert result.exit_code == 2
    assert "standard input passes by only once" in result.stderr


def test_a_broken_dump_exits_1_with_one_sentence(tmp_path):
    (tmp_path / "notes.txt").write_text("dear diary\n" * 100)
    result = run("build", tmp_path / "notes.txt", "--out", tmp_path / "out", "--dry-run")
    assert result.exit_code == 1
    assert [line for line in result.stderr.splitlines() if line.startswith("procqa: ")] == result.stderr.splitlines()
