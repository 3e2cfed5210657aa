"""Counts words and characters in columns of text, compiled by numba: import it lazily."""

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


UNSURE = -1
"""What stands for a row that ``text.count_chars`` must count."""


@njit(cache=True, nogil=True)
def count_code(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The characters of code and of prose in each row of Markdown, as ``text.count_chars`` finds them.

    Returns:
        (rows, 2) UNSURE where a fence is indented, or blanks beyond ASCII decide.
    """
    counts = np.zeros((len(offsets) - 1, 2), dtype=np.int64)
    for row in range(len(counts)):
        start, stop = offsets[row], offsets[row + 1]
        line, fence_size, fence_byte, since = start, 0, 0, start
        sure = True
        while line <= stop and sure:
            end = line
            while end < stop and data[end] != 10:
                end += 1
            size = _fence_size(data, line, end)
            if size < 0:
                sure = False
            elif size > 0 and fence_size == 0:
                if not (data[line] == 96 and _holds(data, line + size, end, 96)):
                    prose = _prose_chars(data, since, line)
                    sure = prose >= 0
                    counts[row, 1] += max(prose, 0)
                    fence_size, fence_byte, since = size, data[line], min(end + 1, stop)
            elif size >= fence_size and size > 0 and data[line] == fence_byte:
                blank = _blankness(data, line + size, end)
                sure = blank != UNSURE
                if blank == 1:
                    code = _chars(data, since, line)
                    counts[row, 0] += code - (1 if size > fence_size and code > 0 else 0)
                    fence_size, since = 0, min(end + 1, stop)
            line = end + 1
        if sure and fence_size > 0:
            counts[row, 0] += _chars(data, since, stop)
        elif sure:
            prose = _prose_chars(data, since, stop)
            sure = prose >= 0
            counts[row, 1] += prose
        if not sure:
            counts[row, :] = UNSURE
    return counts


@njit(cache=True, nogil=True)
def _fence_size(data: NDArray[np.uint8], line: int, end: int) -> int:
    """The back-ticks or tildes of a line that may be a fence; 0 for another line, UNSURE for an indented one."""
    at = line
    while at < end and at - line < 3 and data[at] == 32:
        at += 1
    if at >= end or (data[at] != 96 and data[at] != 126):
        return 0
    size = 0
    while at + size < end and data[at + size] == data[at]:
        size += 1
    if size < 3:
        return 0
    return size if at == line else UNSURE


@njit(cache=True, nogil=True)
def _holds(data: NDArray[np.uint8], start: int, stop: int, wanted: int) -> bool:
    while start < stop and data[start] != wanted:
        start += 1
    return start < stop


@njit(cache=True, nogil=True)
def _blankness(data: NDArray[np.uint8], start: int, stop: int) -> int:
    """1 for nothing but white space, 0 for anything else, UNSURE where characters beyond ASCII decide."""
    blank = 1
    for place in range(start, stop):
        byte = data[place]
        if byte >= 128:
            blank = UNSURE
        elif not (byte == 32 or 9 <= byte <= 13 or 28 <= byte <= 31):
            return 0
    return blank


@njit(cache=True, nogil=True)
def _chars(data: NDArray[np.uint8], start: int, stop: int) -> int:
    n_chars = 0
    for place in range(start, stop):
        n_chars += (data[place] & 0xC0) != 0x80
    return n_chars


@njit(cache=True, nogil=True)
def _prose_chars(data: NDArray[np.uint8], start: int, stop: int) -> int:
    """The characters of a piece of prose without the line breaks around it; UNSURE where it may be blank."""
    blank = _blankness(data, start, stop)
    if blank == UNSURE:
        return UNSURE
    if blank == 1:
        return 0
    while data[start] == 10 or data[start] == 13:
        start += 1
    while data[stop - 1] == 10 or data[stop - 1] == 13:
        stop -= 1
    return _chars(data, start, stop)
