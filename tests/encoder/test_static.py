import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from procqa.encoder.model import open_encoder
from procqa.encoder.static import train_tokenizer
from procqa.errors import ArtifactError

TEXTS = [
    "How do I turn a list into a window?",
    "def getHTTPServer(x_y):\n\treturn x_y + 12  # ünïcode ☃",
    "a " * 500,
    "x",
]


def test_vectors_are_those_of_sentence_transformers(static_folder: Path):
    ours = open_encoder(str(static_folder)).encode_documents(TEXTS)
    theirs = SentenceTransformer(str(static_folder), local_files_only=True).encode(TEXTS)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_rows_have_length_one_and_a_text_without_a_token_is_zero(static_folder: Path):
    vectors = open_encoder(str(static_folder)).encode_queries([*TEXTS, "", " \n"])
    assert np.linalg.norm(vectors, axis=1).tolist() == pytest.approx([1, 1, 1, 1, 0, 0], abs=1e-6)


def test_many_texts_are_encoded_as_each_alone(static_folder: Path):
    encoder = open_encoder(str(static_folder))
    texts = [f"{TEXTS[number % 4]} {number}" for number in range(600)] + [""]
    alone = np.concatenate([encoder.encode_documents([text]) for text in texts[::50]])
    np.testing.assert_allclose(encoder.encode_documents(texts)[::50], alone, atol=1e-6)
    assert encoder.encode_documents([]).shape == (0, 16)


def test_no_more_tokens_are_read_than_asked(static_folder: Path):
    encoder = open_encoder(str(static_folder), max_tokens=2)
    same, other = encoder.encode_queries(["list queue", "list queue socket regex"])
    assert same.tolist() == other.tolist()


def test_a_static_encoder_opens_without_torch(static_folder: Path):
    program = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = sys.modules['sentence_transformers'] = None;"
        "from procqa.encoder.model import open_encoder; import sys;"
        "print(open_encoder(sys.argv[1]).encode_queries(['list']).shape)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(static_folder)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "(1, 16)\n"), done.stderr


def test_the_tokenizer_cuts_camel_case_and_keeps_operators_apart():
    tokenizer = train_tokenizer(iter([["get http server name value return if"] * 50]), vocabulary=400, max_tokens=64)
    encoding = tokenizer.encode("getHTTPServer(nameValue)<=return", add_special_tokens=False)
    assert encoding.tokens == ["get", "http", "server", "(", "name", "value", ")", "<", "=", "return"]


def test_every_text_has_a_tokenization():
    tokenizer = train_tokenizer(iter([["abc"]]), vocabulary=300, max_tokens=64)
    assert tokenizer.get_vocab_size() <= 300
    assert len(tokenizer.encode("☃é", add_special_tokens=False).ids) == 5


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json"])
def test_a_broken_file_is_an_artifact_error(static_folder: Path, tmp_path: Path, file: str):
    broken = tmp_path / "broken"
    shutil.copytree(static_folder, broken)
    (broken / file).write_text("{")
    with pytest.raises(ArtifactError, match=r"tokenizer\.json"):
        open_encoder(str(broken))


def test_weights_that_do_not_fit_the_tokenizer_are_refused(static_folder: Path, tmp_path: Path):
    broken = tmp_path / "broken"
    shutil.copytree(static_folder, broken)
    tokenizer = json.loads((broken / "tokenizer.json").read_text())
    tokenizer["added_tokens"].append(
        {
            "id": len(tokenizer["model"]["vocab"]),
            "content": "<new>",
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
    )
    (broken / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(ArtifactError, match="must hold a row for each of"):
        open_encoder(str(broken))
