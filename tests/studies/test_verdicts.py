"""Verdicts by the rule of decision 0029."""

from dataclasses import replace
from typing import Literal

import pytest

from procqa.studies.comparing import Difference
from procqa.studies.e1 import STUDY
from procqa.studies.statement import Claim, Contrast, Study, Verdict, compare
from procqa.studies.verdicts import decide, judge


def difference(low: float, high: float, p: float) -> Difference:
    return Difference(delta=(low + high) / 2, ci95=(low, high), p=p, by_seed=(0.0, 0.0), smallest=0.02, queries=10)


def study(*, bases: tuple[str, ...] = ("static",), expected: Literal[1, -1] = 1) -> Study:
    claim = Claim(
        name="claim", sentence="It helps.", contrasts=("c",), bases=bases, paper="ours", would_change="nothing"
    )
    contrast = Contrast(
        name="c", sentence="s", parts=compare("both", "fine-tuned", "benchmarks/cosqa"), expected=expected
    )
    shown = replace(contrast, name="shown")
    return replace(STUDY, bases=("static", "tiny"), contrasts=(contrast, shown), claims=(claim,))


@pytest.mark.parametrize(
    ("low", "high", "p", "expected", "outcome"),
    [
        (0.02, 0.04, 0.001, 1, "supported"),
        (0.001, 0.004, 0.001, 1, "supported"),
        (-0.04, -0.02, 0.001, 1, "refuted"),
        (-0.005, 0.005, 0.9, 1, "refuted"),
        (-0.03, 0.03, 0.9, 1, "undecided"),
        (0.001, 0.03, 0.06, 1, "undecided"),
        (-0.04, -0.02, 0.001, -1, "supported"),
        (0.02, 0.04, 0.001, -1, "refuted"),
        (float("-inf"), float("inf"), 1.0, 1, "undecided"),
    ],
)
def test_an_outcome_follows_from_interval_and_p_value(
    low: float, high: float, p: float, expected: Literal[1, -1], outcome: Verdict
) -> None:
    (found,) = judge(study(expected=expected), {("c", "static"): difference(low, high, p)})
    assert found.outcome == outcome


def test_p_values_are_corrected_for_the_contrasts_that_decide_and_no_others() -> None:
    differences = {
        ("c", "static"): difference(0.01, 0.03, 0.03),
        ("c", "tiny"): difference(0.01, 0.03, 0.04),
        ("shown", "static"): difference(0.01, 0.03, 0.04),
    }
    judged = judge(study(bases=("static", "tiny")), differences)
    assert [(one.p_holm, one.decides, one.outcome) for one in judged] == [
        (0.06, True, "undecided"),
        (0.06, True, "undecided"),
        (0.04, False, "supported"),
    ]


def test_a_claim_needs_all_bases_that_decide() -> None:
    of = study(bases=("static", "tiny"))
    supported, refuted = difference(0.02, 0.04, 0.001), difference(-0.04, -0.02, 0.001)
    (claim,) = of.claims
    assert decide(claim, judge(of, {("c", "static"): supported, ("c", "tiny"): supported})) == "supported"
    assert decide(claim, judge(of, {("c", "static"): refuted, ("c", "tiny"): refuted})) == "refuted"
    assert decide(claim, judge(of, {("c", "static"): supported, ("c", "tiny"): refuted})) == "undecided"
    assert decide(claim, judge(of, {("c", "static"): supported})) == "undecided"
