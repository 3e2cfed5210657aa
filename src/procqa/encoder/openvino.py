"""OpenVINO: transformers on processors, in bf16 where they have it. Source: ours, docs/decisions/0022."""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.graph import GRAPHS, Compute, GraphFormat
from procqa.encoder.precision import Precision
from procqa.errors import ArtifactError, MissingExtra

HINTS = {"fp32": "f32", "bf16": "bf16"}
ARITHMETICS = {"f32": "fp32", "bf16": "bf16", "f16": "fp16"}
"""Our names of what the library calls an inference precision."""

TELEMETRY = "openvino_telemetry"
"""A package that sends word of every import over the network, and writes an id into the home folder."""


def import_openvino() -> Any:  # Any: its types are those of a compiled module
    """The library, which tells nobody of it.

    Raises:
        MissingExtra: it is not installed.
    """
    # None makes its import fail; the library has a stand-in for that.
    sys.modules.setdefault(TELEMETRY, None)  # type: ignore[arg-type]  # as documented of sys.modules
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise MissingExtra("openvino", "encoding with OpenVINO") from error


def convert(module: Any) -> Any:  # Any: torch.nn.Module → openvino.Model
    """The graph of a module of ``tracing.whole_module``; takes two seconds for a small model.

    Raises:
        ArtifactError: the library cannot convert it.
        MissingExtra: it is not installed.
    """
    from procqa.encoder.tracing import example_inputs, tracing

    openvino = import_openvino()
    failures = openvino.frontend
    try:
        with tracing():
            return openvino.convert_model(module, example_input=example_inputs())
    except (
        RuntimeError,
        TypeError,
        ValueError,
        failures.GeneralFailure,
        failures.InitializationFailure,
        failures.NotImplementedFailure,
        failures.OpConversionFailure,
        failures.OpValidationFailure,
    ) as error:
        raise ArtifactError(f"OpenVINO cannot convert this model: {' '.join(str(error).split())[:200]}") from error


def save(model: Any, folder: Path) -> None:
    """Write a graph with its weights in fp32; the same graph, the same bytes."""
    # The names that the library gives count on from graph to graph.
    model.set_friendly_name("encoder")
    for number, operation in enumerate(model.get_ordered_ops()):
        operation.set_friendly_name(f"{operation.get_type_name()}_{number}")
    import_openvino().save_model(model, str(folder / GRAPHS["openvino"][0]), compress_to_fp16=False)


def load(folder: Path, form: GraphFormat, *, precision: Precision) -> tuple[Compute, str]:
    """What computes the vectors of a folder, and its arithmetic; see ``compute``.

    Raises:
        ArtifactError: the graph cannot be read.
        MissingExtra: the library is not installed.
    """
    path = folder / GRAPHS[form][0]
    core = import_openvino().Core()
    try:
        model = core.read_model(str(path))
    except RuntimeError as error:
        raise ArtifactError(f"{path} is not a readable graph: {' '.join(str(error).split())[:200]}") from error
    return compute(model, precision=precision)


def compute(model: Any, *, precision: Precision) -> tuple[Compute, str]:
    """What computes the vectors of a graph, on the cores that the process may use, and its arithmetic.

    Args:
        precision: auto leaves it to the library, which takes what the processor multiplies in.

    Raises:
        ArtifactError: this processor cannot run it.
    """
    core = import_openvino().Core()
    hints = {} if precision == "auto" else {"INFERENCE_PRECISION_HINT": HINTS[precision]}
    try:
        compiled = core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY", **hints})
        arithmetic = ARITHMETICS[compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()]
        request = compiled.create_infer_request()
    except (RuntimeError, KeyError) as error:
        raise ArtifactError(f"OpenVINO cannot run this model here: {' '.join(str(error).split())[:200]}") from error

    def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        # The result is the library's own memory, which the next batch overwrites: the caller copies it.
        vectors: NDArray[np.float32] = request.infer([ids, mask], share_inputs=True)[0]
        return vectors

    return run, f"openvino {arithmetic}"
