"""What a build will come to: rows, pairs, time, memory and disk, told from a small sample of its dumps.

The real build runs on rows of the sample (``trial``): cold on few of them, then warm on few and on all. So
what is paid once is told from what is paid for each row, and every option that is on is counted, whatever
it does. Nothing is written but in a temporary folder. Source: ours, docs/dataset.md#an-estimate-first.
"""

import os
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from procqa.artifact import refuse_overlap
from procqa.config import LEAST_MEMORY_BYTES, RunConfig
from procqa.dataset.request import BuildRequest
from procqa.dataset.sources import STDIN, Source, find_sources
from procqa.dataset.stages import task_sizes
from procqa.dataset.trial import MiniDump, Trial, run_trial, write_mini_dump
from procqa.dump.sample import Sample, sample_table
from procqa.errors import ConfigError, DumpError
from procqa.pairs.languages import parse_languages
from procqa.workers import peak_memory_bytes

EFFICIENCY = 0.85
"""What one worker among several does of what it does alone. Source: ours, docs/dataset.md#an-estimate-first."""

WRITE_SHARE = 0.3
"""What writing a row costs of making it, at the most: trials write parts so small that they tell it badly.

Source: ours, docs/dataset.md#an-estimate-first."""

NOISE = 0.15
"""How much slower than the processor the clock may go before others are held to work here too."""

SMALL_SHARE = 8
"""How many times smaller than the sample the small trials are."""

BLOCK_GROWTH, BUCKET_GROWTH = 4, 4
"""Bytes that a task holds for each byte of its block, and of its buckets.

Source: ours, docs/dataset.md#an-estimate-first."""

COUNTED = ("rows", "questions", "answers", "pairs_read", "kept")
"""What is predicted of the counts of a build."""

_PAID_ONCE = ("benchmarks", "describe")
_AT_ONCE = ("scan", "merge", "resolve", "pairs", "write")
_BESIDE = {"names": "Users", "links": "PostLinks"}


@dataclass(frozen=True, slots=True)
class _Tried:
    """A dump of which a sample lies on the disk.

    Args:
        sample: without its slices, which would count as memory of the build.
        few, every: small dumps of a part of the sample, and of all of it.
        factors: how many times larger each table beside Posts is.
    """

    source: Source
    sample: Sample
    few: MiniDump
    every: MiniDump
    factors: dict[str, float]
    sampled_bytes: int


@dataclass(slots=True)
class _Forecast:
    """What is expected of a build, summed over its dumps.

    Args:
        once_s, rows_s: processor seconds by stage: those that are paid once, and those that rows cost.
        read_s: seconds by the clock in which the dumps are read and decompressed.
        wait_s: seconds in which a build waits for the disk, whatever it builds.
        slowness: seconds by the clock for each of the processor, while others may work here too.
        memory_bytes: peak of this process when each stage of the largest trial ended.
        tried_bytes: the size of that trial's dump.
    """

    counts: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    once_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    rows_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    read_s: float = 0.0
    wait_s: float = 0.0
    slowness: float = 1.0
    scratch_bytes: float = 0.0
    disk_bytes: float = 0.0
    memory_bytes: dict[str, int] = field(default_factory=dict)
    tried_bytes: int = 0


def estimate_build(request: BuildRequest) -> dict[str, Any]:
    """What ``procqa build`` would come to, from a sample of its dumps.

    Costs are those of a build from nothing, whether ``out`` or an older dataset are there or not.

    Returns:
        The object of ``procqa build --dry-run --json``.

    Raises:
        ConfigError: a setting is out of range, or a dump is standard input.
        DumpError: a dump cannot be read where it is sampled, or holds no rows.
        ArtifactError: a build would change its inputs, or there is no room for the trials in the temporary folder.
        BenchmarkError: a benchmark is not in its published layout.
    """
    parse_languages(request.config.languages)
    import_s, at_start = time.process_time(), peak_memory_bytes()
    if STDIN in request.dumps:
        raise ConfigError("a dry run needs dumps in files, for standard input passes by only once: give the file")
    refuse_overlap(request.out, [*map(Path, request.dumps), *request.benchmarks])
    sources = find_sources(request.dumps, request.config.site)
    with tempfile.TemporaryDirectory(prefix="procqa-") as name:
        dumps = [_sample_dump(source, Path(name) / str(number), request) for number, source in enumerate(sources)]
        total_bytes = sum(dump.sample.total_bytes for dump in dumps)
        kinds = {dump.sample.kind for dump in dumps}
        forecast = _Forecast()
        if kinds == {"whole"}:
            _try_whole(forecast, request, Path(name), total_bytes)
        else:
            _try_samples(forecast, request, dumps)
    return {
        "dry_run": True,
        "sample": next(kind for kind in ("head", "spread", "whole") if kind in kinds),
        "sample_bytes": sum(dump.sampled_bytes for dump in dumps),
        "total_bytes": total_bytes,
        **{name: forecast.counts[name] for name in COUNTED},
        "languages": dict(sorted((+forecast.languages).items())),
        "seconds": round(_seconds(request.run, forecast, import_s), 1),
        "cpu_seconds": round(_cpu_seconds(request.run, forecast, import_s), 1),
        "peak_memory_bytes": _memory(request.run, forecast, at_start, total_bytes),
        "disk_bytes": int(forecast.disk_bytes),
        "scratch_bytes": int(forecast.scratch_bytes),
        "jobs": request.run.n_jobs,
        "out": os.fspath(request.out),
    }


def _alone(request: BuildRequest) -> BuildRequest:
    """The same build in this process alone, its tasks as large as those of each of its workers."""
    n_bytes = max(request.run.memory_bytes // request.run.n_jobs, LEAST_MEMORY_BYTES)
    return replace(request, run=RunConfig(jobs=1, executor="inline", memory=f"{n_bytes >> 20}MB"))


def _try_whole(forecast: _Forecast, request: BuildRequest, folder: Path, total_bytes: int) -> None:
    """Small dumps are simply built."""
    trial = run_trial(_alone(request), folder / "whole")
    if trial.summary is None:
        raise DumpError("a dump must hold a pair that is wanted, but none of its questions is one")
    forecast.counts.update({name: trial.summary[name] for name in COUNTED})
    forecast.languages.update({name: sum(of.values()) for name, of in trial.summary["languages"].items()})
    forecast.once_s.update(trial.cpu_s)
    forecast.slowness = _slowness(trial)
    _wait(forecast, trial)
    forecast.scratch_bytes, forecast.disk_bytes = trial.scratch_bytes, trial.disk_bytes
    forecast.memory_bytes, forecast.tried_bytes = trial.memory_bytes, total_bytes


def _sample_dump(source: Source, folder: Path, request: BuildRequest) -> _Tried:
    """Sample a dump and the tables beside it, and write what was sampled as small dumps."""
    sample = sample_table(source.tables.posts)
    if not any(sample.slices):
        raise DumpError(f"a dump must hold rows, but {source.dump} holds none", path=source.dump)
    factors: dict[str, float] = {}
    minis = []
    for name, share in (("few", SMALL_SHARE), ("all", 1)):
        (folder / name).mkdir(parents=True)
        is_whole, best = sample.kind == "whole" and share == 1, request.config.answers == "best"
        slices = _share_of(sample.slices, share)
        minis.append(write_mini_dump(folder / name / "Posts.xml", slices, is_whole=is_whole, best=best))
        factors |= _write_beside(folder / name, source)
    return _Tried(source, replace(sample, slices=()), minis[0], minis[1], factors, sample.size_bytes)


def _try_samples(forecast: _Forecast, request: BuildRequest, dumps: Sequence[_Tried]) -> None:
    for number, dump in enumerate(dumps):
        alone = replace(_alone(request), config=replace(request.config, site=dump.source.site))
        few, every = (replace(alone, dumps=(str(mini.path.parent),)) for mini in (dump.few, dump.every))
        place = dump.every.path.parent.parent
        cold = run_trial(few, place / "cold") if number == 0 else None
        trials = run_trial(few, place / "out-few"), run_trial(every, place / "out-all")
        _count(forecast, dump, trials[1])
        _cost(forecast, dump, *trials)
        if cold is not None:
            forecast.slowness = _slowness(cold, *trials)
            _wait(forecast, cold)
            for stage, seconds in trials[0].cpu_s.items():
                forecast.once_s[stage] += max(0.0, cold.cpu_s.get(stage, 0.0) - seconds)
        if dump.every.size_bytes > forecast.tried_bytes:
            forecast.memory_bytes, forecast.tried_bytes = trials[1].memory_bytes, dump.every.size_bytes


def _share_of(slices: Sequence[bytes], share: int) -> list[bytes]:
    """The first slices that are together so many times smaller; cut at a row."""
    left, taken = sum(map(len, slices)) // share, list[bytes]()
    for data in slices:
        cut = len(data) if len(data) <= left else max(data.rfind(b"<row ", 0, left), 0)
        taken.append(data[:cut] if cut else data)
        left -= len(taken[-1])
        if left <= 0:
            break
    return taken


def _write_beside(folder: Path, source: Source) -> dict[str, float]:
    """Samples of the tables beside Posts; how many times larger each table is."""
    factors: dict[str, float] = {}
    for table in (source.tables.users, source.tables.post_links):
        if table is not None:
            sample = sample_table(table)
            (folder / f"{table.member}.xml").write_bytes(b"".join((b"<rows>\n", *sample.slices, b"\n</rows>\n")))
            factors[table.member] = sample.factor
    return factors


def _count(forecast: _Forecast, dump: _Tried, trial: Trial) -> None:
    """Add what the dump holds and what will be kept of it."""
    mini, factor, languages = dump.every, dump.sample.factor, dict[str, int]()
    counts = {"rows": mini.rows, "questions": mini.questions, "answers": mini.answers}
    if trial.summary is not None:
        counts |= {name: trial.summary[name] for name in COUNTED}
        counts["rows"] -= mini.stand_ins
        counts["answers"] -= mini.stand_ins
        languages = {name: sum(of.values()) for name, of in trial.summary["languages"].items()}
    forecast.counts.update({name: round(count * factor) for name, count in counts.items()})
    forecast.languages.update({name: round(count * factor) for name, count in languages.items()})


def _cost(forecast: _Forecast, dump: _Tried, few: Trial, every: Trial) -> None:
    """Add what rows cost, and what a warm build costs beside."""
    sample, (few_rows, n_tried) = dump.sample, (mini.rows + mini.stand_ins for mini in (dump.few, dump.every))
    # How often the rows that only the larger trial has go into those that the smaller one lacks.
    times = (n_tried * sample.factor - few_rows) / max(n_tried - few_rows, 1)
    for stage, seconds in every.cpu_s.items():
        before = few.cpu_s.get(stage, 0.0)
        if stage in _BESIDE:
            forecast.rows_s[stage] += seconds * dump.factors[_BESIDE[stage]]
        elif stage in _PAID_ONCE:
            forecast.once_s[stage] = max(forecast.once_s[stage], before)
        elif stage == "write":
            of_rows = _of_rows(before, seconds, few, every)
            forecast.once_s[stage] += seconds - of_rows
            forecast.rows_s[stage] += of_rows * sample.factor
        else:
            forecast.once_s[stage] += before
            forecast.rows_s[stage] += max(seconds - before, 0.0) * times
    if sample.read_bytes_per_s is not None:
        forecast.read_s += sample.total_bytes / sample.read_bytes_per_s
    forecast.scratch_bytes += few.scratch_bytes + (every.scratch_bytes - few.scratch_bytes) * times
    others = [trial.disk_bytes - trial.data_bytes for trial in (few, every)]
    of_rows = _of_rows(few.data_bytes, every.data_bytes, few, every)
    forecast.disk_bytes += others[0] + (others[1] - others[0]) * times
    forecast.disk_bytes += every.data_bytes + of_rows * (sample.factor - 1)
    forecast.rows_s["write"] = min(forecast.rows_s["write"], WRITE_SHARE * forecast.rows_s["pairs"])


def _of_rows(few_cost: float, cost: float, few: Trial, every: Trial) -> float:
    """What of the cost of writing parts is not that of parts with next to nothing in them."""
    a_part = few_cost / max(few.tasks.get("write", 0), 1)
    return max(cost - a_part * every.tasks.get("write", 0), 0.0)


def _wait(forecast: _Forecast, trial: Trial) -> None:
    """Take from a cold trial what it waited for beside all work that is shared out."""
    alone = [stage for stage in trial.cpu_s if stage not in _AT_ONCE]
    forecast.wait_s = sum(max(trial.wall_s[stage] - trial.cpu_s[stage], 0.0) for stage in alone)


def _slowness(*trials: Trial) -> float:
    """Seconds by the clock for each of the processor, in the stages that wait for no disk."""
    stages = [(trial, stage) for trial in trials for stage in trial.cpu_s if stage in _AT_ONCE]
    cpu_s = sum(trial.cpu_s[stage] for trial, stage in stages)
    return sum(trial.wall_s[stage] for trial, stage in stages) / max(cpu_s, 1e-6)


def _seconds(run: RunConfig, forecast: _Forecast, import_s: float) -> float:
    """Seconds by the clock, on a machine as busy as it is now."""
    once, rows, cores = forecast.once_s, forecast.rows_s, os.cpu_count() or 1
    others = forecast.slowness * cores - 1 if forecast.slowness > 1 + NOISE else 0.0

    def at_once(cpu_s: float, n_processes: int) -> float:
        """By the clock: so many processes share the cores with what else runs here."""
        running = min(n_processes, cores) * (EFFICIENCY if n_processes > 1 else 1.0)
        return cpu_s / (running * min(1.0, cores / (others + min(n_processes, cores))))

    alone_s = sum(seconds for stage, seconds in (*once.items(), *rows.items()) if stage not in _AT_ONCE)
    total = forecast.wait_s + at_once(alone_s, 1)
    warm_up_s = sum(once[stage] for stage in _AT_ONCE)
    if run.n_jobs == 1:
        return total + at_once(warm_up_s + sum(rows[stage] for stage in _AT_ONCE), 1) + forecast.read_s
    # Each worker imports, loads what is compiled, and warms up by itself, all at the same time.
    total += at_once(run.n_jobs * (import_s + warm_up_s), run.n_jobs)
    total += max(at_once(rows["scan"], run.n_jobs), forecast.read_s)
    return total + at_once(sum(rows[stage] for stage in _AT_ONCE if stage != "scan"), run.n_jobs)


def _cpu_seconds(run: RunConfig, forecast: _Forecast, import_s: float) -> float:
    """Processor seconds of all processes of a build, from their start."""
    total = import_s + sum(forecast.once_s.values()) + sum(forecast.rows_s.values())
    if run.n_jobs == 1:
        return total
    return total + run.n_jobs * import_s + (run.n_jobs - 1) * sum(forecast.once_s[stage] for stage in _AT_ONCE)


def _memory(run: RunConfig, forecast: _Forecast, at_start: int, total_bytes: int) -> int:
    """Peak bytes summed over the processes, as ``peak_memory_bytes`` of a build counts them."""
    block, bucket, _ = task_sizes(run.memory_bytes, run.n_jobs)
    bucket = min(bucket, total_bytes // (4 * run.n_jobs))
    tried = min(block, forecast.tried_bytes)
    grown = BLOCK_GROWTH * max(min(block, total_bytes) - tried, 0) + BUCKET_GROWTH * max(bucket - tried // 4, 0)
    peaks = forecast.memory_bytes
    last = max(peaks.values(), default=at_start)
    if run.n_jobs == 1:
        return last + grown
    worker = max((peaks[stage] for stage in _AT_ONCE if stage in peaks), default=last)
    return at_start + last - worker + 2 * block + run.n_jobs * (worker + grown)
