"""Dump → dataset: the construction on one screen.

Blocks of the dump are scanned and spilled by thread, ids are resolved, threads become pairs, and pairs
become parts. Every stage is a list of pure tasks, so that any number of workers gives the same bytes and
a killed build goes on where it stopped. Source: docs/paper.md#accepted-answers; ours, docs/decisions/0003.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from procqa import artifact
from procqa.artifact import Input, Manifest, Workspace, digest_input
from procqa.config import BuildConfig, RunConfig
from procqa.corpora.benchmarks import read_benchmark_texts
from procqa.dataset import shuffle
from procqa.dataset.card import NOTICE, write_card
from procqa.dataset.collect import Collected, CollectPlan, CollectTask, collect_pairs
from procqa.dataset.decontaminate import TextCounts, keep_texts
from procqa.dataset.funnel import Tally
from procqa.dataset.resolve import ResolveTask, merge, resolve_ids
from procqa.dataset.runs import PartStats, plan_parts, write_part
from procqa.dataset.scan import Scanned, ScanTask, scan_block
from procqa.dataset.schema import SPLITS
from procqa.dataset.split import time_cuts
from procqa.dump.archive import dump_site, open_dump
from procqa.dump.blocks import read_blocks
from procqa.dump.stream import ByteStream
from procqa.errors import ArtifactError, DumpError
from procqa.files import write_durably
from procqa.pairs.languages import parse_languages
from procqa.workers import Workers, open_workers

Report = Callable[[str, int], None]
"""Hears of progress: the stage, and how many of its tasks are done."""

STDIN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """What to build, and where.

    Args:
        dumps: paths of dumps, or "-" for standard input.
        benchmarks: published benchmark files whose texts must not stand in the dataset.
        rejects: a file for every row and question that was left out, as JSON lines.
        force: replace an ``out`` that another recipe made.
    """

    dumps: tuple[str, ...]
    out: Path
    config: BuildConfig = field(default_factory=BuildConfig)
    run: RunConfig = field(default_factory=RunConfig)
    benchmarks: tuple[Path, ...] = ()
    rejects: Path | None = None
    force: bool = False

    @property
    def sites(self) -> tuple[str, ...]:
        """The site of each dump."""
        return tuple(self.config.site or dump_site(dump) for dump in self.dumps)


def no_report(_stage: str, _done: int) -> None:
    """Tell nobody of progress."""


def build_dataset(request: BuildRequest, report: Report = no_report) -> dict[str, Any]:
    """Make a dataset from dumps, or find it made already.

    Returns:
        The object of ``procqa build --json``.

    Raises:
        ConfigError: a setting is out of range.
        DumpError: a dump cannot be read to its end, or holds no pair that is wanted.
        ArtifactError: ``out`` is taken, or cannot be written.
        BenchmarkError: a benchmark is not in its published layout.
    """
    parse_languages(request.config.languages)
    artifact.refuse_overlap(request.out, [Path(dump) for dump in request.dumps if dump != STDIN])
    check_rejects(request)
    recipe = {**asdict(request.config), "sites": list(request.sites)}
    inputs = _digest_inputs(request)
    complete = artifact.find_complete(request.out, kind="dataset", recipe=recipe, inputs=inputs, force=request.force)
    if complete is not None:
        return _summary(request.out, complete, artifact.last_logged(request.out, "cost"))
    started = time.monotonic()
    with (
        artifact.workspace(request.out, kind="dataset", recipe=recipe, inputs=inputs) as work,
        open_workers(request.run) as workers,
    ):
        counts, inputs = _Construction(request, work, workers, report).run(inputs)
        work.finish(counts, data_folder="data", inputs=inputs)
        cost = {"seconds": round(time.monotonic() - started, 3), "peak_memory_bytes": workers.peak_memory_bytes}
        work.log.append({"cost": cost})
    return _summary(request.out, artifact.load_manifest(request.out, kind="dataset"), cost)


class _Construction:
    """One build in progress; each method is a stage."""

    def __init__(self, request: BuildRequest, work: Workspace, workers: Workers, report: Report) -> None:
        self.request, self.work, self.workers, self.report = request, work, workers, report
        self.sites = tuple(sorted(set(request.sites)))
        self.stdin_input: Input | None = None
        self.text_counts = TextCounts({}, {})
        memory = request.run.memory_bytes // workers.jobs
        self.block_bytes = min(max(memory // 64, 4 << 20), 32 << 20)
        self.bucket_bytes = memory // 16

    def run(self, inputs: list[Input]) -> tuple[dict[str, Any], list[Input]]:
        """All stages; returns the counts and the inputs of the manifest."""
        benchmarks = self.keep_benchmarks()
        scanned = self.scan()
        collected = self.collect(self.plan(scanned, benchmarks))
        tally = self.tally(scanned, collected)
        stats = self.write_parts(collected)
        counts = self.counts(tally, scanned, stats)
        self.describe(tally, counts, stats)
        inputs = [self.stdin_input if entry.name == STDIN and self.stdin_input else entry for entry in inputs]
        self.write_leakage(collected, inputs)
        self.write_rejects(scanned, collected)
        return counts, inputs

    def stage(self, name: str) -> Path:
        """The scratch folder of a stage."""
        folder = self.work.scratch / name
        folder.mkdir(exist_ok=True)
        return folder

    def keep_benchmarks(self) -> Path | None:
        """Read the texts to decontaminate against."""
        if not self.request.benchmarks:
            return None
        path = self.work.scratch / "benchmarks.jsonl"
        texts = (text for source in self.request.benchmarks for text in read_benchmark_texts(source))
        self.text_counts = keep_texts(path, texts)
        return path

    def scan(self) -> list[Scanned]:
        """Read every dump once and spill its rows by thread."""
        scanned = []
        for result in self.workers.run(scan_block, self.blocks()):
            scanned.append(result)
            self.report("scan", len(scanned))
        if not any(result.rows for result in scanned):
            raise DumpError(f"a dump must hold rows, but {', '.join(self.request.dumps)} holds none")
        self.forget_other_blocks(scanned)
        return scanned

    def forget_other_blocks(self, scanned: Iterable[Scanned]) -> None:
        """Throw away what an interrupted run made of other blocks: standard input may have changed since."""
        marker = self.work.scratch / "blocks.txt"
        names = "\n".join(result.name for result in scanned)
        if marker.exists() and marker.read_text(encoding="utf-8") != names:
            shutil.rmtree(self.stage("pairs"))
            shutil.rmtree(self.work.path)
            self.work.path.mkdir()
        write_durably(marker, names)

    def blocks(self) -> Iterator[ScanTask]:
        """The blocks of every dump as tasks, named by their place and bytes."""
        folder = self.stage("scan")
        for number, (dump, site) in enumerate(zip(self.request.dumps, self.request.sites, strict=True)):
            with open_dump(dump) as opened:
                stream = _HashedStream(opened) if dump == STDIN else opened
                for block in read_blocks(stream, name=dump, block_bytes=self.block_bytes):
                    digest = hashlib.blake2b(block.data, digest_size=8).hexdigest()
                    name = f"{number:03d}-{block.index:06d}-{digest}"
                    place = self.sites.index(site)
                    source = Path(dump).name
                    yield ScanTask(folder, name, source, place, block, self.request.rejects is not None)
                if isinstance(stream, _HashedStream):
                    self.stdin_input = stream.input()

    def plan(self, scanned: list[Scanned], benchmarks: Path | None) -> CollectPlan:
        """Resolve ids over the whole dump and say what the collecting tasks need."""
        folder = self.stage("scan")
        spills = tuple((result.spill(folder), result.site) for result in scanned)
        by_site = tuple(
            (site, tuple(spill for spill, of_site in spills if of_site == site)) for site in range(len(self.sites))
        )
        tasks = [ResolveTask(bucket, by_site) for bucket in range(shuffle.KEY_BUCKETS)]
        resolved = merge(self.workers.run(resolve_ids, tasks))
        self.report("resolve", len(tasks))
        return CollectPlan(
            self.request.config,
            self.stage("pairs"),
            spills,
            self.sites,
            resolved.moved,
            resolved.misplaced,
            benchmarks,
            self.request.rejects is not None,
        )

    def collect(self, plan: CollectPlan) -> list[Collected]:
        """Turn threads into pairs, a range of buckets a task."""
        spills = [spill for spill, _ in plan.spills]
        total = sum(int(shuffle.read_sizes(spill)[: shuffle.ROW_BUCKETS, 1].sum()) for spill in spills)
        # Four tasks a worker at the least, so that none waits long for the last.
        groups = shuffle.group_buckets(spills, min(self.bucket_bytes, total // (4 * self.workers.jobs) + 1))
        collected = []
        for result in self.workers.run(collect_pairs, [CollectTask(plan, buckets) for buckets in groups]):
            collected.append(result)
            self.report("pairs", len(collected))
        return collected

    def tally(self, scanned: Iterable[Scanned], collected: Iterable[Collected]) -> Tally:
        """What became of every row and question.

        Raises:
            DumpError: no pair was kept.
        """
        tally = Tally()
        for block in scanned:
            tally.rows += block.rows
            tally.other += block.other
            tally.unreadable.update(block.unreadable)
        for result in collected:
            tally.add(Tally.from_dict(result.tally))
        if not tally.kept:
            why = ", ".join(f"{n} {reason}" for reason, n in tally.dropped_by_reason.items()) or "no readable question"
            raise DumpError(
                f"a dump must hold a pair that is wanted, but none of {tally.questions} questions is: {why}"
            )
        return tally

    def write_parts(self, collected: Iterable[Collected]) -> list[PartStats]:
        """Sort all pairs into the parts of the dataset."""
        parts = plan_parts(self.work.path, [result.run for result in collected], time_cuts)
        stats = []
        for result in self.workers.run(write_part, parts):
            stats.append(result)
            self.report("write", len(stats))
        return stats

    def counts(self, tally: Tally, scanned: Iterable[Scanned], stats: Iterable[PartStats]) -> dict[str, Any]:
        """The counts of the manifest, named as in ``procqa build --json``."""
        return {
            "rows": tally.rows,
            "questions": tally.questions,
            "answers": tally.answers,
            "other": tally.other,
            "unreadable": tally.unreadable.total(),
            "repeated": tally.repeated,
            "pairs_read": tally.pairs_read,
            "kept": tally.kept.total(),
            "dropped": tally.dropped_by_reason,
            "languages": count_languages(stats),
            "dump_date": iso_date(max((block.newest_ms for block in scanned if block.newest_ms), default=None)),
        }

    def describe(self, tally: Tally, counts: dict[str, Any], stats: list[PartStats]) -> None:
        """Write the card, the NOTICE and the funnel."""
        title = f"Question–answer pairs of {', '.join(self.sites)}"
        source = (
            f"Questions with their accepted answers, up to {counts['dump_date']}, preset {self.request.config.preset}."
        )
        (self.work.path / "README.md").write_text(write_card(title, stats, counts, source), encoding="utf-8")
        (self.work.path / "NOTICE").write_text(NOTICE, encoding="utf-8")
        write_json(self.work.path / "funnel.json", tally.to_dict())

    def write_leakage(self, collected: Iterable[Collected], inputs: list[Input]) -> None:
        """Write leakage.json: what was looked for, and every pair that was dropped for it."""
        leaks = [leak for result in collected for leak in result.leaks]
        leaks.sort(key=lambda leak: (leak["site"], leak["question_id"]))
        write_json(
            self.work.path / "leakage.json",
            {
                "checked_against": [asdict(entry) for entry in inputs[len(self.request.dumps) :]],
                "texts_looked_for": self.text_counts.used,
                "texts_too_short": self.text_counts.skipped,
                "removed": leaks,
            },
        )

    def write_rejects(self, scanned: Iterable[Scanned], collected: Iterable[Collected]) -> None:
        """Write every unreadable row and dropped question to the file that the user named."""
        if self.request.rejects is None:
            return
        sources = [block.rejects(self.stage("scan")) for block in scanned] + [result.rejects for result in collected]
        new = self.request.rejects.with_name(f".{self.request.rejects.name}.new")
        try:
            with new.open("wb") as sink:
                for source in sources:
                    with source.open("rb") as stream:
                        shutil.copyfileobj(stream, sink)
            new.replace(self.request.rejects)
        except OSError as error:
            new.unlink(missing_ok=True)
            raise ArtifactError(f"{self.request.rejects} could not be written: {error.strerror or error}") from error


class _HashedStream:
    """Standard input, read and hashed at once: it cannot be read twice."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream, self._digest, self._size = stream, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._digest.update(data)
        self._size += len(data)
        return data

    def input(self) -> Input:
        return Input(STDIN, self._size, self._digest.hexdigest())


def check_rejects(request: BuildRequest) -> None:
    """Refuse a rejects file that could not be written, before hours of work.

    Raises:
        ArtifactError: its folder is not there, or it is a folder, or lies inside ``out``.
    """
    if request.rejects is None:
        return
    folder = request.rejects.absolute().parent
    if not folder.is_dir() or request.rejects.is_dir() or request.out.absolute() in (folder, *folder.parents):
        raise ArtifactError(f"{request.rejects} must be a file in a folder that exists, outside {request.out}")


def _digest_inputs(request: BuildRequest) -> list[Input]:
    """The dumps, then the benchmarks. Standard input is read only to compare it with a finished ``out``."""
    inputs = []
    for dump in request.dumps:
        if dump != STDIN:
            inputs.append(digest_input(Path(dump)))
        elif (request.out / artifact.MANIFEST).is_file() and not request.force:
            with open_dump(STDIN) as stream:
                hashed = _HashedStream(stream)
                while hashed.read(1 << 20):
                    pass
            inputs.append(hashed.input())
        else:
            inputs.append(Input(STDIN, 0, ""))
    return inputs + [digest_input(path) for path in request.benchmarks]


def count_languages(stats: Iterable[PartStats]) -> dict[str, dict[str, int]]:
    """Rows by language and split."""
    languages: dict[str, dict[str, int]] = {}
    for part in stats:
        languages.setdefault(part.language, dict.fromkeys(SPLITS, 0))[part.split] += part.rows
    return dict(sorted(languages.items()))


def iso_date(milliseconds: int | None) -> str | None:
    """A time as dumps write it: ``2018-02-22T16:40:13.577``, UTC."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write JSON as people can read and compare it."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _summary(out: Path, manifest: Manifest, cost: dict[str, Any] | None) -> dict[str, Any]:
    seconds, peak = (cost or {}).get("seconds"), (cost or {}).get("peak_memory_bytes")
    counts = {name: value for name, value in manifest.counts.items() if name != "dump_date"}
    return {
        **counts,
        "sha256": manifest.sha256,
        "dump_date": manifest.counts["dump_date"],
        "seconds": seconds,
        "peak_memory_bytes": peak,
        "out": os.fspath(out),
    }
