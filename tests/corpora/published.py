"""Files as benchmarks publish them, with invented content."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def write_json(path: Path, value: object) -> Path:
    return write_text(path, json.dumps(value, indent=1))


def write_lines(path: Path, rows: Iterable[object]) -> Path:
    return write_text(path, "".join(json.dumps(row) + "\n" for row in rows))


def function(url: str, code: str, docstring: str = "", **fields: Any) -> dict[str, Any]:
    """A row of CodeSearchNet; its tokens are the words of both texts."""
    return {
        "repo": "owner/repo",
        "path": "a.py",
        "func_name": "f",
        "language": "python",
        "code": code,
        "code_tokens": code.split(),
        "docstring": docstring,
        "docstring_tokens": docstring.split(),
        "url": url,
        **fields,
    }


def adversarial(number: int, code: str, docstring: str) -> dict[str, Any]:
    """A row of AdvTest's test file."""
    row = function(f"https://example.org/{number}", code, docstring, idx=number)
    row["function"], row["function_tokens"] = row.pop("code"), row.pop("code_tokens")
    return row


def cdcs(*pairs: tuple[str, str]) -> str:
    """The lines of a test file of CDCS."""
    mark = "<CODESPLIT>"
    return "".join(mark.join(("1", "URL", "func_name", query, code)) + "\n" for query, code in pairs)


def released(number: int) -> dict[str, Any]:
    """A row of the paper's release."""
    return {
        "question_id": number,
        "answer_id": 100 + number,
        "title": f"title {number}",
        "question": f"body {number}",
        "answer": f"answer {number}",
    }
