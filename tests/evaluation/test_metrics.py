"""Metrics by hand, and against pytrec_eval and ir_measures."""

import ir_measures
import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG

from procqa.evaluation.metrics import (
    average_precision,
    average_precision_at_r,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
    success,
)

GRADES = np.array(
    [
        [0, 1, 0, 1],  # 2 of 3 relevant found, at ranks 2 and 4
        [2, 0, 1, 0],  # graded, all found
        [0, 0, 0, 0],  # nothing found
        [0, 0, 0, 0],  # nothing to find
    ]
)
IDEAL = np.array([[1, 1, 1], [2, 1, 0], [1, 0, 0], [0, 0, 0]])
N_RELEVANT = np.array([3, 2, 1, 0])


def test_reciprocal_rank_by_hand():
    assert reciprocal_rank(GRADES, 4).tolist() == [1 / 2, 1, 0, 0]
    assert reciprocal_rank(GRADES, 1).tolist() == [0, 1, 0, 0]


def test_recall_by_hand():
    assert recall(GRADES, N_RELEVANT, 4).tolist() == [2 / 3, 1, 0, 0]
    assert recall(GRADES, N_RELEVANT, 2).tolist() == [1 / 3, 1 / 2, 0, 0]


def test_average_precision_by_hand():
    assert average_precision(GRADES, N_RELEVANT) == pytest.approx([(1 / 2 + 2 / 4) / 3, (1 + 2 / 3) / 2, 0, 0])


def test_average_precision_at_r_looks_at_as_many_ranks_as_there_are_relevant_documents():
    # Of three relevant ones rank 2 is among the first three; of two, rank 1 is among the first two.
    assert average_precision_at_r(GRADES, N_RELEVANT) == pytest.approx([(1 / 2) / 3, 1 / 2, 0, 0])


@given(st.lists(st.permutations([1, 1, 1, 0, 0, 0, 0]), min_size=1, max_size=4))
def test_average_precision_at_r_is_that_of_ir_measures_cut_there(rows):
    qrels = {f"q{row}": {f"d{rank}": grade for rank, grade in enumerate(grades)} for row, grades in enumerate(rows)}
    runs = {query: {document: -float(document[1:]) for document in grades} for query, grades in qrels.items()}
    ours = average_precision_at_r(np.array(rows), np.full(len(rows), 3))

    theirs = {metric.query_id: metric.value for metric in ir_measures.iter_calc([AP @ 3], qrels, runs)}

    assert ours.tolist() == pytest.approx([theirs[f"q{row}"] for row in range(len(rows))], abs=1e-9)


def test_precision_and_success_by_hand():
    assert precision(GRADES, 4).tolist() == [1 / 2, 1 / 2, 0, 0]
    assert precision(GRADES, 8).tolist() == [1 / 4, 1 / 4, 0, 0]
    assert success(GRADES, 1).tolist() == [0, 1, 0, 0]
    assert success(GRADES, 2).tolist() == [1, 1, 0, 0]


def test_ndcg_by_hand():
    log3, log5 = np.log2(3), np.log2(5)
    first = (1 / log3 + 1 / log5) / (1 + 1 / log3 + 1 / 2)
    assert ndcg(GRADES, IDEAL, 4) == pytest.approx([first, (2 + 1 / 2) / (2 + 1 / log3), 0, 0])
    assert ndcg(GRADES, IDEAL, 1) == pytest.approx([0, 1, 0, 0])


def test_a_negative_grade_is_neither_relevant_nor_a_loss():
    grades = np.array([[-2, 1]])

    assert reciprocal_rank(grades, 10).tolist() == [1 / 2]
    assert average_precision(grades, np.array([1])).tolist() == [1 / 2]
    assert ndcg(grades, np.array([[1]]), 10) == pytest.approx([1 / np.log2(3)])


def test_an_empty_ranking_scores_nothing():
    empty = np.zeros((2, 0), np.int64)

    assert reciprocal_rank(empty, 10).tolist() == [0, 0]
    assert recall(empty, np.array([1, 2]), 10).tolist() == [0, 0]
    assert average_precision(empty, np.array([1, 2])).tolist() == [0, 0]
    assert ndcg(empty, np.array([[1], [2]]), 10).tolist() == [0, 0]


@st.composite
def judged_rankings(draw):
    """Qrels with several graded documents, some never ranked, and a run without equal scores."""
    queries = [f"q{number}" for number in range(draw(st.integers(1, 5)))]
    documents = [f"d{number}" for number in range(draw(st.integers(1, 40)))]
    judged = [*documents, "missing-1", "missing-2"]
    grades = st.dictionaries(st.sampled_from(judged), st.integers(0, 3), min_size=1)
    qrels = {query: draw(grades) for query in queries}
    rankings = {query: draw(st.permutations(documents)) for query in queries}
    return qrels, rankings


@settings(deadline=None)
@given(judged_rankings())
def test_the_metrics_equal_those_of_pytrec_eval_and_ir_measures(judged):
    qrels, rankings = judged
    runs = {
        query: {document: float(-rank) for rank, document in enumerate(ranking)} for query, ranking in rankings.items()
    }
    grades = np.array([[qrels[query].get(document, 0) for document in rankings[query]] for query in qrels])
    positive = [sorted((grade for grade in qrels[query].values() if grade > 0), reverse=True) for query in qrels]
    ideal = np.array([row + [0] * (50 - len(row)) for row in positive])
    n_relevant = np.array([len(row) for row in positive])
    ours = {
        "recip_rank": reciprocal_rank(grades, 1_000),
        "ndcg_cut_10": ndcg(grades, ideal, 10),
        "recall_10": recall(grades, n_relevant, 10),
        "map": average_precision(grades, n_relevant),
        "P_10": precision(grades, 10),
        "success_5": success(grades, 5),
    }

    trec = pytrec_eval.RelevanceEvaluator(
        qrels, {"recip_rank", "ndcg_cut.10", "recall.10", "map", "P.10", "success.5"}
    ).evaluate(runs)
    for place, query in enumerate(qrels):
        for name, values in ours.items():
            assert values[place] == pytest.approx(trec[query][name], abs=1e-9), (query, name)

    measures = {
        RR @ 1_000: "recip_rank",
        nDCG @ 10: "ndcg_cut_10",
        R @ 10: "recall_10",
        AP: "map",
        P @ 10: "P_10",
        Success @ 5: "success_5",
    }
    places = {query: place for place, query in enumerate(qrels)}
    for metric in ir_measures.iter_calc(list(measures), qrels, runs):
        name = measures[metric.measure]
        assert ours[name][places[metric.query_id]] == pytest.approx(metric.value, abs=1e-9), metric
