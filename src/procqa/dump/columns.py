"""All rows of a block at once, as columns: the fast way from ``blocks`` to posts.

Compiled loops take every row of the usual shape apart; each other row goes to ``rows``, which decides, so
both ways give the same posts and the same reasons. It needs numba: import it lazily. Source: ours, docs/decisions/0003.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from procqa.dump import kernels, number_kernels
from procqa.dump.blocks import MAX_ROW_BYTES, Block, whole_row
from procqa.dump.posts import ABSENT, ANSWER, POST, QUESTION, TAGS, TEXTS
from procqa.dump.rows import ATTRIBUTES, PostValues, Unreadable, read_row, read_values

_NAMES = tuple(name.encode() for name in ATTRIBUTES)
_NUMBERS = ATTRIBUTES[:11]
_ID, _PARENT, _ACCEPTED, _OWNER, _CREATED, _EDITED, _ACTIVE, _CLOSED = range(8)
_SCORE, _VIEWS = 9, 10
_KINDS = np.array([0, 0, 0, 1, 2, 2, 2, 2, 2, 3, 4], dtype=np.uint8)
_TYPE = ATTRIBUTES.index("PostTypeId")
_TEXT_PLACES = tuple(ATTRIBUTES.index(name) for name in TEXTS)


def _name_table() -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """The known names, padded, their sizes, and the attribute in each slot that ``kernels`` computes."""
    names = np.zeros((len(_NAMES), max(map(len, _NAMES))), dtype=np.uint8)
    slots = np.full(256, 255, dtype=np.uint8)
    for place, name in enumerate(_NAMES):
        names[place, : len(name)] = np.frombuffer(name, dtype=np.uint8)
        slot = (len(name) + name[0] + name[-1] + 4 * name[len(name) // 2]) & 255
        slots[slot] = place
    return names, np.array([len(name) for name in _NAMES], dtype=np.uint8), slots


_TABLE = _name_table()
_CLASSES = kernels.byte_classes()


@dataclass(frozen=True, slots=True)
class BlockRows:
    """What the rows of a block say.

    Args:
        rows: rows of any kind.
        other: rows of other types, such as wiki pages.
        unreadable: (offset, reason, raw row) of each row that is no post.
        newest_ms: newest date in any readable row; None where there is none.
        posts: (n,) POST, in the order of the block, ``sizes`` 0 until they are taken.
        offsets: (n,) where each post's row begins in the stream.
    """

    rows: int
    other: int
    unreadable: Sequence[tuple[int, str, bytes]]
    newest_ms: int | None
    posts: NDArray[np.void]
    offsets: NDArray[np.int64]
    _data: NDArray[np.uint8]
    _spans: NDArray[np.int64]

    def escaped_tags(self, places: NDArray[np.int64]) -> Iterator[bytes]:
        """The tags of some posts as the dump has them; ``rows.parse_tags`` reads them."""
        data = self._data.data
        for start, stop in self._spans[places, TAGS].tolist():
            yield bytes(data[start:stop])

    def take(self, order: NDArray[np.int64], is_whole: NDArray[np.bool_]) -> tuple[NDArray[np.void], NDArray[np.uint8]]:
        """Posts in an order, and their texts one after the other in UTF-8, references resolved.

        Args:
            order: (m,) indices of posts.
            is_whole: (n,) the posts whose texts are wanted; of the others only the tags are.
        """
        spans = self._spans[order]
        stubs = ~is_whole[order]
        for place in range(len(TEXTS)):
            if place != TAGS:
                spans[stubs, place] = 0
        sizes = np.zeros(spans.shape[:2], dtype=np.int64)
        out = np.empty(int((spans[:, :, 1] - spans[:, :, 0]).sum()), dtype=np.uint8)
        n_bytes = kernels.gather_texts(self._data, spans, sizes, out)
        posts = self.posts[order]
        posts["sizes"] = sizes
        return posts, out[:n_bytes]


def read_columns(block: Block) -> BlockRows:
    """Every row of a block: the posts as columns, the others counted or with the reason why they are none."""
    data = np.frombuffer(block.data, dtype=np.uint8)
    table = _frame(data)
    n_rows = len(table)
    numbers = np.empty((n_rows, len(_NUMBERS)), dtype=np.int64)
    is_usual = table[:, kernels.STATUS] == kernels.USUAL
    number_kernels.read_numbers(data, is_usual, table[:, kernels.SPANS :], numbers, _KINDS, ABSENT)
    kinds = _kinds(data, table, is_usual, numbers)
    digests = np.zeros(n_rows, dtype=np.uint64)
    kernels.digest_rows(data, table[:, kernels.START].copy(), table[:, kernels.END].copy(), digests)
    odd = _Odd(block, table, numbers, kinds, digests)
    odd.read()
    is_post = kinds < 2
    newest = int(numbers[is_post, _CREATED:_SCORE].max(initial=ABSENT))
    newest = max([newest, *odd.newest])
    places = [column for place in _TEXT_PLACES for column in (kernels.SPANS + 2 * place, kernels.SPANS + 2 * place + 1)]
    return BlockRows(
        rows=n_rows,
        other=odd.other,
        unreadable=odd.unreadable,
        newest_ms=None if newest == ABSENT else newest,
        posts=_posts(kinds[is_post], numbers[is_post], digests[is_post]),
        offsets=block.offset + table[is_post, kernels.START],
        _data=data if not odd.extra else np.frombuffer(block.data + b"".join(odd.extra), dtype=np.uint8),
        _spans=table[is_post][:, places].reshape(-1, len(TEXTS), 2),
    )


def _frame(data: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The frame table of a block, one line a row."""
    most_rows = len(data) // _LIKELY_ROW_BYTES + 16
    while True:
        table = np.empty((most_rows, kernels.SPANS + 2 * len(_NAMES)), dtype=np.int64)
        n_rows = kernels.frame_rows(data, table, _CLASSES, *_TABLE, MAX_ROW_BYTES)
        if n_rows < most_rows:
            return table[:n_rows]
        most_rows *= 8


_LIKELY_ROW_BYTES = 512
_NO_POST, _NOT_YET = 2, 3


def _kinds(
    data: NDArray[np.uint8], table: NDArray[np.int64], is_usual: NDArray[np.bool_], numbers: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """QUESTION or ANSWER of each usual row that has all it needs; _NOT_YET of every other."""
    start, stop = (table[:, kernels.SPANS + 2 * _TYPE + end] for end in (0, 1))
    first = np.where(stop - start == 1, data[np.minimum(start, len(data) - 1)], 0)
    kinds = np.full(len(table), _NOT_YET, dtype=np.uint8)
    usual = is_usual & (numbers[:, _ID] != ABSENT) & (numbers[:, _CREATED] != ABSENT)
    has = {name: _is_there(table, ATTRIBUTES.index(name)) for name in ("Title", "Body")}
    kinds[usual & (first == ord("1")) & has["Title"] & has["Body"]] = QUESTION
    kinds[usual & (first == ord("2")) & (numbers[:, _PARENT] != ABSENT) & has["Body"]] = ANSWER
    return kinds


def _is_there(table: NDArray[np.int64], place: int) -> NDArray[np.bool_]:
    column = kernels.SPANS + 2 * place
    return table[:, column + 1] > table[:, column]


class _Odd:
    """The rows that the kernels leave: each is read alone, and a post among them joins the columns."""

    def __init__(
        self,
        block: Block,
        table: NDArray[np.int64],
        numbers: NDArray[np.int64],
        kinds: NDArray[np.uint8],
        digests: NDArray[np.uint64],
    ) -> None:
        self.block, self.table, self.numbers, self.kinds, self.digests = block, table, numbers, kinds, digests
        self.other = 0
        self.unreadable: list[tuple[int, str, bytes]] = []
        self.newest: list[int] = []
        self.extra: list[bytes] = []
        self._end = len(block.data)

    def read(self) -> None:
        """Read every row that is still of no kind."""
        for place in np.flatnonzero(self.kinds == _NOT_YET).tolist():
            start, end = self.table[place, : kernels.STATUS].tolist()
            raw = whole_row(self.block.data, start, end)
            row = read_row(raw)
            self.kinds[place] = _NO_POST
            if isinstance(row, Unreadable):
                self.unreadable.append((self.block.offset + start, row.reason, raw))
                continue
            if row.newest_ms is not None:
                self.newest.append(row.newest_ms)
            if row.kind == "other":
                self.other += 1
            else:
                self._add(place, raw)

    def _add(self, place: int, raw: bytes) -> None:
        values = read_values(raw)
        self.kinds[place] = QUESTION if values.is_question else ANSWER
        self.numbers[place] = _numbers(values)
        kernels.digest_rows(
            np.frombuffer(raw, dtype=np.uint8), np.zeros(1, np.int64), np.array([len(raw)]), self.digests[place:][:1]
        )
        texts = (values.title, values.body, values.tags, values.name, values.licence)
        for attribute, text in zip(_TEXT_PLACES, texts, strict=True):
            escaped = text.replace("&", "&amp;").encode()
            column = kernels.SPANS + 2 * attribute
            self.table[place, column : column + 2] = self._end, self._end + len(escaped)
            self.extra.append(escaped)
            self._end += len(escaped)
        # A reference is told by the seven bytes from its "&", so none may stand at the very end.
        self.extra.append(b" " * 8)
        self._end += 8


def _numbers(values: PostValues) -> list[int]:
    """The numbers of a post in the order of ATTRIBUTES; the last activity stands for all that it follows from."""
    numbers = [values.id, values.parent_id, values.accepted, values.owner, values.created_ms, None, values.activity_ms]
    closed = values.created_ms if values.is_closed else None
    return [ABSENT if number is None else number for number in (*numbers, closed, None, values.score, values.views)]


def _posts(kinds: NDArray[np.uint8], numbers: NDArray[np.int64], digests: NDArray[np.uint64]) -> NDArray[np.void]:
    posts = np.zeros(len(kinds), dtype=POST)
    is_question = kinds == QUESTION
    posts["kind"], posts["digest"], posts["language"] = kinds, digests, -1
    posts["id"], posts["owner"] = numbers[:, _ID], numbers[:, _OWNER]
    posts["thread"] = np.where(is_question, numbers[:, _ID], numbers[:, _PARENT])
    posts["accepted"] = np.where(is_question, numbers[:, _ACCEPTED], ABSENT)
    posts["created_ms"] = numbers[:, _CREATED]
    edited = np.where(numbers[:, _EDITED] != ABSENT, numbers[:, _EDITED], numbers[:, _CREATED])
    posts["activity_ms"] = np.where(numbers[:, _ACTIVE] != ABSENT, numbers[:, _ACTIVE], edited)
    posts["score"] = np.where(numbers[:, _SCORE] != ABSENT, numbers[:, _SCORE], 0)
    posts["views"] = numbers[:, _VIEWS]
    posts["is_closed"] = numbers[:, _CLOSED] != ABSENT
    return posts
