"""Latent semantic analysis, against numpy's exact decomposition, and on texts about two things."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from procqa.encoder.latent import latent_embeddings

ROWS = [
    ("open a socket", "socket port"),
    ("close a socket", "port of a socket"),
    ("sort a list", "list order"),
    ("order a list", "sort it"),
    ("a port", "open"),
]


class Rows:
    """The texts of some rows, two rows at a time."""

    def __init__(self, rows: list[tuple[str, ...]]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def read(self) -> Iterator[list[str]]:
        return (list(row) for row in self._rows)

    def read_rows(self) -> Iterator[list[tuple[str, ...]]]:
        return (self._rows[at : at + 2] for at in range(0, len(self._rows), 2))


def words_of(rows: list[tuple[str, ...]]) -> list[str]:
    return sorted({word for row in rows for text in row for word in text.split()})


def tokenizer_of(words: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token=words[0]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def embed(rows: list[tuple[str, ...]], words: list[str], **changes: object) -> np.ndarray:
    torch.manual_seed(1)
    settings = {"dimensions": 5, "std": 0.1, **changes}
    return latent_embeddings(tokenizer_of(words), Rows(rows), **settings).numpy()


def test_the_embeddings_are_those_of_an_exact_decomposition():
    words = words_of(ROWS)
    found = embed(ROWS, words)

    holds = np.array([[any(word in text.split() for text in row) for word in words] for row in ROWS], dtype=float)
    rarity = np.maximum(np.log(len(ROWS) / holds.sum(axis=0)), 0.5)
    matrix = holds * rarity
    _, strengths, right = np.linalg.svd(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), full_matrices=False)
    exact = right.T * np.sqrt(strengths)
    exact *= rarity[:, None] / np.linalg.norm(exact, axis=1, keepdims=True)
    exact *= 0.1 * np.sqrt(5) / np.linalg.norm(exact, axis=1).mean()

    # Directions of a decomposition have no sign, so what is equal is every product of two tokens.
    assert found @ found.T == pytest.approx(exact @ exact.T, abs=1e-5)


def test_tokens_of_the_same_rows_are_near_each_other_and_rare_ones_are_long():
    words = words_of(ROWS)
    vectors = dict(zip(words, embed(ROWS, words, dimensions=2), strict=True))
    norms = {word: float(np.linalg.norm(vector)) for word, vector in vectors.items()}

    def cosine(one: str, other: str) -> float:
        return float(vectors[one] @ vectors[other] / norms[one] / norms[other])

    assert cosine("socket", "port") > 0.9 > 0.5 > cosine("socket", "list")
    assert norms["close"] > norms["port"] > norms["a"]


def test_more_dimensions_than_rows_are_zeros_and_a_token_of_no_row_is_drawn():
    vectors = dict(
        zip([*words_of(ROWS), "unseen"], embed(ROWS, [*words_of(ROWS), "unseen"], dimensions=8), strict=True)
    )

    assert vectors["socket"][5:].tolist() == [0, 0, 0]
    assert np.count_nonzero(vectors["unseen"]) == 8


def test_texts_without_a_token_leave_random_numbers():
    vectors = embed([("", " ")], ["list", "file"], dimensions=1_000)

    assert vectors.std() == pytest.approx(0.1, rel=0.1)


def test_of_too_many_rows_every_third_is_looked_at():
    rows = [("one", "two"), ("three", "four"), ("five", "six"), ("seven", "one"), ("eight", "nine")]
    words = words_of(rows)
    vectors = dict(zip(words, embed(rows, words, most_rows=2), strict=True))

    of_looked_at = {word for word, vector in vectors.items() if not vector[2:].any()}  # two rows, two dimensions
    assert of_looked_at == {"one", "two", "seven"}
