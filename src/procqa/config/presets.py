"""Recipes of training by name: what each changes of TrainConfig's defaults, each number with its source."""

from collections.abc import Mapping
from typing import Any

from procqa.config.common import require
from procqa.config.train import LENGTHS, PAIRS, TrainConfig

TRAIN_PRESETS: dict[str, dict[str, Any]] = {
    "macp": {},
    "gte": {"preset": "gte", "loss": "four-way"},
    "bimodal": {"preset": "bimodal", "pairs": ("prose-code", "docstring-function")},
    "unimodal": {"preset": "unimodal", "pairs": ("prose-prose", "first-code-others", "code-code")},
    "query-document-towers": {"preset": "query-document-towers", "towers": "query-document"},
    "modality-towers": {"preset": "modality-towers", "towers": "modality"},
    "fine-tune": {
        "preset": "fine-tune",
        "pairs": ("both-answer", "docstring-function"),
        "epochs": 3,
        "batch_size": 128,
        "learning_rate": 2e-5,
        "warmup_ratio": 0.1,
        "loss": "four-way",
        "temperature": 0.01,
        "negatives": 7,
        "alpha": 1.0,
        "max_tokens": 512,
    },
    "minilm": {
        "base": "minilm",
        "pairs": (*PAIRS, "both-answer"),
        "batch_size": 128,
        "learning_rate": 2e-5,
        "temperature": 0.05,
        "keep_base": ("0.25", "0.5", "0.75"),
    },
    "static": {"base": "static", "steps": 400, "batch_size": 1_024, "learning_rate": 0.02, "temperature": 0.05},
    "tiny": {"base": "tiny", "steps": 1_000, "batch_size": 128, "learning_rate": 5e-4, "temperature": 0.05},
}
"""What each preset changes; ``static`` and ``tiny`` are macp on encoders from scratch, ``minilm`` is macp made gentle
for a base that knows much and forgets it: docs/decisions/0024.

``gte`` is macp with the loss of the authors' code: docs/paper.md#loss. The numbers of ``fine-tune`` are those of the
authors' scripts, docs/paper.md#fine-tuning; its pairs and its alpha ours, docs/decisions/0021. The rest is ours too:
docs/decisions/0010 and 0017, the numbers chosen by MRR on a validation split; ``bimodal`` and ``unimodal``:
docs/decisions/0015; towers: docs/decisions/0016.
"""


def train_config(preset: str, given: Mapping[str, Any]) -> TrainConfig:
    """The recipe of a preset with the settings that were given; what is given wins.

    Args:
        preset: a name of TRAIN_PRESETS. The bases ``static`` and ``tiny`` take the numbers of the preset of that name.
        given: fields of TrainConfig; None counts as not given. How long a run is can be said in one way: what is
            given there takes the place of what the preset says.

    Raises:
        ConfigError: there is no such preset, it contradicts the base, or a value is out of range.
    """
    require(preset in TRAIN_PRESETS, f"preset must be one of {', '.join(TRAIN_PRESETS)}, got {preset!r}")
    chosen = {name: value for name, value in given.items() if value is not None}
    base = chosen.get("base")
    if preset in ("minilm", "static", "tiny"):
        require(base in (None, preset), f"preset {preset} trains the base {preset}, got {base!r}: take preset macp")
    of_base = TRAIN_PRESETS[base] if base in ("static", "tiny") else {}
    recipe: dict[str, Any] = {}
    for part in (of_base, TRAIN_PRESETS[preset], chosen):
        if not part.keys().isdisjoint(LENGTHS):
            recipe = {name: value for name, value in recipe.items() if name not in LENGTHS}
        recipe |= part
    return TrainConfig(**recipe)
