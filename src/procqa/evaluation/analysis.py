"""What is looked at beside the numbers: the misses of a ranker on a task, and its space where languages are mixed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.model import find_encoder
from procqa.encoder.reading import ReadPart, open_reader
from procqa.errors import ArtifactError
from procqa.evaluation.exam import Exam
from procqa.evaluation.measure import Ranks
from procqa.evaluation.misses import Miss, find_misses
from procqa.evaluation.rankers import Ranker, details_of
from procqa.evaluation.space import Space, describe_space, trace_languages


@runtime_checkable
class HasVectors(Protocol):
    """A ranker that compares vectors alone."""

    @property
    def vectors(self) -> NDArray[np.float32]:
        """(N, D) unit rows of the documents that are indexed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One ranker on one task.

    Args:
        misses: every query without a relevant document among the first ten, and why.
        space: of the documents' vectors; None for a ranker without, and for documents of one language.
        traced: by language of the right document, how often it is found and how often each cause applies; none for
            documents of one language.
    """

    misses: tuple[Miss, ...]
    space: Space | None
    traced: Mapping[str, Mapping[str, int]]


def analyse(ranker: Ranker, exam: Exam, ranks: Ranks, *, seed: int) -> Analysis:
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
    return Analysis(
        misses=tuple(find_misses(exam, ranks, read_part=_read_part(ranker))),
        space=space,
        traced=trace_languages(ranker, exam) if names else {},
    )


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
