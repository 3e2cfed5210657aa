"""A static encoder out of a transformer: the vector of each token of its vocabulary, alone, is its embedding.

Principal components make them smaller, and tokens weigh a / (a + p), which is less the more frequent they are. Their
frequency p is that of Zipf's law, the vocabulary being sorted by it. Source: model2vec 0.10.0, whose extra for this
cannot be installed beside transformers 5; the weights are Arora, Liang and Ma 2017.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.tracing import tokenizer_of

SIF_A = 1e-4
"""Source: model2vec 0.10.0."""

_BATCH_TOKENS = 256
_UNUSED = re.compile(r"\[unused\d+\]")


def distil(model: Any, *, dimensions: int) -> NDArray[np.float32]:  # Any: SentenceTransformer, which has no types
    """(V, dimensions) the embeddings of a transformer's vocabulary, by token id; tokens of no text are zeros.

    Args:
        dimensions: at most those of the model.
    """
    tokens = tokens_of_texts(model)
    vectors = reduce_dimensions(token_vectors(model, tokens), dimensions)
    embeddings = np.zeros((model.tokenizer.backend_tokenizer.get_vocab_size(), dimensions), dtype=np.float32)
    embeddings[tokens] = vectors * token_weights(len(tokens))[:, None]
    return embeddings


def tokens_of_texts(model: Any) -> list[int]:
    """The ids of tokens that a text can have, rising: no special ones, and no places that were left unused."""
    vocabulary = model.tokenizer.backend_tokenizer.get_vocab()
    special = set(model.tokenizer.all_special_ids)
    return sorted(token for text, token in vocabulary.items() if token not in special and not _UNUSED.fullmatch(text))


def token_vectors(model: Any, tokens: Sequence[int]) -> NDArray[np.float64]:
    """(n, D) what a model makes of each token between the special tokens that it puts around a text."""
    import torch
    from sentence_transformers.sentence_transformer.modules import Normalize

    modules = [module for module in model if not isinstance(module, Normalize)]
    before, after = _around(model)
    parts: list[NDArray[np.float64]] = []
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(tokens), _BATCH_TOKENS):
            rows = [[*before, token, *after] for token in tokens[start : start + _BATCH_TOKENS]]
            ids = torch.tensor(rows, device=model.device)
            features = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
            for module in modules:
                features = module(features)
            parts.append(features["sentence_embedding"].double().cpu().numpy())
    return np.concatenate(parts)


def _around(model: Any) -> tuple[list[int], list[int]]:
    """The special tokens before and after a text."""
    encoding = tokenizer_of(model).encode("a")
    places = [place for place, special in enumerate(encoding.special_tokens_mask) if not special]
    return encoding.ids[: places[0]], encoding.ids[places[-1] + 1 :]


def reduce_dimensions(vectors: NDArray[np.float64], dimensions: int) -> NDArray[np.float64]:
    """(V, dimensions) the first principal components, the largest number of each positive."""
    centred = vectors - vectors.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)  # by rising variance
    scores: NDArray[np.float64] = centred @ directions[:, ::-1][:, :dimensions]
    largest = scores[np.abs(scores).argmax(axis=0), np.arange(scores.shape[1])]
    return scores * np.where(largest < 0, -1.0, 1.0)


def token_weights(size: int) -> NDArray[np.float64]:
    """(size,) a / (a + p) for tokens from the most frequent to the rarest, p ∝ 1 / (rank + 1)."""
    shares = 1 / np.arange(2, size + 2)
    weights: NDArray[np.float64] = SIF_A / (SIF_A + shares / shares.sum())
    return weights
