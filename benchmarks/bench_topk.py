"""Exact top-k of many queries among a million mapped vectors: time and memory beside the same product without top-k.

Random float32 vectors lie in a file that is mapped into memory. Both ways go through it in the same blocks, in one
process each and in turn, on one core; time is that of the processor, because others may use the machine. Everything
that is resident counts, the pages of the mapped file too, though the system may take these back at any time; what
remains without them is told apart.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

import click
import numpy as np

from benchmarks.measure import Run, interleave, run_python
from procqa.topk import BLOCK_ROWS, QUERY_ROWS, top_k

DIMENSIONS = 384
ROWS_AT_ONCE = 10_000
PRODUCT, TOP_K = "product", "top_k"
Way = Literal["product", "top_k"]


def write_vectors(path: Path, rows: int, *, seed: int) -> None:
    """Write random unit vectors (rows, D) float32."""
    generator = np.random.default_rng(seed)
    with path.open("wb") as stream:
        for start in range(0, rows, ROWS_AT_ONCE):
            block = generator.standard_normal((min(ROWS_AT_ONCE, rows - start), DIMENSIONS), dtype=np.float32)
            stream.write((block / np.linalg.norm(block, axis=1, keepdims=True)).tobytes())


def measure_way(way: Way, documents: Path, queries: Path, k: int) -> dict[str, Any]:
    """Processor seconds of one way in this process, and how many results it has."""
    mapped = np.memmap(documents, np.float32, mode="r").reshape(-1, DIMENSIONS)
    asked = np.fromfile(queries, np.float32).reshape(-1, DIMENSIONS)
    if way == TOP_K:
        top_k(asked[:1], mapped[:1], 1)  # compiled, or read from the cache of compiled code
    started = time.process_time()
    n_results = top_k(asked, mapped, k)[1].size if way == TOP_K else multiply(asked, mapped)
    return {"seconds": time.process_time() - started, "results": n_results}


def multiply(queries: np.ndarray, documents: np.ndarray) -> int:
    """The product of all vectors in the blocks of ``top_k``, each thrown away; how many numbers it had."""
    products = np.empty((min(QUERY_ROWS, len(queries)), BLOCK_ROWS), np.float32)
    size = 0
    for start in range(0, len(documents), BLOCK_ROWS):
        block = documents[start : start + BLOCK_ROWS]
        for first in range(0, len(queries), QUERY_ROWS):
            some = queries[first : first + QUERY_ROWS]
            size += np.matmul(some, block.T, out=products[: len(some), : len(block)]).size
    return size


def measure_all(folder: Path, k: int, repeats: int) -> dict[str, Any]:
    """Both ways in turn, the fastest run of each."""

    def run(way: str) -> Run:
        arguments = ["--way", way, "--folder", str(folder), "-k", str(k)]
        return run_python(["-m", "benchmarks.bench_topk", *arguments], cores=1)

    runs = interleave(repeats, {way: lambda way=way: run(way) for way in (PRODUCT, TOP_K)})
    measured = {}
    for way, done in runs.items():
        seconds = [json.loads(each.stdout)["seconds"] for each in done]
        measured[way] = {
            "processor_seconds": [round(value, 4) for value in seconds],
            "wall_seconds": [round(each.seconds, 2) for each in done],
            "peak_bytes": max(each.peak_bytes for each in done),
            "peak_own_bytes": max(each.peak_own_bytes for each in done),
        }
    fastest = {way: min(values["processor_seconds"]) for way, values in measured.items()}
    return {"measured": measured, "ratios": {"top_k / product": round(fastest[TOP_K] / fastest[PRODUCT], 3)}}


@click.command(help=__doc__)
@click.option("--queries", type=int, default=20_000, show_default=True)
@click.option("--documents", type=int, default=1_000_000, show_default=True)
@click.option("-k", "k", type=int, default=100, show_default=True)
@click.option("--repeats", type=int, default=1, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--way", type=click.Choice([PRODUCT, TOP_K]), hidden=True)
@click.option("--folder", type=click.Path(path_type=Path), hidden=True)
def main(queries: int, documents: int, k: int, repeats: int, seed: int, way: Way | None, folder: Path | None) -> None:
    if way is not None and folder is not None:
        print(json.dumps(measure_way(way, folder / "documents", folder / "queries", k)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        write_vectors(Path(temporary) / "documents", documents, seed=seed)
        write_vectors(Path(temporary) / "queries", queries, seed=seed + 1)
        described = {"queries": queries, "documents": documents, "dimensions": DIMENSIONS, "k": k, "cores": 1}
        print(json.dumps({**described, **measure_all(Path(temporary), k, repeats)}))


if __name__ == "__main__":
    main()
