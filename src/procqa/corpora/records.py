"""What a corpus of source code yields: documented functions, and the files that were passed over.

Both readers of functions, ``codesearchnet`` and ``source_tree``, yield these records; the dataset stage
writes them. An id is a digest of the function itself, so neither order nor files change it.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

from procqa.records import Pair

Partition = Literal["train", "validation", "test"]

MIN_DOCSTRING_CHARS = 10
"""The shortest docstring that says something, in characters. Source: ours, docs/decisions/0008."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusPair:
    """A documented function as a pair, with what a split has to respect.

    Args:
        pair: title = name, question = docstring, answer = the function without it.
        group: the file it stands in, ``REPO/PATH``; a split keeps a group together.
        partition: the split its publisher put it in; None where there is none.
    """

    pair: Pair
    group: str
    partition: Partition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedFile:
    """A source file of a wanted language that was not read, and why; path is relative to its folder."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a function comes from and under which terms; see ``Pair`` for what may be None."""

    site: str
    author: str
    author_url: str | None
    licence: str
    url: str | None


def to_pair(function_id: int, language: str, *, title: str, docstring: str, code: str, origin: Origin) -> Pair:
    """A documented function as a pair: both sides have one id, author, licence and place."""
    return Pair(
        question_id=function_id,
        answer_id=function_id,
        language=language,
        title=title,
        question=docstring,
        answer=code,
        tags=(),
        question_score=0,
        answer_score=0,
        view_count=None,
        question_created_ms=None,
        answer_created_ms=None,
        question_author=origin.author,
        question_author_url=origin.author_url,
        answer_author=origin.author,
        answer_author_url=origin.author_url,
        question_licence=origin.licence,
        answer_licence=origin.licence,
        question_url=origin.url,
        answer_url=origin.url,
        site=origin.site,
    )


def stable_id(*parts: str) -> int:
    """A positive 63-bit integer that depends on the parts alone: the head of their sha256."""
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1 or 1
