"""Differences → verdicts, by a rule that stands before the numbers.

A contrast is **supported** where its corrected p-value is below .05 and its sign is the claim's; **refuted** where the
sign is the other and the p-value below .05, or where the interval leaves no room for an effect that is worth having;
**undecided** otherwise. A claim is what its contrasts are on the bases that decide; where they differ it is undecided.
Source: ours, docs/decisions/0029-studies.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from procqa.evaluation.statistics import adjust_holm
from procqa.studies.comparing import Difference
from procqa.studies.statement import LEVEL, Claim, Contrast, Study, Verdict

Key = tuple[str, str]
"""Name of a contrast, and base."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A contrast on a base.

    Args:
        p_holm: corrected for all contrasts of the study that decide on a base that decides; as it is for others.
        decides: whether a claim rests on it.
    """

    contrast: str
    base: str
    difference: Difference
    p_holm: float
    decides: bool
    outcome: Verdict


def judge(study: Study, differences: Mapping[Key, Difference]) -> list[Judgement]:
    """The outcome of every contrast on every base."""
    deciding = [key for key in differences if any(_rests_on(claim, key) for claim in study.claims)]
    corrected = dict(zip(deciding, adjust_holm([differences[key].p for key in deciding]), strict=True))
    contrasts = {contrast.name: contrast for contrast in study.contrasts}
    return [
        Judgement(
            contrast=name,
            base=base,
            difference=difference,
            p_holm=(p_holm := corrected.get((name, base), difference.p)),
            decides=(name, base) in corrected,
            outcome=_outcome(contrasts[name], difference, p_holm),
        )
        for (name, base), difference in differences.items()
    ]


def decide(claim: Claim, judgements: Sequence[Judgement]) -> Verdict:
    """What becomes of a claim; undecided where a base that decides was not run."""
    needed = {(contrast, base) for contrast in claim.contrasts for base in claim.bases}
    found = {(one.contrast, one.base): one.outcome for one in judgements}
    outcomes = {found.get(key, "undecided") for key in needed}
    return outcomes.pop() if len(outcomes) == 1 else "undecided"


def _rests_on(claim: Claim, key: Key) -> bool:
    return key[0] in claim.contrasts and key[1] in claim.bases


def _outcome(contrast: Contrast, difference: Difference, p_holm: float) -> Verdict:
    """The outcome of one contrast; one seed never decides, since its interval has no end."""
    low, high = (contrast.expected * end for end in difference.ci95)
    low, high = min(low, high), max(low, high)
    if p_holm < LEVEL and low > 0:
        return "supported"
    if (p_holm < LEVEL and high < 0) or (high < contrast.least and low <= 0):
        return "refuted"
    return "undecided"
