"""What a study found, in sentences: a verdict with its differences, and which difference such an experiment shows.

Pages, Markdown and the terminal say it with these words. A number that is null in the results is not finite.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from procqa.studies.results import Found

Line = Mapping[str, Any]
"""One line of results."""

UNKNOWN = "–"
SHOWN = "would be shown in four of five such experiments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A claim of a study with its verdict.

    Args:
        study: its name.
        claim: its line of results.
        said: the verdict in two sentences.
        deciding: the contrasts that decide it, on each base that does.
    """

    study: str
    title: str
    claim: Line
    said: str
    deciding: tuple[Line, ...]

    @property
    def verdict(self) -> str:
        """Supported, refuted or undecided."""
        return str(self.claim["verdict"])

    @property
    def in_short(self) -> str:
        """The verdict in one sentence, with what made it: of a refuted claim the contrasts that refute it."""
        if self.verdict != "refuted":
            return _tell_differences(self.claim, self.deciding)
        return _tell_differences(self.claim, [one for one in self.deciding if one["outcome"] == "refuted"])


def tell_verdicts(found: Found) -> list[Told]:
    """Every claim of a study."""
    told = []
    for claim in found.verdicts:
        deciding = tuple(
            contrast
            for name in claim["contrasts"]
            for contrast in found.contrasts
            if contrast["contrast"] == name and contrast["base"] in claim["bases"]
        )
        said = f"{_tell_differences(claim, deciding)} {_tell_reasons(claim, deciding)}"
        title = found.study["title"]
        told.append(Told(study=found.study["name"], title=title, claim=claim, said=said, deciding=deciding))
    return told


def signed(value: float | None) -> str:
    """A difference."""
    return UNKNOWN if value is None else f"{value:+.3f}".replace("-", "−")


def score(value: float | None) -> str:
    """A measure or a difference's size."""
    return UNKNOWN if value is None else f"{value:.3f}"


def interval(ends: Sequence[float | None], write: Any = signed) -> str:  # Any: signed or score
    """An interval, in brackets."""
    return "(no interval)" if None in ends else f"({write(ends[0])} to {write(ends[1])})"


def difference(contrast: Line) -> str:
    """A difference with its interval."""
    return f"{signed(contrast['delta'])} {interval(contrast['ci95'])}"


def p_value(value: float) -> str:
    """A p-value, which is never 0."""
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def join(words: Sequence[str]) -> str:
    """Words in a sentence: a, b and c."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _tell_differences(claim: Line, deciding: Sequence[Line]) -> str:
    """The first sentence: the verdict, and every difference that it rests on."""
    verdict = str(claim["verdict"]).capitalize()
    if not deciding:
        return f"{verdict}: nothing that decides was measured."
    alike = len({contrast["outcome"] for contrast in deciding}) == 1
    by_sentence: dict[str, list[str]] = {}
    for contrast in deciding:
        told = f"{difference(contrast)} on {contrast['base']}"
        by_sentence.setdefault(contrast["sentence"], []).append(told if alike else f"{told}, {contrast['outcome']}")
    parts = [
        f"{sentence}{',' if ',' in sentence else ''} comes to {('; ', ' and ')[alike].join(told)}"
        for sentence, told in by_sentence.items()
    ]
    return f"{verdict}: {'; '.join(parts)}."


def _tell_reasons(claim: Line, deciding: Sequence[Line]) -> str:
    """The second sentence: why it is so, and the smallest difference that such experiments show."""
    verdict = claim["verdict"]
    if verdict == "supported":
        return f"A true difference of {_smallest(deciding)} {SHOWN}."
    if verdict == "refuted":
        refuting = [contrast for contrast in deciding if contrast["outcome"] == "refuted"]
        reasons = join(list(dict.fromkeys(map(_refuted_by, refuting))))
        could = f"a true difference of {_smallest(deciding)} {SHOWN}"
        return f"{_start(reasons)}; {could}."
    return _tell_what_is_open(claim, deciding)


def _tell_what_is_open(claim: Line, deciding: Sequence[Line]) -> str:
    """Why a claim is undecided."""
    measured = {(contrast["contrast"], contrast["base"]) for contrast in deciding}
    lacking = [base for base in claim["bases"] if any((name, base) not in measured for name in claim["contrasts"])]
    said = [f"{join(lacking)} must agree, and not all of it was measured"] if lacking else []
    open_ones = [contrast for contrast in deciding if contrast["outcome"] == "undecided"]
    if any(contrast["smallest"] is None for contrast in open_ones):
        said.append("with one seed no difference could have been seen")
    elif deciding:
        if not (open_ones or lacking):
            said.append("what decides must agree and does not")
        said.append(f"a true difference of {_smallest(open_ones or deciding)} {SHOWN}")
    return f"{_start('; '.join(said))}."


def _start(words: str) -> str:
    """Words as a sentence begins."""
    return f"{words[:1].upper()}{words[1:]}"


def _smallest(contrasts: Sequence[Line]) -> str:
    """The smallest difference that each of some contrasts shows, from the finest to the coarsest."""
    known = [contrast["smallest"] for contrast in contrasts]
    finest, coarsest = score(min(known)), score(max(known))
    return finest if finest == coarsest else f"{finest} to {coarsest} (by contrast and base)"


def _refuted_by(contrast: Line) -> str:
    """Why a contrast is refuted, see ``verdicts``."""
    if contrast["reason"] == "the other sign":
        return "the sign is the other one"
    return f"the interval leaves no room for what is worth having, {contrast['least']:g}"
