"""Which library computes a transformer's vectors: torch, or OpenVINO where it is installed and can.

The graph is made anew each time an encoder is opened, in memory, which takes seconds; ``procqa export`` keeps one.
Source: ours, docs/decisions/0022.
"""

from dataclasses import replace
from typing import get_args

from procqa.config import Backend, require
from procqa.encoder.graph import GraphEncoder, graph_encoder
from procqa.encoder.precision import Precision
from procqa.encoder.torch_encoder import TorchEncoder
from procqa.errors import ArtifactError, MissingExtra


def choose_backend(encoder: TorchEncoder, backend: Backend, *, precision: Precision) -> TorchEncoder | GraphEncoder:
    """The encoder that a setting means: auto is OpenVINO on a processor, where it gives the vectors that torch gives.

    Raises:
        ConfigError: there is no such backend.
        ArtifactError: OpenVINO is asked for and cannot compute this model.
        MissingExtra: OpenVINO is asked for and not installed.
    """
    choices = get_args(Backend)
    require(backend in choices, f"backend must be one of {', '.join(choices)}, got {backend!r}")
    if backend == "torch" or (backend == "auto" and encoder.model.device.type != "cpu"):
        return encoder
    try:
        return in_openvino(encoder, precision=precision)
    except (ArtifactError, MissingExtra):
        if backend == "openvino":
            raise
        return encoder


def in_openvino(encoder: TorchEncoder, *, precision: Precision) -> GraphEncoder:
    """The same encoder, computed by OpenVINO.

    Raises:
        ArtifactError: its model is no single transformer, cannot be converted, or gives other vectors then.
        MissingExtra: OpenVINO is not installed.
    """
    from procqa.encoder import openvino
    from procqa.encoder.tracing import check_graph, check_same, graph_shape, tokenizer_of, whole_module

    openvino.import_openvino()
    check_graph(encoder.model, encoder.name)
    graph = graph_encoder(
        encoder.name,
        encoder.revision,
        tokenizer_of(encoder.model),
        openvino.compute(openvino.convert(whole_module(encoder.model)), precision=precision),
        shape=graph_shape(encoder.model, "openvino", max_tokens=encoder.max_tokens),
        max_tokens=encoder.max_tokens,
    )
    check_same(encoder.model, graph)
    return replace(graph, fusion_weight=encoder.fusion_weight)
