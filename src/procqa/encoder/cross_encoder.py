"""Opens a cross-encoder: a sentence-transformers model that reads a query and a document at once.

It gives no vectors, so every pair costs a run of the model: it orders a few candidates that something quick has found.
Weights are safetensors, and a folder with code of its own is refused, as for every encoder.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.distinct import encode_distinct
from procqa.encoder.graph import is_graph
from procqa.encoder.model import find_encoder, quiet, weights_sha256
from procqa.encoder.precision import Arithmetic, Precision, choose_arithmetic, in_arithmetic
from procqa.errors import ArtifactError, MissingExtra

_BATCH_PAIRS = 32


@dataclass(frozen=True, slots=True)
class CrossEncoder:
    """A cross-encoder that is open; see ``open_cross_encoder``."""

    name: str
    revision: str
    model: Any  # sentence_transformers.CrossEncoder, which has no types
    precision: Arithmetic = "fp32"

    @property
    def max_tokens(self) -> int:
        """Tokens that are read of a pair, query and document together."""
        return int(self.model.max_seq_length)

    @property
    def arithmetic(self) -> str:
        """Torch, and its arithmetic."""
        return f"torch {self.precision}"

    def score(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """(n,) how well the second text of each pair answers the first, as the model's last layer says it."""
        import torch

        def compute(different: list[tuple[str, str]]) -> NDArray[np.float32]:
            # The library sorts by length and runs in inference mode.
            with in_arithmetic(self.precision, self.model.device.type):
                scores = self.model.predict(
                    different, batch_size=_BATCH_PAIRS, activation_fn=torch.nn.Identity(), show_progress_bar=False
                )
            return np.asarray(scores, dtype=np.float32).reshape(len(different))

        return encode_distinct(compute, pairs) if pairs else np.empty(0, np.float32)


def open_cross_encoder(name: str, *, max_tokens: int = 256, precision: Precision = "auto") -> CrossEncoder:
    """The cross-encoder of a folder, or of a name ``ORG/NAME`` of the model hub.

    Args:
        max_tokens: tokens read of a pair, at most; the model's own limit stays where it is lower.
        precision: arithmetic of the model.

    Raises:
        ConfigError: there is no such precision.
        ArtifactError: there is no such model, it is broken, its weights are not safetensors, or it gives vectors or
            several scores.
        MissingExtra: torch or sentence-transformers is not installed.
    """
    folder = find_encoder(name)
    _check_kind(folder, name)
    model = _load(folder, name)
    if model.num_labels != 1:
        raise ArtifactError(f"a cross-encoder must give one score a pair, but {name} gives {model.num_labels}")
    limit = model.max_seq_length
    model.max_seq_length = max_tokens if limit is None else min(limit, max_tokens)
    return CrossEncoder(name, weights_sha256(folder), model, choose_arithmetic(precision, model.device.type))


def _check_kind(folder: Path, name: str) -> None:
    """Refuse another kind of model: the library would put a random layer on top of it."""
    if is_graph(folder):
        raise ArtifactError(f"{name} must be a cross-encoder, which scores pairs of texts, got the graph of an encoder")
    has_modules = (folder / "modules.json").is_file()
    path = folder / ("config_sentence_transformers.json" if has_modules else "config.json")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        kinds = [config.get("model_type")] if has_modules else list(config.get("architectures") or ())
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ArtifactError(f"{name} must hold a readable {path.name}: {error}") from error
    if not any(str(kind).endswith(("CrossEncoder", "ForSequenceClassification")) for kind in kinds):
        raise ArtifactError(f"{name} must be a cross-encoder, which scores pairs of texts, got a model of another kind")


def _load(folder: Path, name: str) -> Any:  # Any: sentence_transformers.CrossEncoder, which has no types
    """The model of a folder; reads nothing outside it."""
    try:
        import safetensors
        from sentence_transformers import CrossEncoder as Model
    except ImportError as error:
        raise MissingExtra("train", f"the cross-encoder {name}") from error
    try:
        with quiet():
            return Model(
                str(folder), trust_remote_code=False, local_files_only=True, model_kwargs={"use_safetensors": True}
            )
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, ImportError, safetensors.SafetensorError) as error:
        sentence = " ".join(str(error).split())[:200]
        raise ArtifactError(f"{name} must be a model that sentence-transformers can read: {sentence}") from error
