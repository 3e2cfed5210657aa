from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis.extra import numpy as arrays

from procqa.chain import check_files
from procqa.encoder.model import find_encoder, open_encoder
from procqa.encoder.quantize import quantize_encoder, quantize_rows
from procqa.encoder.training import train
from procqa.errors import ArtifactError
from procqa.manifest import load_manifest
from tests.encoder.small import tiny_config


@given(arrays.arrays(np.float32, (4, 7), elements={"min_value": -100, "max_value": 100}))
@example(np.full((4, 7), 1e-44, dtype=np.float32))
def test_a_number_is_kept_to_half_a_step_of_its_row(rows):
    numbers, scales = quantize_rows(rows)
    assert np.abs(numbers.astype(int)).max() <= 127
    assert (np.abs(numbers * scales[:, None] - rows) <= scales[:, None] * 0.5001).all()


def test_a_row_of_zeros_stays_one():
    numbers, scales = quantize_rows(np.zeros((2, 3), dtype=np.float32))
    assert (numbers.tolist(), scales.tolist()) == ([[0, 0, 0]] * 2, [0.0, 0.0])


@pytest.fixture(scope="module")
def quantized(static_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("quantized") / "encoder"
    assert quantize_encoder(static_folder, out, card="# A card\n") == load_manifest(out).sha256
    return out


def test_it_says_nearly_the_same_in_a_quarter_of_the_size(static_folder: Path, quantized: Path):
    texts = ["How do I turn a list into a file?", "Call `list_to_file(x)` in python", ""]
    one, other = (open_encoder(str(folder)) for folder in (static_folder, quantized))
    vectors, small = one.encode_documents(texts), other.encode_documents(texts)
    assert (vectors * small).sum(axis=1).tolist() == pytest.approx([1, 1, 0], abs=1e-3)
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (static_folder, quantized)]
    assert sizes[1] < 0.4 * sizes[0]
    assert (one.max_tokens, other.max_tokens) == (128, 128)


def test_it_is_an_encoder_of_its_own_that_says_what_it_was_made_from(static_folder: Path, quantized: Path):
    manifest = load_manifest(quantized, kind="encoder")
    assert manifest.recipe["quantized_from"] == load_manifest(static_folder).sha256
    assert {check.outcome for check in check_files(quantized, manifest)} == {"ok"}
    assert sorted(path.name for path in quantized.iterdir()) == sorted(
        ["README.md", "manifest.json", *manifest.files.keys() - {"README.md"}]
    )
    assert not (quantized / "seen.bin").exists()
    assert find_encoder("default", shipped=quantized) == quantized


def test_it_is_a_base_to_train_on(quantized: Path, dataset: Path, tmp_path: Path):
    train([dataset], tmp_path / "m", tiny_config(base=str(quantized), steps=0))
    texts = ["a list to a file"]
    one, other = (open_encoder(str(folder)).encode_queries(texts) for folder in (quantized, tmp_path / "m"))
    assert one == pytest.approx(other, abs=1e-5)


def test_another_program_does_not_take_it_for_what_it_is_not(quantized: Path):
    from sentence_transformers import SentenceTransformer

    with pytest.raises(KeyError):
        SentenceTransformer(str(quantized), local_files_only=True)


def test_a_transformer_is_not_quantized(tmp_path: Path, dataset: Path):
    train([dataset], tmp_path / "m", tiny_config(base="tiny", dimensions=64, layers=1, steps=0))
    with pytest.raises(ArtifactError, match="must be a static encoder to be quantized"):
        quantize_encoder(tmp_path / "m", tmp_path / "q", card="")
    assert not (tmp_path / "q").exists()
