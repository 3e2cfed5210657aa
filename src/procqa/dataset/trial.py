"""The real build, run on a few rows of a dump in a temporary folder, counted and timed stage by stage.

For ``estimate``. Most questions of a sample have their accepted answer outside of it. Such a question is
given a stand-in, the text of another answer, so that pairs are as many, as long and as costly as in the
dump. How many accepted answers a dump lacks is told by the ids: where they rise through a slice, an
accepted id between the slice's first and last either stands there or nowhere. Source: ours,
docs/dataset.md#an-estimate-first.
"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import exp
from pathlib import Path
from typing import Any

from procqa.dataset.build import build_dataset
from procqa.dataset.request import BuildRequest
from procqa.dump.blocks import Block, rows_in
from procqa.errors import DumpError
from procqa.workers import peak_memory_bytes

LEAST_TELLING_IDS = 20
"""Accepted ids inside their slices from which on it counts how many of them are there."""

_IDS = re.compile(rb' (Id|PostTypeId|ParentId|AcceptedAnswerId)="(\d{1,19})"')
_HEAD, _FOOT = b"<posts>\n", b"</posts>\n"


@dataclass(slots=True)
class MiniDump:
    """Rows of a dump with stand-ins for the answers that are not among them.

    Args:
        rows, questions, answers: without the stand-ins.
        stand_ins: answers that were added.
        size_bytes: of all rows, stand-ins too.
    """

    path: Path
    rows: int = 0
    questions: int = 0
    answers: int = 0
    stand_ins: int = 0
    size_bytes: int = 0


@dataclass(slots=True)
class _Rows:
    """What is known of the rows of a sample: ids as in the dump, raw rows of its answers."""

    counts: MiniDump
    wanted: list[tuple[int, int | None]] = field(default_factory=list)  # question, accepted id, where it may be there
    answers: dict[int, bytes] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)
    n_told: int = 0
    n_found: int = 0


def write_mini_dump(path: Path, slices: Sequence[bytes], *, is_whole: bool, best: bool) -> MiniDump:
    """Write the rows of some slices as a dump.

    Args:
        is_whole: the slices are all of the dump: what is not there is nowhere.
        best: a question needs no accepted answer, any will do.
    """
    mini = MiniDump(path)
    with path.open("wb") as sink:
        sink.write(_HEAD)
        rows = _Rows(mini)
        for data in slices:
            sink.write(data.rstrip() + b"\n")
            mini.size_bytes += len(data)
            _read_slice(data, rows)
        if not is_whole:
            for row in _stand_ins(rows, best=best):
                sink.write(row + b"\n")
                mini.size_bytes += len(row) + 1
                mini.stand_ins += 1
        sink.write(_FOOT)
    return mini


def _read_slice(data: bytes, rows: _Rows) -> None:
    mini, ids, wanted = rows.counts, list[int](), list[tuple[int, int | None]]()
    for _, raw in rows_in(Block(0, 0, data)):
        mini.rows += 1
        found = {name: int(number) for name, number in _IDS.findall(raw)}
        number, kind = found.get(b"Id"), found.get(b"PostTypeId")
        if number is None:
            continue
        ids.append(number)
        if kind == 1:
            mini.questions += 1
            wanted.append((number, found.get(b"AcceptedAnswerId")))
        elif kind == 2:
            mini.answers += 1
            rows.answers[number] = raw
            rows.answered.add(found.get(b"ParentId", -1))
    here = set(ids)
    rises = len(ids) > 1 and sum(one < two for one, two in pairwise(ids)) >= 0.99 * (len(ids) - 1)
    for question, accepted in wanted:
        if rises and accepted is not None and ids[0] <= accepted <= ids[-1]:
            rows.n_told += 1
            rows.n_found += accepted in here
            if accepted not in here:
                continue
        rows.wanted.append((question, accepted))


def _stand_ins(rows: _Rows, *, best: bool) -> Iterator[bytes]:
    """An answer for each question whose own lies outside the sample, as far as the dump is likely to have it."""
    accepted_ids = {accepted for _, accepted in rows.wanted}
    texts = [raw for number, raw in rows.answers.items() if number in accepted_ids] or [*rows.answers.values()]
    if not texts:
        return
    there = rows.n_found / rows.n_told if rows.n_told >= LEAST_TELLING_IDS else 1.0
    share = 1 - exp(-rows.counts.answers / max(1, rows.counts.questions)) if best else 0.0
    due = {True: 0.0, False: 0.0}
    for number, (question, accepted) in enumerate(rows.wanted):
        if accepted in rows.answers or (best and question in rows.answered) or (accepted is None and not best):
            continue
        has_accepted = accepted is not None
        due[has_accepted] += there if has_accepted else share
        if due[has_accepted] >= 1:
            due[has_accepted] -= 1
            new = accepted if accepted is not None else (1 << 40) + number
            yield _as_answer(texts[number % len(texts)], new, question)


def _as_answer(raw: bytes, number: int, question: int) -> bytes:
    """A raw answer under another id, to another question."""
    renamed = re.sub(rb' Id="\d+"', b' Id="%d"' % number, raw, count=1)
    return re.sub(rb' ParentId="\d+"', b' ParentId="%d"' % question, renamed, count=1)


@dataclass(slots=True)
class Trial:
    """What one build did.

    Args:
        summary: the object of ``procqa build --json``; None where no pair was kept.
        cpu_s, wall_s: seconds by stage, in their order, of the processor and by the clock; ``""`` is what comes
            before the first, and the last goes on to the end.
        memory_bytes: peak resident bytes of this process when each stage ended, in their order.
        disk_bytes: of all that lay on the disk at once, at the most; ``scratch_bytes`` without the dataset,
            ``data_bytes`` its parts alone.
        tasks: finished by stage.
    """

    summary: dict[str, Any] | None = None
    cpu_s: dict[str, float] = field(default_factory=dict)
    wall_s: dict[str, float] = field(default_factory=dict)
    memory_bytes: dict[str, int] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)
    disk_bytes: int = 0
    scratch_bytes: int = 0
    data_bytes: int = 0


def run_trial(request: BuildRequest, out: Path) -> Trial:
    """Build in this process and measure it; the dataset is left at ``out``.

    Raises:
        DumpError: the dump cannot be read. That no pair is kept is no error here.
    """
    trial, stage = Trial(), ""
    since = time.process_time(), time.perf_counter()
    scratch, folder = (out.parent / f".{out.name}.partial" / name for name in ("scratch", "folder"))

    def close(ended: str) -> None:
        nonlocal since
        cpu_s, wall_s = time.process_time() - since[0], time.perf_counter() - since[1]
        trial.cpu_s[ended] = trial.cpu_s.get(ended, 0.0) + cpu_s
        trial.wall_s[ended] = trial.wall_s.get(ended, 0.0) + wall_s
        trial.memory_bytes[ended] = peak_memory_bytes()
        held = folder_bytes(scratch)
        trial.scratch_bytes = max(trial.scratch_bytes, held)
        trial.disk_bytes = max(trial.disk_bytes, held + folder_bytes(folder))
        since = time.process_time(), time.perf_counter()  # what this look itself took is nobody's

    def report(now_in: str, done: int) -> None:
        nonlocal stage
        if now_in != stage:
            close(stage)
            stage = now_in
        trial.tasks[stage] = done

    try:
        trial.summary = build_dataset(replace(request, out=out, rejects=None, since=None, force=False), report)
    except DumpError:
        if "pairs" not in trial.tasks:
            raise
    close(stage)
    beside = folder_bytes(out.with_name(f"{out.name}.state"))
    trial.disk_bytes = max(trial.disk_bytes, trial.scratch_bytes + beside + folder_bytes(out))
    trial.scratch_bytes += beside
    trial.data_bytes = folder_bytes(out / "data")
    return trial


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder; 0 where there is none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
