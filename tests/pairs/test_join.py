from hypothesis import given
from hypothesis import strategies as st

from procqa.pairs.join import ThreadRow, join_thread


def row(kind, number, activity=0, accepted=None, raw=b""):
    return ThreadRow(kind, number, activity, accepted, raw)


def test_an_accepted_answer_is_found_whatever_the_order():
    rows = [row("answer", 9), row("answer", 8), row("question", 7, accepted=8)]
    for order in (rows, rows[::-1]):
        thread = join_thread(7, order)
        assert thread.accepted() == row("answer", 8)
        assert sorted(thread.answers) == [8, 9]


def test_a_question_that_accepted_nothing_or_a_missing_answer_says_so():
    assert join_thread(7, [row("question", 7), row("answer", 8)]).accepted() == "no accepted answer"
    thread = join_thread(7, [row("question", 7, accepted=9), row("answer", 8)])
    assert thread.accepted() == "accepted answer not in the dump"


def test_answers_without_their_question_are_a_thread_without_one():
    thread = join_thread(7, [row("answer", 8)])
    assert thread.question is None
    assert list(thread.answers) == [8]


def test_of_a_repeated_id_the_latest_activity_wins_and_the_others_are_counted():
    old, new = row("question", 7, activity=1, accepted=8), row("question", 7, activity=2, accepted=9)
    thread = join_thread(7, [new, old, row("answer", 8), row("answer", 9)])
    assert thread.repeated == 1
    assert thread.accepted() == row("answer", 9)


@given(
    st.permutations(
        [row("question", 7, 5, 8, b"a"), row("question", 7, 5, 9, b"b"), row("answer", 8), row("answer", 9)]
    )
)
def test_equal_activity_is_decided_by_the_bytes_and_not_by_the_order(rows):
    assert join_thread(7, rows).question == row("question", 7, 5, 9, b"b")
