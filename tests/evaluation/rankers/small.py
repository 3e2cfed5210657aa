"""Encoders with a dimension for each of their words, and documents whose scores are known by hand."""

from collections.abc import Sequence

import numpy as np

from procqa.config import EvaluateConfig
from procqa.evaluation.rankers import Bm25, Dense, Pool, Ranker

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
