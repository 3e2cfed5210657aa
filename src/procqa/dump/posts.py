"""A question or an answer as a record of numbers and the bytes of its texts: what ``columns`` makes and spills hold.

Source: ours, docs/decisions/0003.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from procqa.dump.rows import PostValues, make_post
from procqa.records import Post

QUESTION, ANSWER = 0, 1
"""Kinds of post."""

ABSENT = np.iinfo(np.int64).min
"""The value of a number that a row lacks."""

TEXTS = ("Title", "Body", "Tags", "OwnerDisplayName", "ContentLicense")
"""The texts of a post, in the order in which they are kept."""

TITLE, BODY, TAGS, NAME, LICENCE = range(5)

POST = np.dtype(
    [
        ("kind", "u1"),
        ("is_closed", "?"),
        ("language", "<i2"),
        ("id", "<i8"),
        ("thread", "<i8"),
        ("accepted", "<i8"),
        ("created_ms", "<i8"),
        ("activity_ms", "<i8"),
        ("score", "<i8"),
        ("views", "<i8"),
        ("owner", "<i8"),
        ("digest", "<u8"),
        ("sizes", "<i4", (len(TEXTS),)),
    ]
)
"""A question or an answer: its numbers, ABSENT where the row has none, and the bytes of its texts.

``thread`` is the id of the question; ``digest`` a 64-bit hash of the row's bytes; ``language`` is -1 here and
set by whoever knows the tags; ``sizes`` are those of TEXTS in UTF-8.
"""


class PostRecord(NamedTuple):
    """A record of POST as Python values, fields as there; see ``to_records``."""

    kind: int
    is_closed: bool
    language: int
    id: int
    thread: int
    accepted: int
    created_ms: int
    activity_ms: int
    score: int
    views: int
    owner: int
    digest: int
    sizes: Sequence[int]

    @property
    def owner_id(self) -> int | None:
        """The owner; None where the row names none."""
        return None if self.owner == ABSENT else self.owner


def to_records(posts: NDArray[np.void]) -> list[PostRecord]:
    """Records of POST as Python values, which are many times faster to look at one by one."""
    sizes = posts["sizes"].tolist()
    return [PostRecord._make((*values[:-1], of_texts)) for values, of_texts in zip(posts.tolist(), sizes, strict=True)]


def to_post(post: PostRecord, texts: bytes, *, site: str) -> Post:
    """The post of a record and its texts, as ``BlockRows.take`` gives them.

    Args:
        site: the host of the post's page, or ``local`` for none.
    """
    parts, start = [], 0
    for size in post.sizes:
        parts.append(texts[start : start + size].decode())
        start += size
    values = PostValues(
        is_question=post.kind == QUESTION,
        id=post.id,
        parent_id=post.thread,
        accepted=None if post.accepted == ABSENT else post.accepted,
        owner=post.owner_id,
        created_ms=post.created_ms,
        activity_ms=post.activity_ms,
        is_closed=post.is_closed,
        score=post.score,
        views=None if post.views == ABSENT else post.views,
        title=parts[TITLE],
        body=parts[BODY],
        tags=parts[TAGS],
        name=parts[NAME],
        licence=parts[LICENCE],
    )
    return make_post(values, site=site)
