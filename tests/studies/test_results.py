"""The lines of a study: what is written, and what is refused."""

import json
from pathlib import Path

import pytest

from procqa.errors import ArtifactError
from procqa.studies.results import line, load_found, to_text


def test_numbers_that_are_not_finite_are_null_and_others_are_short() -> None:
    told = line("contrast", {"ci95": (float("-inf"), 0.12345678), "by_seed": [0.1], "parts": {"p": float("nan")}})
    assert told == {"kind": "contrast", "ci95": [None, 0.123457], "by_seed": [0.1], "parts": {"p": None}}


def test_lines_come_back_by_kind(tmp_path: Path) -> None:
    lines = [
        line("study", {"name": "e1"}),
        line("run", {"arm": "a", "costs": {"shared": 1800.0}}),
        line("run", {"arm": "b", "costs": {"shared": 1800.0, "own": 1800.0}}),
        line("verdict", {"claim": "c", "sentence": "größer\u2028als"}),
    ]
    (tmp_path / "results.jsonl").write_text(to_text(lines), encoding="utf-8")
    found = load_found(tmp_path)
    assert found.study["name"] == "e1"
    assert [run["arm"] for run in found.runs] == ["a", "b"]
    assert found.verdicts[0]["sentence"] == "größer\u2028als"
    assert found.cpu_hours == 1.0
    assert found.tables == []


def test_results_that_are_broken_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"must be the folder of a study with results\.jsonl"):
        load_found(tmp_path)
    (tmp_path / "results.jsonl").write_text(json.dumps({"kind": "other"}))
    with pytest.raises(ArtifactError, match="must hold lines of the kinds study, run"):
        load_found(tmp_path)
    (tmp_path / "results.jsonl").write_text(json.dumps({"kind": "verdict"}))
    with pytest.raises(ArtifactError, match="must tell of one study, got 0"):
        load_found(tmp_path)
