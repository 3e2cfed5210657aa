import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from pytest_socket import disable_socket, enable_socket

from procqa.encoder.model import find_encoder, open_encoder
from procqa.errors import ArtifactError


@pytest.fixture
def no_network():
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


def test_minilm_opens_without_a_network_and_gives_unit_rows(no_network: None):
    encoder = open_encoder("minilm")
    vectors = encoder.encode_queries(["sort a list", "order a list in Python", "open a socket"])
    assert (encoder.name, encoder.dimensions, vectors.shape, vectors.dtype) == ("minilm", 384, (3, 384), np.float32)
    assert encoder.revision == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert encoder.encode_documents([]).shape == (0, 384)


def test_minilm_reads_no_more_tokens_than_asked():
    encoder = open_encoder("minilm", max_tokens=8)
    short = "sort a list of words by"
    same, other = encoder.encode_documents([short, short + " their length in reverse"])
    np.testing.assert_allclose(same, other, atol=1e-5)


def test_the_revision_of_a_folder_is_the_sha256_of_its_weights(static_folder: Path):
    weights = (static_folder / "model.safetensors").read_bytes()
    assert open_encoder(str(static_folder)).revision == hashlib.sha256(weights).hexdigest()


@pytest.mark.parametrize(
    "name", ["nothing-here", "./nothing/here", "/nothing/here", "~/nothing-here", "a/b/c", "src/x"]
)
def test_what_looks_like_a_path_never_touches_the_network(name: str, no_network: None, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    with pytest.raises(ArtifactError, match="there is no such folder"):
        open_encoder(name)


@pytest.mark.filterwarnings("ignore:A test tried to use")
def test_a_hub_name_without_a_network_is_one_sentence(no_network: None, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArtifactError, match="could not be had from the model hub"):
        open_encoder("nobody/there-is-no-such-model")


def test_the_shipped_encoder_is_named_where_there_is_none(tmp_path: Path):
    with pytest.raises(ArtifactError, match="no encoder is shipped"):
        find_encoder("default", shipped=tmp_path / "none")


def test_the_shipped_encoder_is_found(static_folder: Path):
    assert find_encoder("default", shipped=static_folder) == static_folder


@pytest.mark.parametrize(("asked", "of_minilm", "of_static"), [(16, 16, 16), (200, 200, 128), (4_096, 256, 128)])
def test_an_encoder_says_how_many_tokens_it_reads(asked: int, of_minilm: int, of_static: int, static_folder: Path):
    assert open_encoder("minilm", max_tokens=asked).max_tokens == of_minilm
    assert open_encoder(str(static_folder), max_tokens=asked).max_tokens == of_static


def test_static_embeddings_below_another_module_read_no_more_tokens_than_asked(static_folder: Path, tmp_path: Path):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    first = SentenceTransformer(str(static_folder), local_files_only=True)[0]
    model = SentenceTransformer(modules=[first, Dense(16, 8)], local_files_only=True)
    model.save_pretrained(str(tmp_path / "deep"), create_model_card=False)
    encoder = open_encoder(str(tmp_path / "deep"), max_tokens=2)
    same, other = encoder.encode_queries(["list queue", "list queue socket regex"])
    assert (encoder.max_tokens, encoder.dimensions, same.tolist()) == (2, 8, other.tolist())


def write_modules(folder: Path, kind: str) -> Path:
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": kind}]))
    return folder


def test_a_folder_that_is_no_encoder_is_refused(tmp_path: Path):
    with pytest.raises(ArtifactError, match=r"neither modules\.json nor config\.json"):
        open_encoder(str(tmp_path))


def test_pickled_weights_are_never_loaded(tmp_path: Path):
    folder = write_modules(tmp_path, "sentence_transformers.models.StaticEmbedding")
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ArtifactError, match="pickled weights"):
        open_encoder(str(folder))


def test_code_in_a_model_folder_is_never_run(tmp_path: Path):
    folder = tmp_path / "model"
    shutil.copytree(find_encoder("minilm"), folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    with pytest.raises(ArtifactError, match="must be an encoder that sentence-transformers can read"):
        open_encoder(str(folder)).encode_queries(["x"])
    assert not (tmp_path / "ran").exists()


def test_weights_that_are_missing_are_named(tmp_path: Path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ArtifactError, match="must hold weights as safetensors"):
        open_encoder(str(tmp_path))


def test_modules_from_elsewhere_are_refused(tmp_path: Path):
    folder = write_modules(tmp_path, "evil.module.Class")
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ArtifactError, match="sentence-transformers modules"):
        open_encoder(str(folder))


def test_a_broken_model_is_one_sentence(tmp_path: Path):
    folder = write_modules(tmp_path, "sentence_transformers.models.Transformer")
    (folder / "model.safetensors").write_bytes(b"")
    (folder / "config.json").write_text("{}")
    with pytest.raises(ArtifactError, match="must be an encoder that sentence-transformers can read") as raised:
        open_encoder(str(folder))
    assert "\n" not in str(raised.value)
