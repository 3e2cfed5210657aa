"""``procqa study`` as its user calls it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from procqa.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studies")


def study(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["study", "e2", "--scale", "smoke", "--out", str(folder / "e2"), *options])


def test_e2_runs_at_the_scale_smoke(folder: Path) -> None:
    ended = study(folder, "--json")
    assert ended.exit_code == 0, ended.output
    told = json.loads(ended.stdout)
    assert (told["study"], told["scale"], told["out"]) == ("e2", "smoke", str(folder / "e2"))
    assert [verdict["claim"] for verdict in told["verdicts"]] == ["text → mixed", "mixed → mixed"]
    assert {verdict["verdict"] for verdict in told["verdicts"]} <= {"supported", "refuted", "undecided"}
    assert {path.name for path in (folder / "e2").iterdir()} >= {"results.jsonl", "manifest.json", "index.html"}


def test_a_finished_study_prints_its_verdicts(folder: Path) -> None:
    ended = study(folder)
    assert ended.exit_code == 0, ended.output
    assert "Whole posts, or text and code apart (smoke)" in ended.stdout
    assert "hours of processor time" in ended.stdout


def test_a_study_without_its_data_says_what_is_missing(tmp_path: Path) -> None:
    ended = CliRunner().invoke(main, ["study", "e1", "--scale", "cpu", "--out", str(tmp_path / "e1")])
    assert ended.exit_code == 2
    assert "this study needs programming: name it with --programming PATH" in ended.stderr
    assert not (tmp_path / "e1").exists()


def test_one_base_alone_says_that_the_results_need_the_others(folder: Path) -> None:
    ended = study(folder, "--base", "static", "--work", str(folder / "e2.work"))
    assert ended.exit_code == 0, ended.output
    assert "the runs of static are made; the results need all bases: leave out --base for them" in ended.stdout
