import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from procqa.cli import main
from tests.studies.lines import small_lines, write_found, write_study


def run(command: str, *arguments: object):
    return CliRunner().invoke(main, [command, *map(str, arguments)])


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    return [write_study(tmp_path / name, small_lines(name)) for name in ("e1", "e2")]


def test_json_is_an_object_a_claim_and_the_page_is_there(folders: list[Path], tmp_path: Path):
    result = run("report", *folders, "--out", tmp_path / "page.html", "--json")
    assert result.exit_code == 0, result.output
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["study"], one["claim"]["claim"], one["verdict"]) for one in told] == [
        ("e1", "better", "supported"),
        ("e1", "worse", "refuted"),
        ("e2", "better", "supported"),
        ("e2", "worse", "refuted"),
    ]
    assert list(told[0]) == ["study", "title", "claim", "said", "deciding", "verdict", "out"]
    assert told[0]["said"].startswith("Supported: trained minus the base comes to +0.040 (+0.030 to +0.050) on static")
    assert [one["base"] for one in told[0]["deciding"]] == ["static", "tiny"]
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_without_json_a_table_has_the_verdicts(folders: list[Path], tmp_path: Path):
    result = run("report", folders[0], "--out", tmp_path / "page.html")
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    for expected in ("│ e1 │ Training is better. │ supported │ Supported: trained minus", "│ refuted"):
        assert expected in words


def test_wrong_use_is_one_sentence(folders: list[Path], tmp_path: Path):
    page = tmp_path / "page.html"
    for arguments, status, sentence in [
        ([folders[0], folders[0]], 2, "each study must be given once, got e1 in "),
        ([tmp_path / "none"], 1, "must be the folder of a study with results.jsonl: run procqa study"),
        ([write_found(tmp_path / "two", small_lines()[:1] * 2)], 1, "must tell of one study, got 2"),
    ]:
        result = run("report", *arguments, "--out", page)
        assert (result.exit_code, len(result.stderr.strip().splitlines())) == (status, 1)
        assert sentence in result.stderr
        assert not page.exists()
    result = run("report", folders[0], "--out", tmp_path)
    assert (result.exit_code, "--out must name a file in a folder that exists" in result.stderr) == (2, True)


def test_a_study_is_shown_with_its_verdicts(folders: list[Path]):
    shown = json.loads(run("show", folders[0], "--json").stdout)
    assert (shown["kind"], shown["recipe"]["study"]["question"]) == ("study", "Does training help?")
    assert [(one["claim"], one["verdict"]) for one in shown["verdicts"]] == [
        ("Training is better.", "supported"),
        ("Training is worse.", "refuted"),
    ]
    words = " ".join(run("show", folders[0]).stdout.split())
    for expected in ("study ", "question │ Does training help?", "scale │ cpu", "runs │ 5", "Training is worse."):
        assert expected in words


def test_a_study_is_judged_again(folders: list[Path]):
    verified = json.loads(run("verify", folders[0], "--json").stdout)
    assert verified["ok"]
    assert {"results.jsonl", "contrasts", "verdicts"} <= {check["subject"] for check in verified["checks"]}
    results = folders[0] / "results.jsonl"
    results.write_text(results.read_text(encoding="utf-8").replace("0.04", "0.05"), encoding="utf-8")
    changed = run("verify", folders[0])
    assert (changed.exit_code, "differ from the manifest's sha256" in changed.stderr) == (1, True)
