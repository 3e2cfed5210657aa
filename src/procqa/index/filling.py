"""Fills a generation of an index, a stage after the other: documents, filters, words, vectors, a copy of the encoder.

Each stage takes from the previous generation what it holds already, and makes the rest.
"""

import shutil
import stat
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.errors import ArtifactError
from procqa.index.chunks import Cut
from procqa.index.dense import Halves, Vectors
from procqa.index.dense_files import DenseRows, PartSummary, write_dense
from procqa.index.documents import Documents, Rows, embedded_answer, is_code, to_rows, write_rows
from procqa.index.filters import write_columns
from procqa.index.generations import Report
from procqa.index.lexical import BOOSTS, Indexed, Words, find_words, write_lexical
from procqa.index.previous import WORDS_FILE, Previous
from procqa.index.sources import OnSkip, Source, Unit
from procqa.index.units import SourceEntry, UnitEntry, write_units
from procqa.index.vectors import DocumentEncoder, VectorFile, Wanted
from procqa.index.words import write_words
from procqa.records import Document

NOT_COPIED = (".*", "*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack", "*.onnx", "*.ot", "training.jsonl")
"""What an encoder folder may hold and a search never reads; pickles are among it."""

GRAPHS = ("openvino_model.bin", "model.onnx")
"""What looks like it and is an exported encoder's own, in the folder itself."""


@dataclass(frozen=True, slots=True)
class Filling:
    """One filling of a generation.

    Args:
        previous: the generation to take from; None makes everything.
        scratch: where vectors lie while they are made, also when the run is killed.
        cut: gives the texts whose vectors stand for a document.
        exact_vectors: a language with more of them is searched in lists.
        report: is told of each stage, with 0 when it begins.
        done: what was made and not taken: documents read, documents cut into words, texts encoded.
    """

    sources: Sequence[Source]
    previous: Previous | None
    scratch: Path
    cut: Cut
    exact_vectors: int
    report: Report
    done: Counter[str] = field(default_factory=lambda: Counter(read=0, cut=0, encoded=0))


def fill(
    folder: Path, filling: Filling, encoder: DocumentEncoder | None, encoder_folder: Path | None
) -> dict[str, Any]:
    """Write a generation's files into an empty folder; its counts.

    Raises:
        ArtifactError: a source cannot be read, there is no document, or the disk refuses.
    """
    filling.report("documents", 0)
    entries: list[SourceEntry] = []
    repeated = write_rows(_read(filling, entries), folder / "documents")
    write_units(entries, folder / "documents")
    documents = Documents(folder / "documents")
    try:
        if len(documents) == 0:
            names = ", ".join(str(source.path) for source in filling.sources)
            raise ArtifactError(f"the sources must hold at least one document, but {names} hold none")
        write_columns(documents, [(entry.name, entry.rows) for entry in entries], folder / "filters")
        filling.report("words", 0)
        dense: dict[str, PartSummary] = {}
        languages: Counter[str] = Counter()
        words = write_words(_find_words(documents, filling, languages), folder / WORDS_FILE)
        write_lexical(words, folder / "lexical")
        if encoder is not None:
            filling.report("vectors", 0)
            dense = _write_vectors(documents, filling, encoder, folder / "dense")
        if encoder is not None and encoder_folder is not None:
            filling.report("encoder", 0)
            copied = shutil.copytree(encoder_folder, folder / "encoder", ignore=_not_copied)
            for place in (copied, *filter(Path.is_dir, copied.rglob("*"))):
                place.chmod(place.stat().st_mode | stat.S_IRWXU)  # else a folder that may not be written stays for good
    finally:
        documents.close()
    dates = [source.dump_date for source in filling.sources if source.dump_date is not None]
    skipped = sum((entry.skipped for entry in entries), Counter[str]())
    return {
        "documents": sum(languages.values()),
        "repeated": repeated,
        "skipped": dict(sorted(skipped.items())),
        "languages": dict(sorted(languages.items())),
        "dump_date": max(dates, default=None),
        "dense": {language: asdict(summary) for language, summary in dense.items()},
    }


def _not_copied(folder: str, names: list[str]) -> set[str]:
    """The files of an encoder folder that are left out of an index."""
    is_graph = "graph.json" in names
    return shutil.ignore_patterns(*NOT_COPIED)(folder, names) - (set(GRAPHS) if is_graph else set())


def _read(filling: Filling, entries: list[SourceEntry]) -> Iterator[Rows]:
    """The rows of all sources; ``entries`` is told what each gave."""
    previous = filling.previous

    def is_held(unit: Unit) -> bool:
        return previous is not None and previous.unit(unit.key) is not None

    for source in filling.sources:
        units: list[UnitEntry] = []
        for are_held, some in groupby(source.units(), is_held):
            if previous is not None and are_held:
                yield from _take_rows(some, previous, units)
            else:
                yield from to_rows(_read_units(some, filling, units))
        entries.append(SourceEntry(source.name, dict(Counter(source.left_out)), tuple(units)))


def _take_rows(some: Iterator[Unit], previous: Previous, units: list[UnitEntry]) -> Iterator[Rows]:
    """The rows of units that the previous generation holds; those that follow each other there are taken together."""
    start = end = 0
    for unit in some:
        held = previous.unit(unit.key)
        assert held is not None
        entry, first = held
        if first != end:
            yield from previous.rows(start, end)
            start = first
        end = first + entry.rows
        units.append(entry)
    yield from previous.rows(start, end)


def _read_units(some: Iterator[Unit], filling: Filling, units: list[UnitEntry]) -> Iterator[Document]:
    """The documents of units, read from their sources."""
    for unit in some:
        skipped: Counter[str] = Counter()
        rows = 0
        for document in unit.read(_counting(skipped)):
            yield document
            rows += 1
            filling.done["read"] += 1
            if filling.done["read"] % 1_000 == 0:
                filling.report("documents", filling.done["read"])
        units.append(UnitEntry(unit.key, unit.place, unit.sha256, rows, dict(skipped)))


def _counting(skipped: Counter[str]) -> OnSkip:
    def tell(reason: str) -> None:
        skipped[reason] += 1

    return tell


def _find_words(documents: Documents, filling: Filling, languages: Counter[str]) -> Iterator[Indexed]:
    """The words of every document; ``languages`` counts the documents of each."""
    for positions, columns in documents.scan(["language", *BOOSTS]):
        languages.update(columns["language"])
        held = _held_words(documents, positions, filling.previous)
        for row, (position, words) in enumerate(zip(positions.tolist(), held, strict=True)):
            if words is None:
                filling.done["cut"] += 1
                words = find_words({name: columns[name][row] for name in BOOSTS})
            yield position, columns["language"][row], words
        filling.report("words", sum(languages.values()))


def _held_words(
    documents: Documents, positions: NDArray[np.int64], previous: Previous | None
) -> Sequence[Words | None]:
    if previous is None:
        return [None] * len(positions)
    return previous.words(previous.find(documents.digests(positions)))


def _embedded(columns: Mapping[str, list[Any]], row: int) -> str:
    """What of a row an encoder reads behind its title."""
    row_is_code = is_code(columns["question_id"][row], columns["answer_id"][row])
    return embedded_answer(columns["question"][row], columns["answer"][row], is_code=row_is_code)


def _write_vectors(
    documents: Documents, filling: Filling, encoder: DocumentEncoder, folder: Path
) -> dict[str, PartSummary]:
    """Make the vectors of all documents, those that are held apart, and write them; how they are searched."""
    positions: list[NDArray[np.int64]] = []
    languages: list[str] = []
    previous = filling.previous

    def wanted() -> Iterator[list[Wanted]]:
        done = 0
        names = ["language", "title", "question", "answer", "question_id", "answer_id"]
        for of_batch, columns in documents.scan(names):
            wanted: list[list[Wanted]] = [
                list(rows) or [*filling.cut(columns["title"][row], _embedded(columns, row))]
                for row, rows in enumerate(_held_vectors(documents, of_batch, previous))
            ]
            yield [one for of_document in wanted for one in of_document]
            positions.append(np.repeat(of_batch, [len(of_document) for of_document in wanted]))
            for language, of_document in zip(columns["language"], wanted, strict=True):
                languages.extend([sys.intern(language)] * len(of_document))
            done += len(of_batch)
            filling.report("vectors", done)

    def make(batch: Sequence[Wanted]) -> Vectors | Halves:
        vectors = np.empty((len(batch), encoder.dimensions), dtype=np.float16)
        texts = {place: one for place, one in enumerate(batch) if isinstance(one, str)}
        rows = {place: one for place, one in enumerate(batch) if isinstance(one, int)}
        if texts:
            vectors[list(texts)] = encoder.encode_documents(list(texts.values()))
            filling.done["encoded"] += len(texts)
        if rows and previous is not None:
            vectors[list(rows)] = previous.vectors(list(rows.values()))
        return vectors

    vectors = VectorFile(filling.scratch / "vectors.f16", encoder.dimensions).fill(wanted(), make)

    def ask(of_documents: NDArray[np.int64]) -> Vectors:
        return encoder.encode_queries([documents[position].title for position in of_documents.tolist()])

    rows = DenseRows(vectors, np.concatenate(positions), languages)
    return write_dense(rows, folder, ask=ask, exact_vectors=filling.exact_vectors)


def _held_vectors(
    documents: Documents, positions: NDArray[np.int64], previous: Previous | None
) -> Sequence[Sequence[int]]:
    if previous is None:
        return [()] * len(positions)
    return previous.vector_rows(previous.find(documents.digests(positions)))
