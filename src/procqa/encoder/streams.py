"""Dataset folders → streams: the training pairs of one language and one pair type.

The texts of the train splits go once into a memory-mapped Arrow file; a stream is a list of row numbers
in it. A pair with an empty side, or with two sides that are equal after folding, is left out and counted.
Source: docs/paper.md#sampling (the authors keep one file a language and pair type).
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from procqa.dataset.schema import dataset_languages, read_batches
from procqa.text import fold

FIELDS = ("title", "question", "answer")
PAIR_TYPES = (("title", "question"), ("title", "answer"), ("question", "answer"))
"""Query and document of each pair type. Source: docs/paper.md#sampling."""

EMPTY = 0
"""The hash of a text without a character that counts."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The pairs of one dataset, language and pair type.

    Args:
        name: ``DATASET/LANGUAGE/QUERY-DOCUMENT``.
        query: the column of FIELDS that asks.
        document: the column of FIELDS that answers.
        rows: (n,) row numbers of the texts, ascending.
        hashes: (all rows, 3) uint64 hashes of the folded texts, shared by all streams.
    """

    name: str
    query: int
    document: int
    rows: NDArray[np.int32]
    hashes: NDArray[np.uint64]

    def __len__(self) -> int:
        """Pairs."""
        return len(self.rows)

    def keys(self, positions: NDArray[np.int64]) -> NDArray[np.uint64]:
        """(len(positions), 2) hashes of the queries and documents of some pairs."""
        return self.hashes[self.rows[positions]][:, (self.query, self.document)]


class Texts:
    """The texts of all rows in a memory-mapped file; close it, or use it in a ``with`` block."""

    def __init__(self, path: Path) -> None:
        self._source = pa.memory_map(str(path))
        reader = pa.ipc.open_file(self._source)
        self._batches = [reader.get_batch(index) for index in range(reader.num_record_batches)]
        sizes = np.array([batch.num_rows for batch in self._batches], dtype=np.int64)
        self._starts = np.cumsum(sizes) - sizes

    def __enter__(self) -> "Texts":
        """The texts, open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._batches = []
        self._source.close()

    def take(self, rows: NDArray[np.int32], field: int) -> list[str]:
        """The texts of some rows in one column of FIELDS, in the order of ``rows``."""
        batches = np.searchsorted(self._starts, rows, side="right") - 1
        offsets = rows - self._starts[batches]
        return [
            self._batches[batch].column(field)[offset].as_py() or ""
            for batch, offset in zip(batches.tolist(), offsets.tolist(), strict=True)
        ]

    def read(self) -> Iterator[list[str]]:
        """The texts of one column and record batch at a time, all of them."""
        for batch in self._batches:
            for field in range(len(FIELDS)):
                yield [text or "" for text in batch.column(field).to_pylist()]


@dataclass(frozen=True, slots=True)
class Corpus:
    """What one run trains on.

    Args:
        streams: those with at least one pair.
        rows: rows read from the train splits.
        left_out: pairs left out, by reason; pairs + left out = 3 × rows.
    """

    streams: tuple[Stream, ...]
    rows: int
    left_out: dict[str, int]


def text_hash(text: str) -> int:
    """The 64-bit hash by which equal texts are known; EMPTY where nothing is left after folding."""
    folded = fold(text)
    if not folded:
        return EMPTY
    return int.from_bytes(hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def dataset_names(datasets: Sequence[Path]) -> list[str]:
    """The base name of each folder; one that repeats gets its number."""
    seen: Counter[str] = Counter()
    names = []
    for folder in datasets:
        name = folder.resolve().name
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names


def write_texts(datasets: Sequence[Path], path: Path) -> Corpus:
    """Copy the texts of the train splits to an Arrow file and say which rows make which stream.

    Memory: 24 bytes of hashes and 12 of row numbers a row, and one record batch.

    Raises:
        ArtifactError: a folder is no dataset, or one of its parts is corrupt.
    """
    schema = pa.schema([(field, pa.string()) for field in FIELDS])
    parts: list[tuple[str, NDArray[np.uint64]]] = []
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for name, folder in zip(dataset_names(datasets), datasets, strict=True):
            for language in sorted(dataset_languages(folder)):
                hashes = [np.empty((0, len(FIELDS)), dtype=np.uint64)]
                for batch in read_batches(folder, columns=list(FIELDS), language=language, split="train"):
                    writer.write_batch(batch.select(FIELDS).cast(schema))
                    hashes.append(_hashes(batch))
                parts.append((f"{name}/{language}", np.concatenate(hashes)))
    return _to_corpus(parts)


def _hashes(batch: pa.RecordBatch) -> NDArray[np.uint64]:
    columns = [[text_hash(text or "") for text in batch.column(field).to_pylist()] for field in FIELDS]
    return np.array(columns, dtype=np.uint64).T


def _to_corpus(parts: list[tuple[str, NDArray[np.uint64]]]) -> Corpus:
    """The streams of parts that lie one behind the other in the file."""
    hashes = np.concatenate([np.empty((0, len(FIELDS)), dtype=np.uint64)] + [part for _, part in parts])
    left_out = {"a side is empty": 0, "both sides are equal": 0}
    streams = []
    start = 0
    for name, part in parts:
        for query, document in PAIR_TYPES:
            queries, documents = part[:, FIELDS.index(query)], part[:, FIELDS.index(document)]
            is_full = (queries != EMPTY) & (documents != EMPTY)
            differs = queries != documents
            left_out["a side is empty"] += int((~is_full).sum())
            left_out["both sides are equal"] += int((is_full & ~differs).sum())
            rows = (start + np.flatnonzero(is_full & differs)).astype(np.int32)
            if len(rows):
                stream_name = f"{name}/{query}-{document}"
                streams.append(Stream(stream_name, FIELDS.index(query), FIELDS.index(document), rows, hashes))
        start += len(part)
    return Corpus(tuple(streams), start, left_out)
