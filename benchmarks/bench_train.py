"""Pairs per second of ``procqa train`` beside a bare torch loop, in one run: static embeddings, or --base minilm.

Both train the same model with the same tokenizer, loss, batch size, optimiser and schedule, and draw the stream of
each step from the same numbers. Within a stream the loop takes any rows, equal texts too, where procqa goes through
them once an epoch and lets no two pairs of a batch share a text; static embeddings begin as other random numbers. So
the losses, means of the second half of the steps, are alike and not equal; that of one step hangs on its stream.
Only the training steps count: reading and saving are left out on both sides, and tokenizing where it is done before.
"""

import json
import shutil
import tempfile
from pathlib import Path
from statistics import fmean
from typing import Any

import click

from benchmarks.datasets import dense_dataset
from benchmarks.measure import Run, interleave, run_python
from procqa.config import TrainConfig, train_config
from procqa.encoder.model import find_encoder
from procqa.manifest import TRAINING_LOG

OURS, BARE = "procqa", "bare"


def measure_train(dataset: Path, scratch: Path, config: TrainConfig, *, cores: int, repeats: int) -> dict[str, Any]:
    """The measurements of both on one dataset.

    Raises:
        RuntimeError: one of them failed.
    """
    runs = interleave(
        repeats,
        {
            OURS: lambda: _train(dataset, scratch / "encoder", config, cores=cores),
            BARE: lambda: _bare(dataset, scratch, config, cores=cores),
        },
    )
    loss = _last_loss(scratch / "encoder" / TRAINING_LOG, last_steps(config))
    measured = {
        OURS: _best([{**_ours(run), "loss": loss} for run in runs[OURS]], runs[OURS]),
        BARE: _best([json.loads(run.stdout) for run in runs[BARE]], runs[BARE]),
    }
    return {
        "base": config.base,
        "steps": config.steps,
        "batch_size": config.batch_size,
        "cores": cores,
        "repeats": repeats,
        "measured": measured,
        "ratios": {"procqa / bare": round(measured[OURS]["pairs_per_s"] / measured[BARE]["pairs_per_s"], 2)},
    }


def _train(dataset: Path, out: Path, config: TrainConfig, *, cores: int) -> Run:
    shutil.rmtree(out, ignore_errors=True)
    options = ["--steps", str(config.steps), "--batch-size", str(config.batch_size)]
    options += ["--base", config.base, "--preset", "macp", "--temperature", str(config.temperature)]
    options += ["--learning-rate", str(config.learning_rate)]
    command = ["-m", "procqa", "train", str(dataset), "--out", str(out), *options, "--json"]
    return run_python(command, cores=cores)


def _ours(run: Run) -> dict[str, Any]:
    summary = json.loads(run.stdout)
    return {"pairs": summary["pairs_seen"], "seconds": summary["seconds"]}


def last_steps(config: TrainConfig) -> int:
    """How many steps the loss is the mean of: the second half."""
    assert config.steps is not None
    return max(1, config.steps // 2)


def _last_loss(log: Path, steps: int) -> float:
    """The mean loss of the last steps, each line of the log being that of as many."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return fmean(line["loss"] for line in lines if line["step"] > lines[-1]["step"] - steps)


def _bare(dataset: Path, scratch: Path, config: TrainConfig, *, cores: int) -> Run:
    """The loop; it takes the tokenizer that the run before it trained, or the same base."""
    is_static = config.base == "static"
    settings = {
        "dataset": str(dataset),
        "tokenizer": str(next((scratch / "encoder").rglob("tokenizer.json"))),
        "base": None if is_static else str(find_encoder(config.base)),
        "steps": config.steps,
        "last_steps": last_steps(config),
        "batch_size": config.batch_size,
        "dimensions": config.dimensions,
        "learning_rate": config.learning_rate,
        "temperature": config.temperature,
    }
    path = scratch / "bare.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    peer = "bare_train" if is_static else "bare_transformer"
    return run_python(["-m", f"benchmarks.peers.{peer}", str(path)], cores=cores)


def _best(measured: list[dict[str, Any]], runs: list[Run]) -> dict[str, Any]:
    fastest = max(measured, key=lambda one: one["pairs"] / one["seconds"])
    return {
        "pairs": fastest["pairs"],
        "seconds": round(fastest["seconds"], 3),
        "pairs_per_s": round(fastest["pairs"] / fastest["seconds"], 1),
        "loss": round(fastest["loss"], 3),
        "peak_bytes": max(run.peak_bytes for run in runs),
    }


@click.command(help=__doc__)
@click.option("--dataset", type=click.Path(path_type=Path), help="train on this [default: a generated one]")
@click.option("--documents", type=int, default=10_000, show_default=True, help="about so many pairs are generated")
@click.option("--base", type=click.Choice(["static", "minilm"]), default="static", show_default=True)
@click.option("--steps", type=int, help="[default: 200; 12 of minilm]")
@click.option("--batch-size", type=int, help="[default: 1024; 32 of minilm]")
@click.option("--cores", type=int, default=1, show_default=True)
@click.option("--repeats", type=int, default=3, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(
    dataset: Path | None,
    documents: int,
    base: str,
    steps: int | None,
    batch_size: int | None,
    cores: int,
    repeats: int,
    seed: int,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        dataset = dataset or dense_dataset(scratch, documents=documents, seed=seed)
        usual_steps, usual_size = (200, 1_024) if base == "static" else (12, 32)
        given = {"steps": steps or usual_steps, "batch_size": batch_size or usual_size, "keep_base": ("0",)}
        config = train_config(base, given if base == "minilm" else {**given, "keep_base": None})
        print(json.dumps(measure_train(dataset, scratch, config, cores=cores, repeats=repeats)))


if __name__ == "__main__":
    main()
