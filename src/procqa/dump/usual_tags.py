"""What the fast way of the converter reads from bytes: names of tags, their ends, references, blanks, targets.

Kernels under usual_body.py, which says what they are for; what they have to find is told in tags.py. Those
that are not sure say so and leave the post to the general way. Source: ours: docs/decisions/0005.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from procqa.dump.hints import LANGUAGE_NAMES, MAX_LANGUAGE_CHARS

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

PLAIN, MAYBE_BLANK, BLANK, TAG, REFERENCE, TICK = range(6)
"""What a byte means in prose: the first 256 bytes of the tables."""

NO_BREAK = 0xA0
"""The one character that `read_reference` gives and that is not of ASCII."""

_LT, _GT, _AMP, _QUOT, _APOSTROPHE, _NBSP = (
    int.from_bytes(name) for name in (b"lt", b"gt", b"amp", b"quot", b"#39", b"nbsp")
)

_LANGUAGES = 256  # behind the meanings
_NAMES = {**LANGUAGE_NAMES, "none": "", "default": ""}
_NAME_WIDTH = 1 + max(map(len, (*_NAMES, *_NAMES.values())))
_N_NAMES = len(_NAMES)


_Function = TypeVar("_Function", bound=Callable[..., object])

KERNEL: dict[str, Any] = {"nogil": True, "_nrt": False, "error_model": "numpy"}
"""How all of the fast way is compiled: it makes no arrays, and counting who holds them is a large part of its time."""


def kernel(function: _Function) -> _Function:
    """Compile what is only called by other kernels; its file is not looked at by numba's cache."""
    without: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    compiled: _Function = njit(**KERNEL, **without)(function)
    return compiled


def key_of(name: str) -> int:
    """The name of a tag as a number; no two names of at most 10 letters and digits share one."""
    key = 0
    for letter in name:
        key = key * 37 + "0123456789abcdefghijklmnopqrstuvwxyz".index(letter) + 1
    return key


def make_tables() -> Bytes:
    """What each byte means in prose; then short names of languages and the names used everywhere, in turn."""
    tables = np.zeros(_LANGUAGES + 2 * _N_NAMES * _NAME_WIDTH, dtype=np.uint8)
    tables[[*range(9, 14), *range(28, 33)]] = BLANK
    tables[[0xC2, 0xE1, 0xE2, 0xE3]] = MAYBE_BLANK
    tables[ord("<")], tables[ord("&")], tables[ord("`")] = TAG, REFERENCE, TICK
    at = _LANGUAGES
    for pair in _NAMES.items():
        for name in pair:
            tables[at : at + len(name)] = list(name.encode())
            at += _NAME_WIDTH
    return tables


@kernel
def stands_at(data: Bytes, at: int, end: int, text: bytes) -> bool:
    """Whether a text stands at a place before the end."""
    if at + len(text) > end:
        return False
    for k in range(len(text)):  # noqa: SIM110 - numba has no generators here
        if data[at + k] != text[k]:
            return False
    return True


@kernel
def blank_size(data: Bytes, at: int, end: int) -> int:
    """Bytes of the character at a place, if it is a blank beyond ASCII as `str.isspace` has it, else 0."""
    first, second = data[at], data[at + 1] if at + 1 < end else 0
    if first == 0xC2:
        return 2 if second == 0x85 or second == 0xA0 else 0
    third = data[at + 2] if at + 2 < end else 0
    if first == 0xE2 and second == 0x80:
        return 3 if 0x80 <= third <= 0x8A or 0xA8 <= third <= 0xA9 or third == 0xAF else 0
    if first == 0xE2:
        return 3 if second == 0x81 and third == 0x9F else 0
    is_blank = third == 0x80 and ((first == 0xE1 and second == 0x9A) or (first == 0xE3 and second == 0x80))
    return 3 if is_blank else 0


@kernel
def read_reference(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """The character of a usual reference and the bytes that it took; 0 bytes for any other."""
    key, size = 0, 1
    while size <= 5 and at + size < end and data[at + size] != 59:
        key = key * 256 + data[at + size]
        size += 1
    if at + size >= end or data[at + size] != 59:
        return 0, 0
    char = 0
    if key == _LT:
        char = 60
    elif key == _GT:
        char = 62
    elif key == _AMP:
        char = 38
    elif key == _QUOT:
        char = 34
    elif key == _APOSTROPHE:
        char = 39
    elif key == _NBSP:
        char = NO_BREAK
    return char, size + 1 if char else 0


@kernel
def is_blank(data: Bytes, at: int, end: int, tables: Bytes) -> bool:
    """Whether a text that is still encoded holds nothing but blanks."""
    while at < end:
        size = 1 if tables[data[at]] == BLANK else blank_size(data, at, end)
        if size == 0 and data[at] == 38:
            char, used = read_reference(data, at, end)
            size = used if char == NO_BREAK else 0
        if size == 0:
            return False
        at += size
    return True


@kernel
def most_ticks(data: Bytes, at: int, end: int) -> int:
    """The longest run of back-ticks."""
    total = most = run = 0
    for k in range(at, end):  # many times as fast as what follows, and nearly always enough
        total += data[k] == 96
    for k in range(at, end if total else at):
        run = run + 1 if data[k] == 96 else 0
        if run > most:
            most = run
    return most


@kernel
def read_name(data: Bytes, at: int) -> tuple[int, int]:
    """The key of a tag's name and where it ends; key 0 where it is not usual."""
    name, n, start = 0, len(data), at
    while at < n and at - start <= 10:
        char = data[at]
        if 97 <= char <= 122:
            name = name * 37 + char - 86
        elif 65 <= char <= 90:
            name = name * 37 + char - 54
        elif 48 <= char <= 57 and at > start:
            name = name * 37 + char - 47
        else:
            return (name, at) if char == 62 or char == 32 or char == 47 else (0, at)
        at += 1
    return 0, at


@kernel
def end_of_tag(data: Bytes, at: int) -> int:
    """Where the > of a tag stands, as the expression in tags.py finds it; -1 where that is not sure."""
    n = len(data)
    while at < n and data[at] != 60:
        if data[at] == 62:
            return at
        at += 1
        if data[at - 1] != 61:
            continue
        while at < n and (data[at] == 32 or 9 <= data[at] <= 13):
            at += 1
        if at < n and (data[at] >= 128 or 28 <= data[at] <= 31):
            return -1  # it may be a blank
        if at < n and (data[at] == 34 or data[at] == 39):
            quote = data[at]
            at += 1
            while at < n and data[at] != quote:
                if data[at] == 60:
                    return -1
                at += 1
            at += 1
    return -1


@kernel
def read_start(data: Bytes, at: int, end: int) -> int:
    """The first number of an ordered list whose attributes stand there; -1 where it is not usual."""
    if at == end:
        return 1
    if not stands_at(data, at, end, b' start="') or not 1 <= end - at - 9 <= 9 or data[end - 1] != 34:
        return -1
    number = 0
    for k in range(at + 8, end - 1):
        digit = data[k] - 48
        if not 0 <= digit <= 9:
            return -1
        number = number * 10 + digit
    return number


@kernel
def read_target(data: Bytes, at: int, end: int, target: Bytes) -> int:
    """Fill in the target of a link that may be followed; its size, 0 for one that may not, -1 where not sure."""
    size = 0
    while at < end:
        char, used = data[at], 1
        if char == 38:
            char, used = read_reference(data, at, end)
        if used == 0 or not 32 < char < 127 or size == len(target):
            return -1
        target[size] = char
        size += 1
        at += used
    if size == 0 or target[0] == 35 or (target[0] == 47 and size > 1 and target[1] != 47):
        return 0
    if (
        (size > 7 and stands_at(target, 0, size, b"http://"))
        or (size > 8 and stands_at(target, 0, size, b"https://"))
        or (size > 7 and stands_at(target, 0, size, b"mailto:"))
    ):
        return size
    return -1


@kernel
def find_language(data: Bytes, at: int, end: int, tables: Bytes) -> tuple[int, int]:
    """Where in the tables the name of a language stands that is used for this one, and its size.

    Place -1 where the name stays as it is, -2 where that is not sure.
    """
    size = end - at
    if size > MAX_LANGUAGE_CHARS or data[at] == 45 or data[at] == 46 or stands_at(data, at, end, b"lang-"):
        return -2, 0
    for name in range(_N_NAMES if size < _NAME_WIDTH else 0):
        place = _LANGUAGES + 2 * name * _NAME_WIDTH
        k = 0
        while k < size and tables[place + k] == data[at + k]:
            k += 1
        if k == size and tables[place + k] == 0:
            place += _NAME_WIDTH
            k = 0
            while tables[place + k]:
                k += 1
            return place, k
    return -1, size


@kernel
def end_of_language(data: Bytes, at: int, end: int) -> int:
    """Where the letters end that a language's name in lower case may hold."""
    while at < end:
        char = data[at]
        if not (97 <= char <= 122 or 48 <= char <= 57 or 45 <= char <= 46 or char == 95 or char == 43 or char == 35):
            break
        at += 1
    return at
