"""How large a study is: steps, batches, seeds and bases at each scale.

``cpu`` fits two cores and twelve hours for all studies together, ``gpu`` has the paper's numbers, and ``smoke`` shows
in seconds that everything runs. Source: docs/paper.md#macp and #fine-tuning for gpu, ours for the rest,
docs/decisions/0029-studies.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from procqa.config import LENGTHS
from procqa.studies.statement import Stage

ScaleName = Literal["smoke", "cpu", "gpu"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseScale:
    """How encoders of one base are trained.

    Args:
        base: as ``procqa train --base`` takes it.
        seeds: one run of every arm for each.
        settings: fields of TrainConfig for pre-training.
        fine_tuning: those that differ in fine-tuning.
        caveat: what must be said beside every number of the base; empty where nothing must.
        reads_slowly: whether it is measured on fewer tasks, see ``Exam.light``.
    """

    base: str
    seeds: tuple[int, ...]
    settings: Mapping[str, Any]
    fine_tuning: Mapping[str, Any] = field(default_factory=dict)
    caveat: str = ""
    reads_slowly: bool = False

    def settings_of(self, stage: Stage) -> dict[str, Any]:
        """The settings of a stage; how long fine-tuning is takes the place of how long pre-training is."""
        settings = dict(self.settings)
        for part in (self.fine_tuning if stage.fine_tunes else {}, stage.settings):
            if not part.keys().isdisjoint(LENGTHS):
                settings = {name: value for name, value in settings.items() if name not in LENGTHS}
            settings |= part
        if stage.batch_times != 1:
            settings["batch_size"] = max(2, round(settings["batch_size"] * stage.batch_times))
            settings["steps"] = round(settings["steps"] / stage.batch_times)
        if stage.steps_times != 1:
            settings["steps"] *= stage.steps_times
        return settings


SEEN_BEFORE = (
    "all-MiniLM-L6-v2 was trained on code_search_net and stackexchange, as its card says: what it gains or keeps here"
    " is confounded by what it has seen."
)
_STATIC = {"base": "static", "learning_rate": 0.02, "temperature": 0.05}
_TINY = {
    "base": "tiny",
    "layers": 2,
    "dimensions": 128,
    "learning_rate": 1e-3,
    "temperature": 0.05,
    "precision": "bf16",
}
"""Smaller than its preset: in the time of a run twice the width, at 110 steps, ends lower (decision 0029)."""

_PAPER = {
    "steps": 10_000,
    "batch_size": 6_192,
    "rows_at_once": 256,
    "learning_rate": 2e-4,
    "temperature": 0.01,
    "loss": "four-way",
    "max_tokens": 128,
    "precision": "bf16",
}

SCALES: dict[ScaleName, dict[str, BaseScale]] = {
    "smoke": {
        "static": BaseScale(
            base="static",
            seeds=(1, 2),
            settings={**_STATIC, "steps": 4, "batch_size": 16, "dimensions": 32, "vocabulary": 2_000, "max_tokens": 64},
            fine_tuning={"steps": 2, "learning_rate": 0.002},
        ),
    },
    "cpu": {
        "static": BaseScale(
            base="static",
            seeds=(1, 2, 3, 4, 5),
            settings={**_STATIC, "steps": 150, "batch_size": 1_024},
            fine_tuning={"steps": 60, "learning_rate": 0.005},
        ),
        "tiny": BaseScale(
            base="tiny",
            seeds=(1, 2, 3),
            settings={**_TINY, "steps": 250, "batch_size": 128},
            fine_tuning={"steps": 80},
            reads_slowly=True,
        ),
        "minilm": BaseScale(
            base="minilm",
            seeds=(1, 2),
            settings={"base": "minilm", "learning_rate": 2e-5, "temperature": 0.05, "steps": 40, "batch_size": 64}
            | {"max_tokens": 96, "precision": "bf16"},
            fine_tuning={"steps": 15},
            caveat=SEEN_BEFORE,
            reads_slowly=True,
        ),
    },
    "gpu": {
        "graphcodebert": BaseScale(
            base="microsoft/graphcodebert-base",
            seeds=(42, 43, 44),
            settings={"base": "microsoft/graphcodebert-base", **_PAPER},
            fine_tuning={
                "epochs": 3,
                "batch_size": 128,
                "learning_rate": 2e-5,
                "loss": "four-way",
                "negatives": 7,
                "max_tokens": 512,
            },
            caveat="GraphCodeBERT was pre-trained on CodeSearchNet's functions: what it scores there is confounded.",
        ),
    },
}
"""By name of the scale, by base. A base that a scale lacks is left out of the study at that scale; at ``gpu`` the one
base stands for all."""


def scales_of(scale: ScaleName, bases: tuple[str, ...]) -> dict[str, BaseScale]:
    """How the bases of a study are trained at a scale; where it has none of them, those that it has."""
    known = SCALES[scale]
    return {name: known[name] for name in bases if name in known} or known
