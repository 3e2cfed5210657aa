"""CoSQA, CoNaLa, PACS, StaQC and CODE-NN: what people ask, and the code that answers it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from procqa.corpora.files import load_json, mend, read_lines
from procqa.corpora.layouts.rows import Row, id_of, integer_of, optional_text_of, read_array, read_rows, text_of, to_id
from procqa.errors import BenchmarkError


def read_cosqa_queries(path: Path) -> Iterator[Row]:
    """CoSQA's labelled queries: ``doc`` asks, ``retrieval_idx``, where there is one, is the id of its code.

    Source: Jun-jie-Huang/CoCLR: data/search.
    """
    for where, row in read_array(path):
        yield Row(
            id=id_of(row, "idx", where),
            language="python",
            query=text_of(row, "doc", where),
            document=text_of(row, "code", where),
            document_id=id_of(row, "retrieval_idx", where) if "retrieval_idx" in row else None,
            label=integer_of(row, "label", where),
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
    for number, (where, row) in enumerate(read_array(path)):
        rewritten, intent = optional_text_of(row, "rewritten_intent", where), text_of(row, "intent", where)
        yield Row(
            id=f"{id_of(row, 'question_id', where)}-{number}",
            language="python",
            query=rewritten or intent,
            document=text_of(row, "snippet", where),
            others=(("intent", intent),) if rewritten else (),
            posts=(integer_of(row, "question_id", where), None),
        )


def read_mined_conala(path: Path) -> Iterator[Row]:
    """CoNaLa's mined intents and snippets as JSON lines, which nobody rewrote or checked."""
    for where, row in read_rows(path):
        yield Row(
            id=id_of(row, "id", where),
            language="python",
            query=text_of(row, "intent", where),
            document=text_of(row, "snippet", where),
            posts=(integer_of(row, "question_id", where), integer_of(row, "parent_answer_post_id", where)),
        )


def read_queries(path: Path) -> Iterator[Row]:
    """The queries of PACS: what is asked, and ``relevant_ids``, where a file has them, of the snippets that answer.

    Source: nokia/codesearch: codesearch/data.py, nbs/datasets/prepare-staqc.ipynb.
    """
    for number, (where, row) in enumerate(read_rows(path), start=1):
        yield Row(id=str(number), query=text_of(row, "query", where), relevant=_relevant_ids(row, where))


def _relevant_ids(row: dict[str, Any], where: str) -> tuple[str, ...]:
    named = row.get("relevant_ids", [])
    if not isinstance(named, list) or not all(isinstance(name, str | int) and str(name).strip() for name in named):
        raise BenchmarkError(f"{where} must have a list of ids 'relevant_ids', as published, got {named!r:.60}")
    return tuple(to_id(mend(str(name))) for name in named)


def read_snippets(path: Path) -> Iterator[Row]:
    """The snippets in which those queries search, and what describes each.

    Source: nokia/codesearch: README.md, codesearch/data.py.
    """
    for number, (where, row) in enumerate(read_rows(path), start=1):
        name = id_of(row, "id", where) if "id" in row else str(number)
        description = optional_text_of(row, "description", where)
        others = () if description is None else (("description", description),)
        yield Row(id=name, document=text_of(row, "code", where), others=others)


def read_staqc(path: Path) -> Iterator[Row]:
    """StaQC's questions and snippets as JSON lines."""
    for where, row in read_rows(path):
        yield Row(
            id=id_of(row, "question_id", where),
            query=text_of(row, "question", where),
            document=text_of(row, "snippet", where),
        )


def read_codenn(path: Path) -> Iterator[Row]:
    """CODE-NN's titles and the snippets of their accepted answers."""
    for where, row in read_rows(path):
        yield Row(
            id=id_of(row, "id", where),
            language=text_of(row, "language", where),
            query=text_of(row, "title", where),
            document=text_of(row, "answer", where),
        )


def read_raw_codenn(path: Path) -> Iterator[Row]:
    """CODE-NN's own files: question id, answer id, title, code with escaped line breaks, and a mark, between tabs.

    Source: sriniiyer/codenn: src/model/buildData.py, data/stackoverflow.
    """
    for number, line in read_lines(path, BenchmarkError):
        fields = line.decode("utf-8", "replace").rstrip("\r\n").split("\t")
        if len(fields) < len(_RAW_CODENN):
            raise BenchmarkError(f"{path}, line {number} must be {', '.join(_RAW_CODENN)} between tabs")
        code = fields[3].replace("\\n", "\n")
        yield Row(id=to_id(f"{fields[0]}-{fields[1]}"), query=fields[2], document=code)


_RAW_CODENN = ("question id", "answer id", "title", "code", "mark")


def is_raw_codenn(path: Path) -> bool:
    """Whether a text file is one of CODE-NN's own: two numbers, a title, code and a mark between tabs.

    Raises:
        BenchmarkError: the file cannot be read.
    """
    for _, line in read_lines(path, BenchmarkError):
        fields = line.split(b"\t")
        return len(fields) == len(_RAW_CODENN) and fields[0].isdigit() and fields[1].isdigit()
    return False
