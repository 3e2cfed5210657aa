"""A model as a ranker, with vectors that are counted words."""

import numpy as np

from tests.evaluation.rankers.small import WordVectors, dense, pool, rank


def test_a_model_ranks_by_dot_product_and_cuts_at_k():
    ranked = rank(dense(WordVectors("alpha", "beta")), pool("alpha", "alpha alpha", "beta", "gamma"), "alpha", k=3)

    assert ranked == [(1, 2.0), (0, 1.0), (2, 0.0)]


def test_queries_come_back_in_blocks_and_in_order():
    ranker = dense(WordVectors("alpha", "beta"))
    ranker.index(pool("alpha", "beta"))
    queries = ["alpha", "beta", "beta"] * 100

    blocks = [places for _, places in ranker.rank(queries, 1)]

    assert [len(places) for places in blocks] == [256, 44]
    assert np.concatenate(blocks)[:, 0].tolist() == [0, 1, 1] * 100


def test_a_part_of_the_pool_that_was_encoded_last_is_looked_up():
    encoder = WordVectors("alpha", "beta")
    ranker = dense(encoder)
    whole, part = pool("alpha", "beta beta", "alpha beta", "beta beta"), pool("beta beta", "alpha")

    assert rank(ranker, whole, "beta", k=2) == [(1, 2.0), (3, 2.0)]
    assert rank(ranker, part, "beta") == [(0, 2.0), (1, 0.0)]
    assert rank(ranker, pool("alpha beta"), "beta") == [(0, 1.0)]
    assert rank(ranker, whole, "beta", k=1) == [(1, 2.0)]
    assert encoder.encoded == [*whole.texts, "beta"]


def test_a_pool_with_another_text_is_encoded_as_a_whole():
    encoder = WordVectors("alpha", "beta")
    ranker = dense(encoder)
    ranker.index(pool("alpha", "beta"))

    assert rank(ranker, pool("beta", "gamma"), "beta") == [(0, 1.0), (1, 0.0)]
    assert rank(ranker, pool("alpha", "beta"), "beta") == [(1, 1.0), (0, 0.0)]
    assert encoder.encoded == ["alpha", "beta", "beta", "gamma", "beta", "alpha", "beta"]


def test_a_part_of_the_queries_is_looked_up():
    encoder = WordVectors("alpha", "beta")
    ranker = dense(encoder)
    ranker.index(pool("alpha", "beta"))

    asked = [("alpha", "beta", "gamma"), ("beta",), ("gamma", "alpha"), ["beta", "delta"]]
    found = [[places[:, 0].tolist() for _, places in ranker.rank(queries, 1)] for queries in asked]

    assert found == [[[0, 1, 0]], [[1]], [[0, 0]], [[1, 0]]]
    assert encoder.encoded == ["alpha", "beta", "alpha", "beta", "gamma", "beta", "delta"]


def test_a_pool_without_documents_has_empty_rankings():
    assert rank(dense(WordVectors("alpha")), pool(), "alpha") == []
