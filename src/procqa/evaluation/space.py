"""The space of an encoder by language: do neighbours share the language or the meaning, and are there hubs?

A failure across languages has one of three causes, told apart by where the right document stands in rankings of the
same scores: languages keep to themselves (it is among the first ten of its language, but documents of others stand
above), the negatives were too easy (within its language it is near, but others are nearer), or the representation
does not hold the meaning (it is far). Source: ours, docs/evaluation.md#languages.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from procqa.evaluation.exam import Exam
from procqa.evaluation.measure import CUT
from procqa.evaluation.rankers import Ranker
from procqa.topk import top_k

NEIGHBOURS = 10
FOLDS = 5
NEAR = 100
"""Ranks within a language up to which a right document is near. Source: ours, docs/evaluation.md#languages."""

DISTRIBUTION = "languages keep to themselves"
NEGATIVES = "others of its language are nearer"
REPRESENTATION = "far from the query"
FOUND = "found"
TRACES = (FOUND, DISTRIBUTION, NEGATIVES, REPRESENTATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """How vectors of several languages lie.

    Args:
        own_language: share of a vector's ten nearest that are of its language.
        by_chance: the same share if neighbours were drawn by chance.
        identified: share of vectors whose language the nearest of the languages' means tells, the vector itself left
            out of the means (five folds).
        majority: the same share if everything were said to be of the largest language.
        hubness: skewness of how often a vector is among the ten nearest of others; 0 where all are equally often.
        never: share of vectors that are among the ten nearest of none.
    """

    vectors: int
    own_language: float
    by_chance: float
    identified: float
    majority: float
    hubness: float
    never: float


def describe_space(vectors: NDArray[np.float32], languages: Sequence[str], *, seed: int) -> Space:
    """Neighbours, identifiability and hubs of unit vectors.

    Args:
        vectors: (N, D) float32 unit rows; N at least 12.
        languages: (N,).
        seed: of the folds.

    Source: skewness of k-occurrences, Radovanović, Nanopoulos and Ivanović 2010.
    """
    names, labels = np.unique(np.asarray(languages), return_inverse=True)
    _, nearest = top_k(vectors, vectors, NEIGHBOURS + 1)
    others = np.array([row[row != place][:NEIGHBOURS] for place, row in enumerate(nearest)])  # (N, 10)
    counts = np.bincount(labels, minlength=len(names))
    times = np.bincount(others.ravel(), minlength=len(vectors)).astype(np.float64)
    spread = times.std()
    n = len(vectors)
    return Space(
        vectors=n,
        own_language=float((labels[others] == labels[:, None]).mean()),
        by_chance=float((counts * (counts - 1)).sum() / (n * (n - 1))),
        identified=_identify(vectors, labels, len(names), seed=seed),
        majority=float(counts.max() / n),
        hubness=float(((times - times.mean()) ** 3).mean() / spread**3) if spread > 0 else 0.0,
        never=float((times == 0).mean()),
    )


def _identify(vectors: NDArray[np.float32], labels: NDArray[np.int64], n_labels: int, *, seed: int) -> float:
    """The share of vectors that are nearest to the mean of their own language, by cross-validation."""
    folds = np.random.default_rng(seed).permutation(len(vectors)) % FOLDS
    right = 0
    for fold in range(FOLDS):
        held_out = folds == fold
        sums = np.zeros((n_labels, vectors.shape[1]))
        np.add.at(sums, labels[~held_out], vectors[~held_out])
        centres = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
        right += int(((vectors[held_out] @ centres.T).argmax(axis=1) == labels[held_out]).sum())
    return right / len(vectors)


def trace_languages(ranker: Ranker, exam: Exam) -> dict[str, dict[str, int]]:
    """Why right documents of each language are not among the first ten, over all queries of a task of many languages.

    Each query counts once for each language that holds a right document.

    Returns:
        By language of the right document: how often it is found, and how often each cause applies.
    """
    names = [exam.collection.document_languages[identifier] for identifier in exam.pool.ids]
    languages, labels = np.unique(np.asarray(names), return_inverse=True)
    ranker.index(exam.pool)
    counts: dict[str, Counter[str]] = {str(language): Counter() for language in languages}
    row = 0
    for _, ranked in ranker.rank(exam.queries, len(exam.pool.ids)):
        for ranking in ranked:
            order = ranking[ranking != exam.own[row]]
            right = np.isin(order, exam.relevant[row][0])
            for language in np.unique(labels[order[right]]):
                mine = labels[order] == language
                place = int(np.flatnonzero(right & mine)[0])  # above it: place documents, of its language fewer
                within = int(mine[:place].sum())
                counts[str(languages[language])][_trace(place + 1, within + 1)] += 1
            row += 1
    return {language: dict(of_language) for language, of_language in counts.items() if of_language}


def _trace(rank: int, rank_within: int) -> str:
    """The cause for a right document at a rank among all documents, and at another among those of its language."""
    if rank <= CUT:
        return FOUND
    if rank_within <= CUT:
        return DISTRIBUTION
    return NEGATIVES if rank_within <= NEAR else REPRESENTATION
