"""Drops pairs that hold a text of a benchmark, as the authors' code does, in one pass over the text.

A pair's text is title, question and answer joined by blanks, in lower case; it goes when a benchmark text,
in lower case, is a substring. A benchmark text of few characters or words cannot be told from chance:
it is counted and not looked for. The search is exact and costs one look-up a word: every benchmark text
waits under its rarest inner word, which any text that holds it holds as a whole word.

Source: docs/paper.md#decontamination; the lower bounds are ours, docs/decisions/0009.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from procqa.corpora.benchmarks import BenchmarkText

MIN_CHARS = 20
MIN_WORDS = 3
"""The shortest benchmark text that is looked for. Source: ours, docs/decisions/0009."""

RULE = "substring"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Leak:
    """A benchmark text found in a pair, and the rule that found it."""

    benchmark: str
    item: str
    rule: str
    matched: str


class LeakFinder:
    """Looks for benchmark texts in pairs.

    Args:
        texts: the benchmark texts; the first of equal ones names the leak.
    """

    def __init__(self, texts: Iterable[BenchmarkText]) -> None:
        self.skipped: Counter[str] = Counter()
        self.used: Counter[str] = Counter()
        wanted: dict[str, BenchmarkText] = {}
        for text in texts:
            lowered = text.text.strip().lower()
            if len(lowered) < MIN_CHARS or len(_WORD.findall(lowered)) < MIN_WORDS:
                self.skipped[text.benchmark] += 1
            else:
                self.used[text.benchmark] += 1
                wanted.setdefault(lowered, text)
        self._waiting = _by_rarest_inner_word(wanted)

    def find(self, title: str, question: str, answer: str) -> Leak | None:
        """The first benchmark text, in the order of its letters, that stands in a pair."""
        text = f"{title} {question} {answer}".lower()
        found: tuple[str, BenchmarkText] | None = None
        for word in set(_WORD.findall(text)):
            for lowered, benchmark_text in self._waiting.get(word, ()):
                if lowered in text and (found is None or lowered < found[0]):
                    found = lowered, benchmark_text
        if found is None:
            return None
        return Leak(found[1].benchmark, found[1].item, RULE, found[0])


def _by_rarest_inner_word(wanted: dict[str, BenchmarkText]) -> dict[str, list[tuple[str, BenchmarkText]]]:
    """Every wanted text under its inner word that fewest wanted texts share.

    The first and last word of a text may be a part of a longer word where it is found: they do not count.
    """
    inner = {lowered: _WORD.findall(lowered)[1:-1] for lowered in wanted}
    shared = Counter(word for words in inner.values() for word in set(words))
    waiting: dict[str, list[tuple[str, BenchmarkText]]] = defaultdict(list)
    for lowered, words in inner.items():
        rarest = min(words, key=lambda word: (shared[word], -len(word), word))
        waiting[rarest].append((lowered, wanted[lowered]))
    return dict(waiting)


def write_texts(path: Path, texts: Iterable[BenchmarkText]) -> None:
    """Keep benchmark texts for the workers, as JSON lines."""
    lines = (json.dumps(asdict(text), ensure_ascii=False) for text in texts)
    path.write_text("\n".join(lines), encoding="utf-8")


@lru_cache(maxsize=1)
def load_finder(path: Path) -> LeakFinder:
    """The finder of the texts that ``write_texts`` kept; loaded once a process."""
    # Lines end at "\n" alone: a text may hold other characters that end a line elsewhere.
    lines = path.read_text(encoding="utf-8").split("\n")
    return LeakFinder(BenchmarkText(**json.loads(line)) for line in lines if line)
