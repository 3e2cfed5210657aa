"""Runs that are killed in the middle, as a machine or a user would kill them."""

import json
import os
import random
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tests.encoder.processes import scratch_of, start, wait, wait_for_step, words_of
from tests.encoder.small import tiny_config

# A transformer drops out, so that the state of the random generators matters.
CONFIG = tiny_config(base="tiny", dimensions=64, layers=1, steps=20, learning_rate=1e-3, max_tokens=16)
FILES = ("model.safetensors", "tokenizer.json", "seen.bin", "README.md")


@pytest.fixture(scope="module")
def whole(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run gives that nobody interrupts."""
    out = tmp_path_factory.mktemp("whole") / "model"
    assert wait(start(out, dataset, CONFIG)) == [0], words_of(out).read_text()
    return out


def told(folder: Path) -> list[tuple[int, float, int]]:
    lines = [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]
    return [(line["step"], line["loss"], line["pairs_seen"]) for line in lines]


def kill_while_a_checkpoint_is_written(out: Path, process: BaseProcess) -> None:
    """Stop the process again and again until it stands between the first and the last file of a checkpoint."""
    checkpoints, patience = scratch_of(out) / "checkpoints", time.monotonic() + 60
    assert process.pid is not None
    while time.monotonic() < patience and process.is_alive():
        os.kill(process.pid, signal.SIGSTOP)
        folders = list(checkpoints.glob("checkpoint-*"))
        if len(folders) > 1 and not all((folder / "complete").is_file() for folder in folders):
            process.kill()
            return
        os.kill(process.pid, signal.SIGCONT)
        time.sleep(0.001)
    raise AssertionError("no checkpoint was seen unfinished")


def test_a_run_killed_five_times_ends_with_the_bytes_of_one_that_was_not(dataset: Path, whole: Path, tmp_path: Path):
    out = tmp_path / "model"
    process = start(out, dataset, CONFIG, step_s=0.01)
    kill_while_a_checkpoint_is_written(out, process)
    assert wait(process) == [-signal.SIGKILL]
    for step in sorted(random.Random(7).sample(range(4, 18), 4)):
        process = start(out, dataset, CONFIG, step_s=0.05)
        wait_for_step(out, process, step)
        process.kill()
        assert wait(process) == [-signal.SIGKILL]
        assert not out.exists()
    assert wait(start(out, dataset, CONFIG)) == [0], words_of(out).read_text()
    assert {name: (out / name).read_bytes() == (whole / name).read_bytes() for name in FILES} == dict.fromkeys(
        FILES, True
    )
    assert told(out) == told(whole)
    assert not scratch_of(out).exists()


def test_a_run_that_was_interrupted_goes_on_where_it_stopped(dataset: Path, whole: Path, tmp_path: Path):
    out = tmp_path / "model"
    process = start(out, dataset, CONFIG, step_s=0.2)
    wait_for_step(out, process, 8)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    assert wait(process) == [130]
    assert list(scratch_of(out).glob("checkpoints/*/complete"))
    assert wait(start(out, dataset, CONFIG)) == [0]
    assert (out / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_a_second_run_of_the_same_folder_is_refused_while_the_first_goes_on(dataset: Path, whole: Path, tmp_path: Path):
    out = tmp_path / "model"
    first = start(out, dataset, CONFIG, step_s=0.2)
    wait_for_step(out, first, 2)
    first_words = words_of(out).rename(tmp_path / "first")
    assert first.pid is not None
    os.kill(first.pid, signal.SIGSTOP)  # however long the second takes to start, the first is not done
    assert wait(start(out, dataset, CONFIG)) == [1]
    assert words_of(out).read_text() == (
        f"{out} is being written by another process: wait for it, or give another --out\n"
    )
    os.kill(first.pid, signal.SIGCONT)
    assert wait(first) == [0], first_words.read_text()
    assert (out / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
