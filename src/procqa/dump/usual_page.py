"""The page that the fast way of the converter writes: blocks, and the lists and quotes that they stand in.

Kernels under usual_body.py, which says what they are for. They do to an array of numbers what page.py does to
its fields, under the same names, but write a block's gap and prefix when its first piece comes.
Source: ours: docs/decisions/0005.
"""

import numpy as np
from numpy.typing import NDArray

from procqa.dump.usual_tags import kernel, key_of

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

MOST_FRAMES = 12
"""Lists, items and quotes in one another; deeper ones are not usual."""

MOST_PREFIX_BYTES = 56
"""Below `page.MAX_PREFIX_CHARS`, from where its rules change."""

# Of the paragraph. READY: a byte may be written at once. LINK: 0 none, 1 open and without text, 2 with text.
# LEAD: a blank begins the link's text. LINE and LINK_START are places in the output, TARGET is a size.
OUT, READY, OPEN, PENDING, BREAKS, LINE, HEADING, LINK, LEAD, LINK_START, TARGET = range(11)
# Of the page. SHARED: quotes open since the last block. PREFIX and MARKER are sizes, MARKER -1 for none.
TIGHT, SHARED, FENCES, DEPTH, QUOTES, LISTS, PREFIX, MARKER = range(11, 19)

_FRAMES = 20  # name, sizes of prefix and marker, fences of each frame
_NUMBERS = _FRAMES + 4 * MOST_FRAMES  # next number of each list, -1 without numbers
_QUOTE_SIZES = _NUMBERS + MOST_FRAMES
_TEXTS = _QUOTE_SIZES + MOST_FRAMES  # rows of characters: prefix, marker, those of frames, then of quotes
_WIDTH = MOST_PREFIX_BYTES + 16
_PREFIX_ROW, _MARKER_ROW = _TEXTS, _TEXTS + _WIDTH
_FRAME_ROWS = _TEXTS + 2 * _WIDTH
_QUOTE_ROWS = _FRAME_ROWS + 2 * _WIDTH * MOST_FRAMES
STATE_SIZE = _QUOTE_ROWS + _WIDTH * MOST_FRAMES
"""Numbers that hold the state of a page."""

LI, QUOTE = key_of("li"), key_of("blockquote")


@kernel
def clear_state(state: Integers) -> None:
    """Make the state that of an empty page."""
    for field in range(_FRAMES):
        state[field] = 0
    state[MARKER] = -1


@kernel
def write(out: Bytes, state: Integers, text: bytes) -> None:
    """Write a text as it is."""
    place = state[OUT]
    for k in range(len(text)):
        out[place + k] = text[k]
    state[OUT] = place + len(text)


@kernel
def _write_row(out: Bytes, state: Integers, row: int, size: int) -> None:
    place = state[OUT]
    for k in range(size):
        out[place + k] = state[row + k]
    state[OUT] = place + size


@kernel
def _copy_row(state: Integers, source: int, row: int, size: int) -> None:
    for k in range(size):
        state[row + k] = state[source + k]


@kernel
def _fill_quotes(state: Integers, row: int, quotes: int) -> int:
    for k in range(quotes):
        state[row + 2 * k], state[row + 2 * k + 1] = 62, 32
    return 2 * quotes


@kernel
def begin_block(out: Bytes, state: Integers) -> None:
    """Write the gap before a block and what its first line stands behind."""
    is_item = state[DEPTH] > 0 and state[MARKER] >= 0
    is_tight = is_item and state[TIGHT] > 0
    if state[OUT]:
        write(out, state, b"\n")
        if state[DEPTH] and not is_tight and state[SHARED]:
            quote = state[SHARED] - 1
            _write_row(out, state, _QUOTE_ROWS + quote * _WIDTH, state[_QUOTE_SIZES + quote] - 1)
        if not is_tight:
            write(out, state, b"\n")
    if state[DEPTH]:
        row, size = (_MARKER_ROW, state[MARKER]) if is_item else (_PREFIX_ROW, state[PREFIX])
        _write_row(out, state, row, size)
        state[MARKER] = -1
        state[SHARED] = state[QUOTES]
    state[TIGHT] = 1 if is_item else 0
    for _ in range(state[HEADING]):
        write(out, state, b"#")
    if state[HEADING]:
        write(out, state, b" ")
    state[OPEN] = 1
    state[LINE] = state[OUT]


@kernel
def begin(out: Bytes, state: Integers) -> bool:
    """Write what stands before a piece that is not blank: a gap, line breaks, a blank, the start of a link.

    Returns whether it is usual, as all kernels that give a truth value.
    """
    is_first = state[LINK] == 1
    if not state[OPEN]:
        begin_block(out, state)
    elif state[BREAKS]:
        if looks_like_fence(out, state):
            return False
        if state[BREAKS] == 1:
            write(out, state, b"  ")
        for _ in range(min(2, state[BREAKS])):
            write(out, state, b"\n")
            _write_row(out, state, _PREFIX_ROW, state[PREFIX])
        state[LINE] = state[OUT]
    elif state[PENDING] or (is_first and state[LEAD]):
        write(out, state, b" ")
    state[BREAKS] = state[PENDING] = 0
    if is_first:
        write(out, state, b"[")
        state[LINK] = 2
        state[LINK_START] = state[OUT]
        if state[LEAD]:
            write(out, state, b" ")
    state[READY] = 1
    return True


@kernel
def looks_like_fence(out: Bytes, state: Integers) -> bool:
    """Whether the line that was written begins like a code block."""
    line = state[LINE]
    return bool(state[OUT] >= line + 3 and out[line] == 126 and out[line + 1] == 126 and out[line + 2] == 126)


@kernel
def leave_indentation(state: Integers) -> None:
    """A fence at column 0 ends the indentation of every open list."""
    if not state[DEPTH]:
        return
    state[FENCES] += 1
    for quote in range(state[QUOTES]):
        state[_QUOTE_SIZES + quote] = _fill_quotes(state, _QUOTE_ROWS + quote * _WIDTH, quote + 1)
    state[PREFIX] = _fill_quotes(state, _PREFIX_ROW, state[QUOTES])
    state[MARKER] = -1
    state[SHARED] = state[TIGHT] = 0


@kernel
def start_list(state: Integers, name: int, number: int) -> bool:
    """Open a list; number -1 for one without numbers."""
    if not _push(state, name):
        return False
    if state[LISTS] == 0:
        state[TIGHT] = 0
    state[_NUMBERS + state[LISTS]] = number
    state[LISTS] += 1
    return True


@kernel
def start_item(state: Integers, name: int) -> bool:
    """Open a list item, closing the one before it where the post does not."""
    if state[DEPTH] and state[_FRAMES + 4 * (state[DEPTH] - 1)] == LI:
        _pop(state)
    if not _push(state, name):
        return False
    if state[MARKER] < 0:
        _copy_row(state, _PREFIX_ROW, _MARKER_ROW, state[PREFIX])
        state[MARKER] = state[PREFIX]
    start = state[MARKER]
    place = _MARKER_ROW + start
    list_ = _NUMBERS + state[LISTS] - 1
    if state[LISTS] and state[list_] >= 0:
        rest = state[list_]
        state[list_] += 1
        digits = 1
        while rest >= 10:
            rest //= 10
            digits += 1
        rest = state[list_] - 1
        for k in range(digits):
            state[place + digits - 1 - k] = 48 + rest % 10
            rest //= 10
        place += digits
        state[place] = 46
    else:
        state[place] = 45
    state[place + 1] = 32
    state[MARKER] = place + 2 - _MARKER_ROW
    for _ in range(state[MARKER] - start):
        state[_PREFIX_ROW + state[PREFIX]] = 32
        state[PREFIX] += 1
    return True


@kernel
def start_quote(state: Integers, name: int) -> bool:
    """Open a quote."""
    if not _push(state, name):
        return False
    place = _PREFIX_ROW + state[PREFIX]
    state[place], state[place + 1] = 62, 32
    state[PREFIX] += 2
    if state[MARKER] >= 0:
        place = _MARKER_ROW + state[MARKER]
        state[place], state[place + 1] = 62, 32
        state[MARKER] += 2
    quote = state[QUOTES]
    _copy_row(state, _PREFIX_ROW, _QUOTE_ROWS + quote * _WIDTH, state[PREFIX])
    state[_QUOTE_SIZES + quote] = state[PREFIX]
    state[QUOTES] += 1
    return True


@kernel
def close(state: Integers, name: int) -> None:
    """Close the innermost frame of a name, if there is one, and all that was opened in it."""
    least = state[DEPTH] - 1
    while least >= 0 and state[_FRAMES + 4 * least] != name:
        least -= 1
    while 0 <= least < state[DEPTH]:
        _pop(state)


@kernel
def _push(state: Integers, name: int) -> bool:
    depth = state[DEPTH]
    if depth == MOST_FRAMES or state[PREFIX] > MOST_PREFIX_BYTES or state[MARKER] > MOST_PREFIX_BYTES:
        return False
    frame, row = _FRAMES + 4 * depth, _FRAME_ROWS + 2 * _WIDTH * depth
    state[frame], state[frame + 1] = name, state[PREFIX]
    state[frame + 2], state[frame + 3] = state[MARKER], state[FENCES]
    _copy_row(state, _PREFIX_ROW, row, state[PREFIX])
    _copy_row(state, _MARKER_ROW, row + _WIDTH, state[MARKER])
    state[DEPTH] += 1
    return True


@kernel
def _pop(state: Integers) -> None:
    state[DEPTH] -= 1
    depth = state[DEPTH]
    frame, row = _FRAMES + 4 * depth, _FRAME_ROWS + 2 * _WIDTH * depth
    name = state[frame]
    if name == QUOTE:
        state[QUOTES] -= 1
        state[SHARED] = min(state[SHARED], state[QUOTES])
    elif name != LI:
        state[LISTS] -= 1
        if state[LISTS] == 0:
            state[TIGHT] = 0
    if state[frame + 3] == state[FENCES]:
        state[PREFIX] = state[frame + 1]
        _copy_row(state, row, _PREFIX_ROW, state[PREFIX])
    else:
        state[PREFIX] = _fill_quotes(state, _PREFIX_ROW, state[QUOTES])
    if state[MARKER] >= 0:
        state[MARKER] = state[frame + 2]
        _copy_row(state, row + _WIDTH, _MARKER_ROW, state[MARKER])
