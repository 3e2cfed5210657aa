"""Peak memory of ``procqa train`` against the batch size, with and without cached gradients, in one run.

A small transformer from scratch sees as many pairs at each size: freed memory lies in more pieces the more was
encoded, so the peak of two steps and that of thirty do not compare. With ``--rows-at-once`` memory must not grow
from 256 to 4,096 pairs; without, it grows with the batch. Libraries, texts and weights are in all of them.
"""

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.datasets import dense_dataset
from benchmarks.measure import run_python

ROWS_AT_ONCE = 32
SIZES = (64, 256, 1_024, 4_096)
FLAT_FROM, FLAT_TO = 256, 4_096
STEPS_OF_LARGEST = 2


def measure_memory(dataset: Path, scratch: Path, sizes: Sequence[int], *, cores: int) -> dict[str, Any]:
    """Peak bytes by batch size, with cached gradients and without.

    Raises:
        RuntimeError: a run failed.
    """
    peaks: dict[str, dict[str, int]] = {"cached": {}, "whole": {}}
    pairs = STEPS_OF_LARGEST * sizes[-1]
    cached = ["--rows-at-once", str(ROWS_AT_ONCE)]
    for size in sizes:
        steps = ["--batch-size", str(size), "--steps", str(pairs // size)]
        peaks["cached"][str(size)] = _peak(dataset, scratch, [*steps, *cached], cores=cores)
        if size <= FLAT_FROM:  # a larger batch at once needs tens of gigabytes
            peaks["whole"][str(size)] = _peak(dataset, scratch, steps, cores=cores)
    of_sizes = peaks["cached"]
    low, high = (str(min(sizes, key=lambda size: abs(size - bound))) for bound in (FLAT_FROM, FLAT_TO))
    return {
        "rows_at_once": ROWS_AT_ONCE,
        "pairs": pairs,
        "cores": cores,
        "peak_bytes": peaks,
        "ratios": {f"cached, {high} / {low} pairs": round(of_sizes[high] / of_sizes[low], 2)},
    }


def _peak(dataset: Path, scratch: Path, options: Sequence[str], *, cores: int) -> int:
    out = scratch / "encoder"
    shutil.rmtree(out, ignore_errors=True)
    recipe = ["--preset", "tiny", "--layers", "2", "--dimensions", "128", "--vocabulary", "8000", "--batches", "mixed"]
    command = ["-m", "procqa", "train", str(dataset), "--out", str(out), *recipe, *options, "--json"]
    return run_python(command, cores=cores).peak_bytes


@click.command(help=__doc__)
@click.option("--dataset", type=click.Path(path_type=Path), help="train on this [default: a generated one]")
@click.option("--documents", type=int, default=10_000, show_default=True, help="about so many pairs are generated")
@click.option("--size", "sizes", type=int, multiple=True, help="a batch size; may be repeated [default: 64 to 4096]")
@click.option("--cores", type=int, default=1, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(dataset: Path | None, documents: int, sizes: tuple[int, ...], cores: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        dataset = dataset or dense_dataset(scratch, documents=documents, seed=seed)
        print(json.dumps(measure_memory(dataset, scratch, sorted(sizes or SIZES), cores=cores)))


if __name__ == "__main__":
    main()
