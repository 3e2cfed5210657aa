"""What goes in and out as JSON, as OpenAPI describes it; the tests hold the answers against it."""

import copy
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from procqa.config import MAX_QUERY_CHARS, SearchConfig

DEFAULTS = SearchConfig()
Mode = Literal["hybrid", "dense", "lexical"]
MEANS = {
    "q": "words or code, at most 20,000 characters",
    "k": "hits returned, 1 to 1000",
    "language": "answer in one language only; empty or all: any",
    "mode": "rank by words (lexical), vectors (dense), or both fused (hybrid)",
}
# Described, not checked: the searcher checks, in its own sentences and with its own statuses.
QUERY_LIMITS: dict[str, Any] = {"minLength": 1, "maxLength": MAX_QUERY_CHARS, "pattern": r"\S"}
K_LIMITS: dict[str, Any] = {"minimum": 1, "maximum": 1_000}
ONE_QUERY: dict[str, Any] = {
    "oneOf": [
        {"required": ["query"], "properties": {"query": {"type": "string"}, "code": {"type": "null"}}},
        {"required": ["code"], "properties": {"code": {"type": "string"}, "query": {"type": "null"}}},
    ]
}


def _to_whole(value: Any) -> Any:  # Any: whatever JSON holds
    """JSON has one kind of number, and 10.0 is whole in it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


QueryParameter = Annotated[str, Query(description=MEANS["q"], json_schema_extra=QUERY_LIMITS)]
PageQueryParameter = Annotated[str, Query(description=MEANS["q"], json_schema_extra={"maxLength": MAX_QUERY_CHARS})]
KParameter = Annotated[int, Query(description=MEANS["k"], json_schema_extra=K_LIMITS)]
LanguageParameter = Annotated[str, Query(description=MEANS["language"])]
ModeParameter = Annotated[Mode, Query(description=MEANS["mode"])]


class SearchRequest(BaseModel):
    """The body of ``POST /api/search``: either a query or code, and how to answer it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=ONE_QUERY)

    query: str | None = Field(
        None, description=f"{MEANS['q']}; give either query or code", json_schema_extra=QUERY_LIMITS
    )
    code: str | None = Field(
        None, description="code as the query, at most 20,000 characters", json_schema_extra=QUERY_LIMITS
    )
    k: Annotated[int, BeforeValidator(_to_whole)] = Field(
        DEFAULTS.k, description=MEANS["k"], strict=True, json_schema_extra=K_LIMITS
    )
    language: str | None = Field(None, description=MEANS["language"])
    mode: Mode = Field(DEFAULTS.mode, description=MEANS["mode"])


class Answer(BaseModel):
    """Whatever goes out: the keys that are named, and no others."""

    model_config = ConfigDict(extra="forbid")


class Origin(Answer):
    """Who wrote question and answer, under which licences, and where they come from."""

    question_author: str
    answer_author: str
    question_licence: str
    answer_licence: str
    source: str = Field(description="the site of a post, or where source code comes from")


class PostOrigin(Origin):
    """The origin of a post; addresses are null where its site has no pages."""

    question_id: int
    answer_id: int
    question_url: str | None
    answer_url: str | None
    question_author_url: str | None
    answer_author_url: str | None


class CodeOrigin(Origin):
    """The origin of a function in a folder of source code."""

    path: str
    line: int
    symbol: str


class Ranked(Answer):
    """What every hit has."""

    rank: int
    id: str
    score: float
    language: str
    title: str
    answer: str


class PostHit(Ranked, PostOrigin):
    """An answer of a site."""


class CodeHit(Ranked, CodeOrigin):
    """A function in source code."""


class SearchAnswer(Answer):
    """The object of ``procqa search --json``."""

    query: str
    mode: Mode
    seconds: float
    dump_date: str | None
    hits: list[PostHit | CodeHit]


class Whole(Answer):
    """What every document has."""

    id: str
    language: str
    title: str
    question: str
    answer: str
    tags: list[str]
    answer_score: int


class PostDocument(Whole, PostOrigin):
    """An answer of a site with its question."""


class CodeDocument(Whole, CodeOrigin):
    """A function in source code with what it is said to do."""


class Health(Answer):
    """The server runs."""

    status: Literal["ok"]


class Readiness(Answer):
    """The server answers, and from what."""

    status: Literal["ready"]
    documents: int
    sha256: str
    stale: bool = Field(description="the folder holds no index that can be served, and an older one answers")


def describe(openapi: dict[str, Any], languages: Iterable[str], *, has_token: bool) -> dict[str, Any]:
    """The description of a server by its framework, with what only the running one knows.

    Args:
        languages: those of the index that is served now.
        has_token: whether requests must show a token.
    """
    described = copy.deepcopy(openapi)
    choices = ["", "all", *languages]
    for operations in described["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] == "language":
                    parameter["schema"]["enum"] = choices
    (text, _) = described["components"]["schemas"]["SearchRequest"]["properties"]["language"]["anyOf"]
    text["enum"] = choices
    if has_token:
        described["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        described["security"] = [{"token": []}]
    return described
