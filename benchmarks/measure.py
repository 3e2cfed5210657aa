"""Runs programs and measures them: wall time, peak memory of all their processes, cores they may use."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_S = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """One finished program.

    Args:
        seconds: wall time, start of the interpreter included.
        cpu_seconds: time on a processor, of the program and its children: what a busy machine does not change.
        peak_bytes: largest sum of the resident memory of the program and its children, sampled; a page that
            two of them share counts twice.
        peak_own_bytes: the same without pages of files and shared memory, which the system may drop or share.
        stdout: what it printed.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    peak_own_bytes: int
    stdout: str


def run_program(command: Sequence[str], *, cores: int) -> Run:
    """Run a program to its end on at most so many cores.

    Raises:
        RuntimeError: it failed; the message holds the end of its standard error.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        started, before = time.perf_counter(), os.times()
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=err)
        limit_cores(cores, process.pid)
        sampler = _Sampler(process.pid)
        status = process.wait()
        seconds, after = time.perf_counter() - started, os.times()
        cpu_seconds = sum(after[2:4]) - sum(before[2:4])  # of children that have ended
        peak, own = sampler.stop()
        out.seek(0)
        err.seek(0)
        if status:
            raise RuntimeError(f"{' '.join(command)} failed with status {status}: {err.read()[-2_000:]}")
        return Run(seconds, cpu_seconds, peak, own, out.read())


def run_python(arguments: Sequence[str], *, cores: int) -> Run:
    """Run this Python with some arguments; see ``run_program``."""
    return run_program([sys.executable, *arguments], cores=cores)


def limit_cores(cores: int, process: int = 0) -> None:
    """Keep a process, by default this one, on at most so many cores, where the system can."""
    if sys.platform == "linux":
        usable = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(process, usable[-cores:])


def interleave(repeats: int, measures: dict[str, Callable[[], Run]]) -> dict[str, list[Run]]:
    """Every measure once, then every measure again, so that a noisy moment hits none of them alone."""
    runs: dict[str, list[Run]] = {name: [] for name in measures}
    for _ in range(repeats):
        for name, measure in measures.items():
            runs[name].append(measure())
    return runs


class _Sampler:
    """Looks at the memory of a process and its children from time to time."""

    def __init__(self, process: int) -> None:
        self._process, self._peak, self._own = process, 0, 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_S):
            total = own = 0
            try:
                top = psutil.Process(self._process)
                for process in [top, *top.children(recursive=True)]:
                    try:
                        memory = process.memory_info()
                        total += memory.rss
                        own += memory.rss - getattr(memory, "shared", 0)  # told by Linux alone
                    except psutil.Error:  # it ended meanwhile
                        continue
            except psutil.Error:
                break
            self._peak, self._own = max(self._peak, total), max(self._own, own)

    def stop(self) -> tuple[int, int]:
        self._ended.set()
        self._thread.join()
        return self._peak, self._own
