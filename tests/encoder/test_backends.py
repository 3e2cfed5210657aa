import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from procqa.encoder.backends import choose_backend
from procqa.encoder.graph import GraphEncoder
from procqa.encoder.model import open_encoder, wrap_model
from procqa.encoder.torch_encoder import TorchEncoder
from procqa.encoder.tracing import LEAST_COSINE, PROBES, check_same, why_no_graph
from procqa.encoder.training import train
from procqa.errors import ArtifactError, ConfigError, MissingExtra
from tests.encoder.small import tiny_config

HAS_OPENVINO = find_spec("openvino") is not None
needs_openvino = pytest.mark.skipif(not HAS_OPENVINO, reason="the extra openvino is not installed")
TEXTS = ["list", "", "How do I turn a list into a file?", "Call `list_to_file(x)` in python " * 20, "list"]


@pytest.fixture(scope="module")
def in_torch(tiny_folder: Path) -> TorchEncoder:
    encoder = open_encoder(str(tiny_folder), precision="fp32", backend="torch")
    assert isinstance(encoder, TorchEncoder)
    return encoder


@needs_openvino
def test_openvino_gives_the_vectors_of_torch(in_torch: TorchEncoder, tiny_folder: Path):
    graph = open_encoder(str(tiny_folder), precision="fp32", backend="openvino")
    assert isinstance(graph, GraphEncoder)
    assert (graph.arithmetic, graph.max_tokens, graph.dimensions) == ("openvino fp32", 32, 64)
    assert (graph.revision, graph.fusion_weight) == (in_torch.revision, in_torch.fusion_weight)
    wanted = in_torch.encode_documents(TEXTS)
    assert graph.encode_documents(TEXTS) == pytest.approx(wanted, abs=1e-5)
    assert graph.encode_queries(TEXTS[3:4]) == pytest.approx(wanted[3:4], abs=1e-5)
    assert graph.encode_documents([]).shape == (0, 64)


@needs_openvino
def test_auto_is_openvino_on_a_processor_and_reads_no_more_tokens_than_asked(tiny_folder: Path):
    encoder = open_encoder(str(tiny_folder), max_tokens=3)
    assert encoder.arithmetic in ("openvino fp32", "openvino bf16")
    same, other = encoder.encode_documents(["list", "list queue stream"])
    assert encoder.max_tokens == 3
    assert same == pytest.approx(other, abs=1e-6)


@needs_openvino
def test_nothing_is_told_to_the_maker_of_openvino():
    program = (
        "import sys; from procqa.encoder.openvino import import_openvino; import_openvino();"
        "import openvino.tools.ovc.telemetry_utils as utils;"
        "print(utils.tm.__name__, sys.modules['openvino_telemetry'])"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout
    assert printed.split() == ["openvino.tools.ovc.telemetry_stub", "None"]


@pytest.mark.skipif(HAS_OPENVINO, reason="the extra openvino is installed")
def test_without_openvino_auto_is_torch_and_openvino_is_refused(in_torch: TorchEncoder):
    assert choose_backend(in_torch, "auto", precision="fp32") is in_torch
    with pytest.raises(MissingExtra, match=r"procqa\[openvino\]"):
        choose_backend(in_torch, "openvino", precision="fp32")


def test_a_backend_that_there_is_not_is_refused(in_torch: TorchEncoder):
    with pytest.raises(ConfigError, match="backend must be one of auto, torch, openvino, got 'tpu'"):
        choose_backend(in_torch, "tpu", precision="auto")  # type: ignore[arg-type]  # on purpose


def test_a_static_encoder_computes_as_it_does_whatever_is_asked(static_folder: Path):
    assert open_encoder(str(static_folder), backend="openvino", precision="bf16").arithmetic == "numpy fp32"


@needs_openvino
def test_what_is_no_single_transformer_stays_with_torch(dataset: Path, tmp_path: Path, in_torch: TorchEncoder):
    towers = tmp_path / "towers"
    train([dataset], towers, tiny_config(towers="query-document", steps=0))
    assert open_encoder(str(towers)).arithmetic.startswith("torch ")
    with pytest.raises(ArtifactError, match="to become a graph, but it has towers"):
        open_encoder(str(towers), backend="openvino")


def test_a_model_with_prompts_is_no_graph(tiny_folder: Path):
    model = open_encoder(str(tiny_folder), backend="torch").model  # type: ignore[attr-defined]  # torch has one
    assert why_no_graph(model) is None
    model.prompts = {"query": "search: ", "document": ""}
    assert why_no_graph(model) == "has prompts"


def test_a_graph_that_gives_other_vectors_is_refused(in_torch: TorchEncoder):
    class Wrong:
        name, arithmetic = "m", "openvino bf16"

        def encode_documents(self, texts):
            vectors = in_torch.encode_documents(texts)
            vectors[-1] = np.roll(vectors[-1], 1)
            return vectors

    with pytest.raises(ArtifactError, match=r"must give the same vectors in openvino bf16, but a cosine is .*: take"):
        check_same(in_torch.model, Wrong())  # type: ignore[arg-type]  # what it asks of a graph
    check_same(in_torch.model, wrap_model(in_torch.model, name="m", revision="r"))  # type: ignore[arg-type]
    assert len(PROBES) == 4
    assert LEAST_COSINE == 0.999
