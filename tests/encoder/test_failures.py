import json
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding

from procqa.encoder.failures import is_out_of_memory
from procqa.encoder.log import Progress
from procqa.encoder.training import train
from procqa.errors import ArtifactError, ProcqaError
from tests.encoder.processes import scratch_of, start, start_ranks, wait, words_of
from tests.encoder.small import tiny_config

TINY = tiny_config(base="tiny", dimensions=64, layers=1, steps=6, learning_rate=1e-3, max_tokens=16)


@dataclass
class Memory:
    """Stands in for a device with room for so many rows at a time, or only where their activations are kept."""

    rows: int
    only_with_gradients: bool = False

    def check(self, rows: int) -> None:
        """Raise what torch raises where there is no room."""
        if rows > self.rows and (torch.is_grad_enabled() or not self.only_with_gradients):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")


def install(memory: Memory, patch: pytest.MonkeyPatch) -> None:
    """Let both kinds of encoders check their memory."""
    for module, rows_of in ((StaticEmbedding, "offsets"), (Pooling, "attention_mask")):
        patch.setattr(module, "forward", partial_forward(module.forward, rows_of, memory))


def partial_forward(forward: Any, rows_of: str, memory: Memory) -> Any:
    def checked(self: Any, features: dict[str, torch.Tensor], **others: Any) -> Any:
        memory.check(len(features[rows_of]))
        return forward(self, features, **others)

    return checked


def install_in_second(rows: int, only_with_gradients: bool) -> None:
    """What a process does first: the second of two has little memory."""
    if os.environ["RANK"] == "1":
        install(Memory(rows, only_with_gradients), pytest.MonkeyPatch())


def log_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("only_with_gradients", [False, True])
@pytest.mark.parametrize("config", [tiny_config(), TINY], ids=["static", "with dropout"])
def test_a_run_short_of_memory_is_the_run_with_fewer_rows_at_a_time(
    config: Any, only_with_gradients: bool, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fields = {name: getattr(config, name) for name in config.__dataclass_fields__}
    train([dataset], tmp_path / "asked", type(config)(**{**fields, "rows_at_once": 4}))
    reports: list[Progress] = []
    install(Memory(5, only_with_gradients), monkeypatch)
    train([dataset], tmp_path / "short", config, report=reports.append)
    asked, short = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("asked", "short"))
    assert asked == short
    assert {report.rows_at_once for report in reports} == {4}
    for name in ("loss", "masked", "rows_at_once", "pairs_seen"):
        assert [line[name] for line in log_of(tmp_path / "asked")] == [
            line[name] for line in log_of(tmp_path / "short")
        ]


def test_a_batch_that_shrank_to_fit_has_the_loss_of_the_whole(
    dataset: Path, static_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    install(Memory(1), monkeypatch)
    train([dataset], tmp_path / "model", tiny_config())
    expected = [line["loss"] for line in log_of(static_folder)]
    assert [line["loss"] for line in log_of(tmp_path / "model")] == pytest.approx(expected, abs=1e-5)
    assert {line["rows_at_once"] for line in log_of(tmp_path / "model")} == {1}
    assert {line["rows_at_once"] for line in log_of(static_folder)} == {None}


def test_a_run_that_is_taken_up_keeps_the_rows_that_had_room(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    memory = Memory(99)
    install(memory, monkeypatch)

    def shrink(progress: Progress, *, killed_at: int | None = None) -> None:
        memory.rows = 4 if progress.step >= 2 else memory.rows
        if progress.step == killed_at:
            raise KeyboardInterrupt

    train([dataset], tmp_path / "whole", TINY, report=shrink, checkpoint_s=0)
    memory.rows = 99
    with pytest.raises(KeyboardInterrupt):
        train([dataset], tmp_path / "killed", TINY, report=partial(shrink, killed_at=4), checkpoint_s=0)
    memory.rows = 99
    train([dataset], tmp_path / "killed", TINY)
    assert [line["rows_at_once"] for line in log_of(tmp_path / "killed")] == [None, None, 4, 4, 4, 4]
    whole, killed = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "killed"))
    assert whole == killed


def test_without_memory_for_one_text_a_run_ends_with_a_sentence_and_keeps_its_steps(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    memory = Memory(99)
    install(memory, monkeypatch)

    def shrink(progress: Progress) -> None:
        memory.rows = 0 if progress.step == 4 else 99

    out = tmp_path / "model"
    with pytest.raises(ProcqaError, match=r"must be memory for one text at a time.*goes on from step 4$"):
        train([dataset], out, tiny_config(), report=shrink, checkpoint_s=0)
    memory.rows = 99
    steps: list[int] = []
    train([dataset], out, tiny_config(), report=lambda progress: steps.append(progress.step))
    assert steps == list(range(5, 21))


def test_a_run_that_never_had_memory_leaves_nothing(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    install(Memory(0), monkeypatch)
    with pytest.raises(ProcqaError, match=r"take a smaller base$"):
        train([dataset], tmp_path / "model", tiny_config())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("only_with_gradients", [False, True])
def test_where_one_of_two_processes_is_short_of_memory_both_take_fewer_rows(
    only_with_gradients: bool, dataset: Path, tmp_path: Path
):
    assert wait(*start_ranks(tmp_path / "asked", dataset, tiny_config(rows_at_once=2))) == [0, 0]
    prepare = partial(install_in_second, 3, only_with_gradients)
    assert wait(*start_ranks(tmp_path / "short", dataset, tiny_config(), prepare=prepare)) == [0, 0]
    assert {line["rows_at_once"] for line in log_of(tmp_path / "short")} == {2}
    asked, short = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("asked", "short"))
    assert asked == short


def test_where_one_of_two_processes_has_no_memory_at_all_the_run_ends_with_one_sentence(dataset: Path, tmp_path: Path):
    ranks = start_ranks(tmp_path / "model", dataset, tiny_config(), prepare=partial(install_in_second, 0, False))
    assert wait(*ranks) == [1, 1]
    words = [words_of(tmp_path / "model", rank).read_text() for rank in ("0", "1")]
    assert sorted(map(len, words))[0] == 0
    assert "".join(words).startswith("there must be memory for one text at a time")


@pytest.mark.parametrize(
    ("error", "is_so"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
            True,
        ),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (MemoryError(), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (OSError("no memory"), False),
    ],
)
def test_what_tells_that_memory_is_short(error: Exception, is_so: bool):
    assert is_out_of_memory(error) == is_so


def test_torch_raises_what_is_taken_for_it():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_a_full_disk_is_one_sentence_and_the_steps_so_far_are_kept(dataset: Path, static_folder: Path, tmp_path: Path):
    out = tmp_path / "model"
    process = start(out, dataset, tiny_config(), largest_file=20_000)  # a checkpoint has a file of 50 kB
    assert wait(process) == [1]
    assert words_of(out).read_text() == (
        f"{out} could not be written: File too large; the same command goes on from step 1\n"
    )
    kept = list(scratch_of(out).glob("checkpoints/*"))
    assert [path.name for path in kept] == ["checkpoint-1"]
    train([dataset], out, tiny_config())
    assert len(log_of(out)) == 20


def test_a_disk_that_is_full_at_the_very_end_loses_nothing(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("procqa.artifact.sync_tree", full)
        with pytest.raises(ArtifactError, match="No space left on device"):
            train([dataset], tmp_path / "model", tiny_config(), checkpoint_s=0)
    steps: list[int] = []
    train([dataset], tmp_path / "model", tiny_config(), report=lambda progress: steps.append(progress.step))
    assert steps == [20]
