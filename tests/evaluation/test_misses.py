"""Each cause by an example that no earlier rule takes."""

import numpy as np

from procqa.evaluation.misses import (
    ABSENT,
    CAUSES,
    HUB,
    LEXICAL_GAP,
    NEAR_DUPLICATE,
    OTHER_LANGUAGE,
    SAME_TOPIC,
    TRUNCATED,
    UNEXPLAINED,
    count_causes,
    find_hubs,
    find_misses,
)
from tests.evaluation.exams import make_exam, rank_by_hand

RIGHT = "open the file and iterate over its lines with a for loop then strip each line break"


def find(query: str, right: str, above: list[str], *, read_part=None, **fields):
    """The misses of one query whose right document stands below those above and below as many others as needed."""
    fillers = [f"zebra{n} quokka{n}" for n in range(11)]
    documents = {f"a{n:02}": text for n, text in enumerate([*above, *fillers])} | {"right": right}
    exam = make_exam({"q": query}, documents, {"q": {"right": 1}}, **fields)
    ranks = rank_by_hand(exam, {query: list(documents)})
    return list(find_misses(exam, ranks, read_part=read_part))


def test_a_query_with_a_right_document_among_the_first_ten_does_not_miss():
    exam = make_exam({"q": "Q"}, {f"d{n:02}": "text" for n in range(12)}, {"q": {"d09": 1}})

    assert list(find_misses(exam, rank_by_hand(exam, {"Q": []}))) == []


def test_a_miss_tells_what_stood_where():
    (miss,) = find("read lines of a file", RIGHT, ["banana bread"])

    assert (miss.query_id, miss.right, miss.rank) == ("q", "right", 13)
    assert [name for name, _ in miss.hits] == [f"a{n:02}" for n in range(10)]
    assert miss.hits[0][1] == 13


def test_a_near_duplicate_of_the_right_one():
    (miss,) = find("read lines of a file", RIGHT, ["banana bread", f"{RIGHT} please"])

    assert miss.cause == NEAR_DUPLICATE


def test_the_shared_words_behind_what_is_read():
    right = f"some words of greeting first {RIGHT}"

    (miss,) = find("strip each line break", right, ["banana bread"], read_part=lambda text: text[:28])
    (whole,) = find("strip each line break", right, ["banana bread"], read_part=lambda text: text)

    assert (miss.cause, whole.cause) == (TRUNCATED, UNEXPLAINED)


def test_another_language():
    languages = {f"a{n:02}": "ruby" for n in range(12)} | {"right": "python"}

    (miss,) = find("read lines of a file", RIGHT, ["banana bread"], document_languages=languages)

    assert miss.cause == OTHER_LANGUAGE


def test_a_hub():
    # d00 stands first for each of 30 queries among 400 documents, where its fair share is less than one.
    queries = {f"q{n}": f"query{n} alpha{n}" for n in range(30)}
    documents = {f"d{n:03}": f"document{n} beta{n}" for n in range(400)}
    exam = make_exam(queries, documents, {f"q{n}": {f"d{100 + n}": 1} for n in range(30)})
    orders = {
        text: ["d000", *(f"d{200 + 9 * n % 190 + i:03}" for i in range(9))] for n, text in enumerate(queries.values())
    }

    misses = list(find_misses(exam, rank_by_hand(exam, orders)))

    assert count_causes(misses) == {HUB: 30}


def test_a_hub_is_far_more_often_there_than_its_share_and_five_times_at_least():
    top = np.zeros((10, 10), np.int64) + np.arange(10)
    assert find_hubs(top, 10) == frozenset()
    assert find_hubs(top, 1_000) == frozenset(range(10))
    assert find_hubs(top[:4], 1_000) == frozenset()


def test_a_lexical_gap():
    (miss,) = find("how do I tear a csv apart", "use the split method", ["tear a csv apart by hand"])

    assert miss.cause == LEXICAL_GAP


def test_the_same_topic():
    (miss,) = find("read lines of a file", RIGHT, ["open the file and write its lines with a loop"])

    assert miss.cause == SAME_TOPIC


def test_none_of_these():
    (miss,) = find("read lines of a file", RIGHT, ["banana bread"])

    assert miss.cause == UNEXPLAINED


def test_a_right_document_that_is_not_there_is_a_miss_of_its_own_kind():
    exam = make_exam({"p": "P", "q": "Q"}, {"d": "text"}, {"p": {"d": 1}, "q": {"gone": 1}})

    (miss,) = find_misses(exam, rank_by_hand(exam, {"P": ["d"], "Q": []}))

    assert (miss.query_id, miss.right, miss.rank, miss.cause) == ("q", "gone", 0, ABSENT)


def test_every_cause_has_its_rule():
    causes = [ABSENT, NEAR_DUPLICATE, TRUNCATED, OTHER_LANGUAGE, HUB, LEXICAL_GAP, SAME_TOPIC, UNEXPLAINED]
    assert list(CAUSES) == causes
    assert all(CAUSES.values())
