"""The words of every document as lexical search sees them, kept so that an update need not find them again.

A file holds one row a document, in the order in which the documents were read, compressed. Cutting text into words
is five times the work of indexing them.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from procqa.index.lexical import BOOSTS, Indexed, Words

BATCH_ROWS = 1_024
CACHED_BATCHES = 64
"""Batches in memory at once, of about a megabyte: documents seldom change their order much."""

SCHEMA = pa.schema([(name, pa.string()) for name in BOOSTS])


def write_words(documents: Iterable[Indexed], path: Path) -> Iterator[Indexed]:
    """Write the words of documents into a new file while they pass through."""
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    waiting: list[Words] = []
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, SCHEMA, options=options) as writer:
        for document in documents:
            yield document
            waiting.append(document[2])
            if len(waiting) == BATCH_ROWS:
                writer.write_batch(pa.RecordBatch.from_pylist(waiting, schema=SCHEMA))
                waiting = []
        writer.write_batch(pa.RecordBatch.from_pylist(waiting, schema=SCHEMA))


class KeptWords:
    """The words that an index keeps, mapped; close it.

    Raises:
        OSError: the file is missing.
        ArrowException: it is broken.
    """

    def __init__(self, path: Path) -> None:
        self._map = pa.memory_map(str(path))
        self._file = pa.ipc.open_file(self._map)
        self._cache: OrderedDict[int, list[Words]] = OrderedDict()

    def close(self) -> None:
        """Let go of the mapped file."""
        self._map.close()

    def take(self, rows: NDArray[np.int64]) -> list[Words | None]:
        """The words of some rows; None for a row below 0.

        Rows that lie in more batches than are kept in memory are as good as unknown: to unpack so many again and
        again takes longer than to find the words.
        """
        numbers = np.unique(rows[rows >= 0] // BATCH_ROWS)
        if len(numbers) > CACHED_BATCHES:
            return [None] * len(rows)
        return [None if row < 0 else self._batch(row // BATCH_ROWS)[row % BATCH_ROWS] for row in rows.tolist()]

    def _batch(self, number: int) -> list[Words]:
        if number in self._cache:
            self._cache.move_to_end(number)
        else:
            self._cache[number] = self._file.get_batch(number).to_pylist()
            while len(self._cache) > CACHED_BATCHES:
                self._cache.popitem(last=False)
        return self._cache[number]
