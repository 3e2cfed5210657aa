"""The lines of a server's log."""

import json
import logging
import sys

import pytest

from procqa.search.logs import JsonLines, TextLines


def record(message: str, *arguments: object, **other: object) -> logging.LogRecord:
    made = logging.LogRecord("procqa", logging.WARNING, "a.py", 1, message, arguments, other.pop("exc_info", None))
    made.created = 1_600_000_000.25
    made.__dict__.update(other)
    return made


def test_a_record_is_one_json_object_on_one_line():
    line = JsonLines().format(record("two\nlines: %s", "\x1b[2J é \u202e", facts={"status": 200, "path": "/\n"}))
    assert line.count("\n") == 0
    assert line.isascii()
    assert json.loads(line) == {
        "time": "2020-09-13T12:26:40.250+00:00",
        "level": "warning",
        "message": "two\nlines: \x1b[2J é \u202e",
        "status": 200,
        "path": "/\n",
    }


def test_a_fault_has_its_traceback_in_its_line():
    try:
        raise KeyError("lost")
    except KeyError:
        fault = sys.exc_info()
    line = json.loads(JsonLines().format(record("failed", exc_info=fault)))
    assert line["message"] == "failed"
    assert line["traceback"].endswith("KeyError: 'lost'\n")
    text = TextLines().format(record("failed", exc_info=fault))
    assert text.startswith("12:26:40.250 warning: failed\nTraceback")


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({}, "12:26:40.250 warning: done"),
        ({"status": 200, "path": "/a\x1b"}, r"12:26:40.250 warning: done  status=200 path='/a\x1b'"),
    ],
)
def test_text_is_for_people_and_has_no_power_over_a_terminal(facts: dict[str, object], line: str):
    assert TextLines().format(record("done", facts=facts)) == line
