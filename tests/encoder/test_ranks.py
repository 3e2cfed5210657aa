import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from procqa.config import TrainConfig
from procqa.encoder.ranks import ALONE, Ranks, is_first, is_launched
from procqa.encoder.training import train
from procqa.errors import ConfigError
from tests.encoder.processes import scratch_of, start_ranks, wait, wait_for_step, words_of
from tests.encoder.small import make_dataset, tiny_config

LAUNCHED = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}


def log_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]


def assert_same_run(one: Path, two: Path) -> None:
    """The same batches and losses at every step, and the same weights but for the order of sums."""
    for name in ("step", "learning_rate", "pairs_seen", "masked", "streams", "languages"):
        assert [line[name] for line in log_of(one)] == [line[name] for line in log_of(two)]
    losses = [[line["loss"] for line in log_of(folder)] for folder in (one, two)]
    assert losses[0] == pytest.approx(losses[1], abs=2e-5)
    for path in one.rglob("model.safetensors"):
        weights = [load_file(folder / path.relative_to(one)) for folder in (one, two)]
        for name, found in weights[0].items():
            np.testing.assert_allclose(found, weights[1][name], atol=1e-4)
    assert (one / "seen.bin").read_bytes() == (two / "seen.bin").read_bytes()


def test_two_processes_of_torchrun_are_one_run(dataset: Path, tmp_path: Path):
    # An odd number of pairs, and of pairs in a stream, leaves one of the processes with less to do.
    flags = ["--preset", "static", "--steps", "12", "--batch-size", "15", "--dimensions", "16", "--vocabulary", "400"]
    program = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "procqa"]
    command = [*program, "train", str(dataset), "--out", str(tmp_path / "two"), *flags, "--json"]
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=240, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert ran.returncode == 0, ran.stderr
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [(each["steps"], each["pairs_seen"]) for each in told] == [(12, 12 * 15)]
    assert ran.stderr.count("step 12/12") == 1
    config = tiny_config(steps=12, batch_size=15)
    train([dataset], tmp_path / "one", config)
    assert_same_run(tmp_path / "one", tmp_path / "two")


@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": 9, "batches": "mixed", "loss": "four-way", "rows_at_once": 2, "margin": 0.1},
        {"batch_size": 999, "towers": "modality", "pairs": ("both-answer",), "matryoshka": ("8",)},
    ],
)
def test_whatever_the_recipe_two_processes_have_the_losses_of_one(
    settings: dict[str, object], dataset: Path, tmp_path: Path
):
    config = tiny_config(steps=6, **settings)
    ranks = start_ranks(tmp_path / "two", dataset, config)
    assert wait(*ranks) == [0, 0], words_of(tmp_path / "two").read_text()
    train([dataset], tmp_path / "one", config)
    assert_same_run(tmp_path / "one", tmp_path / "two")
    assert not scratch_of(tmp_path / "two").exists()


def test_processes_that_were_killed_go_on_with_the_random_numbers_of_each(dataset: Path, tmp_path: Path):
    config = tiny_config(base="tiny", dimensions=64, layers=1, steps=12, learning_rate=1e-3, max_tokens=16)
    assert wait(*start_ranks(tmp_path / "whole", dataset, config)) == [0, 0]
    ranks = start_ranks(tmp_path / "killed", dataset, config, step_s=0.02)
    wait_for_step(tmp_path / "killed", ranks[0], 5)
    for process in ranks:
        process.kill()
    assert wait(*ranks) == [-signal.SIGKILL, -signal.SIGKILL]
    assert wait(*start_ranks(tmp_path / "killed", dataset, config)) == [0, 0]
    whole, killed = (tmp_path / name / "model.safetensors" for name in ("whole", "killed"))
    assert whole.read_bytes() == killed.read_bytes()


def words_of_both(out: Path) -> list[str]:
    """The lines of both processes together."""
    return [line for rank in ("0", "1") for line in words_of(out, rank).read_text().splitlines()]


def test_what_fails_in_the_first_ends_all_with_one_sentence(tmp_path: Path):
    dataset = make_dataset(tmp_path / "Q", {"python": [("one", "two words", "three")]})
    assert wait(*start_ranks(tmp_path / "model", dataset, tiny_config())) == [1, 1]
    assert words_of_both(tmp_path / "model") == [
        "the train splits must hold two pairs to tell apart, but their 1 rows do not: add a dataset"
    ]
    assert not scratch_of(tmp_path / "model").exists()


def test_what_fails_in_all_is_said_once(dataset: Path, tmp_path: Path):
    assert wait(*start_ranks(tmp_path / "model", dataset, tiny_config(learning_rate=1e38))) == [1, 1]
    words = words_of_both(tmp_path / "model")
    assert len(words) == 1
    assert words[0].startswith("the loss must stay a number")


def test_a_process_that_ends_ends_the_others_and_their_steps_are_kept(dataset: Path, tmp_path: Path):
    out, config = tmp_path / "model", tiny_config()
    ranks = start_ranks(out, dataset, config, step_s=0.02)
    wait_for_step(out, ranks[0], 3)
    ranks[1].kill()
    assert wait(*ranks) == [1, -signal.SIGKILL]
    words = words_of_both(out)
    assert len(words) == 1
    assert words[0].startswith("every process of a run must go on, but one of them ended")
    assert list(scratch_of(out).glob("checkpoints/*/complete"))
    train([dataset], out, config)
    assert len(log_of(out)) == 20


def test_processes_with_other_settings_are_refused(dataset: Path, tmp_path: Path):
    out = tmp_path / "model"
    config = tiny_config()
    ranks = start_ranks(out, dataset, config, prepare=partial(_give_other_settings, config))
    assert wait(*ranks) == [1, 1]
    assert len(words_of_both(out)) == 1


def _give_other_settings(config: TrainConfig) -> None:
    """Change a setting that the second process was given."""
    if os.environ["RANK"] == "1":
        object.__setattr__(config, "steps", 19)


def test_a_process_that_is_alone_speaks_for_itself():
    assert Ranks(0, 1) == ALONE
    assert (ALONE.is_first, ALONE.any(True), ALONE.any(False), ALONE.share("text")) == (True, True, False, "text")
    state = torch.random.get_rng_state()
    assert ALONE.gather_states(state) == [state]
    with pytest.raises(MemoryError, match="mine"), ALONE.agreeing():
        raise MemoryError("mine")


def test_the_environment_tells_who_is_who():
    assert (is_launched(LAUNCHED), is_launched({}), is_launched({"WORLD_SIZE": "1"})) == (True, False, False)
    assert (is_first(LAUNCHED), is_first({}), is_first({"RANK": "0"})) == (False, True, True)


@pytest.mark.parametrize("missing", ["RANK", "LOCAL_RANK", "MASTER_ADDR"])
def test_one_of_several_processes_must_know_where_the_others_are(missing: str):
    with pytest.raises(ConfigError, match=f"but {missing} is not set"):
        is_launched({name: value for name, value in LAUNCHED.items() if name != missing})
