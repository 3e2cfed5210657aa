"""Numbers and dates of all rows of a block at once, compiled by numba.

Under ``columns``, beside ``kernels``, which finds where they stand. Source: ours, docs/decisions/0003.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]


@njit(cache=True, nogil=True)
def read_numbers(
    data: Bytes, is_usual: NDArray[np.bool_], spans: Integers, numbers: Integers, kinds: Bytes, absent: int
) -> None:
    """The numbers and dates of all usual rows; a row with an unusual one is usual no more.

    The columns of the frame table come as arrays of their own: a constant of another file would stay what it was
    in numba's cache when that file changes.

    Args:
        is_usual: (rows,) is changed.
        spans: (rows, 2 × attributes at the least) start and end of each value, 0 and 0 where it is absent.
        numbers: (rows, attributes) is filled; ``absent`` where a value is absent or empty.
        kinds: (attributes,) 0 an id, 1 an id with a sign, 2 a date, 3 a score, 4 a count.
    """
    for row in range(len(is_usual)):
        if not is_usual[row]:
            continue
        for column in range(numbers.shape[1]):
            start, stop = spans[row, 2 * column], spans[row, 2 * column + 1]
            numbers[row, column] = absent
            if stop > start:
                value = _date(data, start, stop) if kinds[column] == 2 else _number(data, start, stop, kinds[column])
                if value == absent:
                    is_usual[row] = False
                    break
                numbers[row, column] = value


_NONE = np.iinfo(np.int64).min


@njit(cache=True, nogil=True)
def _number(data: Bytes, start: int, stop: int, kind: int) -> int:
    negative = data[start] == 45 and (kind == 1 or kind == 3)
    at = start + 1 if negative else start
    most = 18 if kind < 2 else 9
    if stop - at > most or stop == at or (kind < 2 and data[at] == 48):
        return _NONE
    value = 0
    while at < stop:
        digit = data[at] - 48
        if digit < 0 or digit > 9:
            return _NONE
        value = value * 10 + digit
        at += 1
    return -value if negative else value


@njit(cache=True, nogil=True)
def _two(data: Bytes, at: int) -> int:
    """Two digits as a number; -1 where they are none."""
    tens, ones = int(data[at]) - 48, int(data[at + 1]) - 48
    if tens < 0 or tens > 9 or ones < 0 or ones > 9:
        return -1
    return tens * 10 + ones


@njit(cache=True, nogil=True)
def _date(data: Bytes, start: int, stop: int) -> int:
    """Milliseconds since 1970 of ``2018-02-22T16:40:13.577``; _NONE of any other shape or an impossible day."""
    if stop - start != 23 or data[start + 4] != 45 or data[start + 7] != 45 or data[start + 10] != 84:
        return _NONE
    if data[start + 13] != 58 or data[start + 16] != 58 or data[start + 19] != 46:
        return _NONE
    century, years, month, day = _two(data, start), _two(data, start + 2), _two(data, start + 5), _two(data, start + 8)
    hour, minute, second = _two(data, start + 11), _two(data, start + 14), _two(data, start + 17)
    tens, ones = _two(data, start + 20), int(data[start + 22]) - 48
    if min(century, years, month, day, hour, minute, second, tens, ones) < 0 or ones > 9:
        return _NONE
    year = century * 100 + years
    if year < 1990 or year > 2099 or month < 1 or month > 12 or hour > 23 or minute > 59 or second > 59:
        return _NONE
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = 31 - (month == 4 or month == 6 or month == 9 or month == 11)
    if month == 2:
        days = 29 if is_leap else 28
    if day < 1 or day > days:
        return _NONE
    # Days since 1970 by the civil calendar, years counted from March.
    shifted = year - (month <= 2)
    of_era = shifted % 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    number = (shifted // 400) * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
    return ((number * 24 + hour) * 60 + minute) * 60_000 + second * 1_000 + tens * 10 + ones
