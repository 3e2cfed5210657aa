"""What the queries of a task are told apart by: language, length, words, code, tags, year, votes."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from procqa.evaluation.exam import Exam
from procqa.pairs.languages import TAGS
from procqa.text import count_chars, lexical_tokens

LOW_RESOURCE_DOCUMENTS = 2_000
"""A language with fewer answers is a low-resource one. Source: ours, docs/evaluation.md#slices."""

LANGUAGE_TAGS = frozenset(tag for tags in TAGS.values() for tag in tags[:1])
"""Tags that say what language does already; a version of a language is a domain."""

Labels = Mapping[str, Sequence[tuple[str, ...]]]
"""By dimension the values of each query, (Q,); none where nothing is known."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Numbers in a few named ranges.

    Args:
        starts: (n,) the smallest number of each range but the first, rising.
        names: (n + 1,).
    """

    starts: tuple[float, ...]
    names: tuple[str, ...]

    def name(self, value: float) -> str:
        """The range of a number."""
        return self.names[bisect_right(self.starts, value)]


WORDS = Bins((6, 11, 26, 101), ("1 to 5 words", "6 to 10 words", "11 to 25 words", "26 to 100 words", "over 100 words"))
SHARES = Bins((0.001, 0.25, 0.5, 0.75), ("none", "up to 25 %", "25 to 50 %", "50 to 75 %", "over 75 %"))
SCORES = Bins((0, 1, 5, 25), ("below 0", "0", "1 to 4", "5 to 24", "25 and more"))
"""Source: ours, docs/evaluation.md#slices."""

RISING: Mapping[str, int] = {name: place for bins in (WORDS, SHARES, SCORES) for place, name in enumerate(bins.names)}
"""The place of a range among those of its kind, by its name."""


def label_queries(exam: Exam) -> Labels:
    """What the queries of an exam are told apart by, (Q,) values each."""
    collection, family = exam.collection, exam.task.family
    facts = [collection.facts.get(query) for query in exam.query_ids]
    language = exam.task.part if family.part == "A-B" else collection.language
    labels: dict[str, Sequence[tuple[str, ...]]] = {
        "language": [(language,) if language else ()] * len(exam.queries),
        "query length": [(WORDS.name(len(query.split())),) for query in exam.queries],
        "words the answer has": [(SHARES.name(share),) for share in share_words(exam)],
        "tag": [
            () if known is None else tuple(tag for tag in known.tags if tag not in LANGUAGE_TAGS) for known in facts
        ],
        "year": [(str(known.year),) if known and known.year is not None else () for known in facts],
        "votes": [(SCORES.name(known.score),) if known and known.score is not None else () for known in facts],
    }
    if family.from_dataset:
        few = len(exam.pool.ids) < LOW_RESOURCE_DOCUMENTS
        size = f"{'fewer' if few else 'more'} than {LOW_RESOURCE_DOCUMENTS:,} answers in the language"
        labels["language resources"] = [(size,)] * len(exam.queries)
        labels["share of code"] = [(SHARES.name(_share_code(query)),) for query in exam.queries]
    return labels


def share_words(exam: Exam) -> NDArray[np.float64]:
    """(Q,) the share of a query's words that stand in the relevant document that holds most of them."""
    shares = np.zeros(len(exam.queries))
    places = np.unique(np.concatenate([of_query for of_query, _ in exam.relevant]))
    words_of = {int(place): frozenset(lexical_tokens(exam.pool.texts[place])) for place in places if place >= 0}
    for row, (query, (relevant, _)) in enumerate(zip(exam.queries, exam.relevant, strict=True)):
        words = set(lexical_tokens(query))
        held = [words & words_of[int(place)] for place in relevant if place >= 0]
        shares[row] = max(map(len, held), default=0) / max(len(words), 1)
    return shares


def _share_code(markdown: str) -> float:
    code, text = count_chars(markdown)
    return code / max(code + text, 1)
