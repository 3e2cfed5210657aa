"""A text → its folded tokens, as 64-bit hashes with their places: what overlap between texts is counted in.

One tokenizer serves both sides of every comparison (benchmark and pair, pair and pair). Its tokens are the
words of `text.fold`, but for NFKC, which would move every offset. It needs numba: import it lazily.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_DOTTED_I = "\u0130"  # the one character whose lower case is two characters
_LETTERS_END = 0x40000  # no letter or digit stands behind
IS_WORD = np.array([chr(code).isalnum() for code in range(_LETTERS_END)])
"""Whether a character is a letter or digit, by code point."""

_SPLITS, _NO_ASCII = 0, 0x80
FOLDED = np.zeros(256, np.uint8)
"""Of a byte: 0 where it splits, its lower case, or 0x80 where it belongs to a character beyond ASCII."""
FOLDED[:128] = [ord(chr(byte).lower()) if chr(byte).isalnum() else _SPLITS for byte in range(128)]
FOLDED[128:] = _NO_ASCII
_PP, _SHARP = np.frombuffer(b"pp", np.uint8), np.frombuffer(b"sharp", np.uint8)

_SEED = np.uint64(0xCBF29CE484222325)  # FNV-1a
_PRIME = np.uint64(0x100000001B3)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # SplitMix64
_SHIFT_1, _SHIFT_2, _SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The folded tokens of a text, in order.

    Args:
        data: the text in UTF-8 (lone surrogates pass); in lower case where it is not ASCII. Its k-th character
            is the text's k-th.
        hashes: (n,) uint64, well mixed, one for each token.
        starts: (n,) int64, byte offsets into ``data``.
        ends: (n,) int64, byte offsets into ``data``; behind the ``++`` or ``#`` of C++, C# and F#.
    """

    data: bytes
    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        """How many tokens there are."""
        return len(self.hashes)

    def character(self, offset: int) -> int:
        """The character of the text at which a byte offset of ``starts`` or ``ends`` lies."""
        return len(self.data[:offset].decode("utf-8", "surrogatepass"))


def read_tokens(text: str) -> Tokens:
    """The folded tokens of any str: runs of letters and digits, in lower case.

    White space, punctuation, operators and the underline split; a word that ends in ``c++``, ``c#`` or ``f#`` is
    read as one in cpp, csharp or fsharp. Linear in the length; memory: 12 times the text while it runs.

    Source: ours: docs/decisions/0009.
    """
    data = encode(text)
    hashes, starts, ends = scan(np.frombuffer(data, np.uint8), FOLDED, IS_WORD)
    return Tokens(data, hashes, starts, ends)


def encode(text: str) -> bytes:
    """The bytes of a text that are scanned for tokens: ``Tokens.data``."""
    return (text if text.isascii() else lower(text)).encode("utf-8", "surrogatepass")


def lower(text: str) -> str:
    """A text in lower case, character by character: the result is as long as the text."""
    return text.lower() if text.isascii() else text.replace(_DOTTED_I, "I").lower()


def compiled(function: Any) -> Any:  # numba has no types
    """A kernel, compiled at its first call and kept on disk."""
    return njit(cache=True, nogil=True)(function)


@compiled
def mix(value: Any) -> Any:
    """A bijection of uint64 that spreads every bit."""
    value = (value ^ (value >> _SHIFT_1)) * _MIX_1
    value = (value ^ (value >> _SHIFT_2)) * _MIX_2
    return value ^ (value >> _SHIFT_3)


@compiled
def _read_character(raw: Any, i: int) -> Any:
    """Code point and size in bytes of the character that begins at a byte of 0x80 or more."""
    first = np.int64(raw[i])
    if first < 0xE0:
        return (first & 0x1F) << 6 | (raw[i + 1] & 0x3F), 2
    if first < 0xF0:
        return (first & 0x0F) << 12 | (np.int64(raw[i + 1]) & 0x3F) << 6 | (raw[i + 2] & 0x3F), 3
    high = (first & 0x07) << 18 | (np.int64(raw[i + 1]) & 0x3F) << 12
    return high | (np.int64(raw[i + 2]) & 0x3F) << 6 | (raw[i + 3] & 0x3F), 4


@compiled
def _tail_size(raw: Any, i: int, last: int) -> int:
    """The size of the ``++`` or ``#`` behind a word that ends in a folded byte, where they name a language."""
    if i < len(raw) and last == 99 and raw[i] == 43 and i + 1 < len(raw) and raw[i + 1] == 43:
        return 2
    return 1 if i < len(raw) and (last == 99 or last == 102) and raw[i] == 35 else 0


@compiled
def scan(raw: Any, folded: Any, is_word: Any) -> Any:
    """Hashes, starts and ends of the tokens of UTF-8."""
    n = len(raw)
    hashes = np.empty(n // 2 + 1, np.uint64)
    starts = np.empty(n // 2 + 1, np.int64)
    ends = np.empty(n // 2 + 1, np.int64)
    count, i, start, last = 0, 0, -1, 0
    value = _SEED
    while i <= n:
        byte = folded[raw[i]] if i < n else _SPLITS
        size = 1
        if byte == _NO_ASCII:
            code, size = _read_character(raw, i)
            if code < len(is_word) and is_word[code]:
                if start < 0:
                    start, value = i, _SEED
                for k in range(i, i + size):
                    value = (value ^ np.uint64(raw[k])) * _PRIME
                last = 0
                i += size
                continue
        elif byte != _SPLITS:
            if start < 0:
                start, value = i, _SEED
            value = (value ^ np.uint64(byte)) * _PRIME
            last = byte
            i += 1
            continue
        if start >= 0:
            tail = _tail_size(raw, i, last)
            if tail > 0:
                for letter in _PP if tail == 2 else _SHARP:
                    value = (value ^ np.uint64(letter)) * _PRIME
                size = tail
            hashes[count] = mix(value)
            starts[count] = start
            ends[count] = i + tail
            count += 1
            start = -1
        i += size
    return hashes[:count].copy(), starts[:count].copy(), ends[:count].copy()
