"""A dataset and a benchmark so small that every metric is known by hand."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from procqa.artifact import workspace
from procqa.dataset.schema import SCHEMA, part_path

PYTHON = {
    "train": [(1, "sort a list", "use sorted"), (2, "read a file", "open it and read"), (3, "join words", "use join")],
    "test": [(4, "merge two dictionaries", "dictionaries merge with a bar"), (5, "plot", "nothing in common")],
}
RUBY = {"train": [(6, "sort an array", "call sort")], "test": [(7, "freeze strings", "call freeze")]}
GO = {"train": [(8, "start a goroutine", "write go before the call")]}


def write_dataset(folder: Path, languages: dict[str, dict[str, list[tuple[int, str, str]]]]) -> Path:
    """A dataset of (number, title, answer) rows by language and split; the question is "body" and the number."""
    counts = {
        language: {split: len(splits.get(split, [])) for split in ("train", "validation", "test")}
        for language, splits in languages.items()
    }
    with workspace(folder, kind="dataset", recipe={}, inputs=[]) as work:
        for language, splits in languages.items():
            for split, rows in splits.items():
                path = work.path / part_path(language, split, 0, 1)
                path.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(pa.Table.from_pylist([to_row(language, *row) for row in rows], SCHEMA), path)
        work.finish({"languages": counts})
    return folder


def to_row(language: str, number: int, title: str, answer: str) -> dict[str, Any]:
    texts = {"language": language, "title": title, "question": f"body {number}", "answer": answer, "site": "local"}
    return {"question_id": number, "answer_id": number + 100, **texts}


def write_beir(folder: Path) -> Path:
    """Three documents and three queries in BEIR's layout; one query has no judgement."""
    (folder / "qrels").mkdir(parents=True)
    documents = {"d1": "apple", "d2": "banana banana", "d3": "cherry"}
    queries = {"q1": "apple", "q2": "apple cherry", "q3": "apple", "q4": "banana"}
    write_lines(folder / "corpus.jsonl", [{"_id": key, "title": "", "text": text} for key, text in documents.items()])
    write_lines(folder / "queries.jsonl", [{"_id": key, "text": text} for key, text in queries.items()])
    judged = [("q1", "d1", 1), ("q2", "d2", 1), ("q2", "d3", 2), ("q3", "d2", 1)]
    lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in judged)]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n")
    return folder


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
