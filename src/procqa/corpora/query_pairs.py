"""CoSQA's and CoNaLa's published files → pairs: title = what is asked, question empty, answer = the code in a fence.

A CoSQA row that is labelled as no match is dropped and counted, never a pair. Splits are the published ones; a
query that stands in a held-out split, or a Stack Overflow question of which a snippet does, is dropped from every
other: CoNaLa's mined snippets are of the curated questions too. Who wrote a text is not published: the rows say so,
and link the Stack Overflow pages that name the authors. Source: docs/paper.md#suite, docs/decisions/0021.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from procqa.config import LANGUAGES
from procqa.corpora.families import FAMILIES
from procqa.corpora.files import kind_of, list_entries, plain_name
from procqa.corpora.layouts.questions import read_conala, read_cosqa_queries, read_mined_conala
from procqa.corpora.layouts.rows import Reader, Row
from procqa.corpora.records import CorpusPair, Partition, stable_id
from procqa.corpora.release import SITE, UNKNOWN_AUTHOR, UNKNOWN_LICENCE
from procqa.errors import BenchmarkError
from procqa.records import Dropped, Pair
from procqa.text import fence

NO_MATCH = "labelled as no match"
HELD_OUT = "its question is in a held-out split"
OTHER_LANGUAGE = "no wanted language"
LANGUAGE = "python"
LOCAL = "local"

WEB_USER = "web user, not named by CoSQA"
CODE_AUTHOR = "author of the code, not named by CoSQA"
ANNOTATOR = "CoNaLa's annotators, after a Stack Overflow user named on the linked page"
ANSWERER = "Stack Overflow user, one of those who answered the linked question"

_PARTITIONS: dict[str, Partition] = {"train": "train", "mined": "train", "dev": "validation", "test": "test"}
_HELD_OUT_FIRST: tuple[Partition, ...] = ("test", "validation", "train")
_LAYOUTS: tuple[tuple[re.Pattern[str], str, Reader], ...] = (
    (re.compile(r"cosqa-(?:retrieval-)?(train|dev|test)(?:-\d+)?\.json"), "cosqa", read_cosqa_queries),
    (re.compile(r"conala-(train|test)\.json"), "conala", read_conala),
    (re.compile(r"conala-(mined)\.jsonl"), "conala", read_mined_conala),
)


@dataclass(frozen=True, slots=True)
class QueryFile:
    """A published file of queries with their code, the benchmark it belongs to, and the split it is."""

    path: Path
    benchmark: str
    partition: Partition
    read: Reader


def query_files(source: Path) -> list[QueryFile]:
    """The published files that a path is, or that lie in a folder: held-out splits first, then by name.

    Raises:
        DumpError: the folder cannot be listed.
    """
    paths = list_entries(source)
    files = [
        QueryFile(path, benchmark, _PARTITIONS[match[1]], read)
        for path in paths
        for pattern, benchmark, read in _LAYOUTS
        if (match := pattern.fullmatch(plain_name(path))) is not None and kind_of(path) == "file"
    ]
    return sorted(files, key=lambda file: _HELD_OUT_FIRST.index(file.partition))


def read_pairs(source: Path, languages: Sequence[str] = LANGUAGES) -> Iterator[CorpusPair | Dropped]:
    """The pairs of the published files, lazily, and the other rows with the reason against them.

    Memory: one file of JSON, and the ids of the questions.

    Raises:
        BenchmarkError: a file is not in its published layout, or holds no row.
        DumpError: the folder cannot be listed.
    """
    split_of: dict[str, Partition] = {}
    for file in query_files(source):
        is_empty = True
        for row in file.read(file.path):
            is_empty = False
            group = f"{file.benchmark}/{row.posts[0] if row.posts else row.id}"
            pair = _to_pair(row, file.benchmark)
            reason = _why_dropped(row, languages, split_of.get(group, file.partition), file.partition)
            if reason is None:
                split_of[group] = file.partition
                yield CorpusPair(pair=pair, group=group, partition=file.partition)
            else:
                yield Dropped(
                    site=pair.site,
                    question_id=pair.question_id,
                    language=LANGUAGE if LANGUAGE in languages else None,
                    reason=reason,
                    detail=f"{file.path.name} {row.id}",
                )
        if is_empty:
            raise BenchmarkError(f"{file.path} must hold rows, as published, but is empty: put a whole copy there")


def _why_dropped(row: Row, languages: Sequence[str], held: Partition, partition: Partition) -> str | None:
    """The first reason that keeps a row from being a pair, or None."""
    if LANGUAGE not in languages:
        return OTHER_LANGUAGE
    if row.label != 1:
        return NO_MATCH
    return HELD_OUT if held != partition else None


def _to_pair(row: Row, benchmark: str) -> Pair:
    query, code = row.query or "", row.document or ""
    question, answer = row.posts or (None, None)
    if benchmark == "cosqa":
        site, asker, coder, licence = LOCAL, WEB_USER, CODE_AUTHOR, FAMILIES["cosqa"].licence
        question_id, answer_id = stable_id(benchmark, row.id), stable_id(benchmark, code)
    else:
        site, licence = SITE, UNKNOWN_LICENCE
        asker, coder = ANNOTATOR if row.others else UNKNOWN_AUTHOR, UNKNOWN_AUTHOR if answer else ANSWERER
        # One question has several snippets, each with a text of its own that asks for it.
        question_id, answer_id = stable_id(benchmark, str(question), query), stable_id(benchmark, str(question), code)
    return Pair(
        question_id=question_id,
        answer_id=answer_id,
        language=LANGUAGE,
        title=query,
        question="",
        answer=fence(code, LANGUAGE),
        tags=(),
        question_score=0,
        answer_score=0,
        view_count=None,
        question_created_ms=None,
        answer_created_ms=None,
        question_author=asker,
        question_author_url=None,
        answer_author=coder,
        answer_author_url=None,
        question_licence=licence,
        answer_licence=licence,
        question_url=None if question is None else f"https://{SITE}/q/{question}",
        answer_url=None if answer is None else f"https://{SITE}/a/{answer}",
        site=site,
    )
