"""An encoder as one graph: token ids and their mask in, unit vectors out. Runs without torch.

The folder of such an encoder holds the graph in the format of the library that computes it, ``tokenizer.json``, and
``graph.json``. ``export`` writes them and ``openvino`` computes them. Source: ours, docs/decisions/0022.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.distinct import encode_distinct
from procqa.encoder.precision import Precision
from procqa.encoder.static import TOKENIZER_FILE, parse_tokenizer
from procqa.encoder.validation import FUSION_WEIGHT
from procqa.errors import ArtifactError
from procqa.manifest import describe_files, digest_files

if TYPE_CHECKING:
    from tokenizers import Tokenizer

GRAPH_FILE = "graph.json"
GraphFormat = Literal["openvino", "onnx"]

GRAPHS: dict[GraphFormat, tuple[str, ...]] = {
    "openvino": ("openvino_model.xml", "openvino_model.bin"),
    "onnx": ("model.onnx",),
}
"""The files of a graph, by the names that other programs look for; weights are plain numbers in them, no pickle."""

Compute = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]
"""Ids (B, L) and mask (B, L) → unit vectors (B, D)."""

_TEXTS_AT_ONCE = 1_024
_BATCH_TEXTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphShape:
    """What a graph is fed with: the content of ``graph.json``.

    Args:
        dimensions: D, the size of a vector.
        max_tokens: tokens that it can read of a text.
        pad_id: the token that fills a row up.
    """

    format: GraphFormat
    dimensions: int
    max_tokens: int
    pad_id: int


@dataclass(frozen=True, slots=True)
class GraphEncoder:
    """An encoder that is a graph.

    Args:
        name: as the user gave it.
        revision: sha256 of the weights.
        arithmetic: the library that computes, and in which numbers.
        tokenizer: without padding, truncating at ``max_tokens``.
    """

    name: str
    revision: str
    arithmetic: str
    tokenizer: "Tokenizer"
    compute: Compute
    dimensions: int
    max_tokens: int
    pad_id: int
    fusion_weight: float = FUSION_WEIGHT

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows."""
        return encode_distinct(self._encode, texts)

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows."""
        return encode_distinct(self._encode, texts)

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            encodings = self.tokenizer.encode_batch_fast(texts[start : start + _TEXTS_AT_ONCE])
            ids = [encoding.ids for encoding in encodings]
            # Texts of much the same length together, so that little is computed for padding.
            order = sorted(range(len(ids)), key=lambda place: len(ids[place]), reverse=True)
            for first in range(0, len(order), _BATCH_TEXTS):
                batch = order[first : first + _BATCH_TEXTS]
                vectors[[start + place for place in batch]] = self.compute(*self._pad([ids[place] for place in batch]))
        return vectors

    def _pad(self, ids: list[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Ids and mask (B, L), L being the length of the longest; a text without a token has one that is masked."""
        length = max(1, *map(len, ids))
        padded = np.full((len(ids), length), self.pad_id, dtype=np.int64)
        mask = np.zeros_like(padded)
        for row, tokens in enumerate(ids):
            padded[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        return padded, mask


def is_graph(folder: Path) -> bool:
    """Whether an encoder folder holds a graph."""
    return (folder / GRAPH_FILE).is_file()


def write_shape(folder: Path, shape: GraphShape) -> None:
    """Write ``graph.json``."""
    (folder / GRAPH_FILE).write_text(json.dumps(asdict(shape), indent=2) + "\n", encoding="utf-8")


def open_graph(
    folder: Path, *, name: str, max_tokens: int, precision: Precision = "auto", fusion_weight: float = FUSION_WEIGHT
) -> GraphEncoder:
    """The encoder of a folder that ``export`` wrote.

    Args:
        max_tokens: tokens read of each text, at most.
        precision: arithmetic, where the library has a choice.

    Raises:
        ArtifactError: a file is missing or broken.
        MissingExtra: the library that computes the graph is not installed.
    """
    from procqa.encoder.openvino import load

    try:
        shape = GraphShape(**json.loads((folder / GRAPH_FILE).read_text(encoding="utf-8")))
        tokenizer_text = (folder / TOKENIZER_FILE).read_text(encoding="utf-8")
        revision = digest_files(describe_files(folder, [folder / name for name in GRAPHS[shape.format]]))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ArtifactError(f"{folder} must hold a graph, {GRAPH_FILE} and {TOKENIZER_FILE}: {error}") from error
    compute, arithmetic = load(folder, shape.format, precision=precision)
    tokenizer = parse_tokenizer(tokenizer_text, folder / TOKENIZER_FILE)
    encoder = graph_encoder(name, revision, tokenizer, (compute, arithmetic), shape=shape, max_tokens=max_tokens)
    return replace(encoder, fusion_weight=fusion_weight)


def graph_encoder(
    name: str,
    revision: str,
    tokenizer: "Tokenizer",
    computing: tuple[Compute, str],
    *,
    shape: GraphShape,
    max_tokens: int,
) -> GraphEncoder:
    """An encoder of these parts that reads at most so many tokens.

    Args:
        computing: what computes the vectors, and its arithmetic.
    """
    read = min(max_tokens, shape.max_tokens)
    tokenizer.no_padding()
    tokenizer.enable_truncation(read)
    compute, arithmetic = computing
    return GraphEncoder(name, revision, arithmetic, tokenizer, compute, shape.dimensions, read, shape.pad_id)
