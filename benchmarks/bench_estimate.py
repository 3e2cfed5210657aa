"""How far the estimate of ``procqa build --dry-run`` lies from the build that follows it.

Each dump is estimated and then built, in processes of their own. ``factors`` are the larger of predicted and real
divided by the smaller, so 1 is exact; ``largest`` is the worst of all. Seconds depend on who else uses the
machine, so those of the processor stand beside them.
"""

import contextlib
import gzip
import json
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import click
import py7zr

from benchmarks.dumps import write_dump
from benchmarks.measure import ROOT, run_python

DATA = ROOT.parent / "shared" / "data"
FIGURES = ("rows", "questions", "answers", "pairs_read", "kept", "seconds", "peak_memory_bytes")
WATCH_S = 0.05


class _DiskWatch:
    """Looks from time to time at what a build holds on the disk."""

    def __init__(self, out: Path) -> None:
        self._out, self.scratch_bytes, self.disk_bytes = out, 0, 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(WATCH_S):
            partial = self._out.parent / f".{self._out.name}.partial"
            scratch = _bytes_in(partial / "scratch")
            self.scratch_bytes = max(self.scratch_bytes, scratch)
            self.disk_bytes = max(self.disk_bytes, scratch + _bytes_in(partial / "folder"))

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()


def _bytes_in(folder: Path) -> int:
    """Bytes of all files below a folder that others rename and throw away meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += (Path(place) / name).stat().st_size
    return total


def compare(dump: Path, options: list[str], scratch: Path, *, jobs: int) -> dict[str, Any]:
    """The estimate of one build beside the build."""
    out = scratch / "out"
    command = ["-m", "procqa", "build", str(dump), "--out", str(out), "--json", "--jobs", str(jobs), *options]
    dry = run_python([*command, "--dry-run"], cores=2)
    if out.exists() or list(scratch.glob(".out*")):
        raise RuntimeError("a dry run must write nothing")
    watch = _DiskWatch(out)
    run = run_python(command, cores=2)
    watch.stop()
    predicted, real = json.loads(dry.stdout), json.loads(run.stdout)
    log = [json.loads(line) for line in (scratch / "out.log.jsonl").read_text(encoding="utf-8").splitlines()]
    cpu_s = next(line["cost"]["cpu_seconds"] for line in log if "cost" in line)
    values = {name: [predicted[name], real[name]] for name in FIGURES}
    values["cpu_seconds"] = [predicted["cpu_seconds"], cpu_s]
    values["scratch_bytes"] = [predicted["scratch_bytes"], watch.scratch_bytes]
    values["disk_bytes"] = [predicted["disk_bytes"], watch.disk_bytes]
    for path in scratch.glob("*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return {
        "dump": dump.name,
        "options": options,
        "jobs": jobs,
        "sample": predicted["sample"],
        "sample_bytes": predicted["sample_bytes"],
        "total_bytes": predicted["total_bytes"],
        "dry_run_seconds": round(dry.seconds, 2),
        "predicted_and_real": values,
        "factors": {name: _factor(*pair) for name, pair in values.items()},
    }


def _factor(predicted: float, real: float) -> float:
    low, high = sorted((predicted, real))
    return 1.0 if high == 0 else round(high / max(low, 1e-9), 2)


def _pack(dump: Path) -> list[Path]:
    """The same dump as .7z and .gz."""
    archive, packed = dump.with_suffix(".7z"), dump.with_suffix(".xml.gz")
    with py7zr.SevenZipFile(archive, "w", filters=[{"id": py7zr.FILTER_LZMA2, "preset": 1}]) as sink:
        sink.write(dump, "Posts.xml")
    with dump.open("rb") as source, gzip.open(packed, "wb", compresslevel=1) as sink:
        shutil.copyfileobj(source, sink)
    return [archive, packed]


def _cases(megabytes: tuple[float, ...], folder: Path, seed: int) -> list[tuple[Path, list[str], int]]:
    """Dumps with options and jobs."""
    cases: list[tuple[Path, list[str], int]] = []
    for size in megabytes:
        dump = folder / f"generated-{size:g}MB.xml"
        write_dump(dump, size_bytes=int(size * 1e6), seed=seed)
        cases += [(dump, [], 1), (dump, [], 2), (dump, ["--preset", "strict", "--redact"], 1)]
        cases += [(packed, [], 1) for packed in _pack(dump)]
    if DATA.is_dir():
        local = ["--site", "local"]
        checked = [item for name in ("cosqa", "conala") for item in ("--benchmarks", str(DATA / "benchmarks" / name))]
        cases += [(DATA / "dumps" / name, local, 1) for name in ("stackoverflow-2008-excerpt.xml", "mixed-qa.7z")]
        cases += [
            (DATA / "dumps/programming-qa.7z", [*local, *more], 1) for more in ([], ["--preset", "strict", *checked])
        ]
    return cases


@click.command(help=__doc__)
@click.option(
    "--megabytes", multiple=True, type=float, default=(20.0, 100.0), show_default=True, help="of generated dumps"
)
@click.option("--seed", type=int, default=1, show_default=True)
def main(megabytes: tuple[float, ...], seed: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name) / "scratch"
        scratch.mkdir()
        found = []
        for dump, options, jobs in _cases(megabytes, Path(name), seed):
            found.append(compare(dump, options, scratch, jobs=jobs))
            print(dump.name, *options, found[-1]["factors"], file=sys.stderr, flush=True)
    largest: dict[str, float] = {}
    for case in found:
        case["options"] = [Path(option).name if "/" in option else option for option in case["options"]]
        for figure, factor in case["factors"].items():
            largest[figure] = max(largest.get(figure, 1.0), factor)
    of_clock = largest["seconds"]
    others = max(factor for figure, factor in largest.items() if figure != "seconds")
    ratios = {"largest factor": others, "largest factor of seconds by the clock": of_clock}
    print(json.dumps({"cases": found, "largest": largest, "ratios": ratios}))


if __name__ == "__main__":
    main()
