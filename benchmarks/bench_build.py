"""Speed and memory of ``procqa build`` beside a naive script, on one file, in one run.

Every run is a process of its own, start included; the peer and one job have one core, two jobs have two.
Runs are interleaved and the fastest of each counts.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import click

from benchmarks.dumps import DENSE, write_dump
from benchmarks.measure import Run, interleave, run_python

PEER, ONE, TWO = "naive", "procqa-1", "procqa-2"


def measure_build(dump: Path, scratch: Path, *, repeats: int) -> dict[str, Any]:
    """The measurements of all three on one dump.

    Raises:
        RuntimeError: one of them failed.
    """
    runs = interleave(
        repeats,
        {
            PEER: lambda: run_python(
                ["-m", "benchmarks.peers.naive_build", str(dump), str(scratch / "naive.parquet")], cores=1
            ),
            ONE: lambda: _build(dump, scratch / "dataset-1", jobs=1),
            TWO: lambda: _build(dump, scratch / "dataset-2", jobs=2),
        },
    )
    size = dump.stat().st_size
    summary = json.loads(runs[ONE][0].stdout)
    measured = {name: _best(of_name, size) for name, of_name in runs.items()}
    speed = {name: values["mb_per_s"] for name, values in measured.items()}
    return {
        "dump_bytes": size,
        "rows": summary["rows"],
        "questions": summary["questions"],
        "repeats": repeats,
        "measured": measured,
        "ratios": {
            "procqa-1 / naive": round(speed[ONE] / speed[PEER], 2),
            "procqa-2 / procqa-1": round(speed[TWO] / speed[ONE], 2),
            "peak memory, procqa-1 / naive": round(measured[ONE]["peak_bytes"] / measured[PEER]["peak_bytes"], 2),
        },
    }


def _build(dump: Path, out: Path, *, jobs: int) -> Run:
    shutil.rmtree(out, ignore_errors=True)
    return run_python(
        ["-m", "procqa", "build", str(dump), "--out", str(out), "--jobs", str(jobs), "--json"], cores=jobs
    )


def _best(runs: list[Run], size: int) -> dict[str, Any]:
    fastest = min(runs, key=lambda run: run.seconds)
    return {
        "seconds": round(fastest.seconds, 3),
        "mb_per_s": round(size / 1e6 / fastest.seconds, 2),
        "peak_bytes": max(run.peak_bytes for run in runs),
        "kept": json.loads(fastest.stdout)["kept"],
    }


@click.command(help=__doc__)
@click.option("--dump", type=click.Path(path_type=Path), help="measure on this dump [default: a generated one]")
@click.option("--megabytes", type=float, default=60.0, show_default=True, help="size of the generated dump")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--repeats", type=int, default=3, show_default=True)
@click.option("--dense", is_flag=True, help="generate nothing but pairs, so that every body is converted")
def main(dump: Path | None, megabytes: float, seed: int, repeats: int, dense: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if dump is None:
            dump = Path(folder) / "Posts.xml"
            write_dump(dump, size_bytes=int(megabytes * 1e6), seed=seed, shape=DENSE if dense else None)
        print(json.dumps(measure_build(dump, Path(folder), repeats=repeats)))


if __name__ == "__main__":
    main()
