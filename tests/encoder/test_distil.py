from pathlib import Path

import numpy as np
import pytest

from procqa.encoder.distil import distil, reduce_dimensions, token_vectors, token_weights, tokens_of_texts
from procqa.encoder.model import load_model


def test_a_token_weighs_less_the_more_frequent_it_is():
    weights = token_weights(3)
    shares = np.array([1 / 2, 1 / 3, 1 / 4]) / (1 / 2 + 1 / 3 + 1 / 4)
    assert weights.tolist() == pytest.approx((1e-4 / (1e-4 + shares)).tolist())
    assert np.all(np.diff(weights) > 0)


def test_principal_components_are_those_of_scikit_learn():
    from sklearn.decomposition import PCA

    vectors = np.random.default_rng(0).normal(size=(50, 6)) * [1, 5, 2, 4, 3, 6]
    ours, theirs = reduce_dimensions(vectors, 3), PCA(3).fit_transform(vectors)
    assert np.abs(ours) == pytest.approx(np.abs(theirs), abs=1e-8)
    assert (ours[np.abs(ours).argmax(axis=0), range(3)] > 0).all()


def test_the_vector_of_a_token_is_that_of_a_text_of_it_alone(tiny_folder: Path):
    model = load_model(tiny_folder, max_tokens=32)
    token = model.tokenizer.encode("list", add_special_tokens=False)
    assert len(token) == 1
    model.tokenizer.backend_tokenizer.enable_padding(length=12)  # as the files of some tokenizers have it
    alone = model.encode(["list"], normalize_embeddings=True)[0]
    (vector,) = token_vectors(model, token)
    assert vector / np.linalg.norm(vector) == pytest.approx(alone, abs=1e-5)


def test_tokens_of_no_text_count_for_nothing(tiny_folder: Path):
    model = load_model(tiny_folder, max_tokens=32)
    model.tokenizer.backend_tokenizer.add_tokens(["[unused7]"])
    embeddings = distil(model, dimensions=8)
    assert embeddings.shape == (model.tokenizer.backend_tokenizer.get_vocab_size(), 8)
    assert embeddings.dtype == np.float32
    is_zero = np.flatnonzero(~embeddings.any(axis=1)).tolist()
    assert is_zero == [*sorted(set(model.tokenizer.all_special_ids)), len(embeddings) - 1]
    assert tokens_of_texts(model)[0] == 4
