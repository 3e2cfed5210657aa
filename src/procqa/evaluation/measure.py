"""One ranker on one task → the metrics of each query, where its first right document stands, and what stood above."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from procqa.evaluation.exam import Exam, Judged
from procqa.evaluation.metrics import (
    average_precision,
    average_precision_at_r,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
    success,
)
from procqa.evaluation.rankers import Pool, Ranker, Ranking, Report
from procqa.evaluation.runs import RunWriter

CUT = 10
"""Ranks that nDCG, recall and precision look at, and that are kept of a ranking. Source: ours, docs/evaluation.md."""

SUCCESSES = (1, 5, 10)
"""Ranks of success@k. Source: docs/paper.md#suite (hit@1/5/10)."""

Values = NDArray[np.float64]
"""(Q, M) the metrics of each query, in the order of ``metric_names``."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """What one ranker made of an exam.

    Args:
        values: (Q, M), see ``metric_names``.
        first: (Q,) int64, the rank of the first relevant document, from 1; 0 where none is among those ranked.
        top: (Q, T) int64, positions of the first T = min(CUT, N) documents.
        scores: (Q, T) float32, theirs.
        among_candidates: (P,) reciprocal ranks among the candidates of the publisher's other protocol, one for each
            query of a full block; empty where the task has none.
    """

    values: Values
    first: NDArray[np.int64]
    top: NDArray[np.int64]
    scores: NDArray[np.float32]
    among_candidates: NDArray[np.float64]


def metric_names(depth: int) -> tuple[str, ...]:
    """The keys of ``Result.metrics``; MRR and MAP look at the first ``depth`` documents."""
    shares = (f"success@{rank}" for rank in SUCCESSES)
    return f"mrr@{depth}", f"ndcg@{CUT}", f"recall@{CUT}", "map", "map@r", f"precision@{CUT}", *shares


def measure_ranker(ranker: Ranker, exam: Exam, depth: int, *, writer: RunWriter | None, report: Report) -> Ranks:
    """Rank the documents of an exam for each of its queries, and score the rankings.

    Args:
        depth: documents ranked a query.
        writer: takes every ranking.
    """
    ranker.index(exam.pool)
    excludes = exam.collection.excludes_itself
    blocks = []
    first = 0
    for scores, ranked in ranker.rank(exam.queries, depth + excludes):
        places = range(first, first + len(ranked))
        if excludes:
            scores, ranked = _without_own((scores, ranked), [exam.own[place] for place in places], depth)
        graded, ideal, n_relevant = _grade(ranked, [exam.relevant[place] for place in places], len(exam.pool.ids))
        blocks.append(
            (
                score_rankings(graded, ideal, n_relevant, depth),
                _first_relevant(graded),
                ranked[:, :CUT],
                scores[:, :CUT],
            )
        )
        if writer is not None:
            for row, place in enumerate(places):
                writer.write(exam.query_ids[place], [exam.pool.ids[number] for number in ranked[row]], scores[row])
        first += len(ranked)
        report(f"{exam.task.name}: {ranker.name} ranks for {len(exam.queries):,} queries", first)
    values, firsts, top, best = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return Ranks(values, firsts, top, best, _among_candidates(ranker, exam))


def score_rankings(
    graded: NDArray[np.int64], ideal: NDArray[np.int64], n_relevant: NDArray[np.int64], depth: int
) -> Values:
    """The metrics of rankings.

    Args:
        graded: (Q, k) the grade of the document at each rank, 0 where it is not relevant.
        ideal: (Q, m) the grades of a query's relevant documents, falling, filled up with 0.
        n_relevant: (Q,) how many they are.
    """
    return np.column_stack(
        [
            reciprocal_rank(graded, depth),
            ndcg(graded, ideal, CUT),
            recall(graded, n_relevant, CUT),
            average_precision(graded, n_relevant),
            average_precision_at_r(graded, n_relevant),
            precision(graded, CUT),
            *(success(graded, rank) for rank in SUCCESSES),
        ]
    )


def _grade(
    ranked: NDArray[np.int64], relevant: Sequence[Judged], n_documents: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Grades along rankings (Q, k), ideal rankings (Q, m), and numbers of relevant documents (Q,)."""
    grade_of = np.zeros(n_documents + 1, np.int64)  # the last one is for documents that are not in the pool
    graded = np.empty_like(ranked)
    n_relevant = np.array([len(places) for places, _ in relevant])
    ideal = np.zeros((len(relevant), n_relevant.max()), np.int64)
    for row, (places, grades) in enumerate(relevant):
        grade_of[places] = grades
        graded[row] = grade_of[ranked[row]]
        grade_of[places] = 0
        ideal[row, : len(places)] = np.sort(grades)[::-1]
    return graded, ideal, n_relevant


def _first_relevant(graded: NDArray[np.int64]) -> NDArray[np.int64]:
    """(Q,) the rank of the first relevant document, 0 where there is none."""
    relevant = graded > 0
    return np.where(relevant.any(axis=1), relevant.argmax(axis=1) + 1, 0)


def _without_own(ranking: Ranking, own: Sequence[int], depth: int) -> Ranking:
    """The rankings without the document that is the query itself, cut to ``depth``."""
    scores, ranked = ranking
    width = min(depth, ranked.shape[1] - 1)
    keep = ranked != np.array(own)[:, None]  # (Q, k)
    keep &= keep.cumsum(axis=1) <= width
    return scores[keep].reshape(-1, width), ranked[keep].reshape(-1, width)


def _among_candidates(ranker: Ranker, exam: Exam) -> NDArray[np.float64]:
    """Reciprocal ranks of each query's own document among those of its block, blocks in the published order.

    A last block that is not full is left out, as its publisher does. Source: docs/paper.md#suite.
    """
    size = exam.collection.candidates
    order = [query for query in exam.collection.queries if query in exam.collection.documents]
    found = []
    for start in range(0, len(order) - size + 1, size) if size else ():
        block = order[start : start + size]
        ids = sorted(block)
        ranker.index(Pool(ids, [exam.collection.documents[identifier] for identifier in ids]))
        own = {identifier: place for place, identifier in enumerate(ids)}
        done = 0
        for _, ranked in ranker.rank([exam.collection.queries[query] for query in block], size):
            wanted = np.array([own[query] for query in block[done : done + len(ranked)]])
            found.append(reciprocal_rank((ranked == wanted[:, None]).astype(np.int64), size))
            done += len(ranked)
    return np.concatenate(found) if found else np.empty(0)
