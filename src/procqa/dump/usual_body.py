"""The HTML of a usual post → Markdown at once: the fast way of body.py, compiled by numba; import it lazily.

It goes over the bytes once and writes where body.py, page.py and paragraph.py would put each piece; those say
what the rules are, and the names here are theirs. Whatever it is not sure of (tables, comments, unknown tags, rare
references, odd back-slashes, deep lists …) ends it, and the general way decides. Both give the same text.
Source: ours: docs/decisions/0005.
"""

from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import numpy as np
from numba import njit
from numpy.typing import NDArray

from procqa.dump import usual_page, usual_paragraph, usual_tags
from procqa.dump.usual_page import (
    HEADING,
    LI,
    OPEN,
    OUT,
    QUOTE,
    STATE_SIZE,
    begin_block,
    clear_state,
    close,
    leave_indentation,
    start_item,
    start_list,
    start_quote,
    write,
)
from procqa.dump.usual_paragraph import (
    MOST_TARGET_BYTES,
    MOST_TICKS,
    add_code_span,
    add_image,
    add_line_break,
    copy_code,
    copy_prose,
    end_block,
    end_link,
    start_link,
)
from procqa.dump.usual_tags import (
    KERNEL,
    end_of_language,
    end_of_tag,
    find_language,
    kernel,
    key_of,
    make_tables,
    most_ticks,
    read_name,
    read_start,
    stands_at,
)

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

_SLACK = 4 * MOST_TARGET_BYTES
"""Bytes that one tag may write beyond three for each byte read, with those that a target takes up at the end."""

_MOST_BYTES = 1 << 22
"""Of a post; longer ones are too rare to take memory for."""

_A, _BR, _CODE, _HR, _IMG, _OL, _PRE, _UL = map(key_of, ("a", "br", "code", "hr", "img", "ol", "pre", "ul"))
_P, _DIV, _DL, _DT, _DD = map(key_of, ("p", "div", "dl", "dt", "dd"))
_B, _EM, _I, _SPAN, _STRONG, _SUB, _U = map(key_of, ("b", "em", "i", "span", "strong", "sub", "u"))
_H1, _H6 = key_of("h1"), key_of("h6")


def convert_usual(html: str) -> str | None:
    """What the general way makes of a post; None where that has to say it."""
    raw = bytearray(html, "utf-8", "surrogatepass")
    if not 0 < len(raw) <= _MOST_BYTES:
        return None
    out = np.empty(3 * len(raw) + 3 * _SLACK, dtype=np.uint8)
    size = _CONVERT(np.frombuffer(raw, dtype=np.uint8), out, np.empty(STATE_SIZE, dtype=np.int64), _TABLES)
    return None if size < 0 else out[:size].tobytes().decode("utf-8", "surrogatepass")


def _compile(stamp: int) -> Callable[[Bytes, Bytes, Integers, Bytes], int]:
    """The whole as one kernel, kept on disk for this stamp.

    Args:
        stamp: tells versions of the kernels in the other files, which numba's cache does not look at.
    """

    def convert(data: Bytes, out: Bytes, state: Integers, tables: Bytes) -> int:
        """The bytes written to ``out``, or -1 where the post is not usual."""
        clear_state(state)
        at, n = int(state[OUT]), len(data)  # for a 0 itself numba would compile all of it once more
        while at < n and stamp >= 0:
            if state[OUT] + 3 * (n - at) + 2 * _SLACK > len(out):
                return -1
            if data[at] != 60:
                at = copy_prose(data, at, n, out, state, tables)
            else:
                is_end = at + 1 < n and data[at + 1] == 47
                name, end_of_name = read_name(data, at + 2 if is_end else at + 1)
                if name == _CODE and not is_end:
                    at = add_code_span(data, end_of_name, out, state, tables)
                elif name == _PRE and not is_end:
                    at = _add_code_block(data, end_of_name, out, state, tables)
                elif name in (0, _CODE, _PRE):
                    at = -1
                elif name == _IMG and not is_end:
                    at = add_image(data, end_of_name, out, state, tables)
                else:
                    at = _read_tag(data, at, out, state, name if not is_end else -name, end_of_name)
            if at < 0:
                return -1
        return state[OUT] if end_block(out, state) else -1

    compiled: Callable[[Bytes, Bytes, Integers, Bytes], int] = njit(cache=True, **KERNEL)(convert)
    return compiled


@kernel
def _read_tag(data: Bytes, at: int, out: Bytes, state: Integers, key: int, end_of_name: int) -> int:
    """Do what a tag without content of its own asks for; returns where to read on, -1 where it is not usual.

    Args:
        key: of the name, negative for an end tag.
    """
    end = end_of_tag(data, end_of_name)
    if end < 0:
        return -1
    is_end, name = key < 0, abs(key)
    is_done = True
    if name == _BR:
        is_done = add_line_break(state)
    elif name == _A:
        is_done = end_link(out, state) if is_end else start_link(data, at, end, out, state)
    elif name not in (_B, _EM, _I, _IMG, _SPAN, _STRONG, _SUB, _U):
        is_heading = _H1 <= name <= _H6
        if (state[HEADING] > 0) != (is_end and is_heading) or not end_block(out, state):
            return -1
        if is_heading:
            state[HEADING] = 0 if is_end else name - _H1 + 1
        else:
            start = 1 if name != _OL or is_end else read_start(data, end_of_name, end)
            is_done = start >= 0 and _change_block(name, is_end, start, out, state)
    return end + 1 if is_done else -1


@kernel
def _change_block(name: int, is_end: bool, start: int, out: Bytes, state: Integers) -> bool:
    """Open or close a list, an item, a quote or a block without a mark, or rule a line across the page."""
    if name in (_P, _DIV, _DL, _DT, _DD):
        return True
    if name == _HR:
        if not is_end:
            begin_block(out, state)
            write(out, state, b"---")
            state[OPEN] = 0
        return True
    if name != _UL and name != _OL and name != LI and name != QUOTE:
        return False
    if is_end:
        close(state, name)
        return True
    if name == LI:
        return start_item(state, name)
    if name == QUOTE:
        return start_quote(state, name)
    return start_list(state, name, start if name == _OL else -1)


@kernel
def _add_code_block(data: Bytes, at: int, out: Bytes, state: Integers, tables: Bytes) -> int:
    """Write the fence of a `<pre>` whose name ends at a place; returns where to read on, -1 where it is not usual."""
    if state[HEADING] or not end_block(out, state):
        return -1
    n = len(data)
    if state[OUT]:
        write(out, state, b"\n\n")
    write(out, state, b"```")
    head = state[OUT]
    at, is_named = _read_class(data, at, out, state, tables)
    if at > 0 and stands_at(data, at, n, b"<code "):
        end_of_head = state[OUT]
        at, _ = _read_class(data, at + 5, out, state, tables)
        if is_named:
            state[OUT] = end_of_head
    if at < 0:
        return -1
    write(out, state, b"\n")
    start = state[OUT]
    while True:
        at = copy_code(data, at, out, state)
        if at < 0:
            return -1
        if stands_at(data, at, n, b"</pre>"):
            break
        if stands_at(data, at, n, b"<code>"):
            at += 6
        elif stands_at(data, at, n, b"</code>"):
            at += 7
        else:
            return -1
    leave_indentation(state)
    return at + 6 if _end_fence(out, state, head, start) else -1


@kernel
def _end_fence(out: Bytes, state: Integers, head: int, start: int) -> bool:
    """Close the fence, which becomes longer where the code needs it."""
    end = state[OUT]
    more = max(0, most_ticks(out, start, end) - 2)
    if more > MOST_TICKS:
        return False
    if more:
        for k in range(end - 1, head - 1, -1):
            out[k + more] = out[k]
        for k in range(head, head + more):
            out[k] = 96
        state[OUT] += more
    if end > start and out[state[OUT] - 1] != 10:
        write(out, state, b"\n`")
    for _ in range(3 + more):
        write(out, state, b"`")
    return True


@kernel
def _read_class(data: Bytes, at: int, out: Bytes, state: Integers, tables: Bytes) -> tuple[int, bool]:
    """Write the language that the class of a tag names; where the tag ends, -1 if not usual, and whether one is."""
    n = len(data)
    if at < n and data[at] == 62:
        return at + 1, False
    if not stands_at(data, at, n, b' class="'):
        return -1, False
    at += 8
    is_named = False
    while at < n and data[at] != 34:
        end = end_of_language(data, at, n)
        if end == n or (data[end] != 32 and data[end] != 34):
            return -1, False
        name = end
        if stands_at(data, at, end, b"lang-"):
            name = at + 5
        elif stands_at(data, at, end, b"language-"):
            name = at + 9
        if name < end and not is_named:
            is_named = True
            place, size = find_language(data, name, end, tables)
            if place == -2:
                return -1, False
            for k in range(size):
                out[state[OUT] + k] = tables[place + k] if place >= 0 else data[name + k]
            state[OUT] += size
        at = end + 1 if data[end] == 32 else end
    return (at + 2, is_named) if stands_at(data, at, n, b'">') else (-1, False)


_TABLES = make_tables()
_KERNELS = (usual_page, usual_paragraph, usual_tags)
_CONVERT = _compile(crc32(b"".join(Path(str(module.__file__)).read_bytes() for module in _KERNELS)))
