"""What an encoder has been trained on, as hashes: ``seen.bin`` of its folder, for leak checks.

The words of a text are ``fold(text).split()``. The hash of words w_0 … w_{n-1} is
Σ h(w_j) · P^(n-1-j) modulo 2^64, where h is the 8-byte BLAKE2b digest of the word in UTF-8, read as a
little-endian number, and P = 0x9E3779B97F4A7C15. A text of 13 words or more gives the hash of each run of
13 words, a shorter one the hash of all its words. The file holds them sorted, each once, little-endian.
Source: ours, docs/training.md.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from procqa.errors import ArtifactError
from procqa.text import fold

GRAM_WORDS = 13
SEEN_FILE = "seen.bin"
_P = np.uint64(0x9E3779B97F4A7C15)
_BUCKETS = 64
_FLUSH_HASHES = 1 << 20
_HASHES_OF_AN_ARRAY = 16  # as many take as much memory as an array without any


@lru_cache(maxsize=1 << 18)
def _word_hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def text_hashes(text: str) -> NDArray[np.uint64]:
    """The hashes of a text's runs of 13 words, or of a shorter text as a whole; may repeat."""
    words = np.array([_word_hash(word) for word in fold(text).split()], dtype=np.uint64)
    length = min(GRAM_WORDS, len(words))
    if not length:
        return words
    runs = len(words) - length + 1
    hashes = np.zeros(runs, dtype=np.uint64)
    for offset in range(length):
        hashes = hashes * _P + words[offset : offset + runs]
    return hashes


def write_seen(texts: Iterable[str], path: Path, scratch: Path) -> int:
    """Write the hashes of some texts to a file and say how many there are.

    Hashes go through bucket files by their highest bits. Memory: a 64th of the file, and some 10 MB.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    buckets = [scratch / f"seen-{bucket:02d}.bin" for bucket in range(_BUCKETS)]
    for bucket in buckets:
        bucket.write_bytes(b"")
    waiting: list[NDArray[np.uint64]] = []
    size = 0
    for text in texts:
        waiting.append(text_hashes(text))
        size += len(waiting[-1]) + _HASHES_OF_AN_ARRAY
        if size >= _FLUSH_HASHES:
            _spill(waiting, buckets)
            waiting, size = [], 0
    _spill(waiting, buckets)
    count = 0
    with path.open("wb") as stream:
        for bucket in buckets:
            unique = np.unique(np.fromfile(bucket, dtype="<u8"))
            unique.tofile(stream)
            count += len(unique)
            bucket.unlink()
    return count


def _spill(hashes: list[NDArray[np.uint64]], buckets: list[Path]) -> None:
    """Append each hash to the bucket of its highest bits."""
    if not hashes:
        return
    ordered = np.unique(np.concatenate(hashes))
    bounds = np.arange(1, _BUCKETS, dtype=np.uint64) << np.uint64(64 - _BUCKETS.bit_length() + 1)
    for bucket, part in zip(buckets, np.split(ordered, np.searchsorted(ordered, bounds)), strict=True):
        with bucket.open("ab") as stream:
            part.astype("<u8").tofile(stream)


def load_seen(folder: Path) -> NDArray[np.uint64]:
    """The sorted hashes of an encoder folder, memory-mapped.

    Raises:
        ArtifactError: the file is missing or cut off.
    """
    path = folder / SEEN_FILE
    try:
        size = path.stat().st_size
        return np.memmap(path, dtype="<u8", mode="r") if size else np.empty(0, dtype=np.uint64)
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} must hold 64-bit hashes, but cannot be read: train the encoder again") from error
