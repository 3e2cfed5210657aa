"""What queries are told apart by."""

from procqa.corpora.collection import Facts
from procqa.evaluation.labels import SCORES, SHARES, WORDS, label_queries, share_words
from tests.evaluation.exams import make_exam


def test_numbers_fall_into_named_ranges():
    assert [WORDS.name(n) for n in (1, 5, 6, 25, 26, 100, 101)] == [
        "1 to 5 words", "1 to 5 words", "6 to 10 words", "11 to 25 words", "26 to 100 words", "26 to 100 words",
        "over 100 words",
    ]  # fmt: skip
    assert [SHARES.name(share) for share in (0, 0.01, 0.25, 0.5, 0.75, 1)] == [
        "none", "up to 25 %", "25 to 50 %", "50 to 75 %", "over 75 %", "over 75 %",
    ]  # fmt: skip
    assert [SCORES.name(score) for score in (-1, 0, 1, 4, 5, 25)] == [
        "below 0", "0", "1 to 4", "1 to 4", "5 to 24", "25 and more",
    ]  # fmt: skip


def test_the_share_of_words_is_that_of_the_right_document_that_has_most():
    exam = make_exam(
        {"q": "merge two sorted lists", "r": "?"},
        {"a": "merge lists", "b": "heapq.merge on sorted lists", "c": "nothing"},
        {"q": {"a": 1, "b": 1}, "r": {"c": 1}},
    )

    assert share_words(exam).tolist() == [3 / 4, 0]


def test_a_question_is_told_apart_by_what_is_known_of_it():
    exam = make_exam(
        {"q1": "Sort a list\n\n```python\nxs\n```", "q2": "Read"},
        {"d": "use sorted"},
        {"q1": {"d": 1}, "q2": {"d": 1}},
        family="procqa",
        part="python",
        language="python",
        facts={"q1": Facts(tags=("python", "python-3.x", "sorting"), year=2019, score=7)},
    )

    labels = label_queries(exam)

    assert labels["language"] == [("python",), ("python",)]
    assert labels["tag"] == [("python-3.x", "sorting"), ()]
    assert labels["year"] == [("2019",), ()]
    assert labels["votes"] == [("5 to 24",), ()]
    assert labels["share of code"] == [("up to 25 %",), ("none",)]
    assert labels["language resources"] == [("fewer than 2,000 answers in the language",)] * 2
