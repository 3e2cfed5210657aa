"""Real processes that make indexes, for tests that kill them; forked from one that has loaded the libraries."""

import multiprocessing
import os
import time
from collections.abc import Sequence
from itertools import pairwise
from multiprocessing.process import BaseProcess
from pathlib import Path

from procqa.index.build import build_index
from tests.index.small import WordEncoder

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.index.processes", "procqa.index.build"])

STAGES = ("documents", "words", "vectors", "encoder", "publish")
PATIENCE_S = 60.0


def start(sources: Sequence[Path], out: Path, encoder_folder: Path) -> BaseProcess:
    """A process that makes an index and tells a file beside it when each stage begins, and when all is done."""
    log = log_of(out)
    log.unlink(missing_ok=True)
    process = CONTEXT.Process(target=_build, args=(sources, out, encoder_folder, log))
    process.start()
    return process


def _build(sources: Sequence[Path], out: Path, encoder_folder: Path, log: Path) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def report(stage: str, done: int) -> None:
        if not done:
            os.write(file, f"{stage} {time.monotonic()}\n".encode())

    build_index(sources, out, encoder=WordEncoder(), encoder_folder=encoder_folder, report=report)
    report("done", 0)


def log_of(out: Path) -> Path:
    """Where the stages are told."""
    return out.with_name(f"{out.name}.stages")


def stages_of(out: Path) -> list[str]:
    """The stages that have begun."""
    try:
        return [line.split()[0] for line in log_of(out).read_text().splitlines()]
    except FileNotFoundError:
        return []


def durations_of(out: Path) -> dict[str, float]:
    """How long each stage of a finished run took, in s."""
    begun = [(line.split()[0], float(line.split()[1])) for line in log_of(out).read_text().splitlines()]
    return {stage: end - start for (stage, start), (_, end) in pairwise(begun)}


def kill_in(process: BaseProcess, out: Path, stage: str, delay_s: float) -> str | None:
    """Kill a process so long after a stage has begun; the stage that it was in, None where it was done before."""
    patience = time.monotonic() + PATIENCE_S
    while stage not in stages_of(out):
        if not process.is_alive() and stage not in stages_of(out):
            raise AssertionError(f"the process ended before {stage}, with status {process.exitcode}")
        assert time.monotonic() < patience, f"{stage} did not begin in {PATIENCE_S} s"
        time.sleep(0.0005)
    time.sleep(delay_s)
    process.kill()
    process.join()
    last = stages_of(out)[-1]
    return None if last == "done" else last
