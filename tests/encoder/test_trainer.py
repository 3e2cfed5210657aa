import json
from pathlib import Path

import pytest
import safetensors
import torch

from procqa.encoder.log import Progress
from procqa.encoder.trainer import clear_unfinished, find_checkpoint, log_every
from procqa.encoder.training import train
from procqa.errors import ProcqaError
from tests.encoder.processes import start, wait, words_of
from tests.encoder.small import tiny_config

TINY = tiny_config(base="tiny", dimensions=64, layers=1, steps=3, learning_rate=1e-3, max_tokens=16)
BF16 = tiny_config(base="tiny", dimensions=64, layers=1, steps=3, learning_rate=1e-3, max_tokens=16, precision="bf16")


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
    clear_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-9"]


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


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "training.jsonl").read_text().splitlines()]


def test_bf16_computes_in_16_bits_and_keeps_weights_of_32(tmp_path: Path, dataset: Path):
    kinds: set[torch.dtype] = set()
    linear = torch.nn.functional.linear

    def watch(*arguments: torch.Tensor) -> torch.Tensor:
        result = linear(*arguments)
        kinds.add(result.dtype)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.functional, "linear", watch)
        train([dataset], tmp_path / "fp32", TINY)
        assert kinds == {torch.float32}
        kinds.clear()
        train([dataset], tmp_path / "bf16", BF16)
        assert torch.bfloat16 in kinds
    both = losses(tmp_path / "fp32"), losses(tmp_path / "bf16")
    assert both[0] == pytest.approx(both[1], rel=0.05)
    assert both[0] != both[1]
    with safetensors.safe_open(tmp_path / "bf16" / "model.safetensors", framework="np") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"F32"}  # noqa: SIM118  no mapping


def require_plain_processor() -> None:
    if torch.backends.cpu.get_cpu_capability() != "DEFAULT":
        raise ProcqaError("the processor must do without its wide registers")


def test_bf16_needs_no_instructions_for_it(tmp_path: Path, dataset: Path):
    plain = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"}
    process = start(tmp_path / "model", dataset, BF16, environment=plain, prepare=require_plain_processor)
    assert wait(process) == [0], words_of(tmp_path / "model").read_text()
    train([dataset], tmp_path / "usual", BF16)
    assert losses(tmp_path / "model") == pytest.approx(losses(tmp_path / "usual"), rel=0.02)
