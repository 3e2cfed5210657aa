"""Which weights a run ends with: of the best validation, and mixed with those of the base."""

from pathlib import Path

import pytest
import safetensors.torch
import torch

from procqa.encoder.log import Progress
from procqa.encoder.model import Encoder, open_encoder
from procqa.encoder.selection import BestWeights, mix_weights
from procqa.encoder.summary import TrainSummary
from procqa.encoder.training import train
from procqa.encoder.validation import FUSION_WEIGHT, Validation
from procqa.errors import ConfigError
from procqa.manifest import load_manifest
from tests.encoder.small import small_dataset, tiny_config

TEXTS = ("python list to file", "Call `list_to_file(x)` in python")


class Scores:
    """A scorer that gives numbers of its own, one a call, the last one ever after."""

    def __init__(self, *numbers: float, weight: float = 0.35) -> None:
        self.described = {"datasets": {"held-out": "0" * 64}}
        self.numbers, self.weight = list(numbers), weight

    def __call__(self, encoder: Encoder) -> Validation:
        assert encoder.encode_queries(TEXTS).shape == (2, encoder.dimensions)
        number = self.numbers.pop(0) if len(self.numbers) > 1 else self.numbers[0]
        return Validation(score=number, fusion_weight=self.weight, sets={})


class Nearness:
    """A scorer that likes two texts to be near: the same for the same vectors."""

    def __init__(self) -> None:
        self.described: dict[str, object] = {}

    def __call__(self, encoder: Encoder) -> Validation:
        query, document = encoder.encode_queries(TEXTS[:1]), encoder.encode_documents(TEXTS[1:])
        return Validation(score=float((query @ document.T).item()), fusion_weight=0.5, sets={})


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(folder / "model.safetensors")


def test_a_mix_is_the_mean_of_both_by_its_share():
    trained, base = {"a": torch.tensor([1.0, 3.0])}, {"a": torch.tensor([5.0, -1.0])}
    assert mix_weights(trained, base, 0.25)["a"].tolist() == [2.0, 2.0]
    assert mix_weights(trained, base, 0.0)["a"].tolist() == [1.0, 3.0]
    assert mix_weights(trained, base, 1.0)["a"].tolist() == [5.0, -1.0]


def test_a_mix_keeps_whole_numbers_and_the_type_of_each():
    trained = {"n": torch.tensor([7]), "h": torch.tensor([1.0], dtype=torch.bfloat16)}
    base = {"n": torch.tensor([9]), "h": torch.tensor([3.0], dtype=torch.bfloat16)}
    mixed = mix_weights(trained, base, 0.5)
    assert (mixed["n"].item(), mixed["h"].item(), mixed["h"].dtype) == (7, 2.0, torch.bfloat16)


def test_a_run_stops_after_so_many_validations_without_a_gain_and_keeps_the_best(tmp_path: Path, dataset: Path):
    config = tiny_config(validate_every=3, patience=2)
    summary = train([dataset], tmp_path / "model", config, scorer=Scores(0.2, 0.5, 0.5, 0.4, 0.9))

    assert summary.steps == 12
    assert load_manifest(tmp_path / "model").counts["pairs_seen"] == summary.pairs_seen == 12 * 16
    as_long = tmp_path / "as-long"
    train([dataset], as_long, tiny_config(validate_every=3, patience=99), scorer=Scores(0.2, 0.5, 0.1))
    assert weights_of(tmp_path / "model")["embedding.weight"].equal(weights_of(as_long)["embedding.weight"])


def test_a_run_that_gains_to_its_end_ends_with_its_last_weights(tmp_path: Path, dataset: Path):
    rising = Scores(*[step / 10 for step in range(10)])
    summary = train([dataset], tmp_path / "model", tiny_config(validate_every=5), scorer=rising)
    train([dataset], tmp_path / "plain", tiny_config())

    assert summary.steps == 20
    assert weights_of(tmp_path / "model")["embedding.weight"].equal(weights_of(tmp_path / "plain")["embedding.weight"])


@pytest.mark.parametrize("killed_at", [2, 7, 11])
def test_a_run_with_validations_that_was_killed_ends_like_one_that_was_not(
    tmp_path: Path, dataset: Path, killed_at: int
):
    config = tiny_config(validate_every=2, patience=3, learning_rate=0.2)
    whole = train([dataset], tmp_path / "whole", config, scorer=Nearness())

    def kill(progress: Progress) -> None:
        if progress.step == killed_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train([dataset], tmp_path / "killed", config, scorer=Nearness(), report=kill, checkpoint_s=0)
    again = train([dataset], tmp_path / "killed", config, scorer=Nearness())

    assert (again.steps, again.sha256) == (whole.steps, whole.sha256)


def test_a_run_killed_while_its_result_is_scored_ends_like_one_that_was_not(tmp_path: Path, dataset: Path):
    config = tiny_config(validate_every=3, patience=2)
    whole = train([dataset], tmp_path / "whole", config, scorer=Scores(0.2, 0.5, 0.5, 0.4, 0.9))

    class KilledAtTheEnd(Scores):
        def __call__(self, encoder: Encoder) -> Validation:
            if len(self.numbers) == 1:
                raise KeyboardInterrupt
            return super().__call__(encoder)

    with pytest.raises(KeyboardInterrupt):
        train([dataset], tmp_path / "killed", config, scorer=KilledAtTheEnd(0.2, 0.5, 0.5, 0.4, 0.9), checkpoint_s=0)
    again = train([dataset], tmp_path / "killed", config, scorer=Scores(0.9))

    assert (again.steps, again.tokens_seen, again.sha256) == (whole.steps, whole.tokens_seen, whole.sha256)


def test_a_history_forgets_what_came_after_the_checkpoint_and_half_a_line(tmp_path: Path):
    first = BestWeights(tmp_path, patience=9, first_step=0)
    for step, score in ((2, 0.5), (4, 0.7), (6, 0.9)):
        first.take(step, score, {"a": torch.tensor([float(step)])})
    with (tmp_path / "validations.jsonl").open("a") as stream:
        stream.write('{"step": 8, "sc')

    again = BestWeights(tmp_path, patience=9, first_step=5)

    assert again.best_step == 4
    assert again.read()["a"].tolist() == [4.0]


def test_weights_that_no_checkpoint_needs_are_removed(tmp_path: Path):
    best = BestWeights(tmp_path, patience=9, first_step=0)
    for step, score in ((2, 0.5), (4, 0.7), (6, 0.1)):
        best.take(step, score, {"a": torch.tensor([float(step)])})
    best.tidy()

    assert [path.name for path in tmp_path.glob("*.safetensors")] == ["best-4.safetensors"]


def test_of_several_shares_of_the_base_the_best_on_validation_is_kept(tmp_path: Path, dataset: Path):
    base = tmp_path / "base"
    train([dataset], base, tiny_config(seed=3))
    shares = {"keep_base": ("0", "0.5", "1"), "base": str(base)}

    summary = train([dataset], tmp_path / "mixed", tiny_config(**shares), scorer=Scores(0.1, 0.3, 0.2))

    assert summary.base_share == load_manifest(tmp_path / "mixed").counts["base_share"] == 0.5
    train([dataset], tmp_path / "trained", tiny_config(base=str(base)))
    parts = [weights_of(folder)["embedding.weight"] for folder in (tmp_path / "trained", base)]
    assert torch.allclose(weights_of(tmp_path / "mixed")["embedding.weight"], sum(parts) / 2, atol=1e-6)


def test_one_share_of_the_base_needs_no_validation(tmp_path: Path, dataset: Path, static_folder: Path):
    config = tiny_config(base=str(static_folder), keep_base=("1",))
    assert train([dataset], tmp_path / "model", config).base_share == 1.0
    assert weights_of(tmp_path / "model")["embedding.weight"].equal(weights_of(static_folder)["embedding.weight"])


@pytest.mark.parametrize("changes", [{"validate_every": 5}, {"base": "minilm", "keep_base": ("0", "1")}])
def test_choosing_by_validation_needs_a_validation_split(tmp_path: Path, dataset: Path, changes: dict):
    with pytest.raises(ConfigError, match="need a validation split"):
        train([dataset], tmp_path / "model", tiny_config(**changes))


def test_the_fusion_weight_of_the_validation_is_that_of_the_encoder(tmp_path: Path, dataset: Path):
    summary: TrainSummary = train([dataset], tmp_path / "model", tiny_config(), scorer=Scores(0.4))
    plain = small_dataset(tmp_path / "plain")

    assert summary.validation == {"score": 0.4, "fusion_weight": 0.35, "sets": {}}
    assert open_encoder(str(tmp_path / "model")).fusion_weight == 0.35
    train([plain], tmp_path / "unmeasured", tiny_config(steps=1))
    assert open_encoder(str(tmp_path / "unmeasured")).fusion_weight == FUSION_WEIGHT
