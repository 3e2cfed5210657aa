from pathlib import Path

import numpy as np
import pytest
import torch

from procqa.config import TrainConfig
from procqa.encoder import length
from procqa.encoder.batches import Batches
from procqa.encoder.length import count_steps
from procqa.encoder.sampling import Sampler
from procqa.encoder.streams import Stream
from procqa.encoder.training import train
from procqa.errors import ConfigError
from procqa.manifest import load_manifest
from tests.encoder.small import make_dataset, tiny_config

ROWS = 1_000
HASHES = np.arange(1, 3 * ROWS + 1, dtype=np.uint64).reshape(ROWS, 3)
GROUPS = np.arange(ROWS, dtype=np.uint64) + np.uint64(10**6)


class SevenEach:
    """Texts of seven tokens each."""

    def take(self, rows, views):  # noqa: ARG002  the contract's
        return {"input_ids": torch.zeros(7 * len(rows))}


def batches(steps: int, sizes: tuple[int, ...] = (700, 300), mode: str = "stream") -> Batches:
    starts = np.cumsum((0, *sizes))
    streams = [
        Stream(f"Q/{name}/title-answer", 0, 1, np.arange(start, start + size, dtype=np.int32), HASHES, GROUPS)
        for name, start, size in zip(("go", "c"), starts, sizes, strict=False)
    ]
    sampler = Sampler(streams, batch_size=16, alpha=1, steps=steps, seed=0, batches=mode)
    return Batches(streams, sampler, SevenEach(), ROWS)


def test_steps_are_as_many_as_are_asked_for():
    assert count_steps(TrainConfig(steps=5), 1_000, batches) == 5
    assert count_steps(TrainConfig(steps=0), 1_000, batches) == 0
    assert count_steps(TrainConfig(), 1_000, batches) == 1_000


@pytest.mark.parametrize("mode", ["stream", "mixed", "round-robin"])
def test_an_epoch_has_seen_as_many_pairs_as_there_are(mode):
    make = lambda steps: batches(steps, mode=mode)  # noqa: E731
    steps = [count_steps(TrainConfig(epochs=epochs), 1_000, make) for epochs in (1, 3, 20)]
    assert steps == [63, 188, 1_250]  # 1,000, 3,000 and 20,000 pairs, 16 a step, rounded up


def test_a_stream_that_is_smaller_than_a_batch_needs_more_steps():
    small = lambda steps: batches(steps, (4,))  # noqa: E731
    assert count_steps(TrainConfig(epochs=3), 4, small) == 3


@pytest.mark.parametrize(("tokens", "steps"), [(1, 1), (224, 1), (225, 2), (224 * 999, 999), (10**6, 4_465)])
def test_a_run_ends_with_the_batch_that_completes_its_tokens(tokens, steps):
    assert count_steps(TrainConfig(tokens=tokens), 1_000, batches) == steps  # 2 * 16 * 7 = 224 a step


@pytest.mark.parametrize("mode", ["stream", "mixed", "round-robin"])
def test_what_was_counted_is_what_is_drawn(mode):
    make = lambda steps: batches(steps, (30, 9), mode)  # noqa: E731
    steps = count_steps(TrainConfig(tokens=150_000), 39, make)
    drawn = make(steps)
    for step in range(steps - 1):
        drawn[step]
    assert drawn.tokens_seen < 150_000
    drawn[steps - 1]
    assert drawn.tokens_seen >= 150_000


def test_more_than_a_run_may_have_is_one_sentence(monkeypatch):
    monkeypatch.setattr(length, "MAX_STEPS", 300)
    with pytest.raises(ConfigError, match="tokens 134400 must be seen within 300 steps, but so many see 50% of it"):
        count_steps(TrainConfig(tokens=2 * 300 * 224), 1_000, batches)


def test_epochs_stand_in_the_recipe_and_steps_in_the_counts(tmp_path: Path, dataset: Path):
    config = tiny_config(steps=None, epochs=2, pairs=("title-answer",), alpha=1.0)
    summary = train([dataset], tmp_path / "model", config)
    manifest = load_manifest(tmp_path / "model")
    assert (manifest.recipe["steps"], manifest.recipe["epochs"]) == (None, 2)
    assert summary.steps == manifest.counts["steps"]
    assert summary.steps * 16 == summary.pairs_seen
    assert 2 * 165 <= summary.pairs_seen < 2 * 165 + 16


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of which every modality makes a pair, with long prose around short code."""
    rows = [
        (
            f"How to reach goal {number}",
            f"I want goal {number} and tried {'this and that ' * 5}:\n\n```python\nreach({number})\n```",
            f"Do not reach for it {'at all ' * 5}but\n\n```python\ngoal_{number} = {number}\n```",
        )
        for number in range(60)
    ]
    return make_dataset(tmp_path_factory.mktemp("mixed") / "M", {"python": rows})


def test_presets_differ_in_a_switch_and_see_as_many_tokens_within_a_batch(mixed: Path, tmp_path: Path):
    pairs = {"agnostic": ("title-question", "title-answer", "question-answer"), "bimodal": ("prose-code",)}
    size = {"steps": None, "batch_size": 4, "max_tokens": 16, "shared_rows": True}
    goal, summaries = 1_500, {}
    for name, chosen in pairs.items():
        config = tiny_config(**size, tokens=goal, pairs=chosen)
        summaries[name] = train([mixed], tmp_path / name, config)
        assert goal <= summaries[name].tokens_seen < goal + 2 * 4 * 16
    assert len({summary.steps for summary in summaries.values()}) == 2


def test_a_killed_run_of_a_number_of_tokens_ends_like_one_that_was_not(dataset: Path, tmp_path: Path):
    config = tiny_config(steps=None, tokens=4_000)

    def kill(progress) -> None:
        if progress.step == 5:
            raise KeyboardInterrupt

    whole = train([dataset], tmp_path / "whole", config)
    with pytest.raises(KeyboardInterrupt):
        train([dataset], tmp_path / "killed", config, report=kill, checkpoint_s=0)
    killed = train([dataset], tmp_path / "killed", config)
    assert (killed.sha256, killed.steps, killed.tokens_seen) == (whole.sha256, whole.steps, whole.tokens_seen)


def test_fewer_rows_than_a_batch_still_make_an_epoch(tmp_path: Path):
    rows = [(f"title {number}", f"question {number}", f"answer {number}") for number in range(5)]
    dataset = make_dataset(tmp_path / "Q", {"python": rows})
    summary = train([dataset], tmp_path / "model", tiny_config(steps=None, epochs=1, pairs=("title-answer",)))
    assert (summary.steps, summary.pairs_seen) == (1, 5)
