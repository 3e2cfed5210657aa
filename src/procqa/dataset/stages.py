"""What the stages of a build share, and those that read what stands beside Posts or was built before."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from procqa.artifact import Workspace
from procqa.dataset import spill, state
from procqa.dataset.authors import join_owners, keep_names
from procqa.dataset.collect import Collected
from procqa.dataset.request import BuildRequest, Report
from procqa.dataset.reuse import OldTexts, ReuseTask, spill_texts, write_notes
from procqa.dataset.scan import Scanned
from procqa.dataset.sources import STDIN, Source
from procqa.dump.archive import open_table
from procqa.dump.beside import read_duplicates, read_users
from procqa.dump.rows import LOCAL_SITE
from procqa.errors import DumpError
from procqa.manifest import Manifest
from procqa.workers import Workers, release_memory


class TaskSizes(NamedTuple):
    """Bytes that one task holds: a block of the dump, a share of the buckets, what a comparison may use."""

    block: int
    bucket: int
    comparison: int


def task_sizes(memory_bytes: int, jobs: int) -> TaskSizes:
    """How large tasks may be, by the memory of all processes. Source: ours, docs/decisions/0003."""
    of_job = memory_bytes // jobs
    free = max(of_job - _TAKEN_BYTES, 96 << 20)
    return TaskSizes(min(max(free // 40, 4 << 20), 8 << 20), min(free // 12, 32 << 20), of_job // 4)


_TAKEN_BYTES = 200 << 20
"""What a process takes before any data: half of it are pages of libraries. Source: ours, docs/decisions/0003."""


GIVEN = "given"
"""The scratch folder of what is made of the request alone, whatever the blocks of the dump are."""


@dataclass(frozen=True, slots=True)
class Job:
    """One build: what is asked, what it reads, where it works, and who works.

    Args:
        old: the older dataset to go on from, and its state.
    """

    request: BuildRequest
    sources: tuple[Source, ...]
    old: tuple[Manifest, state.OldState] | None
    work: Workspace
    workers: Workers
    report: Report


class Stages:
    """A build in progress; each method but the first two is a stage."""

    def __init__(self, job: Job) -> None:
        self.request, self.sources, self.old = job.request, job.sources, job.old
        self.work, self.workers, self.report = job.work, job.workers, job.report
        self.config = job.request.config
        self.warnings: list[str] = []
        self.sites = tuple(sorted({source.site for source in job.sources}))

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[bool], None]]:
        """Log when a stage begins and ends, and how many of its tasks an earlier run had done; report each task."""
        done = [0, 0]
        started = time.monotonic()
        self.work.note({"stage": name, "event": "begins", "at_s": time.time()})
        self.report(name, 0)

        def note(was_done: bool) -> None:
            done[was_done] += 1
            self.report(name, sum(done))

        yield note
        release_memory()
        seconds = round(time.monotonic() - started, 3)
        self.work.note({"stage": name, "event": "ends", "tasks": done[False], "done_before": done[True], "s": seconds})

    def folder(self, name: str) -> Path:
        """The scratch folder of a stage."""
        folder = self.work.scratch / name
        folder.mkdir(exist_ok=True)
        return folder

    def merge_spills(self, scanned: Sequence[Scanned]) -> tuple[tuple[Path, int], ...]:
        """The spill files with their sites, joined where there are many: each later task opens all of them."""
        folder = self.folder("scan")
        spills = [(result.spill(folder), result.site) for result in scanned]
        if len(spills) <= spill.MOST_SPILLS:
            return tuple(spills)
        # By the blocks that they join: another --memory makes others, and what it joins must not be taken for these.
        names = "\n".join(result.name for result in scanned)
        merged = self.folder(f"merged-{hashlib.blake2b(names.encode(), digest_size=8).hexdigest()}")
        # Blocks of standard input may be other ones next time, and those that stay are needed then.
        removes = all(source.dump != STDIN for source in self.sources)
        tasks, sites = list[spill.MergeTask](), list[int]()
        for site in range(len(self.sites)):
            of_site = [path for path, of in spills if of == site]
            for start in range(0, len(of_site), spill.MERGED_SPILLS):
                out = merged / f"{site:03d}-{start:08d}.spill"
                tasks.append(spill.MergeTask(tuple(of_site[start : start + spill.MERGED_SPILLS]), out, removes))
                sites.append(site)
        with self.stage("merge") as note:
            paths = []
            for path in self.workers.run(spill.merge_spills, tasks):
                paths.append(path)
                note(False)
        return tuple(zip(paths, sites, strict=True))

    def keep_duplicate_links(self) -> dict[int, Path]:
        """The questions that a PostLinks table marks as duplicates, sorted, for each site that has one."""
        tables = [(self.sites.index(source.site), source.tables.post_links) for source in self.sources]
        found = [(site, table) for site, table in tables if table is not None]
        if not found or self.config.duplicate_links == "keep":
            return {}
        marked: dict[int, list[int]] = {}
        with self.stage("links"):
            for site, table in found:
                with open_table(table) as stream:
                    links = read_duplicates(stream, name=table.path)
                    marked.setdefault(site, []).extend(question for question, _ in links)
                self.warn_of_rows("PostLinks", links.unreadable)
        paths = {site: self.folder(GIVEN) / f"links-{site}.npy" for site in marked}
        for site, questions in marked.items():
            np.save(paths[site], np.unique(np.array(questions, dtype=np.int64)))
        return paths

    def spill_old_texts(self) -> tuple[state.OldState, OldTexts] | None:
        """Part the Markdown of the older dataset by bucket."""
        since = self.request.since
        if self.old is None or since is None:
            return None
        manifest, old_state = self.old
        folder = self.folder(f"reuse-{manifest.sha256[:16]}")
        parts = [path for path in sorted(manifest.files) if path.startswith("data/")]
        tasks = [
            ReuseTask(since / part, manifest.files[part]["sha256"], folder / f"{number:06d}.spill", self.sites)
            for number, part in enumerate(parts)
        ]
        with self.stage("reuse") as note:
            spills = []
            for path in self.workers.run(spill_texts, tasks):
                spills.append(path)
                note(False)
        notes = folder / "notes.json"
        write_notes(notes, since, manifest, self.sites)
        return old_state, OldTexts(tuple(spills), notes)

    def keep_names(self, collected: Sequence[Collected]) -> Path | None:
        """The names of the authors of kept pairs, from the Users tables."""
        if not any(source.tables.users for source in self.sources):
            return None
        folder = self.folder("names")
        with self.stage("names"):
            owners = join_owners([result.owners for result in collected])
            try:
                keep_names(folder, owners, self.users())
            except DumpError as error:
                self.warnings.append(f"names of authors are missing, their ids stand for them: {error}")
                return None
        return folder

    def warn_of_rows(self, table: str, unreadable: int) -> None:
        """Say how many rows of a table beside Posts could not be read."""
        if unreadable:
            self.warnings.append(f"{unreadable:,} rows of {table} could not be read and were passed over")

    def users(self) -> Iterator[tuple[int, Iterable[tuple[int, str]]]]:
        """The users of each dump that has a Users table.

        Without pages askers are told apart by name, so where the split is by asker names are as rows have them.
        """
        for source in self.sources:
            if source.tables.users is not None and (source.site != LOCAL_SITE or self.config.split != "author"):
                with open_table(source.tables.users) as stream:
                    users = read_users(stream, name=source.tables.users.path)
                    yield self.sites.index(source.site), users
                self.warn_of_rows("Users", users.unreadable)
