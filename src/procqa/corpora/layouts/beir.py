"""The files of a BEIR folder: corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv. Source: beir-cellar/beir."""

from collections.abc import Iterator
from pathlib import Path

from procqa.corpora.files import read_lines
from procqa.corpora.layouts.rows import Judgement, Row, id_of, optional_text_of, read_rows, text_of, to_id
from procqa.errors import BenchmarkError

CORPUS, QUERIES = "corpus.jsonl", "queries.jsonl"


def qrels_name(split: str) -> str:
    """The file of the judgements of a split."""
    return f"qrels/{split}.tsv"


def read_beir_queries(path: Path) -> Iterator[Row]:
    """The queries of a BEIR folder."""
    for where, row in read_rows(path):
        yield Row(id=id_of(row, "_id", where), query=text_of(row, "text", where))


def read_beir_corpus(path: Path) -> Iterator[Row]:
    """The documents of a BEIR folder: title, a space, text. Source: docs/paper.md#suite (as BEIR's own models do)."""
    for where, row in read_rows(path):
        title = optional_text_of(row, "title", where) or ""
        text = optional_text_of(row, "text", where) or ""
        yield Row(id=id_of(row, "_id", where), document=f"{title} {text}".strip())


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
