"""The rows of a block by every way there is: one by one, which decides, and the fast ones, which must agree."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from procqa.dump import columns
from procqa.dump.blocks import Block, rows_in
from procqa.dump.posts import to_post as to_post_of_record
from procqa.dump.posts import to_records
from procqa.dump.rows import Unreadable, read_row, read_values, to_post
from procqa.records import Post

SITE = "a.example"


@dataclass(slots=True)
class Rows:
    """What the rows of a block are; ``posts`` holds where each stands, whether it is closed, and the post."""

    rows: int = 0
    other: int = 0
    unreadable: list[tuple[int, str, bytes]] = field(default_factory=list)
    posts: list[tuple[int, bool, Post]] = field(default_factory=list)
    newest_ms: int | None = None


def read_one_by_one(block: Block) -> Rows:
    """The oracle: a real parser on each row."""
    found = Rows()
    for offset, raw in rows_in(block):
        found.rows += 1
        row = read_row(raw)
        if isinstance(row, Unreadable):
            found.unreadable.append((offset, row.reason, raw))
            continue
        if row.newest_ms is not None:
            found.newest_ms = max(found.newest_ms or row.newest_ms, row.newest_ms)
        if row.kind == "other":
            found.other += 1
        else:
            found.posts.append((offset, read_values(raw).is_closed, to_post(raw, site=SITE)))
    return found


def read_by_columns(block: Block) -> Rows:
    """All rows at once, by the compiled kernels."""
    read = columns.read_columns(block)
    posts, texts = read.take(np.arange(len(read.posts)), np.ones(len(read.posts), dtype=np.bool_))
    found, start = [], 0
    for offset, post in zip(read.offsets.tolist(), to_records(posts), strict=True):
        stop = start + sum(post.sizes)
        found.append((offset, post.is_closed, to_post_of_record(post, texts[start:stop].tobytes(), site=SITE)))
        start = stop
    return Rows(read.rows, read.other, list(read.unreadable), found, read.newest_ms)


FAST_WAYS: tuple[Callable[[Block], Rows], ...] = (read_by_columns,)
"""Every further way to read a block; each is compared with the oracle."""
