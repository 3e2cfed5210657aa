import io
from pathlib import Path

import numpy as np
import pytest

from procqa.encoder.encode import TEXTS_AT_ONCE, encode_texts, read_lines, write_vectors
from procqa.errors import ArtifactError


class Lengths:
    """An encoder whose vectors tell the length of a text and the side it was taken for."""

    name, revision, dimensions, max_tokens = "lengths", "", 2, 128

    def __init__(self):
        self.sizes = []

    def encode_queries(self, texts):
        self.sizes.append(len(texts))
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)

    def encode_documents(self, texts):
        return self.encode_queries(texts) * np.array([1, 0], dtype=np.float32)


def test_vectors_come_in_the_order_of_the_texts_a_batch_at_a_time():
    encoder = Lengths()
    texts = ("x" * number for number in range(TEXTS_AT_ONCE + 5))
    batches = encode_texts(encoder, texts)
    assert next(batches)[:3].tolist() == [[0, 0], [1, 0], [2, 0]]
    assert encoder.sizes == [TEXTS_AT_ONCE]  # no text was read ahead
    assert next(batches)[-1].tolist() == [TEXTS_AT_ONCE + 4, 0]
    assert next(encode_texts(encoder, ["abc"], side="query")).tolist() == [[3, 1]]
    assert list(encode_texts(encoder, [])) == []


def test_lines_are_those_that_other_programs_count_and_no_longer_than_they_are_read():
    data = b"one\r\n\na\rb\n" + b"x" * 3_000_000 + b"\n\xff \xc3\xa9"
    assert list(read_lines(io.BytesIO(data), most_bytes=10)) == ["one", "", "a\rb", "x" * 10, "\ufffd é"]
    assert list(read_lines(io.BytesIO(b""), most_bytes=10)) == []
    assert list(read_lines(io.BytesIO(b"0123456789\nb\n"), most_bytes=10)) == ["0123456789", "b"]


@pytest.mark.parametrize("sizes", [(), (3,), (2, 0, 4)])
def test_vectors_are_written_as_one_array(tmp_path: Path, sizes):
    path = tmp_path / "vectors.npy"
    batches = [np.full((size, 2), number, dtype=np.float32) for number, size in enumerate(sizes)]
    assert write_vectors(path, batches, dimensions=2) == sum(sizes)
    expected = np.concatenate([np.empty((0, 2), dtype=np.float32), *batches])
    assert np.load(path).tolist() == expected.tolist()
    assert [file.name for file in tmp_path.iterdir()] == ["vectors.npy"]


def test_a_file_that_cannot_be_written_is_one_sentence_and_leaves_nothing(tmp_path: Path):
    def fail():
        yield np.zeros((1, 2), dtype=np.float32)
        raise OSError(28, "No space left on device")

    (tmp_path / "old.npy").write_bytes(b"kept")
    with pytest.raises(ArtifactError, match=r"old\.npy could not be written: No space left on device"):
        write_vectors(tmp_path / "old.npy", fail(), dimensions=2)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("old.npy", b"kept")]
