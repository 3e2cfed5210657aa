"""Encoders that torch computes: a sentence-transformers model, or one with a tower for prose and one for code."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.distinct import encode_distinct
from procqa.encoder.precision import Arithmetic, in_arithmetic
from procqa.encoder.towers import ROUTES, cut_modalities, first_modules
from procqa.encoder.validation import FUSION_WEIGHT

_BATCH_TEXTS = 32


@dataclass(frozen=True, slots=True)
class TorchEncoder:
    """An encoder that is a sentence-transformers model."""

    name: str
    revision: str
    model: Any  # SentenceTransformer, which has no types
    precision: Arithmetic = "fp32"
    fusion_weight: float = FUSION_WEIGHT

    @property
    def dimensions(self) -> int:
        """D, the size of a vector."""
        return int(self.model.get_embedding_dimension())

    @property
    def max_tokens(self) -> int:
        """Tokens that are read of each text."""
        return token_limit(self.model)

    @property
    def arithmetic(self) -> str:
        """Torch, and its arithmetic."""
        return f"torch {self.precision}"

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows, with the model's own query prompt where it has one."""
        return self._encode(self.model.encode_query, texts)

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows, with the model's own document prompt where it has one."""
        return self._encode(self.model.encode_document, texts)

    def _encode(self, encode: Any, texts: Sequence[str]) -> NDArray[np.float32]:
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)

        def compute(different: list[str]) -> NDArray[np.float32]:
            # The library sorts by length and runs in inference mode.
            with in_arithmetic(self.precision, self.model.device.type):
                return np.asarray(
                    encode(different, batch_size=_BATCH_TEXTS, normalize_embeddings=True, show_progress_bar=False),
                    dtype=np.float32,
                )

        return encode_distinct(compute, texts)


@dataclass(frozen=True, slots=True)
class ModalityEncoder(TorchEncoder):
    """An encoder with a tower for prose and one for code; see ``towers``."""

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows; a blank text is a row of zeros."""
        return self._encode_parts(texts)

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, D) float32 unit rows; a blank text is a row of zeros."""
        return self._encode_parts(texts)

    def _encode_parts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        total = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        parts = [cut_modalities(text) for text in texts]
        for number, route in enumerate(ROUTES["modality"]):
            chosen = [place for place, both in enumerate(parts) if both[number].strip()]
            encode = partial(self.model.encode, task=route)
            total[chosen] += self._encode(encode, [parts[place][number] for place in chosen])
        norms = np.linalg.norm(total, axis=1, keepdims=True)
        unit: NDArray[np.float32] = total / np.maximum(norms, 1e-12)
        return unit


def token_limit(model: Any) -> int:
    """Tokens that a model of ``load_model`` reads of each text."""
    first = first_modules(model)[0]
    tokenizer = _static_tokenizer(first)
    return int(first.max_seq_length if tokenizer is None else tokenizer.truncation["max_length"])


def limit_tokens(model: Any, max_tokens: int) -> None:
    """Lower the number of tokens that a model, or each of its towers, reads; its own limit stays where it is lower."""
    for first in first_modules(model):
        tokenizer = _static_tokenizer(first)
        if tokenizer is None:
            limit = first.max_seq_length
            first.max_seq_length = max_tokens if limit is None else min(limit, max_tokens)
        else:
            limit = tokenizer.truncation
            tokenizer.enable_truncation(max_tokens if limit is None else min(limit["max_length"], max_tokens))


def set_token_limit(model: Any, max_tokens: int) -> None:
    """Let a model, or each of its towers, read so many tokens, more than it was saved with too.

    A transformer reads no more than it has positions for; where it does not tell them, its own limit stays.
    """
    for first in first_modules(model):
        tokenizer = _static_tokenizer(first)
        if tokenizer is None:
            positions = _positions(first.auto_model) or first.max_seq_length
            first.max_seq_length = max_tokens if positions is None else min(positions, max_tokens)
        else:
            tokenizer.enable_truncation(max_tokens)


def _positions(transformer: Any) -> int | None:
    """Tokens that a transformer has positions for; None where it does not tell."""
    positions = getattr(transformer.config, "max_position_embeddings", None)
    embedding = getattr(getattr(transformer, "embeddings", None), "position_embeddings", None)
    padding = getattr(embedding, "padding_idx", None)  # RoBERTa and its like number positions from the one after it
    if positions is None or padding is None:
        return positions
    return int(positions - padding - 1)


def _static_tokenizer(first: Any) -> Any:
    """The tokenizer of static embeddings, which alone holds their limit; None for a transformer."""
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    return first.tokenizer if isinstance(first, StaticEmbedding) else None
