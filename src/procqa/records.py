"""The frozen records that pass between the stages: Post → Pair → Document → Hit.

One record in, one record out. A dump row becomes a Post, a question joined with its answer a Pair
(one row of a dataset), a Pair a Document of an index, and a Document that answers a query a Hit.
Times are milliseconds since 1970-01-01 UTC, lengths are characters.
"""

from dataclasses import dataclass
from typing import Literal

SegmentKind = Literal["text", "code"]

LOCAL = "local"
"""The origin of posts that have no pages: their authors' names say where they come from."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One typed span of a post's Markdown.

    Args:
        kind: prose (inline code belongs to it) or a code block.
        text: the prose as it stands, or the code without its fence, byte-identical to the post.
        language: the language named by the fence, if any.
    """

    kind: SegmentKind
    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One readable row of a dump that is a question or an answer."""

    site: str
    id: int
    kind: Literal["question", "answer"]
    parent_id: int | None
    accepted_answer_id: int | None
    created_ms: int
    activity_ms: int
    score: int
    view_count: int | None
    title: str
    tags: tuple[str, ...]
    body_html: str
    author: str
    author_url: str | None
    licence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A question and its answer: one row of a dataset, fields in the order of its columns.

    A documented function is a pair too: title = name, question = docstring, answer = the function
    without it, created None where the source has no dates. In a folder of source code both urls are
    ``PATH#LLINE``, relative to the folder; anywhere else they are absolute or None.
    """

    question_id: int
    answer_id: int
    language: str
    title: str
    question: str
    answer: str
    tags: tuple[str, ...]
    question_score: int
    answer_score: int
    view_count: int | None
    question_created_ms: int | None
    answer_created_ms: int | None
    question_author: str
    question_author_url: str | None
    answer_author: str
    answer_author_url: str | None
    question_licence: str
    answer_licence: str
    question_url: str | None
    answer_url: str | None
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A question, or a documented function, that is no pair, and the one reason for it.

    Args:
        language: the one it would have had; None where it has none of the wanted.
        detail: what a reader of the rejects needs to see beside the reason.
    """

    site: str
    question_id: int
    language: str | None
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Who wrote a text, where it stands, and under which licence it may be used.

    Stack Overflow's rules ask for a visible origin, a link to the question, the authors of question
    and answer, and links to their profiles. Urls are None where the source has no web page.

    Raises:
        ValueError: the origin, an author or a licence is empty: such a hit must not be shown.
    """

    origin: str
    question_author: str
    question_author_url: str | None
    question_licence: str
    question_url: str | None
    answer_author: str
    answer_author_url: str | None
    answer_licence: str
    answer_url: str | None

    def __post_init__(self) -> None:
        """Refuse an attribution that names nobody."""
        for name in ("origin", "question_author", "question_licence", "answer_author", "answer_licence"):
            if not getattr(self, name).strip():
                raise ValueError(f"an attribution must name its {name.replace('_', ' ')}, got an empty one")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePlace:
    """Where a function stands in a folder of source code; lines count from 1."""

    path: str
    line: int
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One searchable text with its attribution.

    Args:
        id: unique in an index, without white space: ``SITE:ANSWER_ID``.
        place: set where the document is source code; its ids and web addresses then mean nothing.

    Raises:
        ValueError: it is a post of a site and links to none of its pages: such a hit must not be shown.
    """

    id: str
    language: str
    title: str
    question: str
    answer: str
    tags: tuple[str, ...]
    score: int
    created_ms: int | None
    question_id: int
    answer_id: int
    attribution: Attribution
    place: CodePlace | None = None

    def __post_init__(self) -> None:
        """Refuse a post that cannot be found again."""
        by = self.attribution
        if self.place is None and by.origin != LOCAL and not (by.question_url or by.answer_url):
            raise ValueError(f"a post of {by.origin} must link to its question, but {self.id} does not")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a document stands where it does: its place in each ranking, and the words it shares with the query.

    Args:
        words_rank: among the documents that share a word, from 1; None where it is not among those looked at.
        words_score: its BM25 there.
        words_limit: what no document scores more than by words, by which BM25 is divided in a score of both; None where
            words did not rank.
        vectors_rank: among the documents by cosine, from 1; None where it is not among those looked at.
        cosine: of its vector and the query's.
        weight: of the cosine in the score; that of words is the rest of 1; None where one ranking stands alone.
        read: what a cross-encoder that read query and document made of them, in (0, 1); None where none did.
        matched: the query's words that the document holds, in the query's order.
    """

    words_rank: int | None
    words_score: float | None
    words_limit: float | None
    vectors_rank: int | None
    cosine: float | None
    weight: float | None
    read: float | None
    matched: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A document that answers a query, with its rank from 1 and the score of its ranking.

    Args:
        explanation: where it was asked for.
    """

    rank: int
    score: float
    document: Document
    explanation: Explanation | None = None
