"""A folder in BEIR's layout, with the judgements of any of its splits."""

from pathlib import Path

from procqa.corpora.collection import Collection, Texts, Wanted, by_id, present
from procqa.corpora.files import kind_of
from procqa.corpora.layouts.beir import (
    CORPUS,
    QUERIES,
    qrels_name,
    read_beir_corpus,
    read_beir_qrels,
    read_beir_queries,
)
from procqa.errors import BenchmarkError

SPLIT = "test"
"""The split whose judgements count where the task names none."""


def load_beir(wanted: Wanted) -> Collection:
    """A BEIR folder: every judgement counts as published, and queries without one are left out.

    The part is a path, as it is or below a root, and after ``#`` the split where it is not the test split.
    """
    folder, split = _find_folder(wanted)
    files = [_present(folder, name, split) for name in (CORPUS, QUERIES, qrels_name(split))]
    corpus, asked, judged = files
    documents = by_id(((row.id, row.document) for row in read_beir_corpus(corpus)), corpus)
    queries = by_id(((row.id, row.query) for row in read_beir_queries(asked)), asked)
    qrels: dict[str, dict[str, int]] = {}
    for judgement in read_beir_qrels(judged):
        if judgement.query_id not in queries:
            raise BenchmarkError(
                f"{judged}, line {judgement.line} must name a query of {asked.name}, got {judgement.query_id}"
            )
        qrels.setdefault(judgement.query_id, {})[judgement.document_id] = judgement.grade
    qrels = {query_id: grades for query_id, grades in qrels.items() if max(grades.values()) > 0}
    texts = Texts({query_id: queries[query_id] for query_id in queries if query_id in qrels}, documents, qrels)
    return wanted.collect(files, texts, language=None, source=f"BEIR folder {folder.resolve().name}, split {split}")


def _find_folder(wanted: Wanted) -> tuple[Path, str]:
    """The folder that a part means, and the split; a folder whose own name holds the mark is taken as it is."""
    path, mark, split = wanted.part.rpartition("#")
    for name, of_split in ((wanted.part, SPLIT), (path, split)) if mark else ((wanted.part, SPLIT),):
        for place in (Path(name), *(root / name for root in wanted.roots)):
            if kind_of(place) == "folder":
                return place, of_split
    return (Path(path), split) if mark else (Path(wanted.part), SPLIT)


def _present(folder: Path, name: str, split: str) -> Path:
    file = present(folder, name)
    if file is None:
        raise BenchmarkError(
            f"a BEIR folder needs {folder / name}: put {CORPUS}, {QUERIES} and {qrels_name(split)} there"
        )
    return file
