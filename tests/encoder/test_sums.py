"""Sums of embeddings, held against numpy's to the last bit."""

import numpy as np

from procqa.encoder.sums import sum_rows


def test_sums_have_the_bits_of_numpy():
    random = np.random.default_rng(0)
    embeddings = random.standard_normal((1_000, 24)).astype(np.float32)
    lengths = np.array([1, 2, 7, 8, 9, 10, 16, 17, 128, 129, 130, 137, 257, 258, 1_000])
    tokens = random.integers(0, 1_000, lengths.sum())

    expected = np.add.reduceat(embeddings[tokens], np.cumsum(lengths) - lengths, axis=0)

    assert sum_rows(embeddings, tokens, lengths).tobytes() == expected.tobytes()


def test_no_text_has_no_sum():
    none = np.zeros(0, np.int64)
    assert sum_rows(np.zeros((3, 4), np.float32), none, none).shape == (0, 4)
