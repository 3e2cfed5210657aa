from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from procqa.encoder.export import EncoderExport, export_encoder
from procqa.encoder.graph import GraphShape, graph_encoder, is_graph, write_shape
from procqa.encoder.model import find_encoder, load_model, open_encoder
from procqa.errors import ArtifactError

needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="the extra openvino is not installed")
SHAPE = GraphShape(format="openvino", dimensions=2, max_tokens=4, pad_id=9)


def words() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({"a": 0, "b": 1, "[UNK]": 2}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def test_texts_are_padded_to_the_longest_of_their_batch_and_come_back_in_their_order():
    batches: list[tuple[list, list]] = []

    def compute(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        batches.append((ids.tolist(), mask.tolist()))
        return np.stack([(ids * mask).sum(axis=1), mask.sum(axis=1)], axis=1).astype(np.float32)

    encoder = graph_encoder("m", "r", words(), (compute, "made up"), shape=SHAPE, max_tokens=3)
    assert encoder.encode_documents(["b", "a b b b b", "", "b"]).tolist() == [[1, 1], [2, 3], [0, 0], [1, 1]]
    assert batches == [([[0, 1, 1], [1, 9, 9], [9, 9, 9]], [[1, 1, 1], [1, 0, 0], [0, 0, 0]])]
    assert (encoder.max_tokens, encoder.dimensions, encoder.arithmetic) == (3, 2, "made up")


@pytest.fixture(scope="module")
def exported(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("graph") / "g"
    export_encoder(EncoderExport(encoder=str(tiny_folder), out=out, form="openvino"))
    return out


@needs_openvino
def test_a_folder_of_a_graph_is_an_encoder_but_nothing_that_torch_loads(exported: Path):
    assert is_graph(exported)
    assert find_encoder(str(exported)) == exported
    assert open_encoder(str(exported), max_tokens=5).max_tokens == 5
    with pytest.raises(ArtifactError, match="holds a graph, which torch does not read"):
        load_model(exported, max_tokens=5)


@needs_openvino
@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("graph.json", "{}", "must hold a graph"),
        ("graph.json", '{"format": "gguf", "dimensions": 1, "max_tokens": 1, "pad_id": 0}', "must hold a graph"),
        ("openvino_model.xml", "<net", "is not a readable graph"),
        ("openvino_model.bin", None, "must hold a graph"),
        ("tokenizer.json", "{}", "is not a readable tokenizer"),
    ],
)
def test_a_broken_folder_is_one_sentence(name, content, sentence, exported: Path, tmp_path: Path):
    for path in exported.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(content)
    with pytest.raises(ArtifactError, match=sentence) as raised:
        open_encoder(str(tmp_path))
    assert "\n" not in str(raised.value)


def test_the_shape_of_a_graph_is_told_in_json(tmp_path: Path):
    write_shape(tmp_path, SHAPE)
    assert is_graph(tmp_path)
    assert '"pad_id": 9' in (tmp_path / "graph.json").read_text()
