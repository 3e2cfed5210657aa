"""BM25 on documents so small that every score is known by hand."""

from math import log

import pytest

from procqa.config import EvaluateConfig
from procqa.evaluation.rankers.words import plain_tokens
from tests.evaluation.rankers.small import bm25, pool, rank


def test_bm25_scores_are_those_of_the_formula():
    documents = pool("alpha beta", "alpha alpha gamma delta", "gamma")  # mean length 7/3
    k1, b, n = 1.2, 0.9, 3

    def score(tf: int, length: int, df: int) -> float:
        idf = log(1 + (n - df + 0.5) / (df + 0.5))
        return idf * tf / (tf + k1 * (1 - b + b * length / (7 / 3)))

    ranked = rank(bm25(), documents, "alpha gamma")

    assert dict(ranked) == pytest.approx(
        {0: score(1, 2, 2), 1: score(2, 4, 2) + score(1, 4, 2), 2: score(1, 1, 2)}, rel=1e-6
    )
    assert [place for place, _ in ranked] == [1, 2, 0]


def test_a_document_that_is_made_of_a_word_comes_near_the_limit_of_that_word_and_none_above():
    ranker = bm25()
    ranker.index(pool("alpha " * 5_000, "alpha beta", "gamma"))

    (limit,) = ranker.limits(["alpha unknown"])

    assert limit == pytest.approx(log(1 + (3 - 2 + 0.5) / (2 + 0.5)))
    assert limit * 0.999 < ranker.score(["alpha unknown"]).max() < limit
    assert ranker.limits(["alpha alpha beta", "unknown", ""]).tolist() == pytest.approx(
        [2 * limit + log(1 + (3 - 1 + 0.5) / (1 + 0.5)), 0, 0]
    )


def test_a_word_that_is_repeated_and_counts_once_counts_once_in_the_limit():
    ranker = bm25(EvaluateConfig(distinct_words=True))
    ranker.index(pool("alpha", "beta"))

    assert ranker.limits(["alpha alpha"]).tolist() == ranker.limits(["alpha"]).tolist()


def test_bm25_takes_k1_and_b_from_the_config():
    documents = pool("alpha", "alpha alpha alpha alpha beta beta beta beta")

    assert rank(bm25(EvaluateConfig(b=0)), documents, "alpha")[0][0] == 1
    assert rank(bm25(EvaluateConfig(b=1, k1=0.1)), documents, "alpha")[0][0] == 0


def test_bm25_splits_and_stems_identifiers():
    documents = pool("something else", "def remove_duplicates(xs): pass", "sortedLists")

    assert rank(bm25(), documents, "removing a duplicate")[0][0] == 1
    assert rank(bm25(), documents, "list")[0][0] == 2


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The parsers of HTMLParser2", ["the", "parsers", "of", "html", "parser", "2"]),
        ("get_userName(x1) += 3.5e-7;", ["get", "user", "name", "x", "1", "3", "5", "e", "7"]),
        ("größe_Ändern", ["größe", "ändern"]),
        ("", []),
    ],
)
def test_plain_tokens_are_parts_of_words_as_they_are(text, tokens):
    assert plain_tokens(text) == tokens


def test_plain_words_are_neither_stemmed_nor_left_out():
    documents = pool("the lists", "sortedList the the")
    config = EvaluateConfig(words="plain")

    assert [score > 0 for _, score in rank(bm25(config), documents, "list")] == [True, False]
    assert rank(bm25(config), documents, "list")[0][0] == 1
    assert rank(bm25(config), documents, "the")[0][0] == 1
    assert "split identifiers, not stemmed" in bm25(config).protocol


def test_a_word_that_a_query_repeats_counts_as_often_unless_words_are_to_be_distinct():
    documents = pool("alpha", "beta")
    once, twice = rank(bm25(), documents, "alpha")[0][1], rank(bm25(), documents, "alpha alpha")[0][1]
    distinct = bm25(EvaluateConfig(distinct_words=True))

    assert twice == pytest.approx(2 * once)
    assert rank(distinct, documents, "alpha alpha")[0][1] == once
    assert "a repeated word of a query counts once" in distinct.protocol


def test_bm25_puts_equal_scores_and_unmatched_documents_by_position():
    documents = pool("beta", "alpha", "beta", "alpha")

    ranked = rank(bm25(), documents, "alpha")

    assert [place for place, _ in ranked] == [1, 3, 0, 2]
    assert [score > 0 for _, score in ranked] == [True, True, False, False]
    assert ranked[2:] == [(0, 0.0), (2, 0.0)]


@pytest.mark.parametrize("texts", [("", ""), ("+", "-")])
def test_bm25_ranks_documents_without_a_word(texts):
    assert rank(bm25(), pool(*texts), "alpha") == [(0, 0.0), (1, 0.0)]


def test_bm25_ranks_for_a_query_without_a_word():
    assert rank(bm25(), pool("alpha", "beta"), " ?") == [(0, 0.0), (1, 0.0)]


def test_bm25_says_nothing_on_either_stream(capfd: pytest.CaptureFixture[str]):
    rank(bm25(), pool("alpha", "beta"), "alpha")

    assert capfd.readouterr() == ("", "")
