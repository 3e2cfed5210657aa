"""Dump → dataset: the construction on one screen.

Blocks of the dump are scanned and spilled by thread, ids are resolved, threads become pairs, near-duplicates
are clustered, and pairs become parts. Every stage is a list of pure tasks, so that any number of workers
gives the same bytes and a killed build goes on where it stopped.
Source: docs/paper.md#accepted-answers; ours, docs/decisions/0003.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from procqa import artifact
from procqa.artifact import digest_input
from procqa.corpora.benchmarks import read_benchmark_texts
from procqa.dataset import describe, shuffle, spill, state
from procqa.dataset.collect import Collected, CollectPlan, CollectTask, collect_pairs
from procqa.dataset.convert import Recipe
from procqa.dataset.decontaminate import TextCounts, keep_texts
from procqa.dataset.funnel import Tally
from procqa.dataset.request import (
    BuildRequest,
    Report,
    check_beside,
    check_rejects,
    join_files,
    no_report,
    summarise,
    write_rejects,
)
from procqa.dataset.resolve import ResolveTask, merge, resolve_ids
from procqa.dataset.runs import beside, plan_parts, write_part
from procqa.dataset.scan import Scanned, ScanTask, language_names, scan_block
from procqa.dataset.sources import (
    STDIN,
    STDIN_NOT_READ,
    Digests,
    HashedStream,
    Source,
    digest_stdin,
    find_sources,
    open_posts,
)
from procqa.dataset.split import assign_splits, cut_by, cut_by_hash, time_cuts
from procqa.dataset.stages import GIVEN, Job, Stages, task_sizes
from procqa.dataset.statistics import PartStats
from procqa.dataset.survey import Survey
from procqa.dump.blocks import Block, BlockPlace, read_blocks
from procqa.dump.stream import ByteStream, Checked
from procqa.errors import DumpError
from procqa.files import write_durably
from procqa.journal import last_logged
from procqa.manifest import MANIFEST, Input, Manifest, load_manifest
from procqa.pairs.languages import parse_languages
from procqa.workers import open_workers, start_early


def build_dataset(request: BuildRequest, report: Report = no_report) -> dict[str, Any]:
    """Make a dataset from dumps, or find it made already.

    Returns:
        The object of ``procqa build --json``.

    Raises:
        ConfigError: a setting is out of range.
        DumpError: a dump cannot be read to its end, or holds no pair that is wanted.
        ArtifactError: ``out`` is taken, or cannot be written; ``since`` is of another recipe; a dump is a pipe, or
            changes while it is read.
        BenchmarkError: a benchmark is not in its published layout.
    """
    parse_languages(request.config.languages)
    files = [Path(dump) for dump in request.dumps if dump != STDIN]
    artifact.refuse_overlap(request.out, [*files, *request.benchmarks])
    if not request.out.name or request.out.name == "..":
        request = replace(request, out=Path(os.path.realpath(request.out)))
    check_beside(request)
    sources = find_sources(request.dumps, request.config.site)
    tables = [Path(table.path) for source in sources for table in source.wanted_tables() if table.path != STDIN]
    check_rejects(request, [*tables, *request.benchmarks, *([request.since] if request.since else [])])
    recipe = {**asdict(request.config), "sites": [source.site for source in sources]}
    benchmarks = [digest_input(path) for path in request.benchmarks]
    with Digests(sources) as digests:
        dump_inputs = digests.stamps
        if (request.out / MANIFEST).is_file():
            reads_stdin = STDIN in request.dumps and not request.force
            dump_inputs = digests.wait(digest_stdin() if reads_stdin else STDIN_NOT_READ)
        complete = artifact.find_complete(
            request.out,
            kind="dataset",
            recipe=recipe,
            inputs=dump_inputs + benchmarks,
            force=request.force,
            begun_with=digests.stamps + benchmarks,
        )
        if complete is not None:
            return summarise(request.out, complete, last_logged(request.out, "cost"))
        old = None if request.since is None else _open_old(request.since, recipe, sources, benchmarks)
        start_early(request.run, "procqa.dataset.preload")
        started = time.monotonic()
        with (
            artifact.workspace(request.out, kind="dataset", recipe=recipe, inputs=digests.stamps + benchmarks) as work,
            open_workers(request.run) as workers,
        ):
            construction = _Construction(Job(request, sources, old, work, workers, report))
            counts = construction.run(recipe, digests, benchmarks)
            cost = {
                "seconds": round(time.monotonic() - started, 3),
                "cpu_seconds": round(workers.cpu_seconds, 3),
                "peak_memory_bytes": workers.peak_memory_bytes,
                "warnings": construction.warnings,
                **construction.reuse_counts(counts),
            }
            work.log.append({"cost": cost})
    return summarise(request.out, load_manifest(request.out, kind="dataset"), cost)


def _open_old(
    since: Path, recipe: dict[str, Any], sources: Sequence[Source], benchmarks: Sequence[Input]
) -> tuple[Manifest, state.OldState]:
    manifest = load_manifest(since, kind="dataset")
    sites = sorted({source.site for source in sources})
    return manifest, state.open_old_state(since, manifest, recipe, sites, benchmarks)


class _Construction(Stages):
    """One build in progress; each method is a stage."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.stdin_input = STDIN_NOT_READ
        self.text_counts = TextCounts({}, {})
        self.n_converted = self.n_known = 0
        self.sizes = task_sizes(job.request.run.memory_bytes, job.workers.jobs)

    def run(self, recipe: dict[str, Any], digests: Digests, benchmarks: list[Input]) -> dict[str, Any]:
        """All stages; returns the counts of the manifest."""
        texts, duplicates = self.keep_benchmarks(), self.keep_duplicate_links()
        scanned = self.scan()
        digests.check()
        collected = self.collect(self.plan(scanned, texts, duplicates))
        tally = self.tally(scanned, collected)
        stats = self.write_parts(collected)
        counts = describe.counts(tally, stats, max((b.newest_ms for b in scanned if b.newest_ms), default=None))
        with self.stage("digest"):
            inputs = digests.wait(self.stdin_input) + benchmarks
        leaks = [leak for result in collected for leak in result.leaks]
        redactions = [entry for result in collected for entry in result.redactions]
        description = describe.Description(
            folder=self.work.path,
            sites=self.sites,
            origins=tuple(dict.fromkeys(source.origin for source in self.sources)),
            config=self.config,
            recipe=recipe,
            tally=tally,
            stats=tuple(stats),
            counts=counts,
            checked_against=tuple(benchmarks),
            text_counts=self.text_counts,
            leaks=tuple(leaks),
            redactions=tuple(redactions),
        )
        with self.stage("describe"):
            description.write(self.workers.run)
            self.write_beside(collected, redactions, state.describe(recipe, inputs, benchmarks))
        rejects = [block.rejects(self.folder("scan")) for block in scanned] + [task.rejects for task in collected]
        write_rejects(self.request, rejects)
        self.work.finish(counts, inputs=inputs)
        return counts

    def keep_benchmarks(self) -> Path | None:
        """Read the texts to decontaminate against."""
        if not self.request.benchmarks:
            return None
        path = self.folder(GIVEN) / "benchmarks.jsonl"
        with self.stage("benchmarks"):
            texts = (text for source in self.request.benchmarks for text in read_benchmark_texts(source))
            self.text_counts = keep_texts(path, texts)
        return path

    def scan(self) -> list[Scanned]:
        """Read every dump once and spill its rows by thread."""
        scanned, survey = [], Survey()
        with self.stage("scan") as note:
            for result in self.workers.run(scan_block, self.blocks()):
                survey.add(Survey.from_dict(result.survey))
                scanned.append(replace(result, survey={}))
                note(result.was_done)
        if not any(result.rows for result in scanned):
            raise DumpError(f"a dump must hold rows, but {', '.join(self.request.dumps)} holds none")
        self.forget_other_blocks(scanned)
        self.warnings += survey.warnings()
        return scanned

    def forget_other_blocks(self, scanned: Iterable[Scanned]) -> None:
        """Throw away what an interrupted run made of other blocks: standard input may have changed since."""
        marker = self.work.scratch / "blocks.txt"
        names = "\n".join(result.name for result in scanned)
        if marker.exists() and marker.read_text(encoding="utf-8") != names:
            for folder in self.work.scratch.iterdir():
                of_blocks = folder.name not in ("scan", GIVEN) and not folder.name.startswith("merged-")
                if folder.is_dir() and of_blocks:
                    shutil.rmtree(folder)
            shutil.rmtree(self.work.path)
            self.work.path.mkdir()
        write_durably(marker, names)

    def blocks(self) -> Iterator[ScanTask]:
        """The blocks of every dump as tasks, named by their place and bytes."""
        folder = self.folder("scan")
        for number, source in enumerate(self.sources):
            is_stdin = source.dump == STDIN
            with open_posts(source) as stream:
                for block in read_blocks(stream, name=source.dump, block_bytes=self.sizes.block):
                    # What a file holds is known by its digest; what standard input holds, only now.
                    content = f"-{hashlib.blake2b(block.data, digest_size=8).hexdigest()}" if is_stdin else ""
                    yield ScanTask(
                        folder,
                        f"{number:03d}-{block.offset:012d}-{len(block.data):09d}{content}",
                        Path(source.dump).name,
                        self.sites.index(source.site),
                        self._as_sent(block, stream),
                        self.config.languages,
                        self.config.answers == "accepted",
                        self.request.rejects is not None,
                    )
                if isinstance(stream, HashedStream):
                    self.stdin_input = stream.input()

    def _as_sent(self, block: Block, stream: ByteStream) -> Block | BlockPlace:
        """The block, or its place where a worker of this machine can read it there."""
        file = stream.file if isinstance(stream, Checked) else None
        if file is None or not block.is_verbatim or not self.workers.are_here:
            return block
        return BlockPlace(file, block.index, block.offset, len(block.data))

    def plan(self, scanned: list[Scanned], benchmarks: Path | None, duplicates: dict[int, Path]) -> CollectPlan:
        """Resolve ids over the whole dump and say what the collecting tasks need."""
        spills = self.merge_spills(scanned)
        by_site = tuple(
            (site, tuple(path for path, of_site in spills if of_site == site)) for site in range(len(self.sites))
        )
        tasks = [ResolveTask(bucket, by_site) for bucket in range(spill.KEY_BUCKETS)]
        with self.stage("resolve") as note:
            found = []
            for result in self.workers.run(resolve_ids, tasks):
                found.append(result)
                note(False)
            resolved = merge(iter(found))
        recipe = Recipe(self.config, self.sites, language_names(self.config.languages), benchmarks, duplicates)
        since = "" if self.old is None else f"-since-{self.old[0].sha256[:16]}"
        return CollectPlan(
            recipe,
            self.folder(f"pairs{since}"),
            spills,
            resolved.moved,
            resolved.misplaced,
            self.spill_old_texts(),
            self.request.rejects is not None,
        )

    def collect(self, plan: CollectPlan) -> list[Collected]:
        """Turn threads into pairs, a range of buckets a task."""
        spills = [path for path, _ in plan.spills]
        total = sum(int(spill.read_index(path).row_sizes.sum()) for path in spills)
        # Four tasks a worker at the least, so that none waits long for the last.
        shares = shuffle.share_buckets(spills, min(self.sizes.bucket, total // (4 * self.workers.jobs) + 1))
        collected = []
        with self.stage("pairs") as note:
            for result in self.workers.run(collect_pairs, (CollectTask(plan, share) for share in shares)):
                collected.append(result)
                note(result.was_done)
        self.n_converted = sum(result.converted for result in collected)
        self.n_known = sum(result.known for result in collected)
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

    def write_parts(self, collected: Sequence[Collected]) -> list[PartStats]:
        """Cluster, split, and sort all pairs into the parts of the dataset."""
        runs, labels = [result.run for result in collected], None
        if self.config.near_duplicates == "cluster":
            from procqa.dataset.duplicates import find_clusters

            with self.stage("clusters"):
                labels = find_clusters(
                    [beside(run, "signatures") for run in runs],
                    self.folder("clusters"),
                    self.workers.run,
                    similarity=self.config.similarity,
                    memory_bytes=self.sizes.comparison,
                )
        names = self.keep_names(collected)
        by_author = self.config.split == "author"
        cut = cut_by(time_cuts) if self.config.split == "time" else cut_by_hash
        stats = []
        with self.stage("write") as note:
            assign_splits(runs, cut, labels, keeps_groups=by_author)
            parts = plan_parts(self.work.path, runs, names=names)
            for result in self.workers.run(write_part, parts):
                stats.append(result.stats)
                note(result.was_done)
        return stats

    def reuse_counts(self, counts: dict[str, Any]) -> dict[str, Any]:
        """What was taken from the older dataset, where there is one."""
        if self.old is None or self.request.since is None:
            return {}
        cpu_before = (last_logged(self.request.since, "cost") or {}).get("cpu_seconds")
        incremental = {
            "threads": counts["questions"],
            "converted": self.n_converted,
            "reused": self.n_known,
            "cpu_seconds": round(self.workers.cpu_seconds, 3),
            "since_cpu_seconds": cpu_before,
        }
        return {"incremental": incremental}

    def write_beside(self, collected: Sequence[Collected], redactions: Sequence[Any], about: dict[str, Any]) -> None:
        """Write what stands beside the dataset: its state, its changes, its redaction map."""
        folder = self.folder("beside")
        signatures = [result.signatures for result in collected] if self.config.near_duplicates == "cluster" else []
        if self.old is not None:
            join_files(folder / "changes.jsonl", [result.changes for result in collected])
            self.work.beside[".changes.jsonl"] = folder / "changes.jsonl"
        redaction_map = folder / "redactions.jsonl" if self.config.redact else None
        if redaction_map is not None:
            describe.write_lines(redaction_map, redactions)
            self.work.beside[".redactions.jsonl"] = redaction_map
        states = [result.state for result in collected]
        state.write_state(folder / "state", states, signatures, about, redaction_map)
        self.work.beside[".state"] = folder / "state"
