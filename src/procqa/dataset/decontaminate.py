"""Drops pairs that hold a text of a benchmark, as the authors' code does, in one pass over the text.

A pair's text is title, question and answer joined by blanks, in lower case; it goes when a benchmark text,
in lower case, is a substring. A benchmark text of few characters and words cannot be told from chance:
it is counted and not looked for. The search is exact and costs one look-up a word: every benchmark text
waits under its rarest inner word, which any text that holds it holds as a whole word.

Source: docs/paper.md#decontamination; the lower bounds are ours, docs/decisions/0009.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from procqa.corpora.benchmarks import BenchmarkText

FEW_CHARS, FEW_WORDS = 40, 6
"""A text below both is too short to be looked for. Source: ours, docs/decisions/0009."""

LEAST_WORDS = 3
"""Of fewer words a text has no inner one. Source: ours, docs/decisions/0009."""

RULE = "substring"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Leak:
    """A benchmark text found in a pair, and the rule that found it."""

    benchmark: str
    item: str
    rule: str
    matched: str


def is_too_short(text: str) -> bool:
    """Whether a benchmark text says so little that many posts hold it by chance."""
    n_words = len(_WORD.findall(text))
    return n_words < LEAST_WORDS or (n_words < FEW_WORDS and len(text.strip()) < FEW_CHARS)


class LeakFinder:
    """Looks for benchmark texts in pairs. Memory: the texts once, and a few words for each.

    Args:
        texts: those that are not too short, read twice; the first of equal ones names the leak.
    """

    def __init__(self, texts: Iterable[BenchmarkText]) -> None:
        shared: Counter[str] = Counter()
        for text in texts:
            shared.update(set(_inner_words(text.text.lower())))
        self._waiting: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        seen: set[str] = set()
        for text in texts:
            lowered = text.text.strip().lower()
            if lowered in seen:
                continue
            seen.add(lowered)
            rarest = min(_inner_words(lowered), key=lambda word: (shared[word], -len(word), word))
            self._waiting[rarest].append((lowered, text.benchmark, text.item))

    def find(self, title: str, question: str, answer: str) -> Leak | None:
        """The first benchmark text, in the order of its letters, that stands in a pair."""
        text = f"{title} {question} {answer}".lower()
        found: tuple[str, str, str] | None = None
        for word in set(_WORD.findall(text)):
            for waiting in self._waiting.get(word, ()):
                if waiting[0] in text and (found is None or waiting[0] < found[0]):
                    found = waiting
        return None if found is None else Leak(found[1], found[2], RULE, found[0])


def _inner_words(lowered: str) -> list[str]:
    """The words of a text but the first and last, which may be a part of a longer word where it is found."""
    return _WORD.findall(lowered)[1:-1]


@dataclass(frozen=True, slots=True)
class KeptTexts:
    """Benchmark texts kept in a file for the workers, a line each, without those that are too short."""

    path: Path

    def __iter__(self) -> Iterator[BenchmarkText]:
        """The texts, lazily."""
        # JSON escapes every line break but "\n", which ends a line.
        with self.path.open(encoding="ascii") as stream:
            for line in stream:
                yield BenchmarkText(**json.loads(line))


@dataclass(frozen=True, slots=True)
class TextCounts:
    """How many texts of each benchmark are looked for, and how many are too short to be."""

    used: dict[str, int]
    skipped: dict[str, int]


def keep_texts(path: Path, texts: Iterable[BenchmarkText]) -> TextCounts:
    """Keep the benchmark texts that are to be looked for, as JSON lines."""
    used: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    with path.open("w", encoding="ascii") as stream:
        for text in texts:
            if is_too_short(text.text):
                skipped[text.benchmark] += 1
            else:
                used[text.benchmark] += 1
                stream.write(json.dumps(asdict(text)) + "\n")
    return TextCounts(dict(sorted(used.items())), dict(sorted(skipped.items())))


@lru_cache(maxsize=1)
def load_finder(path: Path) -> LeakFinder:
    """The finder of the texts that ``keep_texts`` kept; loaded once a process."""
    return LeakFinder(KeptTexts(path))
