"""MinHash signatures of pairs: fixed-size sketches whose share of equal entries estimates how alike two texts are.

A pair's shingles are the runs of three folded tokens (dataset/tokens.py) in title, question and answer, read as one
text. Each of 128 hash functions keeps its least value over all shingles; two pairs agree in an entry with a
probability that is the Jaccard similarity of their sets of shingles. Who is near whom is decided in
dataset/duplicates.py. It needs numba: import it lazily.

Source: authors' code: data_process/deduplication/minhash_deduplication.py (word 3-grams, 128 permutations, at
least 5 tokens); the hash functions are ours, docs/decisions/0012.
"""

import hashlib
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from procqa.dataset.tokens import read_tokens

PERMUTATIONS = 128
"""Entries of a signature. Source: authors' code: data_process/deduplication/minhash_deduplication.py."""

SHINGLE_TOKENS = 3
"""Tokens of a shingle. Source: authors' code: data_process/deduplication/minhash_deduplication.py."""

LEAST_TOKENS = 5
"""A pair of fewer is near no other. Source: authors' code: data_process/deduplication/minhash_deduplication.py."""

EMPTY = 0xFFFFFFFF
"""Every entry of the signature of a pair that is near no other, by definition. Source: ours: docs/decisions/0012."""

_SEEDS = np.frombuffer(hashlib.shake_128(b"procqa minhash 1").digest(16 * PERMUTATIONS), "<u8")
_FACTORS = _SEEDS[:PERMUTATIONS].astype(np.uint64) | np.uint64(1)
_SUMMANDS = _SEEDS[PERMUTATIONS:].astype(np.uint64)
_ODD_1, _ODD_2, _ODD_3 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0xD6E8FEB86659FD93)
_HALF, _THIRD = np.uint64(32), np.uint64(29)
_AT_ONCE = 8


def sign(title: str, question: str, answer: str) -> NDArray[np.uint32]:
    """The signature of a pair: (PERMUTATIONS,) uint32.

    Linear in the length of the text, and the same on every machine and in every version that has this module's seed.
    """
    return sign_tokens(read_tokens(f"{title}\n{question}\n{answer}").hashes)


def sign_tokens(hashes: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The signature of a text of which the token hashes are known: (PERMUTATIONS,) uint32.

    Args:
        hashes: (n,) uint64, well mixed, in the order of the text; fewer than LEAST_TOKENS give EMPTY entries.
    """
    signature = np.full(PERMUTATIONS, EMPTY, np.uint32)
    if len(hashes) >= LEAST_TOKENS:
        _keep_least(hashes, _FACTORS, _SUMMANDS, signature)
    return signature


@njit(cache=True, nogil=True)
def _mixed(value: Any) -> Any:
    """A bijection of uint64 that spreads every bit."""
    # Not the one of tokens.py: numba would not notice a change there and run what it has cached here.
    value = (value ^ (value >> _HALF)) * _ODD_1
    value = (value ^ (value >> _THIRD)) * _ODD_2
    return value ^ (value >> _HALF)


@njit(cache=True, nogil=True)
def _keep_least(hashes: Any, factors: Any, summands: Any, signature: Any) -> None:
    """Lower each entry to the least value of its hash function over all shingles."""
    shingles = np.empty(_AT_ONCE, np.uint64)
    n = len(hashes) - SHINGLE_TOKENS + 1
    for start in range(0, n, _AT_ONCE):
        for k in range(_AT_ONCE):
            i = min(start + k, n - 1)  # the last one again and again does not change a minimum
            shingles[k] = _mixed(hashes[i] * _ODD_1 + hashes[i + 1] * _ODD_2 + hashes[i + 2] * _ODD_3)
        for entry in range(len(signature)):
            least = signature[entry]
            for k in range(_AT_ONCE):
                # The upper half of a product modulo 2^64: multiply-shift hashing.
                value = np.uint32((factors[entry] * shingles[k] + summands[entry]) >> _HALF)
                least = min(least, value)
            signature[entry] = least
