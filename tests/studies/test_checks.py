"""A study is judged again from its numbers."""

from pathlib import Path

import pytest

from procqa.studies.checks import check_study
from tests.studies.lines import Lines, contrast, small_lines, verdict, write_study


def outcomes(folder: Path, lines: Lines) -> dict[str, str]:
    return {check.subject: check.outcome for check in check_study(write_study(folder / "study", lines), [])}


def test_what_follows_from_the_numbers_is_proven(tmp_path: Path):
    assert outcomes(tmp_path, small_lines()) == {"statement": "ok", "contrasts": "ok", "verdicts": "ok", "counts": "ok"}


@pytest.mark.parametrize(
    "changes", [{"outcome": "refuted"}, {"decides": False}, {"p_holm": 0.001}, {"ci95": [-0.01, 0.09]}]
)
def test_a_contrast_that_is_not_what_its_numbers_say_fails(changes: dict, tmp_path: Path):
    lines = small_lines()
    place = next(place for place, one in enumerate(lines) if one["kind"] == "contrast")
    lines[place] = contrast("better", "static", 0.04, 0.01, **changes)
    assert outcomes(tmp_path, lines)["contrasts"] == "failed"


def test_a_verdict_that_does_not_follow_or_is_missing_fails(tmp_path: Path):
    changed = [*small_lines()[:-2], verdict("better", "undecided"), verdict("worse", "refuted")]
    assert outcomes(tmp_path / "changed", changed)["verdicts"] == "failed"
    assert outcomes(tmp_path / "missing", small_lines()[:-1])["verdicts"] == "failed"


def test_results_that_tell_of_something_else_fail(tmp_path: Path):
    lines = small_lines()
    del lines[0]["claims"]
    folder = write_study(tmp_path / "study", lines)
    (check,) = check_study(folder, [])
    assert (check.outcome, "'claims'" in check.detail) == ("failed", True)
