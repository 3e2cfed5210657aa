"""Cross-encoders: made here, saved, opened again, and compared with what transformers computes of the same pair."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from procqa.encoder.cross_encoder import open_cross_encoder
from procqa.errors import ArtifactError, ConfigError
from tests.encoder.small import write_cross_encoder

PAIRS = [("alpha", "beta"), ("alpha beta", "gamma gamma"), ("gamma", "alpha beta gamma"), ("alpha", "beta")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cross_encoder(tmp_path_factory.mktemp("cross") / "model")


def logits(folder: Path, query: str, document: str, **options: object) -> float:
    """The score of one pair, by transformers alone."""
    tokens = AutoTokenizer.from_pretrained(folder)(query, document, return_tensors="pt", **options)
    with torch.inference_mode():
        return float(AutoModelForSequenceClassification.from_pretrained(folder)(**tokens).logits)


def test_the_score_of_a_pair_is_the_last_layer_of_the_model(folder: Path):
    encoder = open_cross_encoder(str(folder), precision="fp32")

    scores = encoder.score(PAIRS)

    assert (scores.dtype, scores.shape) == (np.float32, (4,))
    assert scores.tolist() == pytest.approx([logits(folder, *pair) for pair in PAIRS], abs=1e-5)
    assert scores[0] == scores[3]
    assert len({round(float(score), 3) for score in scores}) == 3
    assert encoder.score([]).shape == (0,)


def test_a_pair_is_read_to_the_number_of_tokens_that_is_asked_for(folder: Path):
    long = ("alpha beta", "gamma " * 50)

    encoder = open_cross_encoder(str(folder), max_tokens=9, precision="fp32")

    assert encoder.max_tokens == 9
    cut = logits(folder, *long, truncation=True, max_length=9)
    assert encoder.score([long]).tolist() == pytest.approx([cut], abs=1e-5)
    assert open_cross_encoder(str(folder), max_tokens=4_096).max_tokens == 64


def test_it_is_known_by_its_name_its_weights_and_its_arithmetic(folder: Path):
    encoder = open_cross_encoder(str(folder), precision="fp32")

    weights = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert (encoder.name, encoder.revision, encoder.arithmetic) == (str(folder), weights, "torch fp32")


def test_a_folder_as_transformers_writes_it_is_read_too(folder: Path, tmp_path: Path):
    plain = tmp_path / "plain"
    shutil.copytree(folder, plain)
    for name in ("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json"):
        (plain / name).unlink()

    read = open_cross_encoder(str(plain), precision="fp32").score(PAIRS)

    assert read.tolist() == open_cross_encoder(str(folder), precision="fp32").score(PAIRS).tolist()


def test_another_kind_of_model_is_refused_instead_of_getting_a_random_layer(tiny_folder: Path, tmp_path: Path):
    for name in ("minilm", "default", str(tiny_folder)):
        with pytest.raises(ArtifactError, match="must be a cross-encoder, which scores pairs of texts"):
            open_cross_encoder(name)
    graph = shutil.copytree(write_cross_encoder(tmp_path / "one"), tmp_path / "graph")
    (graph / "graph.json").write_text("{}")
    with pytest.raises(ArtifactError, match="got the graph of an encoder"):
        open_cross_encoder(str(graph))
    with pytest.raises(ArtifactError, match="gives 3"):
        open_cross_encoder(str(write_cross_encoder(tmp_path / "three", n_labels=3)))


def test_a_broken_one_is_one_sentence(folder: Path, tmp_path: Path):
    for name, text, said in (
        ("config_sentence_transformers.json", "{", "must hold a readable config_sentence_transformers.json"),
        ("config_sentence_transformers.json", "[]", "must hold a readable config_sentence_transformers.json"),
        ("model.safetensors", "{}", "must be a model that sentence-transformers can read"),
        ("modules.json", json.dumps([{"type": "mine.Module", "path": ""}]), "sentence-transformers modules"),
    ):
        broken = tmp_path / f"{name}-{len(text)}"
        shutil.copytree(folder, broken)
        (broken / name).write_text(text)
        with pytest.raises(ArtifactError, match=said):
            open_cross_encoder(str(broken))


def test_an_unknown_precision_is_refused(folder: Path):
    with pytest.raises(ConfigError, match="precision must be one of"):
        open_cross_encoder(str(folder), precision="fp8")  # type: ignore[arg-type]
