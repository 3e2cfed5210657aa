"""The log of a run: ``training.jsonl``, a line for each logged step, and the progress that it reports."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from procqa.encoder.batches import Batches


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
        languages: the share of each in the pairs since the last logged step, largest first.
        rows_at_once: texts that are encoded at a time; None where it is all of a batch.
    """

    step: int
    steps: int
    loss: float
    pairs_per_s: float
    seconds_left: float
    languages: dict[str, float]
    rows_at_once: int | None = None


class StepLog:
    """Writes the log while a run goes on; a run that is taken up keeps the lines before its checkpoint.

    A line holds step, loss, learning_rate, pairs_per_s, and since the start, over all attempts, pairs_seen, tokens_seen
    and seconds; under ``streams`` and ``languages`` the share of each in the pairs since the last line, under
    ``masked`` the documents that did not count as negatives in the steps since then, and under ``rows_at_once`` the
    texts that are encoded at a time.

    Args:
        path: of the log.
        batches: those that are drawn from; takes over the tokens that the kept lines tell of.
        first_step: steps of the checkpoint that the run goes on from.
        report: called with each line's progress.
        take_masked: the masked documents since it was called last.
        rows_at_once: the texts that are encoded at a time now; None where it is all of a batch.
    """

    def __init__(
        self,
        path: Path,
        batches: Batches,
        *,
        first_step: int,
        report: Callable[[Progress], None],
        take_masked: Callable[[], int],
        rows_at_once: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._rows_at_once = rows_at_once
        self._path = path
        self._batches = batches
        self._report = report
        self._take_masked = take_masked
        self._first_step = first_step
        self._spent, batches.tokens_seen = cut_log(path, first_step)
        self._started = self._last = time.monotonic()
        self._last_pairs = batches.pairs.copy()

    def leave_out(self, seconds: float) -> None:
        """Take time that was no training, such as a validation's, out of all that is told."""
        self._started += seconds
        self._last += seconds

    def write(self, logged: Logged) -> None:
        """Add the line of a step and report it."""
        now = time.monotonic()
        drawn = self._batches.pairs - self._last_pairs
        languages = _shares(_by_language(drawn))
        pairs_per_s = drawn.total() / max(now - self._last, 1e-9)
        rows_at_once = self._rows_at_once()
        line = {
            "step": logged.step,
            "loss": round(logged.loss, 6),
            "learning_rate": logged.learning_rate,
            "pairs_per_s": round(pairs_per_s, 1),
            "pairs_seen": self._batches.pairs.total(),
            "tokens_seen": self._batches.tokens_seen,
            "seconds": round(self._spent + now - self._started, 3),
            "masked": self._take_masked(),
            "rows_at_once": rows_at_once,
            "streams": _shares(drawn),
            "languages": languages,
        }
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._last, self._last_pairs = now, self._batches.pairs.copy()
        steps = len(self._batches)
        pace = (now - self._started) / max(logged.step - self._first_step, 1)
        self._report(
            Progress(
                step=logged.step,
                steps=steps,
                loss=logged.loss,
                pairs_per_s=pairs_per_s,
                seconds_left=pace * (steps - logged.step),
                languages=dict(sorted(languages.items(), key=lambda entry: (-entry[1], entry[0]))),
                rows_at_once=rows_at_once,
            )
        )


def cut_log(path: Path, first_step: int) -> tuple[float, int]:
    """Cut a log after a step; the seconds it took to get there, and the tokens seen."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    kept = []
    seconds, tokens_seen = 0.0, 0
    for line in lines:
        # A kill may leave half a line, but never one before a complete checkpoint.
        if line.endswith("\n") and (entry := json.loads(line))["step"] <= first_step:
            kept.append(line)
            seconds, tokens_seen = entry["seconds"], entry["tokens_seen"]
    path.write_text("".join(kept), encoding="utf-8")
    return seconds, tokens_seen


def _by_language(drawn: Mapping[str, int]) -> Counter[str]:
    """Pairs by language; a stream is named DATASET/LANGUAGE/PAIR-TYPE."""
    languages: Counter[str] = Counter()
    for name, count in drawn.items():
        languages[name.split("/")[-2]] += count
    return languages


def _shares(counts: Mapping[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {name: round(count / total, 4) for name, count in sorted(counts.items())}
