"""The benchmarks that need nothing but this machine, one after the other, each in a process of its own: ``make bench``.

Writes results/NAME-SHA12.json, SHA12 being the commit that is measured, and quotes the ratios. Machines
are noisy, so a ratio against a peer in the same run is what counts, and nothing is asserted.
"""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import click

from benchmarks.measure import ROOT
from benchmarks.results import RESULTS, describe_commit, write_result

DENSE_SHARE = 5
"""How much smaller the dump is of which every body is converted: the peer takes that much longer for it."""

CURVE_MB = (100.0, 1_000.0, 4_000.0)
"""Dumps of the curve of time and memory over size."""

QUICK_MB, QUICK_DOCUMENTS, QUICK_QUERIES, QUICK_STEPS = 1.0, 300, 20, 5


def run_all(benchmarks: dict[str, list[str]], out: Path) -> list[dict[str, Any]]:
    """Run benchmarks, each a module with its arguments; the results that were written."""
    results = []
    for name, command in benchmarks.items():
        print(" ".join([name, *command[1:]]), file=sys.stderr, flush=True)
        commit = describe_commit()
        stdout = run_benchmark(command)
        if name == "quality":  # writes its lines itself
            results += [{"benchmark": name, **json.loads(line)} for line in stdout.splitlines()]
        else:
            results.append(write_result(name, json.loads(stdout), out, commit=commit))
    return results


def run_benchmark(command: list[str]) -> str:
    """What one benchmark prints on standard output; its progress goes to ours on standard error."""
    module, *arguments = command
    python = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    return subprocess.run(python, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout


def headline(result: dict[str, Any]) -> dict[str, Any]:
    """What is quoted of a result: ratios, or the score of a ranker."""
    if "ratios" in result:
        return {"benchmark": result["benchmark"], "commit": result["commit"], "ratios": result["ratios"]}
    names = ("benchmark", "commit", "task", "ranker", "queries", "documents", "metrics")
    return {name: result[name] for name in names}


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="tiny sizes: seconds, and only shows that everything runs")
@click.option("--megabytes", type=float, default=100.0, show_default=True, help="size of the dump to build from")
@click.option("--documents", type=int, default=20_000, show_default=True, help="documents to search in")
@click.option("--pairs", type=int, default=10_000, show_default=True, help="pairs to train on")
@click.option("--repeats", type=int, default=2, show_default=True, help="runs of each measurement; the best counts")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="folder of the results")
@click.option("--only", "names", multiple=True, help="run only this benchmark; may be repeated")
def main(
    quick: bool,
    megabytes: float,
    documents: int,
    pairs: int,
    repeats: int,
    seed: int,
    out: Path,
    names: tuple[str, ...],
) -> None:
    steps, queries, source = 200, 500, []
    sizes, texts_mb, rows = CURVE_MB, 40.0, 200_000
    if quick:
        sizes, texts_mb, rows = (QUICK_MB / 2, QUICK_MB), QUICK_MB, 2_000
        megabytes, documents, pairs, repeats = QUICK_MB, QUICK_DOCUMENTS, QUICK_DOCUMENTS, 1
        steps, queries = QUICK_STEPS, QUICK_QUERIES
        source = ["--source", str(Path(sysconfig.get_path("stdlib")) / "email"), "--steps", str(steps)]
    curve = [option for size in sizes for option in ("--megabytes", str(size))]
    memory = ["--size", "8", "--size", "16"] if quick else []
    minilm = ["--steps", "2", "--batch-size", "4"] if quick else []
    encode = ["--texts", str(QUICK_QUERIES), "--cores", "1"] if quick else []
    estimates = ["--megabytes", str(QUICK_MB)] if quick else []
    top = ["--documents", str(QUICK_DOCUMENTS), "--queries", str(QUICK_QUERIES)] if quick else []
    common = ["--repeats", str(repeats), "--seed", str(seed)]
    benchmarks = {
        "bench_build": ["bench_build", "--megabytes", str(megabytes), *common],
        "bench_build_dense": ["bench_build", "--megabytes", str(megabytes / DENSE_SHARE), "--dense", *common],
        "bench_options": ["bench_options", "--megabytes", str(megabytes), *common],
        "bench_curve": ["bench_curve", *curve, "--seed", str(seed)],
        "bench_decontaminate": ["bench_decontaminate", "--megabytes", str(round(texts_mb))],
        "bench_duplicates": ["bench_duplicates", "--rows", str(rows), *common],
        "bench_encode": ["bench_encode", *encode, *common],
        "bench_estimate": ["bench_estimate", *estimates, "--seed", str(seed)],
        "bench_memory": ["bench_memory", *memory, "--documents", str(pairs), "--seed", str(seed)],
        "bench_index": ["bench_index", "--documents", str(documents), "--seed", str(seed)],
        "bench_search": ["bench_search", "--documents", str(documents), "--queries", str(queries), *common],
        "bench_topk": ["bench_topk", *top, *common],
        "bench_train": ["bench_train", "--documents", str(pairs), "--steps", str(steps), *common],
        "bench_train_minilm": ["bench_train", "--base", "minilm", *minilm, "--documents", str(pairs), *common],
        "quality": ["quality", "--out", str(out.absolute()), *source],
    }
    if unknown := set(names) - benchmarks.keys():
        raise click.UsageError(f"--only must be one of {', '.join(benchmarks)}, got {', '.join(sorted(unknown))}")
    for result in run_all({name: benchmarks[name] for name in benchmarks if not names or name in names}, out):
        print(json.dumps(headline(result), ensure_ascii=False))


if __name__ == "__main__":
    main()
