"""A sentence-transformers model as one torch module that a graph can be made of: pooling and unit vectors inside."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.graph import GraphEncoder, GraphFormat, GraphShape
from procqa.encoder.towers import towers_of
from procqa.errors import ArtifactError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LEAST_COSINE = 0.999
"""Of a text's vector and that of torch in fp32, below which a graph is not the same encoder. Source: ours,
docs/decisions/0022."""

PROBES = [
    "sort",
    "How do I read a file line by line in Go?",
    "def flatten(xs):\n    return [x for row in xs for x in row]\n" * 8,
    "The list is sorted in place, so `sorted(xs, key=len)` is what keeps the old one. " * 3,
]
"""Texts of several lengths, which show whether a graph was traced wrong."""


def why_no_graph(model: Any) -> str | None:  # Any: SentenceTransformer, which has no types
    """What keeps a model from being one graph, as the end of a sentence; None where nothing does."""
    from sentence_transformers.sentence_transformer.modules import Transformer

    if towers_of(model) != "shared":
        return "has towers"
    if any(model.prompts.values()):
        return "has prompts"
    if not isinstance(model[0], Transformer) or not getattr(model.tokenizer, "is_fast", False):
        return "is no transformer with a fast tokenizer"
    return None


def check_graph(model: Any, name: str) -> None:
    """Refuse a model that cannot be one graph.

    Raises:
        ArtifactError: it has towers or prompts, or is no transformer.
    """
    if reason := why_no_graph(model):
        raise ArtifactError(f"{name} must be one transformer without prompts to become a graph, but it {reason}")


def graph_shape(model: Any, form: GraphFormat, *, max_tokens: int) -> GraphShape:
    """What the graph of a model is fed with."""
    return GraphShape(
        format=form,
        dimensions=int(model.get_embedding_dimension()),
        max_tokens=max_tokens,
        pad_id=int(model.tokenizer.pad_token_id or 0),
    )


def tokenizer_of(model: Any) -> "Tokenizer":
    """A copy of a model's tokenizer, without padding or truncation."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def write_tokenizer(tokenizer: "Tokenizer") -> str:
    """A tokenizer as compact JSON."""
    return json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))


def whole_module(model: Any) -> Any:  # Any: torch's modules are made at run time
    """The module that turns ids (B, L) and mask (B, L) into unit vectors (B, D)."""
    import torch
    from torch import nn

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            for module in self.model:
                features = module(features)
            return torch.nn.functional.normalize(features["sentence_embedding"], dim=1)

    return Whole().eval()


def example_inputs() -> tuple[Any, Any]:
    """Ids and mask (2, 7) to trace with; one row is padded, or the mask would be left out of the graph."""
    import torch

    mask = torch.ones(2, 7, dtype=torch.long)
    mask[1, 4:] = 0
    return torch.ones(2, 7, dtype=torch.long), mask


@contextmanager
def tracing() -> Iterator[None]:
    """Keep silent what tracing says: every branch on a shape is one that it warns of."""
    from procqa.encoder.model import quiet

    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), quiet():
            warnings.simplefilter("ignore")
            yield
    finally:
        exporter.setLevel(level)


def check_same(model: Any, encoder: GraphEncoder) -> None:
    """Refuse a graph that does not give the vectors of the model that it was made of.

    Raises:
        ArtifactError: the cosine of a text's two vectors is below LEAST_COSINE.
    """
    wanted: NDArray[np.float32] = model.encode(PROBES, normalize_embeddings=True, show_progress_bar=False)
    cosine = float((wanted * encoder.encode_documents(PROBES)).sum(axis=1).min())
    if not cosine >= LEAST_COSINE:
        raise ArtifactError(
            f"{encoder.name} must give the same vectors in {encoder.arithmetic}, but a cosine is {cosine:.4f}: "
            "take torch, or --precision fp32"
        )
