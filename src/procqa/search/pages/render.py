"""The pages of the server, from templates that escape whatever they are given.

Needs the extra ``serve``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from procqa import __version__
from procqa.config import MAX_QUERY_CHARS, SearchConfig
from procqa.records import LOCAL, Attribution, CodePlace, Hit
from procqa.search.forms import markdown_of
from procqa.search.pages.markup import REL, safe_url, to_html
from procqa.search.searcher import Searcher, SearchResult
from procqa.text import one_line

FOLDER = Path(__file__).parent
MAX_ROWS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What stands in the search box, as it was sent."""

    query: str
    k: str
    language: str
    mode: str

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "Form":
        """The form as the parameters of a request fill it."""
        defaults = SearchConfig()
        return cls(
            query=parameters.get("q", "")[:MAX_QUERY_CHARS],
            k=parameters.get("k", str(defaults.k)),
            language=parameters.get("language", ""),
            mode=parameters.get("mode", defaults.mode),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a visitor can choose from."""

    documents: int
    languages: tuple[str, ...]
    modes: tuple[str, ...]
    dump_date: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A hit as the page shows it: text is escaped by the template, Markdown is inert, links are of the web."""

    rank: int
    title: str
    language: str
    score: float
    question: Markup | None
    answer: Markup
    by: Attribution
    place: CodePlace | None
    question_url: str | None
    answer_url: str | None
    question_author_url: str | None
    answer_author_url: str | None

    @property
    def link(self) -> str | None:
        """Where the title leads."""
        return self.question_url or self.answer_url

    @property
    def names_source(self) -> bool:
        """Whether the origin says more than the authors' names."""
        return self.by.origin != LOCAL or self.place is not None or self.link is not None

    @property
    def by_one(self) -> bool:
        """Whether question and answer have one author and one licence."""
        question = self.by.question_author, self.question_author_url, self.by.question_licence
        return question == (self.by.answer_author, self.answer_author_url, self.by.answer_licence)


def search_page(searcher: Searcher, form: Form, *, result: SearchResult | None = None, error: str | None = None) -> str:
    """The page with the search box, and with hits or one sentence of what is wrong."""
    facts = Facts(
        documents=len(searcher),
        languages=tuple(searcher.languages),
        modes=("hybrid", "dense", "lexical") if searcher.has_vectors else ("lexical",),
        dump_date=searcher.dump_date,
    )
    hits = [] if result is None else [_show(hit) for hit in result.hits]
    return (
        _templates()
        .get_template("search.html")
        .render(
            facts=facts,
            query=form.query,
            k=form.k,
            language=form.language,
            mode=form.mode,
            rows=min(MAX_ROWS, max(2, form.query.count("\n") + 1)),
            max_chars=MAX_QUERY_CHARS,
            result=result,
            hits=hits,
            error=error,
        )
    )


def _show(hit: Hit) -> Shown:
    document = hit.document
    by, is_written = document.attribution, document.place is not None
    question, answer = markdown_of(document)
    says_more = document.question.strip() not in ("", document.title.strip())
    return Shown(
        rank=hit.rank,
        title=one_line(document.title),
        language=document.language,
        score=hit.score,
        question=to_html(question, language=document.language, is_written=is_written) if says_more else None,
        answer=to_html(answer, language=document.language, is_written=is_written),
        by=_legible(by),
        place=None if document.place is None else _legible(document.place),
        question_url=safe_url(by.question_url),
        answer_url=safe_url(by.answer_url),
        question_author_url=safe_url(by.question_author_url),
        answer_author_url=safe_url(by.answer_author_url),
    )


Named = TypeVar("Named", Attribution, CodePlace)


def _legible(record: Named) -> Named:
    """The record with nothing in its names that turns or hides what stands beside them."""
    texts: dict[str, Any] = {name: one_line(text) for name, text in asdict(record).items() if isinstance(text, str)}
    return replace(record, **texts)


def docs_page(openapi: Mapping[str, Any]) -> str:
    """The interface for readers, from its OpenAPI description."""
    return _templates().get_template("docs.html").render(operations=list(_operations(openapi)), version=__version__)


def _operations(openapi: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            parameters = [
                {"name": entry["name"], "place": entry["in"], "meaning": entry.get("description", "")}
                for entry in operation.get("parameters", [])
            ]
            if "requestBody" in operation:
                parameters.append({"name": "body", "place": "body", "meaning": "query or code, k, language, mode"})
            yield {"method": method.upper(), "path": path, "summary": operation["summary"], "parameters": parameters}


@lru_cache(maxsize=1)
def script() -> str:
    """The one script, without which every page works."""
    return (FOLDER / "script.js").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def style_sheet() -> str:
    """The one style sheet."""
    return (FOLDER / "style.css").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["rel"] = REL
    return environment
