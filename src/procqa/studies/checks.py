"""What a study claims of itself, proven again: that its outcomes and verdicts follow from its numbers by the rule."""

from collections.abc import Sequence
from math import isclose
from pathlib import Path
from typing import Any

from procqa.chain import Check
from procqa.manifest import load_manifest
from procqa.studies.comparing import CONFIDENCE, Difference
from procqa.studies.results import KIND, Found, load_found
from procqa.studies.statement import Arm, Claim, Contrast, Exam, Part, Study
from procqa.studies.verdicts import decide, judge

ROUNDING = 1e-4
"""Numbers of results have six places, which the correction of a p-value multiplies."""


def check_study(folder: Path, inputs: Sequence[Path]) -> list[Check]:  # noqa: ARG001
    """Judge a study again from the numbers of its contrasts, by the statement in its results.

    Args:
        inputs: not needed.

    Raises:
        ArtifactError: the folder is no study, or its results cannot be read.
    """
    manifest = load_manifest(folder, kind=KIND)
    found = load_found(folder)
    try:
        study = _study(found.study)
        stated = {name: found.study[name] for name in ("question", "hypothesis", "contrasts", "claims")}
        checks = [
            _check("statement", [name for name in stated if stated[name] != manifest.recipe["study"][name]]),
            *_judge_again(study, found),
        ]
        counted = manifest.counts["verdicts"]
        checks.append(
            _check("counts", [one["claim"] for one in found.verdicts if counted[one["claim"]] != one["verdict"]])
        )
    except (KeyError, TypeError, ValueError) as error:
        return [
            Check("results", "failed", f"results.jsonl must tell of a study, but {error!r} is not as it is written")
        ]
    return checks


def _check(subject: str, wrong: Sequence[str]) -> Check:
    if wrong:
        return Check(subject, "failed", f"not what follows from the numbers and the manifest: {', '.join(wrong)}")
    return Check(subject, "ok")


def _judge_again(study: Study, found: Found) -> list[Check]:
    told = {(line["contrast"], line["base"]): line for line in found.contrasts}
    judgements = judge(study, {key: _difference(line) for key, line in told.items()})
    wrong = []
    for one in judgements:
        line = told[one.contrast, one.base]
        is_same = (line["outcome"], line["reason"], line["decides"]) == (one.outcome, one.reason, one.decides)
        numbers = zip(
            (one.p_holm, *one.difference.interval(CONFIDENCE)), (line["p_holm"], *one.difference.ci95), strict=True
        )
        if not (is_same and all(isclose(ours, theirs, abs_tol=ROUNDING) for ours, theirs in numbers)):
            wrong.append(f"{one.contrast} on {one.base}")
    claims = {claim.name: decide(claim, judgements) for claim in study.claims}
    verdicts = [line["claim"] for line in found.verdicts if claims.pop(line["claim"], None) != line["verdict"]]
    return [_check("contrasts", wrong), _check("verdicts", [*verdicts, *claims])]


def _difference(line: Any) -> Difference:  # Any: a line of JSON, as for the others here
    """A contrast's numbers; null is not finite."""
    low, high = line["ci95"]
    return Difference(
        delta=line["delta"],
        ci95=(float("-inf") if low is None else low, float("inf") if high is None else high),
        p=line["p"],
        by_seed=tuple(line["by_seed"]),
        queries=line["queries"],
        error=float("inf") if line["error"] is None else line["error"],
        freedom=line["freedom"],
    )


def _study(told: Any) -> Study:
    """The statement of a study, as far as verdicts need it: arms have names alone."""
    fields: dict[str, Any] = {name: told[name] for name in ("name", "title", "question", "hypothesis")}
    fields |= {name: tuple(told[name]) for name in ("answers", "equal", "limits", "materials", "bases")}
    return Study(
        **fields,
        arms=tuple(Arm(name=arm["name"], description=arm["description"]) for arm in told["arms"][1:]),
        exams=tuple(Exam(name=exam["name"], roots=(), tasks=()) for exam in told["exams"]),
        contrasts=tuple(
            Contrast(**{**contrast, "parts": tuple(Part(**part) for part in contrast["parts"])})
            for contrast in told["contrasts"]
        ),
        claims=tuple(
            Claim(**{**claim, "contrasts": tuple(claim["contrasts"]), "bases": tuple(claim["bases"])})
            for claim in told["claims"]
        ),
    )
