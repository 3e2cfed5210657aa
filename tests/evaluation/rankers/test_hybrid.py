"""Words and vectors as one score, against sums by hand."""

from math import log

import pytest

from procqa.config import EvaluateConfig
from procqa.evaluation.rankers import Hybrid
from tests.evaluation.rankers.small import CONFIG, UnitVectors, WordVectors, bm25, dense, pool, rank


def test_a_hybrid_adds_shares_of_words_and_cosines_by_the_weight_of_the_model():
    documents = pool("alpha alpha x", "alpha x x x", "beta", "gamma")
    model = dense(UnitVectors("beta", "x"))

    words = dict(rank(bm25(), documents, "alpha beta"))
    ranked = rank(Hybrid(bm25(), model, CONFIG), documents, "alpha beta")

    limit = log(1 + (4 - 2 + 0.5) / (2 + 0.5)) + log(1 + (4 - 1 + 0.5) / (1 + 0.5))
    expected = {0: 0.75 * words[0] / limit, 1: 0.75 * words[1] / limit, 2: 0.75 * words[2] / limit + 0.25, 3: 0.0}
    assert dict(ranked) == pytest.approx(expected, rel=1e-6)
    assert [place for place, _ in ranked] == sorted(expected, key=lambda place: (-expected[place], place))


def test_a_hybrid_ranks_by_words_alone_where_the_model_knows_no_token():
    documents = pool("alpha", "beta", "beta gamma")
    ranker = Hybrid(bm25(), dense(UnitVectors("alpha")), CONFIG)

    share = 1 / (1 + 1.2 * (1 - 0.9 + 0.9 * 2 / (4 / 3)))
    assert rank(ranker, documents, "gamma") == [(2, pytest.approx(0.75 * share)), (0, 0.0), (1, 0.0)]


def test_a_hybrid_scores_every_document_0_where_nothing_of_the_query_is_known():
    ranker = Hybrid(bm25(), dense(UnitVectors("alpha")), CONFIG)

    assert rank(ranker, pool("alpha", "beta", "gamma"), "unknown") == [(0, 0.0), (1, 0.0), (2, 0.0)]


def test_the_weights_of_a_hybrid_come_from_the_config():
    documents = pool("alpha", "beta")
    encoder = UnitVectors("beta")  # sees beta where words see alpha

    def best(dense_weight: float) -> int:
        config = EvaluateConfig(dense_weight=dense_weight)
        return rank(Hybrid(bm25(config), dense(encoder), config), documents, "alpha alpha beta")[0][0]

    words = rank(bm25(), documents, "alpha alpha beta")[0][0]
    assert (words, best(0.1), best(0.9)) == (0, 0, 1)


def test_a_model_and_its_hybrid_encode_every_text_once():
    encoder = WordVectors("alpha", "beta")
    model = dense(encoder)
    fused = Hybrid(bm25(), model, CONFIG)
    for _ in range(2):
        for ranker in (model, fused):
            ranker.index(pool("alpha one", "beta two"))
            list(ranker.rank(("a query",), 2))

    assert sorted(encoder.encoded) == ["a query", "alpha one", "beta two"]

    model.index(pool("alpha one", "beta three"))

    assert encoder.encoded[-2:] == ["alpha one", "beta three"]


def test_the_protocol_names_what_decides_the_order():
    fused = Hybrid(bm25(EvaluateConfig(k1=0.8)), dense(WordVectors("a")), CONFIG)

    assert (fused.name, fused.revision.split(" + ")[1]) == ("hybrid:m", "r1")
    for part in ("k1=0.8", "b=0.9", "stemmed", "0.75 × bm25", "0.25 × cosine", "words revision r1", "96 tokens"):
        assert part in fused.protocol
