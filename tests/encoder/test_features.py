from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from procqa.encoder.features import TEXTS_AT_ONCE, TextFeatures, TokenFeatures, count_tokens, open_features
from procqa.encoder.streams import StreamConfig, Texts, write_texts
from tests.encoder.small import make_dataset


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rows = [(f"title {number}", f"body {number} " * number, "answer " * number + "x 1") for number in range(5)]
    dataset = make_dataset(tmp_path / "Q", {"python": rows, "go": rows[:2]})
    write_texts([dataset], tmp_path / "texts.arrow", StreamConfig(pairs=("title-answer", "question-answer")))
    return tmp_path / "texts.arrow"


def test_kept_token_numbers_are_those_of_the_model(path: Path, static_folder: Path):
    model = SentenceTransformer(str(static_folder), local_files_only=True)
    rows = np.array([6, 0, 3, 3], dtype=np.int32)
    with Texts(path) as texts:
        features = open_features(model, texts, path.parent)
        assert isinstance(features, TokenFeatures)
        for views in (np.array([0, 0, 0, 0]), np.array([2, 2, 2, 2]), np.array([1, 0, 2, 0])):
            expected = model.preprocess(texts.take(rows, views))
            found = features.take(rows, views)
            assert found["input_ids"].tolist() == expected["input_ids"].tolist()
            assert found["offsets"].tolist() == expected["offsets"].tolist()
            assert count_tokens(found) == len(expected["input_ids"])


def test_a_transformers_texts_are_tokenized_when_they_are_drawn(path: Path):
    from procqa.encoder.model import find_encoder, load_model

    model = load_model(find_encoder("minilm"), max_tokens=8)
    with Texts(path) as texts:
        features = open_features(model, texts, path.parent)
        assert isinstance(features, TextFeatures)
        found = features.take(np.array([6, 0], dtype=np.int32), np.array([texts.columns.index("answer")] * 2))
    assert found["input_ids"].shape == (2, 8)
    assert found["attention_mask"].sum(dim=1).tolist() == [8, 4]
    assert count_tokens(found) == 12


@pytest.mark.parametrize("padding_side", ["left", "right"])
def test_many_texts_are_tokenized_some_at_a_time_and_padded_as_all_at_once(path: Path, padding_side: str):
    from procqa.encoder.model import find_encoder, load_model

    first = load_model(find_encoder("minilm"), max_tokens=8)[0]
    first.tokenizer.padding_side = padding_side
    sizes = []

    class Watched:
        tokenizer = first.tokenizer

        def preprocess(self, texts):
            sizes.append(len(texts))
            return first.preprocess(texts)

    rows = np.repeat(np.array([0, 6], dtype=np.int32), TEXTS_AT_ONCE)[1:]  # the short texts first
    with Texts(path) as texts:
        views = np.full(len(rows), texts.columns.index("answer"))
        found = TextFeatures(Watched(), texts).take(rows, views)
        expected = first.preprocess(texts.take(rows, views))
    assert sizes == [128, 127]
    assert found.pop("is_there").all()
    assert {name: value.tolist() for name, value in found.items()} == {
        name: expected[name].tolist() for name in ("input_ids", "token_type_ids", "attention_mask")
    }


def test_token_numbers_that_were_computed_are_not_computed_again(path: Path, static_folder: Path):
    model = SentenceTransformer(str(static_folder), local_files_only=True)
    rows, views = np.array([6, 0], dtype=np.int32), np.array([0, 1])
    with Texts(path) as texts:
        first = open_features(model, texts, path.parent).take(rows, views)
        written = (path.parent / "tokens.bin").stat().st_mtime_ns
        again = open_features(model, texts, path.parent).take(rows, views)
    assert (path.parent / "tokens.bin").stat().st_mtime_ns == written
    assert all(first[name].tolist() == again[name].tolist() for name in first)


def test_a_cache_gives_other_runs_the_same_token_numbers(path: Path, static_folder: Path, tmp_path: Path):
    model = SentenceTransformer(str(static_folder), local_files_only=True)
    rows, views = np.array([0, 1], np.int32), np.array([0, 0])
    with Texts(path) as texts:
        plain = open_features(model, texts, tmp_path / "first").take(rows, views)
        kept = open_features(model, texts, tmp_path / "second", tmp_path / "cache").take(rows, views)
        (tokens,) = (tmp_path / "cache").rglob("tokens.bin")
        written = tokens.stat().st_mtime_ns
        again = open_features(model, texts, tmp_path / "third", tmp_path / "cache").take(rows, views)
    assert kept["input_ids"].tolist() == again["input_ids"].tolist() == plain["input_ids"].tolist()
    assert tokens.stat().st_mtime_ns == written
    assert not (tmp_path / "third").exists()
