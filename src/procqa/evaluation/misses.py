"""Why a query misses: what stands above its right document, and a cause by stated rules, the first that applies.

A query misses where no relevant document is among the first ten. The rules look at words and neighbours, not into
anyone's head: a cause is a place to look, not a proof. Source: ours, docs/evaluation.md#misses.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from procqa.dataset.leak_rules import SIMILARITY, are_equal, similarity
from procqa.encoder.reading import ReadPart
from procqa.evaluation.exam import Exam
from procqa.evaluation.measure import CUT, Ranks
from procqa.text import lexical_tokens

ABSENT = "not among the documents"
NEAR_DUPLICATE = "near-duplicate of the right one above it"
TRUNCATED = "the shared words stand behind what the model reads"
OTHER_LANGUAGE = "another language"
HUB = "a hub document"
LEXICAL_GAP = "lexical gap"
SAME_TOPIC = "same topic"
UNEXPLAINED = "unexplained"

CAUSES: Mapping[str, str] = {
    ABSENT: "no relevant document is among the documents of the task",
    NEAR_DUPLICATE: "one of the first ten has the same words as the right document that shares most"
    f" words with the query, or {SIMILARITY:g} of all runs of three words in common with it",
    TRUNCATED: "of the words that the query shares with the right document, more than half stand only behind the part"
    " that the model reads",
    OTHER_LANGUAGE: "the first document is in another language than every right one",
    HUB: "the first document is among the first ten of ten times as many queries as its fair share,"
    " and of five at least",
    LEXICAL_GAP: "that right document holds at most a quarter of the query's words, the first document more of them",
    SAME_TOPIC: "the first document and that right one have a fifth of their words in common",
    UNEXPLAINED: "none of these",
}
"""Every cause and its rule, in the order in which they are tried. Source: ours, docs/evaluation.md#misses."""

HUB_TIMES, HUB_LEAST = 10, 5
GAP_SHARE, TOPIC_SHARE = 0.25, 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A query without a relevant document among the first ten.

    Args:
        right: id of the relevant document that shares most words with the query, which the cause is about; of one that
            the task does not hold where it holds none.
        rank: of the first relevant document; 0 where none is among those ranked.
        hits: ids and scores of the first documents, best first.
        cause: a key of CAUSES.
    """

    query_id: str
    right: str
    rank: int
    hits: tuple[tuple[str, float], ...]
    cause: str


def find_misses(exam: Exam, ranks: Ranks, *, read_part: ReadPart | None = None) -> Iterator[Miss]:
    """The misses of a ranker on one task, in the order of its queries.

    Args:
        read_part: None for a ranker that reads texts whole.
    """
    hubs = find_hubs(ranks.top, len(exam.pool.ids))
    held: dict[int, frozenset[str]] = {}

    def words_at(place: int) -> frozenset[str]:
        if place not in held:
            held[place] = frozenset(lexical_tokens(exam.pool.texts[place]))
        return held[place]

    for row in np.flatnonzero((ranks.first == 0) | (ranks.first > CUT)):
        places = [int(place) for place in exam.relevant[row][0] if place >= 0]
        words = frozenset(lexical_tokens(exam.queries[row]))
        if places:
            best = max(places, key=lambda place: (len(words & words_at(place)), -place))
            right, cause = (
                exam.pool.ids[best],
                _cause(exam, words, places, best, ranks.top[row], hubs, read_part, words_at),
            )
        else:
            judged = exam.collection.qrels[exam.query_ids[row]]
            right = next(document for document, grade in judged.items() if grade > 0)
            cause = ABSENT
        yield Miss(
            query_id=exam.query_ids[row],
            right=right,
            rank=int(ranks.first[row]),
            hits=tuple(
                (exam.pool.ids[place], float(score))
                for place, score in zip(ranks.top[row], ranks.scores[row], strict=True)
            ),
            cause=cause,
        )


def count_causes(misses: Iterable[Miss]) -> dict[str, int]:
    """How many misses each cause has, most first."""
    return dict(Counter(miss.cause for miss in misses).most_common())


def find_hubs(top: NDArray[np.int64], n_documents: int) -> frozenset[int]:
    """Documents that stand among the first ten of far more queries than their share.

    Args:
        top: (Q, T) positions.
    """
    counts = np.bincount(top.ravel(), minlength=n_documents)
    fair = top.size / n_documents
    return frozenset(map(int, np.flatnonzero(counts >= max(HUB_TIMES * fair, HUB_LEAST))))


def _cause(
    exam: Exam,
    words: frozenset[str],
    places: list[int],
    right: int,
    top: NDArray[np.int64],
    hubs: frozenset[int],
    read_part: ReadPart | None,
    words_at: Callable[[int], frozenset[str]],
) -> str:
    """The first rule of CAUSES that applies."""
    best = int(top[0])
    right_text = exam.pool.texts[right]
    shared, shared_by_best = words & words_at(right), words & words_at(best)
    languages = exam.collection.document_languages
    if any(_are_near(exam.pool.texts[place], right_text) for place in map(int, top)):
        return NEAR_DUPLICATE
    if read_part is not None and shared:
        read = set(lexical_tokens(read_part(right_text)))
        if len(shared & read) < len(shared) / 2:
            return TRUNCATED
    if languages and languages[exam.pool.ids[best]] not in {languages[exam.pool.ids[place]] for place in places}:
        return OTHER_LANGUAGE
    if best in hubs:
        return HUB
    if len(shared) <= GAP_SHARE * len(words) and len(shared_by_best) > len(shared):
        return LEXICAL_GAP
    union = words_at(right) | words_at(best)
    if len(words_at(right) & words_at(best)) >= TOPIC_SHARE * len(union) > 0:
        return SAME_TOPIC
    return UNEXPLAINED


def _are_near(text: str, right: str) -> bool:
    return are_equal(text, right) or similarity(text, right) >= SIMILARITY
