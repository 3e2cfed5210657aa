"""Two stages with a scorer of pairs whose scores are known by hand."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from procqa.config import EvaluateConfig
from procqa.encoder.cross_encoder import open_cross_encoder
from procqa.evaluation.rankers import Pool, Ranking, TwoStage, open_rankers
from tests.encoder.small import write_cross_encoder
from tests.evaluation.rankers.small import UnitVectors, bm25, dense, pool, rank, say_nothing


class Lengths:
    """Scores a pair by the length of its document, less 10, and notes what it reads."""

    name = "lengths"
    revision = "r2"
    max_tokens = 99
    arithmetic = "whole numbers"

    def __init__(self) -> None:
        self.read: list[tuple[str, str]] = []

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        self.read += pairs
        return np.array([len(document) - 10 for _, document in pairs], np.float32)


class InHalves:
    """A ranker whose blocks are smaller than those of others."""

    name, revision, protocol = "halves", "1", "by position"

    def index(self, pool: Pool) -> None:
        self.size = len(pool.ids)

    def rank(self, queries: Sequence[str], k: int) -> Iterator[Ranking]:
        size = min(k, self.size)
        for _ in queries:
            yield np.arange(size, 0, -1, dtype=np.float32)[None], np.arange(size)[None]


def sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def two_stage(first: object, pairs: Lengths, candidates: int = 100) -> TwoStage:
    return TwoStage(first, pairs, EvaluateConfig(rerank_depth=candidates), report=say_nothing)


def test_candidates_are_ordered_by_pairs_and_the_others_stay_behind_them():
    documents = pool("alpha", "alpha beta x", "nothing", "alpha gamma", "alpha alpha")
    words = rank(bm25(), documents, "alpha")
    assert [place for place, _ in words] == [4, 0, 3, 1, 2]

    ranked = rank(two_stage(bm25(), Lengths(), candidates=3), documents, "alpha")

    assert ranked == [
        (3, pytest.approx(1 + sigmoid(1))),
        (4, pytest.approx(1 + sigmoid(1))),
        (0, pytest.approx(1 + sigmoid(-5))),
        (1, pytest.approx(dict(words)[1])),
        (2, 0.0),
    ]


def test_what_matches_nothing_is_no_candidate():
    pairs = Lengths()

    ranked = rank(two_stage(bm25(), pairs), pool("alpha", "a longer document", "alpha alpha"), "alpha")

    assert [place for place, _ in ranked] == [2, 0, 1]
    assert pairs.read == [("alpha", "alpha alpha"), ("alpha", "alpha")]


def test_no_candidate_leaves_the_first_ranking():
    pairs = Lengths()

    assert rank(two_stage(dense(UnitVectors("beta")), pairs), pool("x", "y"), "alpha") == [(0, 0.0), (1, 0.0)]
    assert pairs.read == []


def test_the_ranking_is_cut_after_the_candidates_are_read():
    ranked = rank(two_stage(bm25(), Lengths()), pool("alpha alpha", "alpha", "alpha and more"), "alpha", k=1)

    assert ranked == [(2, pytest.approx(1 + sigmoid(4)))]


def test_scores_never_rise_down_the_ranking():
    documents = pool(*("alpha " * n for n in range(1, 9)))

    scores = [score for _, score in rank(two_stage(bm25(), Lengths(), candidates=3), documents, "alpha alpha alpha")]

    assert scores == sorted(scores, reverse=True)
    assert [score > 1 for score in scores] == [True] * 3 + [False] * 5


def test_each_query_meets_its_own_ranking_whatever_the_blocks():
    pairs = Lengths()
    ranker = two_stage(InHalves(), pairs, candidates=1)
    ranker.index(pool("one", "two"))

    blocks = list(ranker.rank(["a", "b", "c"], 2))

    assert [places.tolist() for _, places in blocks] == [[[0, 1]]] * 3
    assert pairs.read == [("a", "one"), ("b", "one"), ("c", "one")]


def test_the_protocol_names_both_stages():
    ranker = two_stage(bm25(), Lengths(), candidates=7)

    assert (ranker.name, ranker.revision.split(" + ")[0]) == ("rerank:lengths,bm25", "r2")
    for part in ("the first 7", "k1=1.2", "order of lengths revision r2", "99 tokens a pair", "whole numbers"):
        assert part in ranker.protocol
    assert ranker.details.models == ("lengths",)


def test_a_cross_encoder_is_opened_by_name_once_and_reads_two_texts(tmp_path: Path):
    folder = write_cross_encoder(tmp_path / "cross")
    names = [f"rerank:{folder},bm25", f"rerank:{folder},rerank:{folder},bm25"]
    config = EvaluateConfig(max_tokens=16, precision="fp32", rerank_depth=2)

    once, twice = open_rankers(names, config, report=say_nothing, opened=ExitStack())

    assert [once.name, twice.name] == names
    assert "32 tokens a pair, torch fp32" in once.protocol
    documents = pool("alpha gamma", "gamma beta", "alpha beta beta", "alpha")
    candidates = [place for place, _ in rank(bm25(), documents, "alpha")[:2]]
    pairs = [("alpha", documents.texts[place]) for place in candidates]
    scores = open_cross_encoder(str(folder), precision="fp32").score(pairs)
    ranked = rank(once, documents, "alpha")
    assert [place for place, _ in ranked][:2] == [candidates[number] for number in np.argsort(-scores)]
    assert [place for place, _ in rank(twice, documents, "alpha")] == [place for place, _ in ranked]
