"""The log of a run: ``training.jsonl``, a line for each logged step, and the progress that it reports."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from procqa.encoder.batches import Batches

LOG_FILE = "training.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """What the trainer tells of a step.

    Args:
        step: optimiser steps done.
        loss: nats, mean since the last logged step.
        learning_rate: of that step.
    """

    step: int
    loss: float
    learning_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is.

    Args:
        step: optimiser steps done, of ``steps``.
        loss: nats, mean since the last logged step.
        pairs_per_s: since the last logged step.
        seconds_left: at the pace of this attempt.
    """

    step: int
    steps: int
    loss: float
    pairs_per_s: float
    seconds_left: float


class StepLog:
    """Writes the log while a run goes on; a run that is taken up keeps the lines before its checkpoint.

    A line holds step, loss, learning_rate, pairs_per_s, pairs_seen and seconds since the start (both over
    all attempts), and under ``streams`` each stream's share of the batches since the last line.

    Args:
        path: of the log.
        batches: those that are drawn from.
        first_step: steps of the checkpoint that the run goes on from.
        report: called with each line's progress.
    """

    def __init__(self, path: Path, batches: Batches, *, first_step: int, report: Callable[[Progress], None]) -> None:
        self._path = path
        self._batches = batches
        self._report = report
        self._first_step = first_step
        self._spent = self._keep(first_step)
        self._started = self._last = time.monotonic()
        self._last_pairs = batches.pairs.total()
        self._last_batches = batches.batches.copy()

    def _keep(self, first_step: int) -> float:
        """Cut the log after a step and say how many seconds it took to get there."""
        lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True) if self._path.is_file() else []
        kept = []
        seconds = 0.0
        for line in lines:
            # A kill may leave half a line, but never one before a complete checkpoint.
            if line.endswith("\n") and (entry := json.loads(line))["step"] <= first_step:
                kept.append(line)
                seconds = entry["seconds"]
        self._path.write_text("".join(kept), encoding="utf-8")
        return seconds

    def write(self, logged: Logged) -> None:
        """Add the line of a step and report it."""
        now = time.monotonic()
        pairs = self._batches.pairs.total()
        drawn = self._batches.batches - self._last_batches
        pairs_per_s = (pairs - self._last_pairs) / max(now - self._last, 1e-9)
        line = {
            "step": logged.step,
            "loss": round(logged.loss, 6),
            "learning_rate": logged.learning_rate,
            "pairs_per_s": round(pairs_per_s, 1),
            "pairs_seen": pairs,
            "seconds": round(self._spent + now - self._started, 3),
            "streams": {name: round(count / drawn.total(), 4) for name, count in sorted(drawn.items())},
        }
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._last, self._last_pairs, self._last_batches = now, pairs, self._batches.batches.copy()
        steps = len(self._batches)
        pace = (now - self._started) / max(logged.step - self._first_step, 1)
        self._report(
            Progress(
                step=logged.step,
                steps=steps,
                loss=logged.loss,
                pairs_per_s=pairs_per_s,
                seconds_left=pace * (steps - logged.step),
            )
        )
