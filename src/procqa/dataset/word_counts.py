"""Counts words in columns of text, compiled by numba: import it lazily."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

_WORD, _BLANK, _MAYBE = 0, 1, 2


def _byte_classes() -> NDArray[np.int64]:
    """Whether each byte is white space, or may begin white space beyond ASCII."""
    classes = np.full(256, _WORD, dtype=np.int64)
    classes[[*range(9, 14), *range(28, 33)]] = _BLANK
    classes[[0xC2, 0xE1, 0xE2, 0xE3]] = _MAYBE
    return classes


BYTE_CLASSES = _byte_classes()
"""(256,) for ``count_words``."""


@njit(cache=True, nogil=True)
def count_words(data: NDArray[np.uint8], offsets: NDArray[np.int64], classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The words of each row of UTF-8, as Python's ``str.split()`` finds them.

    Args:
        data: (n,) the bytes of all rows.
        offsets: (rows + 1,) where each begins, and the last ends.
        classes: BYTE_CLASSES.
    """
    counts = np.zeros(len(offsets) - 1, dtype=np.int64)
    for row in range(len(counts)):
        place, stop, before, n_words = offsets[row], offsets[row + 1], 1, 0
        while place < stop:
            blank, size = classes[data[place]], 1
            if blank == _MAYBE:
                size = _blank_size(data, place, stop)
                blank, size = int(size > 0), max(size, 1)
            n_words += before & ~blank & 1
            before = blank
            place += size
        counts[row] = n_words
    return counts


@njit(cache=True, nogil=True)
def _blank_size(data: NDArray[np.uint8], place: int, stop: int) -> int:
    """The bytes of the white space beyond ASCII that begins at a place; 0 for anything else."""
    if place + 1 >= stop:
        return 0
    first, second = data[place], data[place + 1]
    if first == 0xC2:
        return 2 if second in (0x85, 0xA0) else 0
    if place + 2 >= stop:
        return 0
    third = data[place + 2]
    if first == 0xE2 and second == 0x80:
        return 3 if 0x80 <= third <= 0x8A or third in (0xA8, 0xA9, 0xAF) else 0
    is_blank = (
        (first == 0xE1 and second == 0x9A and third == 0x80)
        or (first == 0xE2 and second == 0x81 and third == 0x9F)
        or (first == 0xE3 and second == 0x80 and third == 0x80)
    )
    return 3 if is_blank else 0
