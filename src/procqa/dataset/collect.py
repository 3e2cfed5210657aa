"""The third stage of a build: the threads of some buckets become pairs, or are counted with a reason.

A pure task: it reads its buckets from every spill file and writes one sorted run, its tally, its leaks
and, on request, its rejects. Bodies are converted here, and only those of questions that can be kept.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from procqa.config import BuildConfig
from procqa.dataset import shuffle
from procqa.dataset.decontaminate import Leak, load_finder
from procqa.dataset.funnel import Tally
from procqa.dataset.runs import OrderedPair, write_run
from procqa.dump.blocks import Block, rows_in
from procqa.dump.body import to_markdown
from procqa.dump.rows import Unreadable, read_row, read_tags, to_post
from procqa.pairs import rules
from procqa.pairs.join import Thread, ThreadRow, join_thread
from procqa.pairs.languages import language_of, parse_languages
from procqa.records import Dropped, Pair, Post


@dataclass(frozen=True, slots=True)
class CollectPlan:
    """What every task of this stage is told.

    Args:
        spills: every spill file with the index of its site.
        sites: the hosts, sorted; a site's index is its place here.
        moved: (site, id, thread) of rows to leave out (``resolve.Resolved``).
        misplaced: reasons by (site, question, accepted id) (``resolve.Resolved``).
        benchmarks: the kept benchmark texts; None where none were given.
    """

    config: BuildConfig
    folder: Path
    spills: tuple[tuple[Path, int], ...]
    sites: tuple[str, ...]
    moved: frozenset[tuple[int, int, int]]
    misplaced: Mapping[tuple[int, int, int], str]
    benchmarks: Path | None
    keep_rejects: bool


@dataclass(frozen=True, slots=True)
class CollectTask:
    """A range of row buckets to collect."""

    plan: CollectPlan
    buckets: range


@dataclass(frozen=True, slots=True)
class Collected:
    """What a task made: its run, its tally, the leaks it found, and its rejects if they are kept."""

    run: Path
    rejects: Path
    tally: dict[str, Any]
    leaks: list[dict[str, Any]]


@dataclass(slots=True)
class _Outcome:
    pairs: list[OrderedPair] = field(default_factory=list)
    drops: list[Dropped] = field(default_factory=list)
    leaks: list[dict[str, Any]] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)


def collect_pairs(task: CollectTask) -> Collected:
    """Join, convert and sift the threads of a range of buckets."""
    name = task.plan.folder / f"{task.buckets.start:04d}-{task.buckets.stop:04d}"
    collected = Collected(name.with_suffix(".arrow"), name.with_suffix(".rejects"), {}, [])
    done = name.with_suffix(".json")
    if done.exists() and (not task.plan.keep_rejects or collected.rejects.exists()):
        return Collected(collected.run, collected.rejects, **json.loads(done.read_text(encoding="utf-8")))
    outcome = _Outcome()
    threads = _read_threads(task, outcome.tally)
    for site, thread_id in sorted(threads):
        thread = join_thread(thread_id, threads.pop((site, thread_id)))
        _settle(thread, site, task.plan, outcome)
    write_run(collected.run, outcome.pairs)
    if task.plan.keep_rejects:
        lines = "".join(json.dumps(asdict(drop), ensure_ascii=False) + "\n" for drop in outcome.drops)
        collected.rejects.write_text(lines, encoding="utf-8")
    result: dict[str, Any] = {"tally": outcome.tally.to_dict(), "leaks": outcome.leaks}
    new = done.with_suffix(".done")
    new.write_text(json.dumps(result), encoding="utf-8")
    new.replace(done)
    return Collected(collected.run, collected.rejects, **result)


def _read_threads(task: CollectTask, tally: Tally) -> dict[tuple[int, int], list[ThreadRow]]:
    """The rows of the buckets by (site, thread), without those that moved to another thread."""
    threads: dict[tuple[int, int], list[ThreadRow]] = defaultdict(list)
    for spill, site in task.plan.spills:
        for row in _rows_of(spill, task.buckets):
            thread_id, thread_row = row
            if (site, thread_row.id, thread_id) in task.plan.moved:
                tally.repeated += 1
            else:
                threads[site, thread_id].append(thread_row)
    return dict(threads)


def _rows_of(spill: Path, buckets: range) -> Iterator[tuple[int, ThreadRow]]:
    for number, data in enumerate(shuffle.read_rows(spill, buckets)):
        for _, raw in rows_in(Block(number, 0, data)):
            row = read_row(raw)
            if isinstance(row, Unreadable) or row.kind == "other":
                raise RuntimeError("a spill file holds a row that the scan did not pass")
            yield row.thread_id, ThreadRow(row.kind, row.id, row.activity_ms, row.accepted_answer_id, raw)


def _settle(thread: Thread, site: int, plan: CollectPlan, outcome: _Outcome) -> None:
    """Make the thread's question a pair, or count why it is none."""
    outcome.tally.repeated += thread.repeated
    outcome.tally.answers += len(thread.answers)
    if thread.question is None:
        return
    outcome.tally.questions += 1
    result = _judge(thread, thread.question, site, plan)
    if isinstance(result, Pair):
        outcome.tally.kept[result.language] += 1
        outcome.pairs.append(OrderedPair(result, result.question_created_ms or 0, site))
        return
    if isinstance(result, tuple):
        result, leak = result
        outcome.leaks.append(
            {"site": result.site, "question_id": result.question_id, "language": result.language, **asdict(leak)}
        )
    outcome.tally.drop(result.reason, result.language)
    if plan.keep_rejects:
        outcome.drops.append(result)


def _judge(
    thread: Thread, question_row: ThreadRow, site: int, plan: CollectPlan
) -> Pair | Dropped | tuple[Dropped, Leak]:
    """The pair of a thread, or the first reason in the order of the funnel, with the leak if it is one."""
    host = plan.sites[site]
    # The whole post is made only where it can be kept: most questions of a site are dropped before.
    tags = read_tags(question_row.raw)
    language = language_of(tags, _language_table(plan.config.languages))

    def drop(reason: str, detail: str = "") -> Dropped:
        return Dropped(site=host, question_id=question_row.id, language=language, reason=reason, detail=detail)

    accepted = thread.accepted()
    if isinstance(accepted, str):
        wanted = question_row.accepted_answer_id
        reason = plan.misplaced.get((site, question_row.id, wanted or 0), accepted)
        return drop(reason, detail="" if wanted is None else f"accepted id {wanted}")
    if language is None:
        return drop(rules.NO_LANGUAGE, detail=" ".join(tags))
    pair = to_pair(to_post(question_row.raw, site=host), to_post(accepted.raw, site=host), language)
    broken = rules.first_reason(pair.title, pair.question, pair.answer, plan.config)
    if broken is not None:
        return drop(broken, detail=f"{len(pair.title) + len(pair.question)} + {len(pair.answer)} characters")
    if plan.benchmarks is not None:
        leak = load_finder(plan.benchmarks).find(pair.title, pair.question, pair.answer)
        if leak is not None:
            return drop(rules.CONTAMINATED, detail=f"{leak.benchmark} {leak.item}"), leak
    return pair


@lru_cache(maxsize=4)
def _language_table(names: tuple[str, ...]) -> dict[str, str]:
    return parse_languages(names)


def to_pair(question: Post, answer: Post, language: str) -> Pair:
    """The row of a dataset that a question and its answer make."""
    has_pages = question.site != "local"
    return Pair(
        question_id=question.id,
        answer_id=answer.id,
        language=language,
        title=question.title,
        question=to_markdown(question.body_html),
        answer=to_markdown(answer.body_html),
        tags=question.tags,
        question_score=question.score,
        answer_score=answer.score,
        view_count=question.view_count,
        question_created_ms=question.created_ms,
        answer_created_ms=answer.created_ms,
        question_author=question.author,
        question_author_url=question.author_url,
        answer_author=answer.author,
        answer_author_url=answer.author_url,
        question_licence=question.licence,
        answer_licence=answer.licence,
        question_url=f"https://{question.site}/questions/{question.id}" if has_pages else None,
        answer_url=f"https://{question.site}/a/{answer.id}" if has_pages else None,
        site=question.site,
    )
