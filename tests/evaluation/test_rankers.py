"""Rankers on documents so small that every score is known by hand."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from math import log
from pathlib import Path

import numpy as np
import pytest

from procqa.config import EvaluateConfig
from procqa.errors import ArtifactError, ConfigError, MissingExtra
from procqa.evaluation.rankers import Bm25, Dense, Hybrid, Pool, Ranker, check_ranker_names, open_rankers

CONFIG = EvaluateConfig()


class WordVectors:
    """An encoder with one dimension for each of its words, and a count of what it was given."""

    name = "words"
    revision = "r1"
    max_tokens = 96
    arithmetic = "whole numbers"
    fusion_weight = 0.25

    def __init__(self, *words: str) -> None:
        self.words = words
        self.dimensions = len(words)
        self.encoded: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self.encode_documents(texts)

    def encode_documents(self, texts: Sequence[str]) -> np.ndarray:
        self.encoded += texts
        counts = [[text.split().count(word) for word in self.words] for text in texts]
        return np.array(counts, np.float32).reshape(len(texts), self.dimensions)


class UnitVectors(WordVectors):
    """The same with vectors of length 1; a text without a word is a row of zeros."""

    def encode_documents(self, texts: Sequence[str]) -> np.ndarray:
        counts = super().encode_documents(texts)
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-12)


def say_nothing(stage: str, done: int) -> None:
    pass


def bm25(config: EvaluateConfig = CONFIG) -> Bm25:
    return Bm25(config, report=say_nothing)


def dense(encoder: WordVectors) -> Dense:
    return Dense("m", encoder, report=say_nothing)


def pool(*texts: str) -> Pool:
    return Pool([f"d{number}" for number in range(len(texts))], texts)


def rank(ranker: Ranker, documents: Pool, query: str, k: int = 1_000) -> list[tuple[int, float]]:
    ranker.index(documents)
    ((scores, places),) = ranker.rank([query], k)
    assert (scores.dtype, places.dtype) == (np.float32, np.int64)
    return list(zip(places[0].tolist(), scores[0].tolist(), strict=True))


def test_bm25_scores_are_those_of_the_formula():
    documents = pool("alpha beta", "alpha alpha gamma delta", "gamma")  # mean length 7/3
    k1, b, n = 1.2, 0.75, 3

    def score(tf: int, length: int, df: int) -> float:
        idf = log(1 + (n - df + 0.5) / (df + 0.5))
        return idf * tf / (tf + k1 * (1 - b + b * length / (7 / 3)))

    ranked = rank(bm25(), documents, "alpha gamma")

    assert dict(ranked) == pytest.approx(
        {0: score(1, 2, 2), 1: score(2, 4, 2) + score(1, 4, 2), 2: score(1, 1, 2)}, rel=1e-6
    )
    assert [place for place, _ in ranked] == [1, 2, 0]


def test_bm25_takes_k1_and_b_from_the_config():
    documents = pool("alpha", "alpha alpha alpha alpha beta beta beta beta")

    assert rank(bm25(EvaluateConfig(b=0)), documents, "alpha")[0][0] == 1
    assert rank(bm25(EvaluateConfig(b=1, k1=0.1)), documents, "alpha")[0][0] == 0


def test_bm25_splits_and_stems_identifiers():
    documents = pool("something else", "def remove_duplicates(xs): pass", "sortedLists")

    assert rank(bm25(), documents, "removing a duplicate")[0][0] == 1
    assert rank(bm25(), documents, "list")[0][0] == 2


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


def test_a_hybrid_adds_shares_of_words_and_cosines_by_the_weight_of_the_model():
    documents = pool("alpha alpha x", "alpha x x x", "beta", "gamma")
    model = dense(UnitVectors("beta", "x"))

    words = dict(rank(bm25(), documents, "alpha beta"))
    ranked = rank(Hybrid(bm25(), model, CONFIG), documents, "alpha beta")

    best = max(words.values())
    expected = {0: 0.75 * words[0] / best, 1: 0.75 * words[1] / best, 2: 0.75 * words[2] / best + 0.25, 3: 0.0}
    assert dict(ranked) == pytest.approx(expected, rel=1e-6)
    assert [place for place, _ in ranked] == sorted(expected, key=lambda place: (-expected[place], place))


def test_a_hybrid_ranks_by_words_alone_where_the_model_knows_no_token():
    documents = pool("alpha", "beta", "beta gamma")
    ranker = Hybrid(bm25(), dense(UnitVectors("alpha")), CONFIG)

    assert rank(ranker, documents, "gamma") == [(2, pytest.approx(0.75)), (0, 0.0), (1, 0.0)]


def test_a_hybrid_scores_every_document_0_where_nothing_of_the_query_is_known():
    ranker = Hybrid(bm25(), dense(UnitVectors("alpha")), CONFIG)

    assert rank(ranker, pool("alpha", "beta", "gamma"), "unknown") == [(0, 0.0), (1, 0.0), (2, 0.0)]


@pytest.mark.parametrize(("asked", "read"), [(16, 16), (4_096, 256)])
def test_the_protocol_states_the_tokens_that_a_model_really_reads(asked: int, read: int):
    (ranker,) = open_rankers(["minilm"], EvaluateConfig(max_tokens=asked), report=say_nothing, opened=ExitStack())

    assert f", {read} tokens a text" in ranker.protocol


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_protocol_states_the_arithmetic_of_the_vectors(precision):
    (ranker,) = open_rankers(
        ["minilm"], EvaluateConfig(precision=precision, backend="torch"), report=say_nothing, opened=ExitStack()
    )

    assert f"torch {precision}, cosine, exact" in ranker.protocol


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


def test_a_pool_is_known_by_its_ids_and_texts():
    assert Pool(["a"], ["b"]).digest == Pool(("a",), ("b",)).digest
    assert len({Pool(["a"], ["b"]).digest, Pool(["ab"], [""]).digest, Pool(["a", "b"], ["", ""]).digest}) == 3


def test_the_protocol_names_what_decides_the_order():
    fused = Hybrid(bm25(EvaluateConfig(k1=0.9)), dense(WordVectors("a")), CONFIG)

    assert (fused.name, fused.revision.split(" + ")[1]) == ("hybrid:m", "r1")
    for part in ("k1=0.9", "b=0.75", "stemmed", "0.75 × bm25", "0.25 × cosine", "words revision r1", "96 tokens"):
        assert part in fused.protocol


@pytest.mark.parametrize("name", ["", "hybrid", "hybrid:", "hybrid:bm25", "hybrid:hybrid:minilm", "colbert:minilm"])
def test_a_name_that_no_ranker_can_have_is_refused(name):
    with pytest.raises(ConfigError, match=r"hybrid:MODEL.*got"):
        check_ranker_names(["bm25", name])


def test_no_ranker_is_refused_and_a_repeated_one_counts_once():
    with pytest.raises(ConfigError, match="at least one ranker"):
        check_ranker_names([])
    assert check_ranker_names(["minilm", "bm25", "minilm"]) == ["minilm", "bm25"]


@pytest.mark.usefixtures("socket_disabled")
@pytest.mark.parametrize("name", ["{}/nowhere", "hybrid:{}/nowhere", "no-such-model"])
def test_a_model_that_is_not_there_is_named_without_any_network(tmp_path: Path, name: str):
    with pytest.raises(ArtifactError, match=r"no-such-model|nowhere"):
        open_rankers([name.format(tmp_path)], CONFIG, report=say_nothing, opened=ExitStack())


def test_bm25_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "bm25s", None)

    with pytest.raises(MissingExtra, match=r"procqa\[eval\]"):
        open_rankers(["bm25"], CONFIG, report=say_nothing, opened=ExitStack())
