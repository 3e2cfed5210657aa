"""One ranker on one exam, by hand."""

import numpy as np
import pytest

from procqa.evaluation.measure import measure_ranker, metric_names
from tests.evaluation.exams import ByHand, make_exam, rank_by_hand

FIVE = {f"p{number}": f"text {number}" for number in range(5)}


def test_ranks_say_where_the_first_relevant_document_stands_and_what_stood_above():
    exam = make_exam({"q": "Q", "r": "R"}, {"a": "A", "b": "B", "c": "C"}, {"q": {"c": 1}, "r": {"absent": 1}})

    ranks = rank_by_hand(exam, {"Q": ["b", "c", "a"], "R": ["a"]})

    assert ranks.first.tolist() == [2, 0]
    assert ranks.top.tolist() == [[1, 2, 0], [0, 1, 2]]
    assert ranks.scores.tolist() == [[3, 2, 1], [3, 2, 1]]
    values = dict(zip(metric_names(1_000), ranks.values[0], strict=True))
    assert values == pytest.approx(
        {
            "mrr@1000": 1 / 2,
            "ndcg@10": 1 / np.log2(3),
            "recall@10": 1,
            "map": 1 / 2,
            "map@r": 0,
            "precision@10": 1 / 10,
            "success@1": 0,
            "success@5": 1,
            "success@10": 1,
        }
    )
    assert len(ranks.among_candidates) == 0


def test_a_query_is_also_ranked_among_the_candidates_of_its_block_in_the_published_order():
    # Blocks of two: p3 with p1, p0 with p4; p2 stands alone in a block that is not full, and is left out.
    published = ("p3", "p1", "p0", "p4", "p2")
    texts = {name: FIVE[name] for name in published}
    exam = make_exam(texts, texts, {name: {name: 1} for name in texts}, candidates=2)
    orders = {FIVE["p0"]: ["p1", "p2", "p4", "p0"], FIVE["p1"]: ["p0", "p1"], FIVE["p3"]: ["p3"]}
    orders |= {FIVE["p4"]: ["p2", "p4"], FIVE["p2"]: ["p2"]}

    ranks = rank_by_hand(exam, orders)

    assert dict(zip(exam.query_ids, ranks.first.tolist(), strict=True)) == {"p0": 4, "p1": 2, "p2": 1, "p3": 1, "p4": 2}
    assert ranks.among_candidates.tolist() == [1, 1, 1 / 2, 1]


def test_fewer_queries_than_candidates_have_no_second_protocol():
    exam = make_exam(FIVE, FIVE, {name: {name: 1} for name in FIVE}, candidates=1_000)

    ranker = ByHand({text: [name] for name, text in FIVE.items()})
    ranks = measure_ranker(ranker, exam, 1_000, writer=None, report=lambda _stage, _done: None)

    assert len(ranks.among_candidates) == 0
    assert ranker.indexed == [5]
