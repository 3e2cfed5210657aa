"""A task made ready: ids in order, judgements as positions, groups as numbers."""

import pytest

from procqa.errors import BenchmarkError
from procqa.evaluation.exam import number_groups
from tests.evaluation.exams import make_exam


def test_documents_and_queries_stand_by_id_and_judgements_by_position():
    exam = make_exam(
        {"q2": "two", "q1": "one", "q3": "nobody judged it"},
        {"b": "B", "a": "A"},
        {"q1": {"b": 2, "absent": 1}, "q2": {"a": 1, "b": 0}},
    )

    assert (list(exam.pool.ids), exam.query_ids, exam.queries) == (["a", "b"], ("q1", "q2"), ("one", "two"))
    assert [(places.tolist(), grades.tolist()) for places, grades in exam.relevant] == [([1, -1], [2, 1]), ([0], [1])]
    assert exam.own == (-1, -1)
    assert exam.judgements() == {"q1": {"b": 2, "absent": 1}, "q2": {"a": 1, "b": 0}}


def test_a_query_that_is_a_document_knows_its_own_position():
    exam = make_exam({"b": "B"}, {"a": "A", "b": "B"}, {"b": {"a": 1}}, excludes_itself=True)

    assert exam.own == (1,)


def test_queries_of_a_group_have_its_number_and_others_one_of_their_own():
    texts = {name: name for name in "abcd"}
    exam = make_exam(texts, texts, {name: {name: 1} for name in "abcd"}, groups={"a": "sum", "c": "sum"})

    assert exam.groups == ("group sum", "text b", "group sum", "text d")
    assert number_groups(exam.groups).tolist() == [0, 1, 0, 2]


def test_queries_of_the_same_text_are_one_group():
    exam = make_exam({"a": "same", "b": "same", "c": "other"}, {"d": "D"}, {name: {"d": 1} for name in "abc"})

    assert number_groups(exam.groups).tolist() == [0, 0, 1]


def test_judged_documents_that_are_absent_are_counted_and_a_task_of_nothing_else_is_refused():
    exam = make_exam({"q": "Q"}, {"d": "D"}, {"q": {"d": 1, "gone": 1}})
    assert exam.n_absent == 1

    with pytest.raises(BenchmarkError, match="must judge documents that it holds, but none of the 1 judged is there"):
        make_exam({"q": "Q"}, {"d": "D"}, {"q": {"gone": 1}})


def test_a_task_needs_a_document_and_a_query_with_a_relevant_one():
    for documents, qrels in (({}, {"q": {"d": 1}}), ({"d": "D"}, {"q": {"d": 0}})):
        with pytest.raises(BenchmarkError, match="must have documents and a query with a relevant one"):
            make_exam({"q": "Q"}, documents, qrels)
