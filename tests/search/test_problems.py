"""The sentences for requests that cannot be taken; test_web.py sees them through a server."""

from typing import Any

import pytest

from procqa.search.problems import quote, to_sentence


@pytest.mark.parametrize(
    ("invalid", "sentence"),
    [
        (
            {"type": "int_parsing", "loc": ("query", "k"), "input": "abc"},
            "k must be a whole number from 1 to 1000, got 'abc'",
        ),
        (
            {"type": "literal_error", "loc": ("query", "mode"), "input": "foo"},
            "mode must be one of hybrid, dense, lexical, got 'foo'",
        ),
        (
            {"type": "missing", "loc": ("query", "q"), "input": None},
            "q must be given, got nothing: add ?q=WORDS to the address",
        ),
        (
            {"type": "missing", "loc": ("body",), "input": None},
            'the body must be a JSON object, got nothing: send {"query": "…"} as application/json',
        ),
        (
            {"type": "extra_forbidden", "loc": ("body", "a\nb"), "input": 1},
            "the body may hold query, code, k, language and mode, got 'a\\nb': leave it out",
        ),
        ({"type": "new", "loc": ("body", "k"), "input": {}}, "k must be of another form, got {}: see /docs"),
        ({"type": "new", "loc": ("body",), "input": 1}, "the body must be of another form, got 1: see /docs"),
    ],
)
def test_a_sentence_says_what_must_hold_what_came_and_what_to_do(invalid: dict[str, Any], sentence: str):
    assert to_sentence(invalid) == sentence


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("x" * 41, f"'{'x' * 40}…'"),
        (b"query=\xff", "'query=\ufffd'"),
        ("\x1b[2J\n\u202e", r"'\x1b[2J\n\u202e'"),
        (["long"] * 100, "['long', 'long', 'long', 'long', 'long',…"),
        (None, "None"),
    ],
)
def test_what_came_is_quoted_in_short_and_on_one_line(value: object, quoted: str):
    assert quote(value) == quoted
