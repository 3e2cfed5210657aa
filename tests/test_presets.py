"""Presets: what each changes, and what is given wins."""

import dataclasses

import pytest

from procqa.config import TRAIN_PRESETS, TrainConfig, train_config
from procqa.errors import ConfigError


@pytest.mark.parametrize("preset", TRAIN_PRESETS)
def test_every_preset_is_valid_and_goes_by_a_name_that_a_manifest_holds(preset):
    assert train_config(preset, {}).preset in TRAIN_PRESETS


def test_a_preset_is_macp_with_some_numbers_changed_and_what_is_given_wins():
    assert train_config("macp", {}) == TrainConfig()
    static = train_config("static", {"steps": 7, "seed": None})
    assert (static.base, static.steps, static.seed, static.preset) == ("static", 7, 42, "macp")


def test_the_static_base_takes_the_numbers_of_its_preset():
    assert train_config("macp", {"base": "static"}) == train_config("static", {})


def test_the_preset_minilm_is_macp_made_gentle_for_a_base_that_forgets():
    built = train_config("minilm", {"steps": 150})
    assert (built.base, built.preset, built.learning_rate, built.temperature) == ("minilm", "macp", 2e-5, 0.05)
    assert (built.base_shares, built.needs_validation) == ((0.25, 0.5, 0.75), True)
    assert train_config("macp", {"base": "minilm"}) == TrainConfig()


def test_the_preset_gte_is_macp_with_the_loss_of_the_authors_code():
    assert train_config("gte", {}) == dataclasses.replace(TrainConfig(), preset="gte", loss="four-way")


def test_the_preset_fine_tune_has_the_authors_numbers():
    built = train_config("fine-tune", {})
    assert (built.epochs, built.steps, built.tokens) == (3, None, None)
    assert (built.learning_rate, built.warmup_ratio, built.temperature) == (2e-5, 0.1, 0.01)
    assert (built.batch_size, built.negatives, built.max_tokens, built.loss) == (128, 7, 512, "four-way")
    assert (built.batches, built.pairs) == ("stream", ("both-answer", "docstring-function"))


@pytest.mark.parametrize(
    ("preset", "given", "length"),
    [
        ("macp", {}, (1_000, None, None)),
        ("static", {}, (400, None, None)),
        ("static", {"epochs": 2}, (None, 2, None)),
        ("macp", {"tokens": 10**7}, (None, None, 10**7)),
        ("fine-tune", {"steps": 50}, (50, None, None)),
        ("fine-tune", {"base": "static"}, (None, 3, None)),
        ("fine-tune", {"tokens": 9}, (None, None, 9)),
    ],
)
def test_a_length_that_is_given_takes_the_place_of_the_preset_s(preset, given, length):
    built = train_config(preset, given)
    assert (built.steps, built.epochs, built.tokens) == length


@pytest.mark.parametrize(
    ("preset", "given"), [("gpt", {}), ("static", {"base": "minilm"}), ("minilm", {"base": "static"})]
)
def test_a_preset_that_is_not_there_or_contradicts_its_base_is_refused(preset, given):
    with pytest.raises(ConfigError, match="preset"):
        train_config(preset, given)
