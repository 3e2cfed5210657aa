"""The loops over the bytes of a block that Python is too slow for, compiled by numba.

Under ``columns``, which says what they mean. A kernel takes a row for usual only where it is sure: all
else is left to ``rows``, which decides. Source: ours, docs/decisions/0003.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

START, END, STATUS, SPANS = 0, 1, 2, 3
"""Columns of a frame table; from SPANS on the start and end of each attribute's value, 0 and 0 where absent."""

USUAL, SURPRISING = 0, 1

_PLAIN, _QUOTE, _AMPERSAND, _FORBIDDEN, _NOT_ASCII = range(5)


def byte_classes() -> Bytes:
    """What each byte means inside a value."""
    classes = np.full(256, _PLAIN, dtype=np.uint8)
    classes[:0x20] = _FORBIDDEN
    classes[ord("<")] = _FORBIDDEN
    classes[ord('"')] = _QUOTE
    classes[ord("&")] = _AMPERSAND
    classes[0x80:] = _NOT_ASCII
    return classes


@njit(cache=True, nogil=True)
def frame_rows(
    data: Bytes, table: Integers, classes: Bytes, names: Bytes, name_sizes: Bytes, slots: Bytes, most_bytes: int
) -> int:
    """Find every row of a block and the values of its attributes; returns how many were found.

    It ends where the table is full.

    Args:
        data: (n,) the block.
        table: (rows, SPANS + 2 × attributes) is filled.
        classes: ``byte_classes``.
        names: (attributes, width) the known names, padded; ``name_sizes`` their sizes.
        slots: (256,) attribute by ``name_slot``, 255 for none.
        most_bytes: rows from this size on are surprising.
    """
    n, at, row = len(data), 0, 0
    most_rows = len(table)
    others = np.zeros((32, 2), dtype=np.int64)
    while at < n and row < most_rows:
        if not (data[at] == 60 and at + 4 < n and data[at + 1] == 114 and data[at + 2] == 111 and data[at + 3] == 119):
            at += 1
            continue
        start = at
        table[row, :] = 0
        stop = _read_attributes(data, start + 4, table[row], others, classes, names, name_sizes, slots)
        after = stop
        while stop and after < n and (data[after] == 32 or 9 <= data[after] <= 10 or data[after] == 13):
            after += 1
        if stop and (after == n or data[after] == 60) and stop - start < most_bytes:
            table[row, START], table[row, END], table[row, STATUS] = start, stop, USUAL
            row += 1
            at = after
            continue
        at = start + 1
        while at < n and data[at] != 60:
            at += 1
        following = data[start + 4]
        if (
            following == 32
            or following == 9
            or following == 13
            or following == 10
            or following == 47
            or following == 62
        ):
            table[row, :] = 0
            table[row, START], table[row, END], table[row, STATUS] = start, at, SURPRISING
            row += 1
    return row


@njit(cache=True, nogil=True)
def _read_attributes(
    data: Bytes,
    at: int,
    spans: Integers,
    others: Integers,
    classes: Bytes,
    names: Bytes,
    name_sizes: Bytes,
    slots: Bytes,
) -> int:
    """The end of the row's tag, its values noted in ``spans``; 0 where anything is unusual."""
    n, n_others = len(data), 0
    while at < n and data[at] == 32:
        while at < n and data[at] == 32:
            at += 1
        if at + 1 < n and data[at] == 47:
            break
        start = at
        while at < n and _is_in_name(data[at], at > start):
            at += 1
        size = at - start
        if size == 0 or at + 1 >= n or data[at] != 61 or data[at + 1] != 34:
            return 0
        attribute = slots[(size + data[start] + data[at - 1] + data[start + size // 2] * 4) & 255]
        at += 2
        stop = _end_of_value(data, at, classes)
        if stop == 0:
            return 0
        if attribute < 255 and name_sizes[attribute] == size and _is_same(data, start, names[attribute], 0, size):
            place = SPANS + 2 * attribute
            if spans[place]:
                return 0
            spans[place], spans[place + 1] = at, stop
        else:
            if n_others == len(others):
                return 0
            for other in range(n_others):
                if others[other, 1] == size and _is_same(data, start, data, others[other, 0], size):
                    return 0
            others[n_others, 0], others[n_others, 1] = start, size
            n_others += 1
        at = stop + 1
    if at + 1 < n and data[at] == 47 and data[at + 1] == 62:
        return at + 2
    return 0


@njit(cache=True, nogil=True)
def _is_in_name(byte: int, is_inside: bool) -> bool:
    """Whether a byte may begin the name of an attribute, or stand inside one."""
    if 97 <= byte <= 122 or 65 <= byte <= 90 or byte == 95:
        return True
    return is_inside and (48 <= byte <= 57 or byte == 45 or byte == 46)


@njit(cache=True, nogil=True)
def _is_same(one: Bytes, at: int, other: Bytes, place: int, size: int) -> bool:
    step = 0
    while step < size and one[at + step] == other[place + step]:
        step += 1
    return step == size


@njit(cache=True, nogil=True)
def _end_of_value(data: Bytes, at: int, classes: Bytes) -> int:
    """Where the closing quote of a value stands; 0 where the value holds anything unusual."""
    n = len(data)
    while at < n:
        if at + 8 <= n:
            marks = _marks(_word(data, at))
            if marks == 0:
                at += 8
                continue
            at += _first(marks)
        kind = classes[data[at]]
        if kind == _PLAIN:
            at += 1
        elif kind == _QUOTE:
            return at
        elif kind == _AMPERSAND:
            size = reference(data, at)[0]
            if size == 0:
                return 0
            at += size
        elif kind == _FORBIDDEN:
            return 0
        else:
            size = _utf8_size(data, at)
            if size == 0:
                return 0
            at += size
    return 0


_ONES, _HIGHS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_QUOTES_OR_AMPERSANDS, _FOURS = np.uint64(0x26) * _ONES, np.uint64(0x04) * _ONES
_LESS_THANS, _SPACES = np.uint64(ord("<")) * _ONES, np.uint64(0x20) * _ONES
_AMPERSANDS = np.uint64(ord("&")) * _ONES


@njit(cache=True, nogil=True)
def _marks(word: np.uint64) -> np.uint64:
    """The high bit of each of eight bytes that is not plain, sure up to the lowest; 0 where all are plain."""
    # A quote and an ampersand differ in one bit alone. A byte is 0 where taking one borrows from its high bit.
    ends = (word | _FOURS) ^ _QUOTES_OR_AMPERSANDS
    less = word ^ _LESS_THANS
    zeros = ((ends - _ONES) & ~ends) | ((less - _ONES) & ~less) | ((word - _SPACES) & ~word)
    return (zeros | word) & _HIGHS


@njit(cache=True, nogil=True)
def _first(marks: np.uint64) -> int:
    """Which of eight bytes has the lowest high bit that is set."""
    lowest = (marks & (~marks + np.uint64(1))) >> np.uint64(7)
    return int((lowest * np.uint64(0x0001020304050607)) >> np.uint64(56))


@njit(cache=True, nogil=True)
def reference(data: Bytes, at: int) -> tuple[int, int]:
    """The size of the usual reference that begins here and the byte it stands for; 0 where it is none."""
    if at + 6 >= len(data):
        return 0, 0
    b1, b2, b3, b4, b5 = data[at + 1], data[at + 2], data[at + 3], data[at + 4], data[at + 5]
    if b2 == 116 and b3 == 59:  # t;
        if b1 == 108:
            return 4, 60
        if b1 == 103:
            return 4, 62
    elif b1 == 35:  # #
        if b2 == 120 and b4 == 59:  # x
            if b3 == 65:
                return 5, 10
            if b3 == 68:
                return 5, 13
            if b3 == 57:
                return 5, 9
        elif b4 == 59:
            if b2 == 51 and b3 == 57:
                return 5, 39
            if b2 == 49 and b3 == 48:
                return 5, 10
            if b2 == 49 and b3 == 51:
                return 5, 13
        elif b2 == 57 and b3 == 59:
            return 4, 9
    elif b1 == 97:  # a
        if b2 == 109 and b3 == 112 and b4 == 59:
            return 5, 38
        if b2 == 112 and b3 == 111 and b4 == 115 and b5 == 59:
            return 6, 39
    elif b1 == 113 and b2 == 117 and b3 == 111 and b4 == 116 and b5 == 59:
        return 6, 34
    return 0, 0


@njit(cache=True, nogil=True)
def _utf8_size(data: Bytes, at: int) -> int:
    """The size of the UTF-8 character beyond ASCII that begins here; 0 where it is none, or one that XML forbids."""
    first = data[at]
    if at + 4 >= len(data):
        return 0
    second = data[at + 1]
    if second & 0xC0 != 0x80:
        return 0
    if 0xC2 <= first <= 0xDF:
        return 2
    third = data[at + 2]
    if third & 0xC0 != 0x80:
        return 0
    if 0xE0 <= first <= 0xEF:
        if (
            (first == 0xE0 and second < 0xA0)
            or (first == 0xED and second > 0x9F)
            or (first == 0xEF and second == 0xBF and third >= 0xBE)
        ):
            return 0
        return 3
    if data[at + 3] & 0xC0 != 0x80 or first < 0xF0 or first > 0xF4:
        return 0
    if (first == 0xF0 and second < 0x90) or (first == 0xF4 and second > 0x8F):
        return 0
    return 4


@njit(cache=True, nogil=True)
def digest_rows(data: Bytes, starts: Integers, stops: Integers, digests: NDArray[np.uint64]) -> None:
    """A 64-bit hash of each range of bytes, eight bytes at a time."""
    for row in range(len(starts)):
        at, stop = starts[row], stops[row]
        value = np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(stop - at)
        while at + 8 <= stop:
            value = _mix(value ^ _word(data, at))
            at += 8
        tail = np.uint64(0)
        while at < stop:
            tail = (tail << np.uint64(8)) | np.uint64(data[at])
            at += 1
        digests[row] = _mix(_mix(value ^ tail))


@njit(cache=True, nogil=True)
def _word(data: Bytes, at: int) -> np.uint64:
    """Eight bytes as a number, little end first; compiled to one load."""
    place, word = np.uint64(at), np.uint64(0)
    for byte in range(8):
        word |= np.uint64(data[place + np.uint64(byte)]) << np.uint64(8 * byte)
    return word


@njit(cache=True, nogil=True)
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return value ^ (value >> np.uint64(29))


@njit(cache=True, nogil=True)
def gather_texts(data: Bytes, spans: Integers, sizes: Integers, out: Bytes) -> int:
    """Copy values one after the other with their references resolved; returns the bytes written.

    Args:
        spans: (rows, values, 2) start and end of each value.
        sizes: (rows, values) is filled with the bytes written of each.
        out: at least as large as all values together.
    """
    to = 0
    for row in range(spans.shape[0]):
        for column in range(spans.shape[1]):
            at, stop, before = spans[row, column, 0], spans[row, column, 1], to
            while at < stop:
                if at + 8 <= stop:
                    # Eight bytes at once: what is behind an ampersand is written over, and never behind the end.
                    word = _word(data, at)
                    _put_word(out, to, word)
                    word ^= _AMPERSANDS
                    marks = (word - _ONES) & ~word & _HIGHS
                    if marks == 0:
                        at += 8
                        to += 8
                        continue
                    plain = _first(marks)
                    at += plain
                    to += plain
                byte = data[at]
                if byte == 38:
                    size, byte = reference(data, at)
                    at += size
                else:
                    at += 1
                out[to] = byte
                to += 1
            sizes[row, column] = to - before
    return to


@njit(cache=True, nogil=True)
def _put_word(out: Bytes, to: int, word: np.uint64) -> None:
    """Write a number as eight bytes, little end first; compiled to one store."""
    place = np.uint64(to)
    for byte in range(8):
        out[place + np.uint64(byte)] = np.uint8((word >> np.uint64(8 * byte)) & np.uint64(255))
