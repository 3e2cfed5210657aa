"""What every surface shows of a result and of a document: the objects of ``search --json``, and Markdown."""

from dataclasses import asdict
from typing import Any

from procqa.records import Document, Hit
from procqa.search.searcher import SearchResult
from procqa.text import fence


def markdown_of(document: Document) -> tuple[str, str]:
    """Question and answer as Markdown: a documented function is plain text and bare code.

    A function's question and answer are one thing with one id; no question of a dump is its own answer.
    """
    if document.question_id != document.answer_id:
        return document.question, document.answer
    return fence(document.question), fence(document.answer, document.language)


def result_json(result: SearchResult) -> dict[str, Any]:
    """What every surface shows of a result: the object of ``search --json``."""
    return {
        "query": result.query,
        "mode": result.mode,
        "seconds": round(result.seconds, 6),
        "dump_date": result.dump_date,
        "hits": [hit_json(hit) for hit in result.hits],
    }


def hit_json(hit: Hit) -> dict[str, Any]:
    """One hit with its attribution; source code has a place instead of ids and urls."""
    document = hit.document
    return {
        "rank": hit.rank,
        "id": document.id,
        "score": hit.score,
        "language": document.language,
        "title": document.title,
        "answer": document.answer,
        **_origin_json(document),
        **({} if hit.explanation is None else {"explain": asdict(hit.explanation)}),
    }


def document_json(document: Document) -> dict[str, Any]:
    """One document with its question, its tags and its attribution."""
    return {
        "id": document.id,
        "language": document.language,
        "title": document.title,
        "question": document.question,
        "answer": document.answer,
        "tags": list(document.tags),
        "answer_score": document.score,
        **_origin_json(document),
    }


def _origin_json(document: Document) -> dict[str, Any]:
    by = document.attribution
    authors = {"question_author": by.question_author, "answer_author": by.answer_author}
    licences = {"question_licence": by.question_licence, "answer_licence": by.answer_licence}
    if document.place is not None:
        place = {"path": document.place.path, "line": document.place.line, "symbol": document.place.symbol}
        return {**place, **authors, **licences, "source": by.origin}
    return {
        "question_id": document.question_id,
        "answer_id": document.answer_id,
        "question_url": by.question_url,
        "answer_url": by.answer_url,
        **authors,
        "question_author_url": by.question_author_url,
        "answer_author_url": by.answer_author_url,
        **licences,
        "source": by.origin,
    }
