"""Words what is wrong with a request: what must hold, what came, and what to do.

The shape of every error of the server, and the sentences for requests that pydantic refuses. Knows
no framework: ``web.py`` sends them.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

STATUSES = {
    400: "wrong use: an empty query, an unknown language, k out of range, a body of another form",
    401: "no token, or a wrong one, where the server was started with `--token-file`",
    404: "no such document, or no such address",
    405: "a method that the address does not take; `Allow` names those that it does",
    408: "the body did not arrive in time",
    413: "a query longer than 20,000 characters, or a body larger than 256 KiB",
    421: "a name that is none of the server's, where it listens on the loopback without a token; see `--hosts`",
    431: "an address and headers of more than 256 KiB",
    500: "a fault of the server; its log says which, under the same `request_id`",
    503: "all places for searches are taken: try again after the seconds in `Retry-After`",
    504: "the search took longer than `--timeout`",
}
"""What the server answers with when it does not answer, and when; the tests provoke each."""

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
    },
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "What is wrong, in one sentence.",
        "content": {"application/problem+json": {"schema": _SCHEMA}},
    }
}
"""Errors as OpenAPI describes them."""

GOT_CHARS = 40
"""How much of what came a sentence repeats."""

NO_JSON = 'the body must be JSON, but it cannot be read as such: send {"query": "…"} as application/json'
WHOLE_NUMBER = "{name} must be a whole number from 1 to 1000, got {got}"
JSON_OBJECT = 'the body must be a JSON object, got {got}: send {{"query": "…"}} as application/json'
SENTENCES = {
    "int_parsing": WHOLE_NUMBER,
    "int_parsing_size": WHOLE_NUMBER,
    "int_from_float": WHOLE_NUMBER,
    "int_type": WHOLE_NUMBER,
    "string_type": "{name} must be text, got {got}: put it in quotation marks",
    "literal_error": "{name} must be one of hybrid, dense, lexical, got {got}",
    "extra_forbidden": "the body may hold query, code, k, language and mode, got {name!r}: leave it out",
    "json_invalid": NO_JSON.replace("{", "{{").replace("}", "}}"),
    "model_attributes_type": JSON_OBJECT,
    "missing": "{name} must be given, got nothing: add ?{name}=WORDS to the address",
}
"""What must hold, what came and what to do, by pydantic's type of error."""


def problem(status: int, sentence: str, request_id: str | None = None) -> dict[str, Any]:
    """The body of an error, as RFC 9457 has it."""
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
    return told if request_id is None else {**told, "request_id": request_id}


def problem_bytes(status: int, sentence: str, request_id: str | None = None) -> bytes:
    """The same as JSON."""
    return json.dumps(problem(status, sentence, request_id)).encode()


def to_sentence(invalid: Mapping[str, Any]) -> str:
    """What pydantic has against a request, in one sentence."""
    name = shorten(".".join(str(part) for part in invalid["loc"][1:]))
    got = quote(invalid.get("input"))
    if invalid["loc"] == ("body",) and invalid["type"] == "missing":
        return JSON_OBJECT.format(got="nothing")
    if invalid["type"] in SENTENCES:
        return SENTENCES[invalid["type"]].format(name=name, got=got)
    return f"{name or 'the body'} must be of another form, got {got}: see /docs"


def quote(value: Any) -> str:  # Any: whatever came in a request
    """The head of what came, without what could break a line."""
    if isinstance(value, bytes):
        value = value[: 4 * GOT_CHARS].decode("utf-8", "replace")
    return repr(shorten(value)) if isinstance(value, str) else shorten(repr(value))


def shorten(text: str) -> str:
    """The head of a text, with a sign where more came."""
    return text if len(text) <= GOT_CHARS else f"{text[:GOT_CHARS]}…"
