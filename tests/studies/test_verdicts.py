"""Verdicts by the rule of decision 0029."""

from dataclasses import replace
from typing import Literal

import pytest

from procqa.studies.comparing import Difference
from procqa.studies.e1 import STUDY
from procqa.studies.statement import Claim, Contrast, Study, Verdict, compare
from procqa.studies.verdicts import decide, judge


def difference(low: float, high: float, p: float) -> Difference:
    """With so many degrees of freedom that the interval is 1.96 errors wide on either side."""
    middle = (low + high) / 2 if high < float("inf") else 0.0
    error = (high - low) / 2 / 1.96
    return Difference(
        delta=middle, ci95=(low, high), p=p, by_seed=(0.0, 0.0), queries=10, error=error, freedom=1_000_000
    )


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
        (0.001, 0.012, 0.001, 1, "supported"),
        (0.001, 0.004, 0.001, 1, "refuted"),
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
    assert (found.reason == "") == (outcome != "refuted")


def test_what_is_refuted_says_why() -> None:
    (other,) = judge(study(), {("c", "static"): difference(-0.04, -0.02, 0.001)})
    (small,) = judge(study(), {("c", "static"): difference(-0.005, 0.005, 0.9)})
    assert (other.reason, small.reason) == ("the other sign", "too small")


def test_with_more_contrasts_that_decide_more_is_needed() -> None:
    of = study(bases=("static", "tiny"))
    close = difference(-0.009, 0.009, 0.9)
    (alone,) = judge(study(), {("c", "static"): close})
    first, second = judge(of, {("c", "static"): close, ("c", "tiny"): close})
    assert [alone.outcome, first.outcome, second.outcome] == ["refuted", "undecided", "undecided"]
    assert first.smallest > alone.smallest


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


def test_a_claim_of_several_contrasts_is_refuted_by_one() -> None:
    of = study()
    (claim,) = of.claims
    both = replace(of, claims=(replace(claim, contrasts=("c", "shown")),))
    supported, refuted = difference(0.02, 0.04, 0.001), difference(-0.04, -0.02, 0.001)
    unclear = difference(-0.03, 0.03, 0.9)
    for other, verdict in ((supported, "supported"), (refuted, "refuted"), (unclear, "undecided")):
        judged = judge(both, {("c", "static"): supported, ("shown", "static"): other})
        assert decide(both.claims[0], judged) == verdict
