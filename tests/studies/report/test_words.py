"""A verdict in two sentences."""

from pathlib import Path

import pytest

from procqa.studies.report.words import difference, join, p_value, signed, tell_verdicts
from procqa.studies.results import load_found
from tests.studies.lines import Lines, contrast, small_lines, statement, verdict, write_found


def said(folder: Path, lines: Lines) -> list[str]:
    return [told.said for told in tell_verdicts(load_found(write_found(folder, lines)))]


def test_what_is_supported_gives_its_differences_and_what_would_be_shown(tmp_path: Path):
    better, _ = said(tmp_path, small_lines())
    assert better == (
        "Supported: trained minus the base comes to +0.040 (+0.030 to +0.050) on static and +0.020 (+0.010 to +0.030)"
        " on tiny. A true difference of 0.015 would be shown in four of five such experiments."
    )


def test_what_is_refuted_says_why(tmp_path: Path):
    _, worse = said(tmp_path / "sign", small_lines())
    assert worse.endswith(
        " The sign is the other one; a true difference of 0.015 would be shown in four of five such experiments."
    )
    nothing = [
        contrast("better", base, 0.001, 0.004, outcome="refuted", reason="too small") for base in ("static", "tiny")
    ]
    (told,) = said(tmp_path / "nothing", [statement(), *nothing, verdict("better", "refuted")])
    assert told.startswith("Refuted: trained minus the base comes to +0.001 (−0.003 to +0.005) on static and ")
    assert "The interval leaves no room for what is worth having, 0.01; " in told


def test_in_short_a_refuted_claim_names_what_refutes_it(tmp_path: Path):
    two = [contrast("better", base, -0.04, 0.01, reason="the other sign") for base in ("static", "tiny")]
    two[1] |= {"outcome": "undecided"}
    (told,) = tell_verdicts(load_found(write_found(tmp_path, [statement(), *two, verdict("better", "refuted")])))
    assert told.in_short == "Refuted: trained minus the base comes to −0.040 (−0.050 to −0.030) on static."


def test_what_is_undecided_says_the_smallest_difference_that_would_be_shown(tmp_path: Path):
    mixed = [contrast("better", "static", 0.04, 0.01), contrast("better", "tiny", 0.01, 0.02)]
    (told,) = said(tmp_path, [statement(), *mixed, verdict("better", "undecided")])
    assert told == (
        "Undecided: trained minus the base comes to +0.040 (+0.030 to +0.050) on static, supported; +0.010 (−0.010 to"
        " +0.030) on tiny, undecided. A true difference of 0.030 would be shown in four of five such experiments."
    )


@pytest.mark.parametrize(
    ("contrasts", "reason"),
    [
        (
            [],
            "Undecided: nothing that decides was measured. Static and tiny must agree, and not all of it was measured.",
        ),
        (
            [contrast("better", base, 0.04, None) for base in ("static", "tiny")],
            "With one seed no difference could have been seen.",
        ),
        (
            [contrast("better", "static", 0.04, 0.01)],
            "Tiny must agree, and not all of it was measured; a true difference of 0.015 would be shown in four of five"
            " such experiments.",
        ),
        (
            [contrast("better", "static", 0.04, 0.01), contrast("better", "tiny", -0.04, 0.02)],
            "What decides must agree and does not; a true difference of 0.015 to 0.030 (by contrast and base) would be"
            " shown in four of five such experiments.",
        ),
    ],
)
def test_a_claim_that_cannot_be_decided_says_what_is_missing(contrasts: Lines, reason: str, tmp_path: Path):
    (told,) = said(tmp_path, [statement(), *contrasts, verdict("better", "undecided")])
    assert told.endswith(reason)


def test_numbers_that_are_not_finite_are_said_so():
    assert signed(None) == "–"
    assert signed(-0.0114) == "−0.011"
    assert difference(contrast("better", "static", 0.04, None)) == "+0.040 (no interval)"
    assert (p_value(0.0004), p_value(0.0456)) == ("< 0.001", "0.046")


def test_words_are_joined_as_in_a_sentence():
    assert [join(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
