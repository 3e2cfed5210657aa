"""The page of studies, made from results that are there, and from statements where none are."""

from pathlib import Path

from docs.studied import FINDINGS, findings, load_studies, studies

from procqa.studies.report import write_plots
from procqa.studies.results import load_found
from tests.studies.lines import CLAIMS, CONTRASTS, contrast, small_lines, statement, verdict, write_found

ROOT = Path(__file__).resolve().parent.parent


def test_without_results_every_study_is_stated(tmp_path: Path):
    page = studies(load_studies(tmp_path), tmp_path)
    assert page[2] == "Not run yet, and stated below: E1, E2, E3, Q2, Q3, C2, C3, RECIPE."
    assert [line for line in page if line.startswith("## ")][:3] == [
        "## Verdicts",
        "## E1: Question–answer pre-training for text → code",
        "## E2: Whole posts, or text and code apart",
    ]
    assert "| posts minus functions on csn-cloze | below 0 | 0.01 |" in page
    assert findings({}) == ["No study has been run yet: `procqa study` runs them."]


def test_a_study_that_was_run_is_told_with_its_numbers_plots_and_data(tmp_path: Path):
    write_plots(load_found(write_found(tmp_path / "e1", small_lines())), tmp_path / "e1")
    page = studies(load_studies(tmp_path), tmp_path)
    assert page[4] == (
        "| E1 | Training is better. | **supported** | better, static: +0.040 (+0.030 to +0.050)<br>better, tiny: +0.020"
        " (+0.010 to +0.030) | 0.015<br>0.015 |"
    )
    text = "\n".join(page)
    for expected in (
        "4 runs of encoders took 2.0 CPU hours",
        "Not run yet, and stated below: E2, E3, Q2, Q3, C2, C3, RECIPE.",
        "## E1: Question–answer pre-training for text → code",
        "](../benchmarks/results/studies/e1/contrasts.png)",
        "](../benchmarks/results/studies/e1/scores-benchmarks.png)",
        "> tiny: seen before",
        "| trained minus the base | static | +0.040 (+0.030 to +0.050) | 0.004 | 0.015 | supported |",
        "| cosqa | mrr@1000 | 100 | 500 | 0.400 (0.300 to 0.500) | 0.500 (0.400 to 0.600) | 0.450 (0.350 to 0.550) |",
        "5 runs, 2.0 CPU hours; encoders trained at def, results written at abc. Data: programming (`0123456789ab`,"
        " 1,000 rows).",
    ):
        assert expected in text


def test_plots_that_are_not_there_are_not_linked_and_bars_in_cells_are_escaped(tmp_path: Path):
    hostile = contrast("better", "static", 0.04, 0.01, sentence="a | b")
    write_found(tmp_path / "e1", [statement(), hostile, verdict("better", "undecided")])
    text = "\n".join(studies(load_studies(tmp_path), tmp_path))
    assert "contrasts.png" not in text
    assert "| a \\| b | static |" in text


def test_findings_are_verdicts_of_the_claims_that_were_chosen(tmp_path: Path):
    study, name = FINDINGS[0]
    claim = {**CLAIMS[0], "name": name}
    told = {**verdict("better", "supported"), "claim": claim["name"]}
    deciding = [contrast("better", base, 0.04, 0.01) for base in ("static", "tiny")]
    write_found(tmp_path / study, [statement(name=study, contrasts=CONTRASTS, claims=[claim]), *deciding, told])
    (line,) = findings(load_studies(tmp_path))
    assert line.startswith("- **Training is better.** Supported: trained minus the base comes to +0.040")
    assert line.endswith(f"([{study.upper()}](docs/studies.md))")
