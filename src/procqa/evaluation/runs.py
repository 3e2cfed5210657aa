"""Rankings and judgements as files that every other tool reads: TREC runs and TREC qrels.

trec_eval, and what builds on it, ignores the rank column and orders by score, then by document id from
the last to the first, with scores in single precision. A run with equal scores would therefore be read
in another order than it was measured in. So the scores written here fall strictly even in single
precision: an equal score goes down to the next smaller number. Only documents that match nothing share a
score, 0: they stand last, by id, and another tool may read them in another order. The rank column and the
order of the lines are ours. Source: ours, docs/evaluation.md.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from procqa.errors import ArtifactError, BenchmarkError, ConfigError

SUBNORMALS = 0x0080_0000 - 1  # patterns of float32 between 0 and the smallest normal number


class RunWriter:
    """Writes rankings to an open file, a line a document."""

    def __init__(self, stream: TextIO, tag: str) -> None:
        self._stream = stream
        self._tag = re.sub(r"\s", "_", tag)

    def write(self, query: str, documents: Iterable[str], scores: NDArray[np.float32]) -> None:
        """Add the ranking of one query.

        Args:
            documents: ids, best first.
            scores: (k,) float32, never rising; written as ``strictly_falling`` gives them.

        Raises:
            BenchmarkError: an id is empty or holds white space.
        """
        check_id(query)
        written = strictly_falling(scores)
        for rank, (document, score) in enumerate(zip(documents, written, strict=True), start=1):
            check_id(document)
            self._stream.write(f"{query} Q0 {document} {rank} {float(score):.9g} {self._tag}\n")


@contextmanager
def open_run(path: Path, *, tag: str) -> Iterator[RunWriter]:
    """A TREC run that appears under its name when the block ends without an error.

    Args:
        tag: the last column: which ranker it is; white space becomes ``_``.

    Raises:
        ConfigError: the path is there and is no file.
        ArtifactError: the file cannot be written.
    """
    with _new_file(path) as stream:
        yield RunWriter(stream, tag)


def write_qrels(path: Path, qrels: Mapping[str, Mapping[str, int]]) -> None:
    """Write judgements as TREC qrels, queries and documents by id.

    Args:
        qrels: the grade of each judged document of each query.

    Raises:
        BenchmarkError: an id is empty or holds white space.
        ConfigError: the path is there and is no file.
        ArtifactError: the file cannot be written.
    """
    with _new_file(path) as stream:
        for query, grades in sorted(qrels.items()):
            check_id(query)
            for document, grade in sorted(grades.items()):
                check_id(document)
                stream.write(f"{query} 0 {document} {grade}\n")


def qrels_of(run: Path) -> Path:
    """Where the judgements of a run are written."""
    return run.with_name(f"{run.name}.qrels")


def check_file(path: Path, option: str) -> None:
    """Refuse a name that no file can be written at, before anything is measured.

    Raises:
        ConfigError: it stands for a folder, or its folder does not exist.
    """
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ConfigError(f"{option} must name a file in a folder that exists, got {path}")


def strictly_falling(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """The scores, each lowered to the next smaller float32 where it is not below the one before; 0 stays 0.

    Args:
        scores: (k,) float32, finite, never rising.

    Returns:
        (k,) float32; no subnormal numbers, which some machines read as 0.
    """
    bits = np.ascontiguousarray(scores, dtype=np.float32).view(np.int32).astype(np.int64)
    size = np.maximum((bits & 0x7FFF_FFFF) - SUBNORMALS, 0)  # counts the float32 from 0 up, subnormals left out
    steps = np.where(bits < 0, -size, size)
    places = np.arange(len(steps))
    lowered = np.minimum.accumulate(steps + places) - places
    size = np.abs(lowered)
    patterns = np.where(size > 0, size + SUBNORMALS, 0) | np.where(lowered < 0, 1 << 31, 0)
    patterns[bits & 0x7FFF_FFFF == 0] = 0
    return patterns.astype(np.uint32).view(np.float32)


def check_id(identifier: str) -> None:
    """Refuse an id that the columns of a TREC file cannot hold.

    Raises:
        BenchmarkError: it is empty or holds white space.
    """
    if not identifier or re.search(r"\s", identifier):
        raise BenchmarkError(f"ids in a TREC file must be words without white space, got {identifier!r}")


@contextmanager
def _new_file(path: Path) -> Iterator[TextIO]:
    """A file to write, renamed to ``path`` at the end and removed on an error."""
    path = path.resolve()
    partial = path.with_name(f".{path.name}.partial")
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path} must be a file to write, but it is none: give another name")
        with partial.open("w", encoding="utf-8") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:
        raise ArtifactError(f"{path} could not be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            partial.unlink()
