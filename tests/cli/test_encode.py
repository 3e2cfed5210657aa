import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from procqa.encoder.model import open_encoder
from procqa.encoder.training import train
from tests.encoder.small import small_dataset, tiny_config

TEXTS = ["How do I turn a list into a file?", "", "Call `list_to_file(x)` in python"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scratch = tmp_path_factory.mktemp("encode")
    train([small_dataset(scratch / "Q")], scratch / "m", tiny_config(steps=2))
    return scratch / "m"


def run(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "procqa", "encode", *map(str, arguments)], input=stdin, capture_output=True
    )


def test_each_line_of_standard_input_is_a_vector(folder: Path):
    expected = open_encoder(str(folder)).encode_documents(TEXTS)
    ran = run(folder, stdin="\r\n".join(TEXTS).encode())
    assert ran.returncode == 0
    printed = [[float(number) for number in line.split()] for line in ran.stdout.decode().splitlines()]
    assert np.array(printed) == pytest.approx(expected, abs=1e-5)
    objects = run(folder, "--json", "--side", "query", stdin="\n".join(TEXTS).encode()).stdout.splitlines()
    assert np.array([json.loads(line)["vector"] for line in objects]) == pytest.approx(expected, abs=1e-5)


def test_a_file_of_lines_becomes_an_array(folder: Path, tmp_path: Path):
    (tmp_path / "texts").write_text("\n".join(TEXTS) + "\n")
    ran = run(folder, "--input", tmp_path / "texts", "--out", tmp_path / "v.npy", "--json")
    assert json.loads(ran.stdout) == {
        "out": str(tmp_path / "v.npy"),
        "vectors": 3,
        "dimensions": 16,
        "encoder": str(folder),
        "arithmetic": "numpy fp32",
    }
    assert np.load(tmp_path / "v.npy") == pytest.approx(open_encoder(str(folder)).encode_documents(TEXTS), abs=1e-6)


def test_vectors_of_8_bit_numbers_keep_their_directions(folder: Path, tmp_path: Path):
    ran = run(folder, "--out", tmp_path / "v.npy", "--as", "int8", stdin="\n".join(TEXTS).encode())
    assert ran.returncode == 0, ran.stderr
    numbers = np.load(tmp_path / "v.npy")
    assert (numbers.dtype, numbers.shape, int(np.abs(numbers).max())) == (np.int8, (3, 16), 127)
    rows = numbers.astype(np.float32)
    cosines = (rows * open_encoder(str(folder)).encode_documents(TEXTS)).sum(axis=1)
    lengths = np.maximum(np.linalg.norm(rows, axis=1), 1)
    assert cosines / lengths == pytest.approx([1, 0, 1], abs=1e-3)


def test_bytes_that_are_no_text_are_a_text_too(folder: Path):
    ran = run(folder, stdin=b"list \xff\xfe file\n")
    assert (ran.returncode, len(ran.stdout.splitlines())) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("nowhere/at-all/x",), 1, "must be an encoder folder"),
        (("minilm", "--max-tokens", "0"), 2, "max_tokens must be at least 1"),
        (("minilm", "--precision", "fp16"), 2, "is not one of 'auto', 'fp32', 'bf16'"),
        (("minilm", "--as", "int8"), 2, "must have a file to write"),
        (("minilm", "--backend", "tpu"), 2, "is not one of 'auto', 'torch', 'openvino'"),
        (("minilm", "--out", "."), 2, "--out must be a file"),
        (("minilm", "--input", "absent.txt"), 1, "absent.txt"),
    ],
)
def test_wrong_use_is_one_sentence(arguments, status, sentence):
    ran = run(*arguments)
    assert ran.returncode == status
    assert sentence in ran.stderr.decode()
    assert ran.stderr.decode().count("\n") == 1
