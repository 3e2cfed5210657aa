"""Drops pairs that hold a text of a benchmark, and says by which rule, where, and on what evidence.

``leak_index`` names candidates in one pass over a pair's text, the rules of ``leak_rules`` confirm them on
the texts themselves. This module stays light: numba is imported where there is a benchmark to look for.
Source: docs/paper.md#decontamination; ours, docs/decisions/0009.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from procqa.corpora.benchmarks import BenchmarkText
from procqa.files import loaded_once

if TYPE_CHECKING:
    from procqa.dataset.leak_index import LeakIndex

CACHED_TEXTS = 1_024
"""Benchmark texts that a finder remembers of those that were candidates."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A benchmark text found in a pair, and its proof.

    Args:
        rule: the first of ``leak_rules.RULES`` that applies.
        matched: the benchmark's text; in lower case for ``substring``, the 13 shared tokens of it for ``13-gram``.
        field: ``title``, ``question``, ``answer``, ``question code`` or ``answer code``; ``pair`` where the text
            goes on from one field into the next, with a blank between them.
        evidence: the pair's own text that holds the match: as long as what is matched, but for white space
            and punctuation, or the whole field or code block for ``exact`` and ``near-duplicate``.
    """

    benchmark: str
    item: str
    rule: str
    matched: str
    field: str
    evidence: str


@dataclass(frozen=True, slots=True)
class KeptTexts:
    """Benchmark texts kept in a file for the workers, a line each, without those that are never looked for."""

    path: Path

    @property
    def index(self) -> Path:
        """The folder of the arrays that find them."""
        return self.path.with_name(f"{self.path.name}.index")

    def __iter__(self) -> Iterator[BenchmarkText]:
        """The texts, lazily."""
        with self.path.open("rb") as stream:
            for line in stream:
                yield to_text(line)


def to_text(line: bytes) -> BenchmarkText:
    """The text in a line of kept texts."""
    row = json.loads(line)
    return BenchmarkText(benchmark=row["benchmark"], item=row["item"], text=row["text"])


@dataclass(frozen=True, slots=True)
class TextCounts:
    """How many texts of each benchmark are looked for, how many are too short to be, and what becomes of these.

    Args:
        used: texts that are looked for anywhere in a pair.
        skipped: texts that are too short for that.
        whole: those of ``skipped`` that are compared with whole titles, posts and code blocks.
    """

    used: dict[str, int]
    skipped: dict[str, int]
    whole: dict[str, int] = field(default_factory=dict)


def keep_texts(path: Path, texts: Iterable[BenchmarkText]) -> TextCounts:
    """Keep the benchmark texts that are to be looked for as JSON lines, and beside them what finds them."""
    used: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    with path.open("w", encoding="ascii") as stream:
        for text in texts:
            # Only where there is a text: numba takes half a second.
            from procqa.dataset.leak_rules import can_be_exact, is_too_short

            is_short = is_too_short(text.text)
            (skipped if is_short else used)[text.benchmark] += 1
            if is_short and not can_be_exact(text.text, "answer"):
                continue
            whole[text.benchmark] += is_short
            stream.write(json.dumps({**asdict(text), "whole": is_short}) + "\n")
    shutil.rmtree(KeptTexts(path).index, ignore_errors=True)
    if used or whole:
        from procqa.dataset.leak_index import build_index

        build_index(path, KeptTexts(path).index)
    return TextCounts(*(dict(sorted((+counts).items())) for counts in (used, skipped, whole)))


class LeakFinder:
    """Looks for benchmark texts in pairs. Memory: the index is mapped from its files, the texts stay in theirs.

    Args:
        texts: as ``keep_texts`` kept them; of texts that differ in case alone the first names the leak.

    Raises:
        OSError: there are texts, but what finds them is missing.
    """

    def __init__(self, texts: KeptTexts) -> None:
        self._path = texts.path
        self._index: LeakIndex | None = None
        if texts.path.stat().st_size:
            from procqa.dataset.leak_index import open_index

            self._index = open_index(texts.index)
        self._text = lru_cache(CACHED_TEXTS)(self._read_text)

    def find(self, title: str, question: str, answer: str) -> Leak | None:
        """The leak by the first rule that applies, in the order of the benchmarks' texts; None for a clean pair."""
        if self._index is None:
            return None
        found = self._index.search([(title, question, answer)])
        return self._confirm(found[:, 1:].tolist(), title, question, answer) if len(found) else None

    def find_all(self, pairs: Sequence[tuple[str, str, str]]) -> list[Leak | None]:
        """What ``find`` says of each of many pairs, sooner than one by one where they are short."""
        leaks: list[Leak | None] = [None] * len(pairs)
        candidates = () if self._index is None else self._index.search(pairs).tolist()
        for place, found in groupby(candidates, key=itemgetter(0)):
            leaks[place] = self._confirm([row[1:] for row in found], *pairs[place])
        return leaks

    def _confirm(self, found: Sequence[Sequence[int]], title: str, question: str, answer: str) -> Leak | None:
        from procqa.dataset.leak_confirm import confirm

        confirmed = confirm(found, self._text, {"title": title, "question": question, "answer": answer})
        if confirmed is None:
            return None
        text, rule, matched, place, evidence = confirmed
        return Leak(text.benchmark, text.item, rule, matched, place, evidence)

    def _read_text(self, item: int) -> BenchmarkText:
        with self._path.open("rb") as stream:
            stream.seek(0 if self._index is None else int(self._index.offsets[item]))
            return to_text(stream.readline())


@loaded_once()
def load_finder(path: Path) -> LeakFinder:
    """The finder of the texts that ``keep_texts`` kept; loaded once a process."""
    return LeakFinder(KeptTexts(path))
