"""What a training run tells of itself when it is done, read from the folder that it made."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from procqa.encoder.validation import Validation
from procqa.errors import ArtifactError
from procqa.manifest import TRAINING_LOG, Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSummary:
    """What a run made; every value can be read again from the folder.

    Args:
        tokens_seen: read by the encoder, those that pad a text not among them.
        base_share: of the base's weights in those of the result.
        validation: the scores on held-out pairs; None where there were none.
        seconds: spent in training steps, over all attempts.
        loss: nats, mean since the last but one logged step; None where no step was taken.
        streams: pairs, batches and pairs seen of each stream.
        left_out: pairs that no batch can hold, by pair type and reason; with the pairs of the streams they are as
            many as the rows that the type is made of.
    """

    out: str
    sha256: str
    preset: str
    base: str
    steps: int
    pairs_seen: int
    tokens_seen: int
    base_share: float
    validation: Validation | None
    seconds: float
    loss: float | None
    streams: dict[str, dict[str, int]]
    left_out: dict[str, dict[str, int]]


def read_summary(out: Path, manifest: Manifest) -> TrainSummary:
    """What a finished folder tells of its run.

    Raises:
        ArtifactError: its log is missing or broken.
    """
    counts, recipe = manifest.counts, manifest.recipe
    try:
        lines = (out / TRAINING_LOG).read_text(encoding="utf-8").splitlines()
        last: dict[str, Any] = json.loads(lines[-1]) if lines else {"seconds": 0.0, "loss": None}
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"{out / TRAINING_LOG} must hold the log of the training: train again with --force"
        ) from error
    return TrainSummary(
        out=str(out),
        sha256=manifest.sha256,
        preset=recipe["preset"],
        base=recipe["base"],
        steps=counts["steps"],
        pairs_seen=counts["pairs_seen"],
        tokens_seen=counts["tokens_seen"],
        base_share=counts["base_share"],
        validation=counts["validation"],
        seconds=last["seconds"],
        loss=last["loss"],
        streams=counts["streams"],
        left_out=counts["left_out"],
    )
