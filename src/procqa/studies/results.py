"""What a study found, as lines of JSON: everything that its page, its plots and the report are made of.

study       the statement, the scale, version and commit, digests and sizes of the data
run         an arm on a base with a seed: encoder, steps, pairs and tokens seen, loss, processor time, mean scores
score       an arm on a base on a task or family: mean over the seeds, its interval, the mean of each seed
contrast    treatment minus control on a base: difference, interval, p-value, smallest difference it could show
table       slices of queries, or causes of failures between languages
example     a failure with its texts
verdict     a claim with its verdict
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from procqa.errors import ArtifactError

KIND = "study"
RESULTS_FILE = "results.jsonl"
WORDS = "words"
"""The base of BM25, which stands beside all others and is not trained."""

KINDS = ("study", "run", "score", "contrast", "table", "example", "verdict")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The lines of one study by kind; the first of ``study`` is the only one.

    Args:
        study: see this module, as the others.
    """

    study: Mapping[str, Any]
    runs: Sequence[Mapping[str, Any]]
    scores: Sequence[Mapping[str, Any]]
    contrasts: Sequence[Mapping[str, Any]]
    tables: Sequence[Mapping[str, Any]]
    examples: Sequence[Mapping[str, Any]]
    verdicts: Sequence[Mapping[str, Any]]

    @property
    def cpu_hours(self) -> float:
        """Of all runs, what they share counted once; what two studies share counts in both."""
        spent: dict[str, float] = {name: cost for run in self.runs for name, cost in run["costs"].items()}
        return sum(spent.values()) / 3600


def line(kind: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """A line of results; a number that is not finite is null."""
    return {"kind": kind, **{name: _plain(value) for name, value in told.items()}}


def _plain(value: Any) -> Any:  # Any: whatever JSON can hold
    if isinstance(value, float):
        return round(value, 6) if isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def to_text(lines: Iterable[Mapping[str, Any]]) -> str:
    """The text of a result file."""
    return "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in lines)


def load_found(folder: Path) -> Found:
    """What the folder of a study holds.

    Raises:
        ArtifactError: it holds no results, or they are broken.
    """
    path = folder / RESULTS_FILE
    try:
        lines = [json.loads(text) for text in path.read_text(encoding="utf-8").split("\n") if text.strip()]
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{folder} must be the folder of a study with {RESULTS_FILE}: run procqa study") from error
    by_kind: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for one in lines:
        if not isinstance(one, dict) or one.get("kind") not in by_kind:
            raise ArtifactError(f"{path} must hold lines of the kinds {', '.join(KINDS)}: run procqa study again")
        by_kind[one["kind"]].append(one)
    if len(by_kind["study"]) != 1:
        raise ArtifactError(f"{path} must tell of one study, got {len(by_kind['study'])}: run procqa study again")
    return Found(
        study=by_kind["study"][0],
        runs=by_kind["run"],
        scores=by_kind["score"],
        contrasts=by_kind["contrast"],
        tables=by_kind["table"],
        examples=by_kind["example"],
        verdicts=by_kind["verdict"],
    )
