import dataclasses
from pathlib import Path

import numpy as np

from procqa.encoder.likeness import describe_likeness, likeness, sample_texts
from procqa.encoder.static import open_static


def test_the_sample_is_text_and_code_each_once():
    texts = sample_texts()
    assert len(texts) == len(set(texts)) > 100
    assert any("```" in text for text in texts)
    assert not any("<p>" in text for text in texts)


def test_an_encoder_is_like_itself_and_less_like_one_of_other_numbers(static_folder: Path):
    encoder = open_static(static_folder, name="m", max_tokens=64)
    same = likeness(encoder, encoder)
    assert (same["cosine_mean"], same["cosine_least"]) == (1.0, 1.0)
    noise = np.random.default_rng(0).normal(size=encoder.embeddings.shape).astype(np.float32)
    other = likeness(encoder, dataclasses.replace(encoder, embeddings=encoder.embeddings + 0.2 * noise))
    assert other["cosine_least"] < other["cosine_mean"] < 1
    assert f"{other['cosine_mean']:.4f} in the mean" in describe_likeness(other)


def test_spaces_of_two_kinds_are_compared_by_the_similarities_in_them(static_folder: Path):
    encoder = open_static(static_folder, name="m", max_tokens=64)
    turned = dataclasses.replace(encoder, embeddings=np.pad(encoder.embeddings[:, ::-1], ((0, 0), (0, 3))))
    found = likeness(encoder, turned)
    assert found == {"texts": found["texts"], "similarity_correlation": 1.0}
    assert "correlate with those of the source by 1.0000" in describe_likeness(found)
