"""What of a row can stand on a side of a training pair, and which pairs are made of it.

A view is a text of a row: a whole field, or the prose or the code of one. Pairs of whole fields are the
modality-agnostic streams of MACP; those of prose and code are the modality-specific streams that it is compared
with, cut from the same rows. Source: docs/paper.md#sampling for the first, ours, docs/decisions/0015 for the rest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from procqa.text import segments

Row = Mapping[str, str]
"""The title, question and answer of a row of a dataset."""

RowKind = Literal["questions", "functions"]


def _title_and_question(row: Row) -> str:
    """As evaluation asks it: ``procqa:LANG``."""
    return f"{row['title']}\n{row['question']}".strip()


def _prose(markdown: str) -> str:
    return "\n\n".join(span.text for span in segments(markdown) if span.kind == "text")


def _blocks(markdown: str) -> list[str]:
    return [span.text for span in segments(markdown) if span.kind == "code" and span.text.strip()]


def _code(markdown: str) -> str:
    return "\n".join(_blocks(markdown))


VIEWS: dict[str, Callable[[Row], str]] = {
    "title": lambda row: row["title"],
    "question": lambda row: row["question"],
    "answer": lambda row: row["answer"],
    "title+question": _title_and_question,
    "question-prose": lambda row: f"{row['title']}\n{_prose(row['question'])}".strip(),
    "question-code": lambda row: _code(row["question"]),
    "answer-prose": lambda row: _prose(row["answer"]),
    "answer-code": lambda row: _code(row["answer"]),
    "answer-first-code": lambda row: "".join(_blocks(row["answer"])[:1]),
    "answer-other-code": lambda row: "\n".join(_blocks(row["answer"])[1:]),
}
"""Every view by name. The prose of a question begins with its title; blocks of code stand one below the other."""


@dataclass(frozen=True, slots=True)
class PairType:
    """Which view asks and which answers, in rows of a kind."""

    name: str
    query: str
    document: str
    rows: RowKind = "questions"


PAIR_TYPES = {
    pair_type.name: pair_type
    for pair_type in (
        PairType("title-question", "title", "question"),
        PairType("title-answer", "title", "answer"),
        PairType("question-answer", "question", "answer"),
        PairType("both-answer", "title+question", "answer"),
        PairType("docstring-function", "question", "answer", "functions"),
        PairType("prose-code", "question-prose", "answer-code"),
        PairType("prose-prose", "question-prose", "answer-prose"),
        PairType("first-code-others", "answer-first-code", "answer-other-code"),
        PairType("code-code", "question-code", "answer-code"),
    )
}
"""Every pair type by name."""

MODALITIES = {
    "agnostic": ("title-question", "title-answer", "question-answer"),
    "bimodal": ("prose-code",),
    "unimodal": ("prose-prose", "first-code-others", "code-code"),
}
"""The pair types of questions that each way of handling modalities trains on. Source: ours, docs/decisions/0015."""


def cut(row: Row, views: tuple[str, ...]) -> list[str]:
    """The views of a row, in the order of their names."""
    return [VIEWS[name](row) for name in views]
