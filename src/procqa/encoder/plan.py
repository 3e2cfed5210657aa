"""How many steps a run must take to see as many pairs as another, found before it is begun."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from procqa.config import TrainConfig
from procqa.encoder.length import steps_for_pairs
from procqa.encoder.sampling import Sampler
from procqa.encoder.streams import write_texts
from procqa.encoder.training import TEXTS_FILE, stream_config, usable_streams


def find_steps(datasets: Sequence[Path], config: TrainConfig, *, pairs: int) -> int:
    """The steps after which a run of a recipe has seen so many pairs; small streams make small batches.

    Its batches are drawn and not read, as those of a run that is told its epochs.

    Raises:
        ArtifactError: a dataset is missing or broken, or they hold no two pairs to tell apart.
        ConfigError: it would take more steps than a run may have.
    """
    with tempfile.TemporaryDirectory() as folder:
        corpus = write_texts(datasets, Path(folder) / TEXTS_FILE, stream_config(config))
    streams, _ = usable_streams(corpus)

    def draw(steps: int) -> Sampler:
        return Sampler(
            streams,
            batch_size=config.batch_size,
            alpha=config.alpha,
            steps=steps,
            seed=config.seed,
            batches=config.batches,
        )

    return steps_for_pairs(pairs, draw)
