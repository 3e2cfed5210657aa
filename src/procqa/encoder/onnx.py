"""Writes a graph in ONNX, which runs in most languages and on most devices; OpenVINO computes it here.

Source: ours, docs/decisions/0022.
"""

import importlib
from pathlib import Path
from typing import Any

from procqa.encoder.graph import GRAPHS
from procqa.encoder.tracing import example_inputs, tracing
from procqa.errors import ArtifactError, MissingExtra

INPUTS, OUTPUT = ("input_ids", "attention_mask"), "sentence_embedding"


def save(module: Any, folder: Path) -> None:  # Any: torch.nn.Module
    """Write the graph of a module of ``tracing.whole_module``, its weights inside, as one file.

    Raises:
        ArtifactError: torch cannot export it.
        MissingExtra: torch's exporter lacks a package.
    """
    import torch

    try:
        importlib.import_module("onnxscript")
    except ImportError as error:
        raise MissingExtra("onnx", "an encoder in ONNX") from error
    rows, tokens = torch.export.Dim("rows", min=1), torch.export.Dim("tokens", min=1)
    try:
        with tracing():
            program = torch.onnx.export(
                module,
                example_inputs(),
                input_names=INPUTS,
                output_names=[OUTPUT],
                dynamic_shapes={name: {0: rows, 1: tokens} for name in INPUTS},
                dynamo=True,
                verbose=False,
            )
    except (RuntimeError, TypeError, ValueError) as error:
        raise ArtifactError(f"torch cannot export this model to ONNX: {' '.join(str(error).split())[:200]}") from error
    assert program is not None
    _forget_origin(program.model)
    program.save(folder / GRAPHS["onnx"][0], external_data=False)


def _forget_origin(model: Any) -> None:  # Any: onnx_ir.Model, which other packages bring
    """Take out where in which file of this machine each node comes from."""
    for part in (model, model.graph, *model.functions.values()):
        part.metadata_props.clear()
    for node in model.graph.all_nodes():
        node.metadata_props.clear()
        node.doc_string = None
