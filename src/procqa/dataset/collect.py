"""The third stage of a build: the threads of some buckets become pairs, or are counted with a reason.

A pure task: it reads its buckets from every spill file and writes one sorted run, what to remember of
every thread, its tally, its leaks and, on request, its rejects. Threads are joined over whole columns;
only a question that has an answer and a language is looked at alone.
"""

import gc
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.dataset import shuffle
from procqa.dataset.authors import OWNER
from procqa.dataset.convert import Judge, Judged, Known, Recipe, StoredPost
from procqa.dataset.funnel import Tally
from procqa.dataset.reuse import OldTexts
from procqa.dataset.runs import OrderedPair, beside, sort_run, write_run
from procqa.dataset.split import group_hash
from procqa.dataset.state import STATE, OldState, OldThreads, outcome_of, reason_of, sort_threads
from procqa.dump.posts import ABSENT, POST, TAGS, to_records
from procqa.dump.rows import split_tags
from procqa.pairs import rules
from procqa.pairs.join import Threads, join_threads
from procqa.records import Dropped, Pair


@dataclass(frozen=True, slots=True)
class CollectPlan:
    """What every task of this stage is told.

    Args:
        spills: every spill file with the index of its site.
        moved: (site, id, thread) of rows to leave out (``resolve.Resolved``).
        misplaced: reasons by (site, question, accepted id) (``resolve.Resolved``).
        old: an older build to go on from, and the texts of its pairs.
    """

    recipe: Recipe
    folder: Path
    spills: tuple[tuple[Path, int], ...]
    moved: frozenset[tuple[int, int, int]]
    misplaced: Mapping[tuple[int, int, int], str]
    old: tuple[OldState, OldTexts] | None
    keep_rejects: bool


@dataclass(frozen=True, slots=True)
class CollectTask:
    """A share of the row buckets to collect."""

    plan: CollectPlan
    share: shuffle.Share

    def file(self, suffix: str) -> Path:
        """A file that this task makes."""
        return self.plan.folder / f"{self.share.name}{suffix}"


@dataclass(frozen=True, slots=True)
class Collected:
    """What a task made.

    Args:
        run: its pairs; beside it their signatures, in the order of the run.
        state: what to remember of its threads; ``signatures`` those of the kept ones, in the same order.
        rejects: dropped questions, changes: threads that differ from the older build, as JSON lines.
        leaks, redactions: as leakage.json and the redaction map have them.
        converted, known: judged questions whose texts were converted, and taken from the older build.
    """

    run: Path
    state: Path
    signatures: Path
    rejects: Path
    changes: Path
    owners: Path
    tally: dict[str, Any]
    leaks: list[dict[str, Any]]
    redactions: list[dict[str, Any]]
    converted: int
    known: int
    was_done: bool = False


_FILES = ("run", "state", "signatures", "rejects", "changes", "owners")
_SUFFIXES = (".arrow", ".state.npy", ".signed.npy", ".rejects", ".changes", ".owners.npy")


def collect_pairs(task: CollectTask) -> Collected:
    """Join, convert and sift the threads of a range of buckets."""
    files: dict[str, Any] = {name: task.file(suffix) for name, suffix in zip(_FILES, _SUFFIXES, strict=True)}
    done = task.file(".json")
    if done.exists() and (not task.plan.keep_rejects or files["rejects"].exists()):
        return Collected(**files, **json.loads(done.read_text(encoding="utf-8")), was_done=True)
    with _without_collection():
        collector = _Collector(task)
        collector.collect()
        collector.write(files)
        result = collector.result()
    new = done.with_suffix(".done")
    new.write_text(json.dumps(result), encoding="utf-8")
    new.replace(done)
    return Collected(**files, **result)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Leave Python's search for cycles out: a task holds a million records and makes no cycle."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@dataclass(frozen=True, slots=True)
class _Kept:
    """A pair with the number of its thread and, where they are asked for, its signature."""

    row: OrderedPair
    thread: int
    signature: NDArray[np.uint32] | None


@dataclass(slots=True)
class _Outcome:
    tally: Tally = field(default_factory=Tally)
    kept: list[_Kept] = field(default_factory=list)
    drops: list[Dropped] = field(default_factory=list)
    leaks: list[dict[str, Any]] = field(default_factory=list)
    redactions: list[dict[str, Any]] = field(default_factory=list)
    n_judged: Counter[bool] = field(default_factory=Counter)


class _Collector:
    """The threads of one task, from columns to files."""

    def __init__(self, task: CollectTask) -> None:
        self.task, self.plan, self.recipe = task, task.plan, task.plan.recipe
        self.outcome = _Outcome()
        records = shuffle.read_records([spill for spill, _ in self.plan.spills], task.share, POST)
        self.records = records
        self.sites = np.array([site for _, site in self.plan.spills], dtype=np.int64)[records.source]
        self.posts = records.rows
        self.place = self._without_moved()
        self.threads = self._join()
        self.old: OldThreads | None = None
        self.old_texts: Mapping[tuple[int, int], tuple[str, str]] = {}
        if self.plan.old is not None:
            state, texts = self.plan.old
            self.old, self.old_texts = state.read(task.share), texts.read(task.share)
        self.states = self._states()

    def _without_moved(self) -> NDArray[np.int64]:
        """The rows of posts that belong to their thread."""
        is_suspect = np.isin(self.posts["id"], [number for _, number, _ in self.plan.moved])
        moved = [
            row
            for row in np.flatnonzero(is_suspect).tolist()
            if (int(self.sites[row]), int(self.posts["id"][row]), int(self.posts["thread"][row])) in self.plan.moved
        ]
        self.outcome.tally.repeated += len(moved)
        return np.delete(np.arange(len(self.posts)), moved)

    def _join(self) -> Threads:
        posts, best = self.posts[self.place], self.recipe.config.answers == "best"
        is_poison = np.zeros(len(posts), dtype=bool)
        if best:
            for row in np.flatnonzero(np.isin(posts["owner"], [rules.COMMUNITY_USER_ID, rules.ANSWER_BOT_ID, ABSENT])):
                is_poison[row] = _is_fabricated(posts[row]) or rules.is_answer_bot(int(posts["owner"][row]))
        threads = join_threads(posts, self.sites[self.place], ~is_poison, best=best)
        self.outcome.tally.repeated += threads.repeated
        self.outcome.tally.answers += threads.n_answers
        self.outcome.tally.questions += len(threads.questions)
        answers = np.where(threads.answers >= 0, self.place[threads.answers], -1)
        return replace(threads, questions=self.place[threads.questions], answers=answers)

    def _states(self) -> NDArray[np.void]:
        """What to remember of each thread, its outcome that of the reasons that need no look at it alone."""
        questions, answers = self.posts[self.threads.questions], self.threads.answers
        states = np.zeros(len(questions), dtype=STATE)
        states["site"], states["thread"] = self.sites[self.threads.questions], questions["id"]
        states["digest"], states["outcome"] = self.threads.digests, outcome_of(None)
        # The first reason in the order of the funnel wins, so it is set last.
        states["outcome"][questions["language"] < 0] = outcome_of(rules.NO_LANGUAGE)
        if self.recipe.config.answers == "best":
            states["outcome"][answers < 0] = outcome_of(rules.NO_ANSWER)
        else:
            states["outcome"][answers < 0] = outcome_of(rules.NOT_IN_DUMP)
            self._set_misplaced(states, questions["accepted"])
            states["outcome"][questions["accepted"] == ABSENT] = outcome_of(rules.NO_ACCEPTED)
        for row in np.flatnonzero(np.isin(questions["id"], list(rules.FABRICATED_IDS))):
            if _is_fabricated(questions[row]):
                states["outcome"][row] = outcome_of(rules.FABRICATED)
        return states

    def _set_misplaced(self, states: NDArray[np.void], accepted: NDArray[np.int64]) -> None:
        if self.plan.misplaced:
            for row in np.flatnonzero(self.threads.answers < 0).tolist():
                key = int(states["site"][row]), int(states["thread"][row]), int(accepted[row])
                if key in self.plan.misplaced:
                    states["outcome"][row] = outcome_of(self.plan.misplaced[key])

    def collect(self) -> None:
        """Judge every question that is still to be judged, and count all."""
        languages = self.posts["language"][self.threads.questions]
        is_judged = self.states["outcome"] == outcome_of(None)
        self._count_dropped(languages, ~is_judged)
        judge = Judge(self.recipe)
        rows = np.flatnonzero(is_judged)
        sites = self.states["site"][rows].tolist()
        questions, answers = self._stored(self.threads.questions[rows]), self._stored(self.threads.answers[rows])
        for row, site, question, answer in zip(rows.tolist(), sites, questions, answers, strict=True):
            judged = judge.judge(site, question, answer, self._known(row))
            self.states["outcome"][row] = outcome_of(judged.reason)
            self.states["content"][row] = judged.content
            if any(judged.content):
                self.outcome.n_judged[judged.was_known] += 1
            self._settle(row, site, judged)

    def _stored(self, places: NDArray[np.int64]) -> Iterator[StoredPost]:
        return zip(to_records(self.posts[places]), self.records.texts(places), strict=True)

    def _count_dropped(self, languages: NDArray[np.int16], is_dropped: NDArray[np.bool_]) -> None:
        """Count the questions that were dropped without a look at them alone."""
        pairs = np.stack((self.states["outcome"].astype(np.int64), languages.astype(np.int64)), axis=1)[is_dropped]
        values, counts = np.unique(pairs, axis=0, return_counts=True)
        for (outcome, language), count in zip(values.tolist(), counts.tolist(), strict=True):
            reason = reason_of(outcome)
            if reason is not None:
                self.outcome.tally.drop(reason, self._language(language), count)
        if self.plan.keep_rejects:
            for row in np.flatnonzero(is_dropped).tolist():
                self.outcome.drops.append(self._drop(row, reason_of(int(self.states["outcome"][row])) or ""))

    def _language(self, index: int) -> str | None:
        return None if index < 0 else self.recipe.languages[index]

    def _drop(self, row: int, reason: str, detail: str = "") -> Dropped:
        place = int(self.threads.questions[row])
        post = self.posts[place]
        if reason == rules.NO_LANGUAGE:
            detail = self._tags(place)
        elif not detail and reason in rules.NOT_JOINED and post["accepted"] != ABSENT:
            detail = f"accepted id {post['accepted']}"
        return Dropped(
            site=self.recipe.sites[int(self.states["site"][row])],
            question_id=int(post["id"]),
            language=self._language(int(post["language"])),
            reason=reason,
            detail=detail,
        )

    def _tags(self, place: int) -> str:
        sizes, texts = self.posts[place]["sizes"].tolist(), next(self.records.texts(np.array([place])))
        return " ".join(split_tags(texts[sum(sizes[:TAGS]) : sum(sizes[: TAGS + 1])].decode()))

    def _known(self, row: int) -> Known | None:
        """What the older build made of a question."""
        if self.old is None or self.plan.old is None:
            return None
        key = int(self.states["site"][row]), int(self.states["thread"][row])
        place = self.old.place.get(key)
        if place is None:
            return None
        state = self.old.states[place]
        reason, (low, high) = reason_of(int(state["outcome"])), state["content"].tolist()
        leak, redactions = self.plan.old[1].leak(key), self.plan.old[1].redactions(key)
        texts = self.old_texts.get(key, ("", ""))
        return Known((low, high), reason, *texts, leak, redactions)

    def _settle(self, row: int, site: int, judged: Judged) -> None:
        """Count one judged question, and keep its pair if it is one."""
        if judged.pair is None:
            drop = self._drop(row, judged.reason or "", judged.detail)
            self.outcome.tally.drop(drop.reason, drop.language)
            if judged.leak is not None:
                where = {"site": drop.site, "question_id": drop.question_id, "language": drop.language}
                self.outcome.leaks.append({**where, **judged.leak})
            if self.plan.keep_rejects:
                self.outcome.drops.append(drop)
            return
        pair = judged.pair
        self.outcome.tally.kept[pair.language] += 1
        self.outcome.redactions += judged.redactions
        order = pair.question_created_ms or 0
        ordered = OrderedPair(pair, order, site, self._group(pair), judged.owners)
        self.outcome.kept.append(_Kept(ordered, row, self._signature(row, judged)))

    def _group(self, pair: Pair) -> int:
        """The hash of what the split of the pair must not part."""
        split = self.recipe.config.split
        if split == "time":
            return 0
        if split == "hash":
            return group_hash(pair.site, pair.question_id)
        # As the proof tells askers apart: by their pages, and by their names where there are none.
        return group_hash(pair.site, pair.question_author_url or pair.question_author)

    def _signature(self, row: int, judged: Judged) -> NDArray[np.uint32] | None:
        if self.recipe.config.near_duplicates == "ignore" or judged.pair is None:
            return None
        if judged.was_known and self.old is not None:
            place = self.old.place[int(self.states["site"][row]), int(self.states["thread"][row])]
            signature = self.old.signature(place)
            if signature is not None:
                return signature
        from procqa.dataset.minhash import sign

        return sign(judged.pair.title, judged.pair.question, judged.pair.answer)

    def write(self, files: Mapping[str, Path]) -> None:
        """Write all files of the task, the run last."""
        kept = self.outcome.kept
        owners = {(kept_row.row.site, owner) for kept_row in kept for owner in kept_row.row.owners if owner is not None}
        np.save(files["owners"], np.array(sorted(owners), dtype=OWNER))
        if self.plan.keep_rejects:
            _write_lines(files["rejects"], map(asdict, self.outcome.drops))
        if self.plan.old is not None:
            _write_lines(files["changes"], self._changes())
        order = sort_threads(self.states)
        np.save(files["state"], self.states[order])
        in_run = sort_run([kept_row.row for kept_row in kept])
        if self.recipe.config.near_duplicates == "cluster":
            from procqa.dataset.minhash import PERMUTATIONS

            signatures = np.zeros((len(kept), PERMUTATIONS), dtype=np.uint32)
            for place, kept_row in enumerate(kept):
                if kept_row.signature is not None:
                    signatures[place] = kept_row.signature
            rank = np.empty(len(order), dtype=np.int64)
            rank[order] = np.arange(len(order))
            np.save(files["signatures"], signatures[np.argsort([rank[kept_row.thread] for kept_row in kept])])
            np.save(beside(files["run"], "signatures"), signatures[in_run])
        write_run(files["run"], [kept[place].row for place in in_run])

    def _changes(self) -> Iterator[dict[str, Any]]:
        """Every thread that is new, gone, or not as the older build saw it."""
        old = self.old
        if old is None or self.plan.old is None:
            return
        gone = dict(old.place)
        for state in self.states:
            key = int(state["site"]), int(state["thread"])
            place, now = gone.pop(key, None), reason_of(int(state["outcome"]))
            if place is None:
                yield _change(self.recipe.sites[key[0]], key[1], "added", None, now or "kept")
                continue
            before = old.states[place]
            if before["digest"] != state["digest"] or before["outcome"] != state["outcome"]:
                was = reason_of(int(before["outcome"])) or "kept"
                yield _change(self.recipe.sites[key[0]], key[1], "changed", was, now or "kept")
        for (site, thread), place in gone.items():
            host = self.plan.old[0].hosts[int(old.states["site"][place])] if site < 0 else self.recipe.sites[site]
            yield _change(host, thread, "deleted", reason_of(int(old.states["outcome"][place])) or "kept", None)

    def result(self) -> dict[str, Any]:
        """What the manifest and leakage.json need of the task."""
        return {
            "tally": self.outcome.tally.to_dict(),
            "leaks": self.outcome.leaks,
            "redactions": self.outcome.redactions,
            "converted": self.outcome.n_judged[False],
            "known": self.outcome.n_judged[True],
        }


def _change(site: str, question_id: int, change: str, was: str | None, now: str | None) -> dict[str, Any]:
    return {"site": site, "question_id": question_id, "change": change, "was": was, "now": now}


def _write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON lines."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(lines, encoding="utf-8")


def _is_fabricated(post: np.void) -> bool:
    owner = int(post["owner"])
    return rules.is_fabricated(int(post["id"]), None if owner == ABSENT else owner)
