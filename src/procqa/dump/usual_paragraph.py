"""The paragraph that the fast way of the converter writes: prose, links, images, code spans, line breaks.

Kernels under usual_body.py, which says what they are for; paragraph.py tells the rules. They return the place
where to read on, -1 where they are not sure, or whether they are. Source: ours: docs/decisions/0005.
"""

import numpy as np
from numpy.typing import NDArray

from procqa.dump.usual_page import (
    BREAKS,
    HEADING,
    LEAD,
    LINK,
    LINK_START,
    OPEN,
    OUT,
    PENDING,
    READY,
    TARGET,
    begin,
    looks_like_fence,
    write,
)
from procqa.dump.usual_tags import (
    BLANK,
    MAYBE_BLANK,
    NO_BREAK,
    PLAIN,
    REFERENCE,
    TAG,
    TICK,
    blank_size,
    end_of_tag,
    is_blank,
    kernel,
    most_ticks,
    read_reference,
    read_target,
    stands_at,
)

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

MOST_TARGET_BYTES = 1000
"""Of a usual link; its target stands in the last bytes of the output, that of an image before it."""

MOST_TICKS = 500
"""Of a usual fence or code span."""


@kernel
def copy_prose(data: Bytes, at: int, end: int, out: Bytes, state: Integers, tables: Bytes) -> int:
    """Write prose, blanks collapsed, up to the next tag or the end."""
    first = at
    while at < end:
        kind = tables[data[at]]
        char, used, size = data[at], 1, 0
        if kind == TAG:
            break
        if kind == BLANK:
            size = 1
        elif kind == MAYBE_BLANK:
            size = blank_size(data, at, end)
        elif kind == REFERENCE:
            char, used = read_reference(data, at, end)
            if used == 0:
                return -1
            size = used if char == NO_BREAK else 0
        elif kind == TICK and at > first and data[at - 1] == 92:
            return -1
        if size:
            at += size
            state[READY] = 0
            state[LEAD if state[LINK] == 1 else PENDING] = 1
            continue
        if not state[READY] and not begin(out, state):
            return -1
        if kind == TICK:
            write(out, state, b"\\")
        out[state[OUT]] = char
        state[OUT] += 1
        at = _copy_words(data, at + used, end, out, state, tables)
    return at


@kernel
def _copy_words(data: Bytes, at: int, end: int, out: Bytes, state: Integers, tables: Bytes) -> int:
    """Write what needs no thought: plain bytes and single blanks between them."""
    place = state[OUT]
    while at < end:
        if tables[data[at]] == PLAIN:
            out[place] = data[at]
        elif data[at] == 32 and at + 1 < end and tables[data[at + 1]] == PLAIN:
            out[place] = 32
        else:
            break
        place += 1
        at += 1
    state[OUT] = place
    return at


@kernel
def add_line_break(state: Integers) -> bool:
    """A line break inside the paragraph, written when something follows."""
    if state[LINK] or state[HEADING]:
        return False
    if state[OPEN]:
        state[BREAKS] += 1
        state[PENDING] = state[READY] = 0
    return True


@kernel
def start_link(data: Bytes, at: int, end: int, out: Bytes, state: Integers) -> bool:
    """Open a link, if it has a target that may be followed."""
    if state[LINK] or not stands_at(data, at, end, b'<a href="'):
        return False
    stop = at + 9
    while data[stop] != 34:
        stop += 1
    size = read_target(data, at + 9, stop, out[len(out) - MOST_TARGET_BYTES :])
    if size > 0:
        state[LINK], state[TARGET], state[LEAD], state[READY] = 1, size, 0, 0
    return size >= 0


@kernel
def end_link(out: Bytes, state: Integers) -> bool:
    """Close the link, if one is open."""
    was, state[LINK], state[READY] = state[LINK], 0, 0
    if was < 2:
        if was and state[LEAD]:
            state[PENDING] = 1
        return True
    start, end, size = state[LINK_START], state[OUT], state[TARGET]
    target = out[len(out) - MOST_TARGET_BYTES :]
    is_target = not state[PENDING] and end - start == size
    balance = 0
    for k in range(start, end):
        is_target = is_target and out[k] == target[k - start]
        if out[k] == 91:
            balance += 1
        elif out[k] == 93:
            balance -= 1
    if is_target:
        for k in range(start, end):
            out[k - 1] = out[k]
        state[OUT] -= 1
        return True
    if balance or out[end - 1] == 92:
        return False
    if state[PENDING]:
        write(out, state, b" ")
    _write_target(out, state, target, size)
    return True


@kernel
def _write_target(out: Bytes, state: Integers, target: Bytes, size: int) -> None:
    """Write a target such that Markdown reads it to its end."""
    write(out, state, b"](")
    place = state[OUT]
    for k in range(size):
        char = target[k]
        if char == 60 or char == 62 or char == 40 or char == 41 or char == 92 or char == 96 or char == 124:
            low = char & 15
            out[place], out[place + 1] = 37, 48 + (char >> 4)
            out[place + 2] = 48 + low if low < 10 else 55 + low
            place += 3
        else:
            out[place] = char
            place += 1
    state[OUT] = place
    write(out, state, b")")


@kernel
def add_image(data: Bytes, at: int, out: Bytes, state: Integers, tables: Bytes) -> int:
    """Write an image whose name ends at a place."""
    end = end_of_tag(data, at)
    if end < 0:
        return -1
    source = source_end = alt = alt_end = -1
    while at + 1 < end and data[at] == 32 and data[at + 1] != 47:
        name = at + 1
        at = name
        while at < end and 97 <= data[at] <= 122:
            at += 1
        if at == name or not stands_at(data, at, end, b'="'):
            return -1
        value = at + 2
        at = value
        while at < end and data[at] != 34:
            at += 1
        if source < 0 and stands_at(data, name, end, b"src="):
            source, source_end = value, at
        if alt < 0 and stands_at(data, name, end, b"alt="):
            alt, alt_end = value, at
        at += 1
    if at != end and not (at + 2 == end and stands_at(data, at, end, b" /")) and not (at + 1 == end and data[at] == 47):
        return -1
    target = out[len(out) - 2 * MOST_TARGET_BYTES : len(out) - MOST_TARGET_BYTES]
    size = read_target(data, source, source_end, target)
    if size <= 0 or not begin(out, state):
        return -1
    write(out, state, b"![")
    start = state[OUT]
    if copy_prose(data, alt, alt_end, out, state, tables) != alt_end:
        return -1
    for k in range(start, state[OUT]):
        if out[k] == 91 or out[k] == 93:
            return -1
    if not begin(out, state):
        return -1
    _write_target(out, state, target, size)
    return end + 1


@kernel
def copy_code(data: Bytes, at: int, out: Bytes, state: Integers) -> int:
    """Write code up to the next tag, decoded; -1 also without a tag."""
    n, place = len(data), state[OUT]
    while at < n and data[at] != 60:
        if data[at] != 38:
            out[place] = data[at]
            at += 1
        else:
            char, used = read_reference(data, at, n)
            if used == 0:
                return -1
            if char == NO_BREAK:
                out[place] = 0xC2
                place += 1
            out[place] = char
            at += used
        place += 1
    state[OUT] = place
    return at if at < n else -1


@kernel
def add_code_span(data: Bytes, at: int, out: Bytes, state: Integers, tables: Bytes) -> int:
    """Write the inline code of a tag whose name ends at a place."""
    if data[at] != 62:
        return -1
    at += 1
    end, n = at, len(data)
    while end < n and data[end] != 60:
        end += 1
    if end == at or not stands_at(data, end, n, b"</code>") or is_blank(data, at, end, tables):
        return -1
    ticks = 1 + most_ticks(data, at, end)
    if ticks > MOST_TICKS or not _part_from_code(out, state) or not (state[READY] or begin(out, state)):
        return -1
    first, last = data[at], data[end - 1]
    is_padded = first == 96 or last == 96 or (_is_space(first) and _is_space(last))
    for _ in range(ticks):
        write(out, state, b"`")
    if is_padded:
        write(out, state, b" ")
    start = state[OUT]
    if copy_code(data, at, out, state) != end:
        return -1
    _join_lines(out, start, state)
    if is_padded:
        write(out, state, b" ")
    for _ in range(ticks):
        write(out, state, b"`")
    return end + 7


@kernel
def _part_from_code(out: Bytes, state: Integers) -> bool:
    """Keep what stands before a code span from becoming part of it."""
    is_first = state[LINK] == 1
    if not state[OPEN] or state[PENDING] or state[BREAKS] or (is_first and state[LEAD]):
        return True
    last = out[state[OUT] - 1]
    if last == 92 or (last == 96 and is_first):
        return False
    if last == 96:
        state[PENDING] = 1
        state[READY] = 0
    return True


@kernel
def _is_space(char: int) -> bool:
    return char == 32 or char == 10 or char == 13


@kernel
def _join_lines(out: Bytes, start: int, state: Integers) -> None:
    """Turn the line breaks of what was written last into blanks."""
    place, end = start, state[OUT]
    for k in range(start, end):
        char = out[k]
        if char == 13 and k + 1 < end and out[k + 1] == 10:
            continue
        out[place] = 32 if char == 10 or char == 13 else char
        place += 1
    state[OUT] = place


@kernel
def end_block(out: Bytes, state: Integers) -> bool:
    """End the paragraph, if one is open."""
    if state[LINK] and not end_link(out, state):
        return False
    if state[OPEN]:
        if looks_like_fence(out, state):
            return False
        state[HEADING] = 0
    state[OPEN] = state[READY] = state[PENDING] = state[BREAKS] = 0
    return True
