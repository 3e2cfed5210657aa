"""The first stage of a build: a block of a dump is read once and spilled by thread.

A pure task: the same block gives the same spill file, and a finished one is not made again. Of a question
that can be no pair, and of what no pair needs, only the numbers are spilled.
"""

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from procqa.dataset import shuffle
from procqa.dataset.spill import ROW_BUCKETS
from procqa.dataset.survey import survey_block
from procqa.dump.blocks import Block, BlockPlace
from procqa.dump.posts import ABSENT, QUESTION
from procqa.dump.rows import parse_tags
from procqa.pairs.languages import language_of, parse_languages

if TYPE_CHECKING:
    from procqa.dump.columns import BlockRows

_SHOWN_BYTES = 200


@dataclass(frozen=True, slots=True)
class ScanTask:
    """One block to scan.

    Args:
        name: unique for the block's place and bytes; its files in the folder carry it.
        source: the dump's base name, for the rejects.
        site: index of the block's site.
        languages: the wanted ones, as in BuildConfig.
        needs_accepted: whether a question is a pair only with the answer that it accepts.
        keep_rejects: whether unreadable rows are written out.
    """

    folder: Path
    name: str
    source: str
    site: int
    block: Block | BlockPlace
    languages: tuple[str, ...]
    needs_accepted: bool
    keep_rejects: bool


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a block held. ``newest_ms`` is the newest date in any readable row."""

    name: str
    site: int
    rows: int
    other: int
    unreadable: dict[str, int]
    newest_ms: int | None
    survey: dict[str, Any]
    was_done: bool = False

    def spill(self, folder: Path) -> Path:
        """Where the block's rows lie."""
        return folder / f"{self.name}.spill"

    def rejects(self, folder: Path) -> Path:
        """Where the block's unreadable rows are listed, if they are kept."""
        return folder / f"{self.name}.rejects"


def scan_block(task: ScanTask) -> Scanned:
    """Read every row of a block and spill questions and answers by thread."""
    done = task.folder / f"{task.name}.json"
    if done.exists():
        scanned = Scanned(**{**json.loads(done.read_text(encoding="utf-8")), "was_done": True})
        if not task.keep_rejects or scanned.rejects(task.folder).exists():
            return scanned
    from procqa.dump.columns import read_columns  # numba stays out of the process that only hands out tasks

    block = read_columns(task.block if isinstance(task.block, Block) else task.block.read())
    unreadable: dict[str, int] = {}
    for _, reason, _ in block.unreadable:
        unreadable[reason] = unreadable.get(reason, 0) + 1
    survey = survey_block(block)
    scanned = Scanned(
        task.name,
        task.site,
        block.rows,
        block.other,
        dict(sorted(unreadable.items())),
        block.newest_ms,
        survey.to_dict(),
    )
    if task.keep_rejects:
        lines = (json.dumps(_reject(task.source, *row), ensure_ascii=False) + "\n" for row in block.unreadable)
        scanned.rejects(task.folder).write_text("".join(lines), encoding="utf-8")
    _spill(block, task, scanned.spill(task.folder))
    new = done.with_suffix(".done")
    new.write_text(json.dumps(asdict(scanned)), encoding="utf-8")
    new.replace(done)
    return scanned


def _spill(block: "BlockRows", task: ScanTask, path: Path) -> None:
    """Write the posts of a block in the order of their buckets, and a key for each."""
    posts = block.posts
    is_question = posts["kind"] == QUESTION
    questions = np.flatnonzero(is_question)
    index_of = language_indexes(task.languages)
    posts["language"][questions] = [index_of[tags] for tags in block.escaped_tags(questions)]
    is_whole = ~is_question | (posts["language"] >= 0)
    if task.needs_accepted:
        is_whole &= ~is_question | (posts["accepted"] != ABSENT)
    buckets = shuffle.bucket_of(posts["thread"], ROW_BUCKETS)
    order = np.argsort(buckets, kind="stable")
    records, texts = block.take(order, is_whole)
    shuffle.write_rows(path, records, texts, buckets[order], _keys(posts))


_MOST_TAGS = 1 << 16
_MOST_TAG_BYTES = 1 << 10  # Stack Exchange allows five tags of 35 characters


class _LanguageIndexes(dict[bytes, int]):
    """The index of a question's language among ``language_names`` by its tags; -1 where it has none of them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self._table, self._names = parse_languages(names), language_names(names)

    def __missing__(self, escaped_tags: bytes) -> int:
        if len(self) == _MOST_TAGS:
            self.clear()
        language = language_of(parse_tags(escaped_tags), self._table)
        index = -1 if language is None else self._names.index(language)
        if len(escaped_tags) <= _MOST_TAG_BYTES:
            self[escaped_tags] = index
        return index


@lru_cache(maxsize=4)
def language_indexes(names: tuple[str, ...]) -> _LanguageIndexes:
    """The languages of tags that were looked up before, and of any others; see ``_LanguageIndexes``."""
    return _LanguageIndexes(names)


@lru_cache(maxsize=4)
def language_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The languages that a list of names and definitions asks for, sorted."""
    return tuple(sorted({name.partition("=")[0] for name in names}))


def _keys(posts: NDArray[np.void]) -> NDArray[np.void]:
    """A key for each post, and one for each id that is accepted."""
    keys = np.zeros(len(posts), dtype=shuffle.KEY)
    keys["kind"] = np.where(posts["kind"] == QUESTION, shuffle.QUESTION, shuffle.ANSWER)
    for name in ("id", "thread", "activity_ms", "digest"):
        keys[name] = posts[name]
    accepting = posts[posts["accepted"] != ABSENT]
    wanted = np.zeros(len(accepting), dtype=shuffle.KEY)
    wanted["kind"], wanted["id"], wanted["thread"] = shuffle.WANTED, accepting["accepted"], accepting["id"]
    return np.concatenate((keys, wanted))


def _reject(source: str, offset: int, reason: str, raw: bytes) -> dict[str, Any]:
    shown = raw[:_SHOWN_BYTES].decode("utf-8", errors="backslashreplace")
    return {"source": source, "offset": offset, "reason": reason, "row": shown}
