"""Differences → verdicts, by a rule that stands before the numbers.

A contrast is **supported** where its corrected p-value is below .05, its sign the claim's, and an effect that is worth
having lies within its interval; **refuted** where the sign is the other and the p-value below .05, or where no interval
that is corrected likewise has room for an effect worth having; **undecided** otherwise. A claim on a base is refuted
where one of its contrasts is, supported where all are, else undecided; where bases that decide differ it is undecided.
Source: ours, docs/decisions/0029-studies.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from procqa.evaluation.statistics import adjust_holm
from procqa.studies.comparing import Difference
from procqa.studies.statement import LEVEL, Claim, Contrast, Study, Verdict

Key = tuple[str, str]
"""Name of a contrast, and base."""

Reason = Literal["the other sign", "too small", ""]
"""Why a contrast is refuted; empty where it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A contrast on a base.

    Args:
        p_holm: corrected for all contrasts of the study that decide on a base that decides; as it is for others.
        smallest: the smallest difference that would be supported in four of five repetitions, were it the least of
            those that decide.
        decides: whether a claim rests on it.
    """

    contrast: str
    base: str
    difference: Difference
    p_holm: float
    smallest: float
    decides: bool
    outcome: Verdict
    reason: Reason


def judge(study: Study, differences: Mapping[Key, Difference]) -> list[Judgement]:
    """The outcome of every contrast on every base."""
    deciding = [key for key in differences if any(_rests_on(claim, key) for claim in study.claims)]
    corrected = dict(zip(deciding, adjust_holm([differences[key].p for key in deciding]), strict=True))
    contrasts = {contrast.name: contrast for contrast in study.contrasts}
    judgements = []
    for (name, base), difference in differences.items():
        decides = (name, base) in corrected
        p_holm = corrected.get((name, base), difference.p)
        confidence = 1 - LEVEL / (len(deciding) if decides else 1)
        outcome, reason = _outcome(contrasts[name], difference, p_holm, confidence)
        judgements.append(
            Judgement(
                contrast=name,
                base=base,
                difference=difference,
                p_holm=p_holm,
                smallest=difference.smallest(confidence),
                decides=decides,
                outcome=outcome,
                reason=reason,
            )
        )
    return judgements


def decide(claim: Claim, judgements: Sequence[Judgement]) -> Verdict:
    """What becomes of a claim; undecided where a base that decides was not run."""
    found = {(one.contrast, one.base): one.outcome for one in judgements}
    of_bases = {_on_base([found.get((name, base), "undecided") for name in claim.contrasts]) for base in claim.bases}
    return of_bases.pop() if len(of_bases) == 1 else "undecided"


def _on_base(outcomes: Sequence[Verdict]) -> Verdict:
    if "refuted" in outcomes:
        return "refuted"
    return "supported" if set(outcomes) == {"supported"} else "undecided"


def _rests_on(claim: Claim, key: Key) -> bool:
    return key[0] in claim.contrasts and key[1] in claim.bases


def _outcome(contrast: Contrast, difference: Difference, p_holm: float, confidence: float) -> tuple[Verdict, Reason]:
    """The outcome of one contrast; one seed never decides, since its interval has no end."""
    is_sure, effect = p_holm < LEVEL, contrast.expected * difference.delta
    if is_sure and effect < 0:
        return "refuted", "the other sign"
    if max(contrast.expected * end for end in difference.interval(confidence)) < contrast.least:
        return "refuted", "too small"
    has_room = max(contrast.expected * end for end in difference.ci95) >= contrast.least
    return ("supported", "") if is_sure and has_room else ("undecided", "")
