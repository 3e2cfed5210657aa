"""CodeSearchNet, AdvTest, the cloze test and CDCS: functions, and the sentences that describe them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from procqa.corpora.codesearchnet import LANGUAGE_NAMES, Text, join_tokens
from procqa.corpora.files import mend, read_lines
from procqa.corpora.layouts.rows import Row, id_of, optional_text_of, read_rows, text_of, to_id
from procqa.errors import BenchmarkError

CODE_SPLIT = "<CODESPLIT>"
_CDCS = ("label", "url", "function name", "query", "code")


def read_functions(path: Path, text: Text = "raw") -> Iterator[Row]:
    """CodeSearchNet's functions, as published or as AdvTest and others re-publish them: docstring and code.

    Args:
        text: ``tokens`` takes the published tokens of both, with a blank between them.

    Source: github/CodeSearchNet: README.md; microsoft/CodeBERT: GraphCodeBERT/codesearch/README.md;
    microsoft/CodeXGLUE: Text-Code/NL-code-search-Adv/README.md, whose files say ``function`` for ``code``.
    """
    for number, (where, row) in enumerate(read_rows(path), start=1):
        place = "/".join(str(row[name]) for name in ("repo", "path", "func_name") if row.get(name))
        code = "function" if "function" in row else "code"
        yield Row(
            id=to_id(mend(str(row.get("url") or "").strip() or place.strip() or str(number))),
            language=_language(row),
            query=_tokens(row, "docstring_tokens") if text == "tokens" else optional_text_of(row, "docstring", where),
            document=_code_tokens(row, f"{code}_tokens", where) if text == "tokens" else text_of(row, code, where),
        )


def _language(row: dict[str, Any]) -> str | None:
    named = row.get("language")
    return LANGUAGE_NAMES.get(named.lower(), named.lower()) if isinstance(named, str) and named else None


def _tokens(row: dict[str, Any], name: str) -> str | None:
    return join_tokens(row.get(name)) or None


def _code_tokens(row: dict[str, Any], name: str, where: str) -> str:
    tokens = _tokens(row, name)
    if tokens is None:
        raise BenchmarkError(f"{where} must have a list of tokens {name!r}, as published, got {row.get(name)!r:.60}")
    return tokens


def read_csn_cloze(path: Path) -> Iterator[Row]:
    """The docstrings and functions of CodeSearchNet's cloze test."""
    for where, row in read_rows(path):
        yield Row(
            id=id_of(row, "id", where),
            language=text_of(row, "language", where),
            query=text_of(row, "docstring", where),
            document=text_of(row, "code", where),
        )


def read_cdcs(path: Path) -> Iterator[Row]:
    """CDCS's queries and code: five fields between marks, a line each; ids are the numbers of the lines.

    Source: fewshotcdcs/CDCS: dataset/test/SQL.txt, dataset/test/Solidity.txt.
    """
    for number, line in read_lines(path, BenchmarkError):
        fields = line.decode("utf-8", "replace").strip().split(CODE_SPLIT)
        if len(fields) != len(_CDCS) or not all(fields[3:]):
            raise BenchmarkError(f"{path}, line {number} must be {', '.join(_CDCS)} between {CODE_SPLIT}, as published")
        yield Row(id=str(number), query=fields[3], document=fields[4])


def is_cdcs(path: Path) -> bool:
    """Whether a text file is one of CDCS's.

    Raises:
        BenchmarkError: the file cannot be read.
    """
    for _, line in read_lines(path, BenchmarkError):
        return line.count(CODE_SPLIT.encode()) == len(_CDCS) - 1
    return False
