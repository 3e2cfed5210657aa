"""What each option of ``procqa build`` costs: processor time beside the same build without it, on one file, in one run.

Every run is a process of its own on one core, start included. Runs are interleaved and the quickest of each counts;
processor time, because other work on the machine changes it least. The benchmark to decontaminate against is made of
invented words; looking for it costs the same.
"""

import json
import random
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchmarks.bench_decontaminate import make_texts, make_words
from benchmarks.dumps import write_dump
from benchmarks.measure import Run, interleave, run_python

PLAIN = "plain"
BENCHMARK_TEXTS, BENCHMARK_WORDS = 20_000, 50
OPTIONS = {
    "--answers best": ["--answers", "best"],
    "--non-english drop": ["--non-english", "drop"],
    "--split author": ["--split", "author"],
    "--near-duplicates cluster": ["--near-duplicates", "cluster"],
    "--redact": ["--redact"],
    "--rejects": ["--rejects", "{scratch}/rejects.jsonl"],
    "--benchmarks": ["--benchmarks", "{scratch}/conala-test.json"],
    "--preset strict": ["--preset", "strict"],
}
"""Each option with its arguments; the plain build has the preset paper."""


def measure_options(dump: Path, scratch: Path, *, repeats: int) -> dict[str, Any]:
    """Seconds of processor time, peak memory and pairs of the plain build and of one with each option.

    Raises:
        RuntimeError: a build failed.
    """
    _write_benchmark(scratch / "conala-test.json")
    builds = {PLAIN: partial(_build, dump, scratch, [])}
    builds |= {name: partial(_build, dump, scratch, arguments) for name, arguments in OPTIONS.items()}
    measured = {}
    for name, runs in interleave(repeats, builds).items():
        quickest = min(runs, key=lambda run: run.cpu_seconds)
        measured[name] = {
            "cpu_seconds": round(quickest.cpu_seconds, 3),
            "peak_bytes": max(run.peak_bytes for run in runs),
            "kept": json.loads(quickest.stdout)["kept"],
        }
    plain = measured[PLAIN]["cpu_seconds"]
    return {
        "dump_bytes": dump.stat().st_size,
        "benchmark_texts": BENCHMARK_TEXTS,
        "repeats": repeats,
        "measured": measured,
        "ratios": {f"{name} / {PLAIN}": round(measured[name]["cpu_seconds"] / plain, 2) for name in OPTIONS},
    }


def _write_benchmark(path: Path) -> None:
    rng = random.Random(7)
    texts = make_texts(rng, make_words(rng), BENCHMARK_TEXTS, BENCHMARK_WORDS)
    rows = [
        {"question_id": number, "intent": text, "rewritten_intent": None, "snippet": f"call_{number}()"}
        for number, text in enumerate(texts, start=1)
    ]
    path.write_text(json.dumps(rows), encoding="utf-8")


def _build(dump: Path, scratch: Path, arguments: list[str]) -> Run:
    out = scratch / "dataset"
    shutil.rmtree(out, ignore_errors=True)
    given = [argument.format(scratch=scratch) for argument in arguments]
    return run_python(["-m", "procqa", "build", str(dump), "--out", str(out), "--jobs", "1", "--json", *given], cores=1)


@click.command(help=__doc__)
@click.option("--megabytes", type=float, default=100.0, show_default=True, help="size of the generated dump")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--repeats", type=int, default=2, show_default=True)
def main(megabytes: float, seed: int, repeats: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / "Posts.xml"
        write_dump(dump, size_bytes=int(megabytes * 1e6), seed=seed)
        print(json.dumps(measure_options(dump, Path(folder), repeats=repeats)))


if __name__ == "__main__":
    main()
