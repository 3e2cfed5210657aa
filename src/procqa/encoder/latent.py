"""Latent semantic analysis of the texts: what static embeddings from scratch may begin with.

Tokens that stand in the same rows begin near each other, and rare ones weigh more than frequent ones, so training need
not find out both from pairs. Imports torch: load it lazily.
Source: Deerwester et al. 1990; ours, docs/decisions/0018, for the numbers.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MOST_ROWS = 200_000
"""Rows that are looked at; of more, every second, third …. Source: ours, docs/decisions/0018."""

POWER_ITERATIONS = 2
"""Of the randomised decomposition. Source: torch.svd_lowrank, whose default it is."""

LEAST_RARITY = 0.5
"""Rarity of a token that every row has, where one of 1 in 100 has 4.6. Source: ours, docs/decisions/0018."""


class RowTexts(Protocol):
    """The texts of a corpus, as bases from scratch read them."""

    def __len__(self) -> int:
        """Rows."""
        ...

    def read(self) -> Iterator[list[str]]:
        """The texts in batches, in any order."""
        ...

    def read_rows(self) -> Iterator[list[tuple[str, ...]]]:
        """The texts of each row, in batches of rows."""
        ...


def latent_embeddings(
    tokenizer: Any, texts: RowTexts, *, dimensions: int, std: float, most_rows: int = MOST_ROWS
) -> Tensor:
    """(V, D) float32, whose mean norm is that of rows of normal numbers with the deviation ``std``.

    A token's direction is its row of V√S in A = U·S·Vᵀ, where A holds which row has which token, by rarity, in unit
    rows; its norm is its rarity, log(rows / rows that have it) or LEAST_RARITY. What no row has is drawn from torch's
    generator.

    Args:
        tokenizer: a ``tokenizers.Tokenizer``, which cuts each text at the tokens that are read.
        most_rows: of more, every second, third … is looked at. Memory: 20 bytes for each different token of a row.
    """
    tokens, lengths = _tokens_of_rows(tokenizer, texts, -(-len(texts) // most_rows))
    holders = np.bincount(tokens, minlength=tokenizer.get_vocab_size())  # (V,)
    embeddings = std * torch.randn(len(holders), dimensions)
    is_held = torch.from_numpy(holders > 0)
    if not len(tokens):
        return embeddings
    rarity = np.maximum(np.log(len(lengths) / np.maximum(holders, 1)), LEAST_RARITY)
    directions = _directions(tokens, lengths, rarity, dimensions)
    norms = torch.from_numpy(rarity.astype(np.float32))[:, None]
    found = (torch.nn.functional.normalize(directions, dim=1) * norms)[is_held]
    embeddings[is_held] = found * (std * dimensions**0.5 / found.norm(dim=1).mean())
    return embeddings


def _tokens_of_rows(tokenizer: Any, texts: RowTexts, step: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The different tokens of every ``step``-th row, and how many each has; rows without any are left out."""
    parts = [np.empty(0, dtype=np.int32)]
    at = 0
    for rows in texts.read_rows():
        chosen = rows[-at % step :: step]
        at += len(rows)
        flat = [text for row in chosen for text in row]
        ids = iter(tokenizer.encode_batch_fast(flat, add_special_tokens=False))
        parts += [np.unique(np.concatenate([next(ids).ids for _ in row])).astype(np.int32) for row in chosen]
    lengths = np.array([len(part) for part in parts], dtype=np.int64)
    return np.concatenate(parts).astype(np.int64), lengths[lengths > 0]


def _directions(
    tokens: NDArray[np.int64], lengths: NDArray[np.int64], rarity: NDArray[np.float64], dimensions: int
) -> Tensor:
    """(V, D) the tokens' rows of V√S; further dimensions than there are rows or tokens are zeros."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    norms = np.sqrt(np.bincount(rows, weights=rarity[tokens] ** 2))
    values = (rarity[tokens] / np.maximum(norms, 1e-9)[rows]).astype(np.float32)
    places = torch.from_numpy(np.stack([rows, tokens]))
    matrix = torch.sparse_coo_tensor(
        places, torch.from_numpy(values), (len(lengths), len(rarity)), is_coalesced=True, check_invariants=False
    )
    size = min(dimensions, *matrix.shape)
    _, strengths, right = torch.svd_lowrank(matrix, q=size, niter=POWER_ITERATIONS)
    return torch.nn.functional.pad(right * strengths.sqrt(), (0, dimensions - size))
