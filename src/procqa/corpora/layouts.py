"""The published files of the benchmarks, one reader each: file → rows, with the line of whatever is wrong.

Readers are lazy, take plain and gzipped files, and decide nothing about relevance; ``benchmarks`` does.
Ids keep their published form, except that white space becomes "_", which a TREC run cannot hold.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from procqa.corpora.files import load_json, mend, plain_name, read_lines, read_objects
from procqa.errors import BenchmarkError

MISSING: Any = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One benchmark: its folder's name, its main file, and what the data is."""

    folder: str
    file: str
    source: str
    licence: str


COSQA_CODES = "code_idx_map.txt"
PUBLISHED = {
    "cosqa": Published(
        folder="cosqa",
        file="cosqa-retrieval-test-500.json",
        source="CoSQA code retrieval, test queries over all candidate functions, code as published",
        licence="C-UDA (data), MIT (repository)",
    ),
    "conala": Published(
        folder="conala",
        file="conala-test.json",
        source="CoNaLa curated test, rewritten intent to snippet",
        licence="CC BY-SA",
    ),
    "codenn": Published(
        folder="codenn",
        file="test.jsonl",
        source="CODE-NN test, Stack Overflow title to the snippet of its accepted answer",
        licence="CC BY-SA 3.0",
    ),
    "csn-cloze": Published(
        folder="csn-cloze",
        file="test.jsonl",
        source="CodeSearchNet functions of the maxmin cloze test, docstring to code; one token each is a guess",
        licence="C-UDA",
    ),
    "rosetta": Published(
        folder="rosetta",
        file="programs.jsonl",
        source="Rosetta Code 2017, program to programs of the same task",
        licence="GFDL 1.2",
    ),
}
"""The benchmarks with one published main file each. Source: docs/paper.md#suite."""

BEIR_FILES = ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One published row: a query, a document, or both.

    Args:
        id: of the query where there is one, else of the document.
        language: None where the file does not say.
        query: what is asked; None in a row that is a document alone.
        document: what is found; None in a row that is a query alone.
        document_id: the published id of the document, where it differs from ``id``.
        label: 0 where the publisher marks the document as wrong for the query.
        group: rows of one group answer each other: a task of Rosetta Code.
        others: further texts that give the row away, each with its kind: an ``intent`` before it was rewritten, the
            ``docstring`` within a function.
        posts: the Stack Overflow question, and the answer where it is named, that the row was taken from.
    """

    id: str
    language: str | None = None
    query: str | None = None
    document: str | None = None
    document_id: str | None = None
    label: int = 1
    group: str | None = None
    others: tuple[tuple[str, str], ...] = ()
    posts: tuple[int, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """One line of qrels, with the number of the line; a grade above 0 is relevant."""

    line: int
    query_id: str
    document_id: str
    grade: int


def read_cosqa_queries(path: Path) -> Iterator[Row]:
    """CoSQA's labelled queries: ``doc`` asks, ``retrieval_idx``, where there is one, is the id of its code."""
    for where, row in _read_array(path):
        yield Row(
            id=_id(row, "idx", where),
            language="python",
            query=_text(row, "doc", where),
            document=_text(row, "code", where),
            document_id=_id(row, "retrieval_idx", where) if "retrieval_idx" in row else None,
            label=_integer(row, "label", where),
        )


def read_cosqa_codes(path: Path) -> Iterator[Row]:
    """CoSQA's candidate functions: an object of code → id, in the order of the ids."""
    codes = load_json(path, BenchmarkError)
    if not isinstance(codes, dict) or not all(isinstance(number, int) for number in codes.values()):
        raise BenchmarkError(f"{path}, line 1 must begin an object of code to number, as published, but does not")
    for code, number in sorted(codes.items(), key=lambda item: item[1]):
        yield Row(id=str(number), language="python", document=mend(code), others=_docstring(mend(code)))


_DOCSTRING = re.compile(r"""def\s.*?:\s*[rRuU]?("{3}|'{3})(.+?)\1""", re.DOTALL)


def _docstring(code: str) -> tuple[tuple[str, str], ...]:
    """The docstring of a Python function, which other corpora hold without the function."""
    found = _DOCSTRING.search(code)
    return (("docstring", found[2].strip()),) if found and found[2].strip() else ()


def read_conala(path: Path) -> Iterator[Row]:
    """CoNaLa's intents and snippets; the rewritten intent asks, or the plain one where it was not rewritten."""
    for number, (where, row) in enumerate(_read_array(path)):
        rewritten, intent = _optional_text(row, "rewritten_intent", where), _text(row, "intent", where)
        yield Row(
            id=f"{_id(row, 'question_id', where)}-{number}",
            language="python",
            query=rewritten or intent,
            document=_text(row, "snippet", where),
            others=(("intent", intent),) if rewritten else (),
            posts=(_integer(row, "question_id", where), None),
        )


def read_mined_conala(path: Path) -> Iterator[Row]:
    """CoNaLa's mined intents and snippets as JSON lines, which nobody rewrote or checked."""
    for where, row in _read_lines(path):
        yield Row(
            id=_id(row, "id", where),
            language="python",
            query=_text(row, "intent", where),
            document=_text(row, "snippet", where),
            posts=(_integer(row, "question_id", where), _integer(row, "parent_answer_post_id", where)),
        )


def read_codenn(path: Path) -> Iterator[Row]:
    """CODE-NN's titles and the snippets of their accepted answers."""
    for where, row in _read_lines(path):
        yield Row(
            id=_id(row, "id", where),
            language=_text(row, "language", where),
            query=_text(row, "title", where),
            document=_text(row, "answer", where),
        )


def read_csn_cloze(path: Path) -> Iterator[Row]:
    """The docstrings and functions of CodeSearchNet's cloze test."""
    for where, row in _read_lines(path):
        yield Row(
            id=_id(row, "id", where),
            language=_text(row, "language", where),
            query=_text(row, "docstring", where),
            document=_text(row, "code", where),
        )


def read_rosetta(path: Path) -> Iterator[Row]:
    """Rosetta Code's programs, each a solution of its group's task."""
    for where, row in _read_lines(path):
        task = _id(row, "task", where)
        yield Row(
            id=f"{task}/{_id(row, 'file', where)}",
            language=_text(row, "language", where),
            document=_text(row, "code", where),
            group=task,
        )


def read_functions(path: Path) -> Iterator[Row]:
    """CodeSearchNet's functions, as published or as AdvTest and others re-publish them: docstring and code."""
    for number, (where, row) in enumerate(_read_lines(path), start=1):
        place = "/".join(str(row[name]) for name in ("repo", "path", "func_name") if row.get(name))
        yield Row(
            id=to_id(mend(str(row.get("url") or place or number))),
            query=_optional_text(row, "docstring", where),
            document=_text(row, "function" if "function" in row else "code", where),
        )


def read_queries(path: Path) -> Iterator[Row]:
    """The queries of SO-DS, of StaQC (Python) and of CoNaLa as one collection publishes them."""
    for number, (where, row) in enumerate(_read_lines(path), start=1):
        yield Row(id=str(number), query=_text(row, "query", where))


def read_snippets(path: Path) -> Iterator[Row]:
    """The snippets in which those queries search."""
    for number, (where, row) in enumerate(_read_lines(path), start=1):
        name = _id(row, "id", where) if "id" in row else str(number)
        yield Row(id=name, document=_text(row, "code", where))


def read_staqc(path: Path) -> Iterator[Row]:
    """StaQC's questions and snippets as JSON lines."""
    for where, row in _read_lines(path):
        yield Row(
            id=_id(row, "question_id", where),
            query=_text(row, "question", where),
            document=_text(row, "snippet", where),
        )


def read_raw_codenn(path: Path) -> Iterator[Row]:
    """CODE-NN's own files: question id, answer id, title, code with escaped line breaks, and a mark, between tabs."""
    for number, line in read_lines(path, BenchmarkError):
        fields = line.decode("utf-8", "replace").rstrip("\r\n").split("\t")
        if len(fields) < len(_RAW_CODENN):
            raise BenchmarkError(f"{path}, line {number} must be {', '.join(_RAW_CODENN)} between tabs")
        code = fields[3].replace("\\n", "\n")
        yield Row(id=to_id(f"{fields[0]}-{fields[1]}"), query=fields[2], document=code)


_RAW_CODENN = ("question id", "answer id", "title", "code", "mark")
_COLLECTIONS = ("so-ds", "staqc", "conala")


def _collection(name: str) -> str:
    """The benchmark that a file of queries or snippets belongs to, by its name."""
    return next((kind for kind in _COLLECTIONS if name.startswith(kind)), name.removesuffix(".jsonl"))


def is_raw_codenn(path: Path) -> bool:
    """Whether a text file is one of CODE-NN's own: two numbers, a title and code between tabs.

    Raises:
        BenchmarkError: the file cannot be read.
    """
    for _, line in read_lines(path, BenchmarkError):
        fields = line.split(b"\t")
        return len(fields) == len(_RAW_CODENN) and fields[0].isdigit() and fields[1].isdigit()
    return False


def read_beir_queries(path: Path) -> Iterator[Row]:
    """The queries of a BEIR folder."""
    for where, row in _read_lines(path):
        yield Row(id=_id(row, "_id", where), query=_text(row, "text", where))


def read_beir_corpus(path: Path) -> Iterator[Row]:
    """The documents of a BEIR folder: title, a space, text. Source: docs/paper.md#suite (as BEIR's own models do)."""
    for where, row in _read_lines(path):
        title = _optional_text(row, "title", where) or ""
        text = _optional_text(row, "text", where) or ""
        yield Row(id=_id(row, "_id", where), document=f"{title} {text}".strip())


def read_beir_qrels(path: Path) -> Iterator[Judgement]:
    """The judgements of a BEIR folder: tab-separated query, document and grade, under one line of headings."""
    for number, line in read_lines(path, BenchmarkError):
        fields = line.decode("utf-8", "replace").rstrip("\r\n").split("\t")
        if number == 1 and not fields[-1].strip().lstrip("-").isdigit():
            continue
        try:
            query, document, grade = fields
            yield Judgement(number, to_id(query), to_id(document), int(grade))
        except ValueError as error:
            raise BenchmarkError(
                f"{path}, line {number} must be query-id, corpus-id and a whole number between tabs, got {line[:80]!r}"
            ) from error


Reader = Callable[[Path], Iterator[Row]]


def recognise(path: Path) -> tuple[str, Reader] | None:
    """The benchmark a file belongs to and its reader, by name or, for JSON lines, by the keys of its first row.

    Raises:
        BenchmarkError: the file cannot be read.
    """
    name = plain_name(path)
    if name == COSQA_CODES:
        return "cosqa", read_cosqa_codes
    if name.startswith("cosqa-") and name.endswith(".json"):
        return "cosqa", read_cosqa_queries
    if name.startswith("conala-") and name.endswith(".json"):
        return "conala", read_conala
    if name.endswith(".txt") and is_raw_codenn(path):
        return "codenn", read_raw_codenn
    if not name.endswith(".jsonl"):
        return None
    keys = first_keys(path)
    if {"title", "answer", "language"} <= keys:
        return "codenn", read_codenn
    if "docstring" in keys and keys & {"code", "function"} and keys & {"url", "repo"}:
        return ("advtest" if "function" in keys else "codesearchnet"), read_functions
    if {"docstring", "code", "language", "id"} <= keys:
        return "csn-cloze", read_csn_cloze
    if {"question", "snippet"} <= keys:
        return "staqc", read_staqc
    if {"intent", "snippet"} <= keys:
        return "conala", read_mined_conala
    if "query" in keys:
        return _collection(name), read_queries
    if {"code", "description"} <= keys:
        return _collection(name), read_snippets
    if {"task", "file", "code"} <= keys:
        return "rosetta", read_rosetta
    if {"_id", "text"} <= keys:
        reader = read_beir_queries if name.startswith("queries") else read_beir_corpus
        return f"beir:{path.resolve().parent.name}", reader
    return None


def first_keys(path: Path) -> frozenset[str]:
    """The keys of the first object of a JSON-lines file, which tell the layout; none for an empty file."""
    for _, row in read_objects(path, BenchmarkError):
        return frozenset(row)
    return frozenset()


def to_id(text: str) -> str:
    """An id with "_" for white space.

    Raises:
        ValueError: there is nothing left.
    """
    name = "_".join(text.split())
    if not name:
        raise ValueError("an id must not be empty")
    return name


def _read_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, row in read_objects(path, BenchmarkError):
        yield f"{path}, line {number}", row


def _read_array(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = load_json(path, BenchmarkError)
    if not isinstance(rows, list):
        raise BenchmarkError(f"{path}, line 1 must begin an array of rows, as published, got a {type(rows).__name__}")
    for number, row in enumerate(rows, start=1):
        where = f"{path}, row {number}"
        if not isinstance(row, dict):
            raise BenchmarkError(f"{where} must be an object, as published, got a {type(row).__name__}")
        yield where, row


def _text(row: dict[str, Any], name: str, where: str) -> str:
    value = row.get(name, MISSING)
    if not isinstance(value, str) or not value.strip():
        raise BenchmarkError(f"{where} must have a text {name!r}, as published, {_got(value)}")
    return mend(value)


def _optional_text(row: dict[str, Any], name: str, where: str) -> str | None:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise BenchmarkError(f"{where} must have a text or null as {name!r}, {_got(value)}")
    return mend(value) if value is not None and value.strip() else None


def _integer(row: dict[str, Any], name: str, where: str) -> int:
    value = row.get(name, MISSING)
    if not isinstance(value, int):
        raise BenchmarkError(f"{where} must have a whole number {name!r}, as published, {_got(value)}")
    return value


def _id(row: dict[str, Any], name: str, where: str) -> str:
    value = row.get(name, MISSING)
    if isinstance(value, str | int) and str(value).strip():
        return to_id(mend(str(value)))
    raise BenchmarkError(f"{where} must have an id {name!r}, as published, {_got(value)}")


def _got(value: Any) -> str:
    return "but has none" if value is MISSING else f"got {value!r:.60}"
