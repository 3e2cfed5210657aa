"""Speed and memory of ``procqa build`` over dumps of several sizes, beside a naive script: is time linear in rows?

For each size the measurement of ``bench_build``, once, on a generated dump like the whole site. The largest peer
run takes minutes: the naive script holds all pairs in memory.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import click

from benchmarks.bench_build import ONE, PEER, TWO, measure_build
from benchmarks.dumps import write_dump


def measure_curve(sizes: tuple[float, ...], folder: Path, *, seed: int, repeats: int) -> dict[str, Any]:
    """The measurements on dumps of some sizes in megabytes, and what the largest costs beside the smallest.

    Args:
        folder: where dumps are looked for as ``site-MEGABYTES-SEED.xml``, and written where they are missing.
    """
    curve = []
    for megabytes in sizes:
        dump = folder / f"site-{megabytes:g}-{seed}.xml"
        if not dump.exists():
            write_dump(dump, size_bytes=int(megabytes * 1e6), seed=seed)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            curve.append(measure_build(dump, Path(scratch), repeats=repeats))
    largest = curve[-1]
    rows = [point["rows"] / point["measured"][ONE]["seconds"] for point in curve]
    return {
        "curve": curve,
        "ratios": {
            **largest["ratios"],
            "rows/s of one job, largest / smallest dump": round(rows[-1] / rows[0], 2),
            "peak memory of two jobs, largest / smallest dump": round(
                largest["measured"][TWO]["peak_bytes"] / curve[0]["measured"][TWO]["peak_bytes"], 2
            ),
            "peak memory, procqa-2 / naive, largest dump": round(
                largest["measured"][TWO]["peak_bytes"] / largest["measured"][PEER]["peak_bytes"], 2
            ),
        },
    }


@click.command(help=__doc__)
@click.option("--megabytes", "sizes", multiple=True, type=float, default=(100.0, 1_000.0, 4_000.0), show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="keep the dumps here, and use those that are here")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--repeats", type=int, default=1, show_default=True)
def main(sizes: tuple[float, ...], folder: Path | None, seed: int, repeats: int) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(measure_curve(sizes, folder or Path(temporary), seed=seed, repeats=repeats)))


if __name__ == "__main__":
    main()
