from pathlib import Path

import pytest

from procqa.encoder.log import Progress
from procqa.encoder.trainer import find_checkpoint, log_every
from procqa.encoder.training import train
from tests.encoder.small import tiny_config


@pytest.mark.parametrize(("steps", "every"), [(1, 1), (99, 1), (250, 2), (10_000, 100)])
def test_a_run_is_logged_about_a_hundred_times(steps: int, every: int):
    assert log_every(steps) == every


def test_the_newest_complete_checkpoint_is_found(tmp_path: Path):
    assert find_checkpoint(tmp_path) == (None, 0)
    for step in (9, 10, 11):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (9, 10):
        (tmp_path / f"checkpoint-{step}" / "complete").touch()
    assert find_checkpoint(tmp_path) == (tmp_path / "checkpoint-10", 10)


def test_a_checkpoint_holds_no_pickle(tmp_path: Path, dataset: Path):
    def kill(progress: Progress) -> None:
        if progress.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train([dataset], tmp_path / "model", tiny_config(), report=kill, checkpoint_s=0)
    files = {path.name for path in tmp_path.glob(".model.partial/scratch/checkpoints/checkpoint-2/**/*")}
    assert {"model.safetensors", "optimizer.safetensors", "random.safetensors", "complete"} <= files
    assert {Path(name).suffix for name in files} <= {"", ".json", ".safetensors", ".md"}


def test_the_last_step_is_logged_whatever_their_number(tmp_path: Path, dataset: Path):
    steps: list[int] = []
    train([dataset], tmp_path / "model", tiny_config(steps=205), report=lambda progress: steps.append(progress.step))
    assert steps[-2:] == [204, 205]
