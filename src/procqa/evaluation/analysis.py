"""What is looked at beside the numbers: the misses of a ranker on a task, and its space where languages are mixed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.model import find_encoder
from procqa.encoder.reading import ReadPart, open_reader
from procqa.errors import ArtifactError
from procqa.evaluation.exam import Exam
from procqa.evaluation.labels import Labels
from procqa.evaluation.measure import Ranks
from procqa.evaluation.misses import CAUSES, Miss, find_misses
from procqa.evaluation.rankers import Ranker, details_of
from procqa.evaluation.space import Space, describe_space, trace_languages

MOST_EXAMPLES, MOST_HITS, MOST_CHARS = 25, 3, 800
"""Misses of a ranker on a task that are kept with their texts, hits of each, and characters of a text."""


@runtime_checkable
class HasVectors(Protocol):
    """A ranker that compares vectors alone."""

    @property
    def vectors(self) -> NDArray[np.float32]:
        """(N, D) unit rows of the documents that are indexed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A miss with its texts, cut.

    Args:
        right: the text of the relevant document; empty where the task does not hold it.
        hits: ids, scores and texts of the first documents.
    """

    miss: Miss
    query: str
    right: str
    hits: tuple[tuple[str, float, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One ranker on one task.

    Args:
        labels: what the queries are told apart by.
        misses: every query without a relevant document among the first ten, and why.
        examples: some of them, of every cause.
        space: of the documents' vectors; None for a ranker without, and for documents of one language.
        traced: by language of the right document, how often it is found and how often each cause applies; none for
            documents of one language.
    """

    labels: Labels
    misses: tuple[Miss, ...]
    examples: tuple[Example, ...]
    space: Space | None
    traced: Mapping[str, Mapping[str, int]]


def analyse(ranker: Ranker, exam: Exam, ranks: Ranks, labels: Labels, *, seed: int) -> Analysis:
    """Explain what a ranker, which has just ranked an exam, missed.

    Args:
        seed: of the folds that languages are told in.

    Raises:
        ArtifactError: a model's tokenizer is broken.
    """
    languages = exam.collection.document_languages
    names = [languages[identifier] for identifier in exam.pool.ids] if languages else []
    space = None
    if names and isinstance(ranker, HasVectors):
        ranker.index(exam.pool)
        space = describe_space(ranker.vectors, names, seed=seed)
    misses = tuple(find_misses(exam, ranks, read_part=_read_part(ranker)))
    return Analysis(
        labels=labels,
        misses=misses,
        examples=tuple(_show(miss, exam) for miss in _choose(misses)),
        space=space,
        traced=trace_languages(ranker, exam) if names else {},
    )


def _choose(misses: Sequence[Miss]) -> list[Miss]:
    """Some of the misses, of every cause in turn, in the order of causes and queries."""
    by_cause: dict[str, list[Miss]] = {}
    for miss in misses:
        by_cause.setdefault(miss.cause, []).append(miss)
    chosen = [of_cause[turn] for turn in range(MOST_EXAMPLES) for of_cause in by_cause.values() if turn < len(of_cause)]
    return sorted(chosen[:MOST_EXAMPLES], key=lambda miss: (list(CAUSES).index(miss.cause), miss.query_id))


def _show(miss: Miss, exam: Exam) -> Example:
    texts = exam.collection.documents
    return Example(
        miss=miss,
        query=_cut(exam.collection.queries[miss.query_id]),
        right=_cut(texts.get(miss.right, "")),
        hits=tuple((name, score, _cut(texts[name])) for name, score in miss.hits[:MOST_HITS]),
    )


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]}…"


def _read_part(ranker: Ranker) -> ReadPart | None:
    """What the model of a ranker reads of a text; None where words are read too, which read all of it."""
    details = details_of(ranker)
    if not isinstance(ranker, HasVectors) or len(details.models) != 1 or details.max_tokens is None:
        return None
    try:
        folder = find_encoder(details.models[0], fetch=False)
    except ArtifactError:
        return None  # a user's own ranker may have a model that we cannot find
    return open_reader(folder, max_tokens=details.max_tokens)
