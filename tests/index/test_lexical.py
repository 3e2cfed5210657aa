"""Words: BM25 by hand, boosts, and queries that are never syntax."""

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procqa.index.lexical import LexicalIndex, find_words, write_lexical


def write(folder: Path, answers: list[str], titles: list[str] | None = None) -> LexicalIndex:
    titles = titles or [""] * len(answers)
    rows = [
        (position, "python", find_words({"title": title, "question": "", "answer": answer}))
        for position, (title, answer) in enumerate(zip(titles, answers, strict=True))
    ]
    write_lexical(rows, folder)
    return LexicalIndex(folder)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    return write(tmp_path_factory.mktemp("lexical") / "i", ["alpha beta", "beta gamma", "snake_case camelCase C++ C#"])


def test_the_score_is_that_of_bm25(tmp_path: Path):
    found = write(tmp_path / "i", ["apple apple pear", "apple plum", "cherry"]).search("apple", 3)
    idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    mean = (3 + 2 + 1) / 3

    def bm25(times: int, length: int) -> float:
        return idf * times * 2.2 / (times + 1.2 * (1 - 0.75 + 0.75 * length / mean))

    assert found == [(0, pytest.approx(bm25(2, 3), abs=1e-3)), (1, pytest.approx(bm25(1, 2), abs=1e-3))]


def test_a_document_that_is_made_of_a_word_comes_near_the_limit_of_that_word_and_none_above(tmp_path: Path):
    many = "apple " * 5_000
    index = write(tmp_path / "i", [many, "apple plum", "cherry"], [many, "pear", "pear"])

    in_title, in_answer = (math.log(1 + (3 - n + 0.5) / (n + 0.5)) for n in (1, 2))
    limit = index.limit("apple unknown")

    assert limit == pytest.approx(2.2 * (2 * in_title + in_answer))
    assert limit * 0.999 < index.search("apple unknown", 1)[0][1] < limit
    assert index.limit("apple apple") == pytest.approx(2 * limit)
    assert index.limit("unknown") == 0


def test_a_word_in_the_title_counts_twice(tmp_path: Path):
    found = write(tmp_path / "i", ["apple", "plum"], ["plum", "apple"]).search("apple", 2)
    assert [position for position, _ in found] == [1, 0]
    assert found[0][1] == pytest.approx(2 * found[1][1], abs=1e-3)


@pytest.mark.parametrize("query", ["case", "snake", "SNAKE_CASE", "camel", "c++", "c#"])
def test_an_identifier_is_found_by_itself_and_by_its_parts(index: LexicalIndex, query: str):
    assert [position for position, _ in index.search(query, 3)] == [2]


@pytest.mark.parametrize(
    "query",
    [
        'title:"unclosed',
        "alpha AND (",
        "beta:[a TO *",
        '-+!(){}[]^"~*?:\\/',
        "alpha^-1",
        "language:python",
        "*",
        "a" * 20_000,
        "x " * 10_000,
        "\x00\x01",
        "\ufeff\u202e",
    ],
)
def test_what_looks_like_syntax_is_only_words(index: LexicalIndex, query: str):
    assert isinstance(index.search(query, 3), list)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_no_text_raises(index: LexicalIndex, query: str):
    index.search(query, 3)


def test_a_repeated_word_of_a_query_counts_more(tmp_path: Path):
    index = write(tmp_path / "i", ["apple", "plum"])
    assert index.search("apple plum plum", 1)[0][0] == 1
    assert index.search("apple apple plum", 1)[0][0] == 0


def test_an_empty_index_answers_with_nothing(tmp_path: Path):
    assert write(tmp_path / "i", []).search("apple", 3) == []
