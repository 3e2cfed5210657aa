"""CodeSearchNet's files → documented functions: title = name, question = docstring, answer = the code.

Reads LANG/final/jsonl/PARTITION/*.jsonl.gz, LANG/train.jsonl, valid.jsonl and test.jsonl as GraphCodeBERT filtered
them, or any tree of *.jsonl and *.jsonl.gz whose rows have repo, path, func_name, language, code and docstring; one
such file will do. GraphCodeBERT's codebase.jsonl holds what its queries are searched in, test functions without a
query among it, and is passed over. A row that is no pair is dropped with a reason. A row that stands twice comes
twice, with the same id. Source: docs/paper.md#suite.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from procqa.config import LANGUAGES
from procqa.corpora.docstrings import strip_python_docstring
from procqa.corpora.files import kind_of, mend, plain_name, read_lines, walk_files
from procqa.corpora.records import (
    MIN_DOCSTRING_CHARS,
    CorpusPair,
    Origin,
    Partition,
    SkippedFile,
    stable_id,
    to_pair,
)
from procqa.errors import DumpError
from procqa.records import Dropped

LANGUAGE_NAMES = {"c++": "cpp", "c#": "csharp", "c_sharp": "csharp", "common lisp": "lisp", "js": "javascript"}
PARTITIONS: dict[str, Partition] = {
    "train": "train",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
}
LOCAL = "local"
CANDIDATES = "codebase.jsonl"

Text = Literal["raw", "tokens"]
"""The docstring and the code as they are published, or their published tokens with a blank between them."""

UNREADABLE = "unreadable row"
OTHER_LANGUAGE = "no wanted language"
NO_DOCSTRING = "no docstring"
SHORT_DOCSTRING = "docstring too short"
NO_CODE = "no code"
NO_TOKENS = "no tokens"
CANDIDATES_ONLY = "candidates to search in, no pairs"

ASSIGNED_NAME = re.compile(r"([A-Za-z_$][\w$]*)\s*[:=]\s*(?:async\s*)?(?:function\b|\([^()]*\)\s*=>|[\w$]+\s*=>)")
CALLED_NAME = re.compile(r"(~?[A-Za-z_$][\w$]*|operator\s*[^\s\w(]+)\s*\(")
NOT_A_NAME = frozenset({"function", "if", "for", "while", "switch", "return", "decltype", "noexcept", "explicit"})


def holds_functions(source: Path) -> bool:
    """Whether a file or folder is CodeSearchNet's: the first row of its first JSON-lines file has code and docstring.

    Raises:
        DumpError: the file or folder cannot be read.
    """
    for path in _pair_files(source):
        for _, line in read_lines(path, DumpError):
            return isinstance(row := _to_row(line), dict) and {"code", "docstring"} <= row.keys()
    return False


def read_pairs(
    source: Path,
    languages: Sequence[str] = LANGUAGES,
    *,
    text: Text = "raw",
    on_skip: Callable[[SkippedFile], object] | None = None,
) -> Iterator[CorpusPair | Dropped]:
    """The documented functions of CodeSearchNet's files, lazily, and the other rows with the reason against them.

    Args:
        source: a folder, or one file.
        languages: which languages to keep.
        text: ``tokens`` takes docstring_tokens and code_tokens, as the authors of the paper did for their final runs.
        on_skip: is told of every file that holds candidates alone.

    Raises:
        DumpError: there is no such file, a folder holds none, or one cannot be read to its end.
    """
    files = _pair_files(source)
    if not files:
        raise DumpError(
            f"{source} must hold *.jsonl or *.jsonl.gz files of functions, but holds none: name their folder",
            path=str(source),
        )
    for path in _list_files(source):
        if on_skip is not None and path not in files:
            on_skip(SkippedFile(path=path.relative_to(source).as_posix(), reason=CANDIDATES_ONLY))
    return _read_files(files, source, frozenset(languages), text)


def _pair_files(source: Path) -> list[Path]:
    """The files of functions; one that is named itself is read whatever it is called."""
    return [path for path in _list_files(source) if path == source or plain_name(path) != CANDIDATES]


def _list_files(source: Path) -> list[Path]:
    kind = kind_of(source)
    if kind is None:
        raise DumpError(f"{source} must be a folder of *.jsonl.gz files, but is not there", path=str(source))
    if kind == "file":
        return [source] if plain_name(source).endswith(".jsonl") else []
    return [path for path in walk_files(source, DumpError) if plain_name(path).endswith(".jsonl")]


def _read_files(
    files: list[Path], source: Path, languages: frozenset[str], text: Text
) -> Iterator[CorpusPair | Dropped]:
    for path in files:
        place = path.relative_to(source) if path != source else Path(path.name)
        names = (*place.parts[:-1], *plain_name(path).removesuffix(".jsonl").split("_"))
        folders = [PARTITIONS[name] for name in names if name in PARTITIONS]
        for number, line in read_lines(path, DumpError):
            row = _to_row(line)
            if isinstance(row, str):
                yield Dropped(
                    site=LOCAL,
                    question_id=0,
                    language=None,
                    reason=UNREADABLE,
                    detail=f"{place.as_posix()}, line {number}: {row}",
                )
            else:
                yield _to_corpus_pair(row, languages, folders[-1] if folders else None, text)


def _to_row(line: bytes) -> dict[str, Any] | str:
    """The row in a line, or what is wrong with it."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return "no JSON"
    if not isinstance(row, dict):
        return "no JSON object"
    for name in ("repo", "path", "language"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            return f"no {name}"
    for name in ("code", "docstring", "func_name", "url", "license", "licence", "partition"):
        if not isinstance(row.get(name), str | None):
            return f"{name} is no text"
    return {name: mend(value) if isinstance(value, str) else value for name, value in row.items()}


def _to_corpus_pair(
    row: dict[str, Any], languages: frozenset[str], of_folder: Partition | None, text: Text
) -> CorpusPair | Dropped:
    repo, path = row["repo"].strip(), row["path"].strip()
    named = row["language"].strip().lower()
    language = LANGUAGE_NAMES.get(named, named)
    code, docstring = row.get("code") or "", (row.get("docstring") or "").strip()
    function_id = stable_id(repo, path, row.get("func_name") or "", code)
    origin = _origin(row, repo)
    name = (row.get("func_name") or "").strip("*& \n\t") or name_in(code) or Path(path).stem
    if text == "tokens":
        docstring, code = join_tokens(row.get("docstring_tokens")), join_tokens(row.get("code_tokens"))
    elif language == "python":
        code = strip_python_docstring(code)
    reason = _why_dropped(language, languages, docstring, code)
    if text == "tokens" and reason in (NO_DOCSTRING, NO_CODE):
        reason = NO_TOKENS
    if reason is not None:
        return Dropped(
            site=origin.site,
            question_id=function_id,
            language=language if language in languages else None,
            reason=reason,
            detail=f"{repo}/{path} {row.get('func_name') or ''}".rstrip(),
        )
    return CorpusPair(
        pair=to_pair(function_id, language, title=name, docstring=docstring, code=code, origin=origin),
        group=f"{repo}/{path}",
        partition=PARTITIONS.get(row.get("partition") or "", of_folder),
    )


def join_tokens(tokens: Any) -> str:  # Any: whatever JSON can hold
    """Published tokens with a blank between them; empty where there are none that are texts."""
    if isinstance(tokens, str):
        return mend(tokens).strip()
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        return ""
    return mend(" ".join(tokens)).strip()


def _why_dropped(language: str, languages: frozenset[str], docstring: str, code: str) -> str | None:
    """The first reason that keeps a row from being a pair, or None."""
    if language not in languages:
        return OTHER_LANGUAGE
    if not docstring:
        return NO_DOCSTRING
    if len(docstring) < MIN_DOCSTRING_CHARS:
        return SHORT_DOCSTRING
    is_head_alone = language == "python" and code.rstrip().endswith(":")
    return NO_CODE if not code.strip() or is_head_alone else None


def _origin(row: dict[str, Any], repo: str) -> Origin:
    """Who wrote a row: its repository, linked where the row's url is a web address below it."""
    url = (row.get("url") or "").strip()
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        host = None
    licence = (row.get("license") or row.get("licence") or "").strip() or f"licence of {repo}"
    if host is None:
        return Origin(site=LOCAL, author=repo, author_url=None, licence=licence, url=None)
    home = f"{parts.scheme}://{parts.netloc}/{repo}"
    return Origin(
        site=host, author=repo, author_url=home if url.startswith(f"{home}/") else None, licence=licence, url=url
    )


def name_in(code: str) -> str:
    """The name a function's text gives it, for rows without func_name; empty where it has none.

    A name that a function is assigned to, or the first that stands before a bracket, which is enough for
    the languages whose rows lack it. Source: ours, docs/decisions/0008.
    """
    head = code[:2_000]
    called = next((match for match in CALLED_NAME.finditer(head) if match[1] not in NOT_A_NAME), None)
    assigned = ASSIGNED_NAME.search(head)
    if assigned is not None and (called is None or assigned.start() <= called.start()):
        return assigned[1]
    return " ".join(called[1].split()) if called is not None else ""
