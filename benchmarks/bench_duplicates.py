"""Near-duplicates: signing speed on one core beside datasketch, and time and memory of clustering by size.

Texts are made of words whose frequencies fall as in real text, as long as those of programming questions. Signatures
are random but for a share of near copies, which is what clustering costs: who is near nobody meets nobody.
Each clustering is a program of its own, measured when its workers are warm; the extrapolation is a straight line
through two sizes.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray

from benchmarks.measure import Run, interleave, limit_cores, run_python
from procqa.dataset.duplicates import choose_bands
from procqa.dataset.minhash import PERMUTATIONS, SHINGLE_TOKENS, sign
from procqa.dataset.tokens import read_tokens

WORDS_PER_TEXT, TEXT_BYTES = 170, 1_160
"""About the mean of the 62,008 pairs of programming-qa and mixed-qa."""

PAIRS = 5_400_000
"""Pairs of the paper's dataset. Source: docs/paper.md#languages."""

COPY_SHARE, MOST_CHANGED = 0.1, 30
"""A tenth of real pairs was near another; a copy differs in up to so many entries."""

FILE_ROWS = 10_000
KEY_BYTES, PARENT_BYTES = 12, 9
"""A key of a band with its row on disk; a row of the union and find, in memory. Source: docs/decisions/0012."""

CLUSTER_PROGRAM = """
import json, os, sys, time
from pathlib import Path
from procqa.config import RunConfig
from procqa.dataset.duplicates import find_clusters
from procqa.workers import open_workers
paths, jobs, memory, scratch = sorted(Path(sys.argv[1]).glob("*.npy")), *map(int, sys.argv[2:4]), Path(sys.argv[4])
with open_workers(RunConfig(jobs=jobs)) as workers:
    find_clusters(paths[:1], scratch / "warm", workers.run, similarity=0.8, memory_bytes=memory)
    started, cpu = time.perf_counter(), sum(os.times()[:2])
    labels = find_clusters(paths, scratch / "all", workers.run, similarity=0.8, memory_bytes=memory)
    seconds, cpu = time.perf_counter() - started, sum(os.times()[:2]) - cpu
print(json.dumps({"cluster_s": seconds, "cpu_s": cpu, "near": int((labels >= 0).sum())}))
"""


def make_texts(n: int, seed: int) -> list[str]:
    """Texts of words, half of them among the hundred commonest."""
    generator = np.random.default_rng(seed)
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    words = ["".join(generator.choice(letters[:20], generator.integers(2, 11))) for _ in range(20_000)]
    frequencies = 1 / np.arange(1, len(words) + 1)
    drawn = generator.choice(len(words), (n, WORDS_PER_TEXT), p=frequencies / frequencies.sum())
    return [" ".join(words[word] for word in text) for text in drawn]


def sign_with_peer(text: str) -> MinHash:
    """What ``sign`` does, by datasketch, from the same shingles."""
    hashes = read_tokens(text).hashes
    sketch = MinHash(num_perm=PERMUTATIONS)
    sketch.update_batch([hashes[i : i + SHINGLE_TOKENS].tobytes() for i in range(len(hashes) - SHINGLE_TOKENS + 1)])
    return sketch


def megabytes_per_second(function: Callable[[str], object], texts: list[str], repeats: int) -> float:
    """The best of some passes, after one text that compiles or loads what is compiled."""
    function(texts[0])
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        for text in texts:
            function(text)
        seconds.append(time.process_time() - started)
    return sum(len(text) for text in texts) / 1e6 / min(seconds)


def write_signatures(folder: Path, n: int, seed: int) -> None:
    """Signatures of n rows in files of FILE_ROWS, some of them near copies of another row of their file."""
    folder.mkdir()
    generator = np.random.default_rng(seed)
    for number, start in enumerate(range(0, n, FILE_ROWS)):
        rows: NDArray[np.uint32] = generator.integers(
            0, 1 << 32, (min(FILE_ROWS, n - start), PERMUTATIONS), np.uint32, endpoint=False
        )
        copies = np.flatnonzero(generator.random(len(rows)) < COPY_SHARE)
        originals = rows[generator.integers(0, len(rows), len(copies))]
        n_changed = generator.integers(0, MOST_CHANGED + 1, len(copies))
        changed = generator.random(originals.shape).argsort(axis=1) < n_changed[:, None]
        rows[copies] = np.where(changed, rows[copies], originals)
        np.save(folder / f"{number:04}.npy", rows)


def measure_clustering(sizes: tuple[int, int], memory_bytes: int, *, repeats: int, seed: int) -> dict[str, Any]:
    """Seconds, rows a second and peak memory by size and jobs."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        measures = {}
        for n in sizes:
            write_signatures(scratch / str(n), n, seed)
            for jobs in (1, 2):
                measures[f"{n} rows, {jobs} jobs"] = _clustering(scratch / str(n), jobs, memory_bytes)
        return {name: _best(runs, int(name.split()[0])) for name, runs in interleave(repeats, measures).items()}


def _clustering(folder: Path, jobs: int, memory_bytes: int) -> Callable[[], Run]:
    def measure() -> Run:
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            arguments = [str(folder), str(jobs), str(memory_bytes), scratch]
            return run_python(["-c", CLUSTER_PROGRAM, *arguments], cores=jobs)

    return measure


def _best(runs: list[Run], n: int) -> dict[str, Any]:
    fastest = min((json.loads(run.stdout) for run in runs), key=lambda found: float(found["cluster_s"]))
    seconds = fastest["cluster_s"]
    return {
        "seconds": round(seconds, 3),
        "cpu_s_of_first_process": round(fastest["cpu_s"], 3),
        "rows_per_s": round(n / seconds),
        "peak_bytes": max(run.peak_bytes for run in runs),
        "near": fastest["near"],
    }


def extrapolate(measured: dict[str, Any], sizes: tuple[int, int], sign_mb_per_s: float) -> dict[str, Any]:
    """Seconds of one core, and bytes on disk and in memory, for the paper's dataset."""
    less, more = (measured[f"{n} rows, 1 jobs"]["seconds"] for n in sizes)
    per_row = (more - less) / (sizes[1] - sizes[0])
    return {
        "pairs": PAIRS,
        "sign_s": round(PAIRS * TEXT_BYTES / 1e6 / sign_mb_per_s),
        "cluster_s": round(less + per_row * (PAIRS - sizes[0])),
        "signature_bytes_on_disk": PAIRS * 4 * PERMUTATIONS,
        "key_bytes_on_disk": PAIRS * KEY_BYTES * (len(choose_bands(0.8)) - 1),
        "bytes_of_first_process": PAIRS * PARENT_BYTES,
    }


@click.command(help=__doc__)
@click.option("--texts", type=int, default=5_000, show_default=True, help="texts to sign")
@click.option("--rows", type=int, default=200_000, show_default=True, help="signatures to cluster")
@click.option("--memory", type=int, default=128, show_default=True, help="memory of a task, MB")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--repeats", type=int, default=3, show_default=True)
def main(texts: int, rows: int, memory: int, seed: int, repeats: int) -> None:
    limit_cores(2)
    sizes = (rows // 4, rows)
    clustering = measure_clustering(sizes, memory << 20, repeats=repeats, seed=seed)
    limit_cores(1)
    made = make_texts(texts, seed)
    ours = megabytes_per_second(lambda text: sign("", text, ""), made, repeats)
    tokens = megabytes_per_second(read_tokens, made, repeats)
    peer = megabytes_per_second(sign_with_peer, made[: max(1, texts // 10)], 1)
    one, two = (clustering[f"{rows} rows, {jobs} jobs"]["seconds"] for jobs in (1, 2))
    result = {
        "text_bytes": sum(len(text) for text in made),
        "repeats": repeats,
        "sign_mb_per_s": {"procqa": round(ours, 1), "tokens alone": round(tokens, 1), "datasketch": round(peer, 1)},
        "cluster": clustering,
        "ratios": {"sign, procqa / datasketch": round(ours / peer, 1), "cluster, 2 jobs / 1 job": round(one / two, 2)},
        "extrapolated": extrapolate(clustering, sizes, ours),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
