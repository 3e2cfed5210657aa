"""Vectors of a stream of texts, in batches of bounded memory."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.model import Encoder
from procqa.encoder.quantize import quantize_rows
from procqa.errors import ArtifactError

Side = Literal["query", "document"]
VectorKind = Literal["float32", "int8"]

_DESCRIPTIONS: dict[VectorKind, str] = {"float32": "<f4", "int8": "|i1"}
"""What numpy calls the numbers of a file."""

TEXTS_AT_ONCE = 1_024
"""Texts of a batch, within which those of much the same length are encoded together. Source: ours, docs/training.md."""


def encode_texts(encoder: Encoder, texts: Iterable[str], *, side: Side = "document") -> Iterator[NDArray[np.float32]]:
    """The vectors of texts, lazily, in batches (n, D) of unit rows, in their order.

    Args:
        side: what the texts are; only some encoders tell queries and documents apart.
    """
    encode = encoder.encode_queries if side == "query" else encoder.encode_documents
    waiting = iter(texts)
    while batch := list(islice(waiting, TEXTS_AT_ONCE)):
        yield encode(batch)


def read_lines(stream: BinaryIO, *, most_bytes: int) -> Iterator[str]:
    """The lines of UTF-8, lazily, each cut to some bytes; what is no UTF-8 becomes a sign that says so.

    A line ends with a line feed alone, so that there are as many as other programs count.
    """
    while line := stream.readline(most_bytes):
        text = line
        while not line.endswith(b"\n") and (line := stream.readline(1 << 20)):
            pass
        yield text.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", errors="replace")


def write_vectors(
    path: Path, batches: Iterable[NDArray[np.float32]], *, dimensions: int, kind: VectorKind = "float32"
) -> int:
    """Write vectors as one (n, D) array in numpy's format, atomically; returns n.

    Args:
        kind: ``int8`` keeps the direction of each row in a quarter of the size, from -127 to 127: a row divided by its
            length is the unit vector again, with a cosine of .999 and more.

    Raises:
        ArtifactError: the file cannot be written.
    """
    rows, new = path.with_name(f".{path.name}.rows"), path.with_name(f".{path.name}.new")
    n_rows = 0
    try:
        with rows.open("wb") as stream:
            for batch in batches:
                numbers = quantize_rows(batch)[0] if kind == "int8" else batch
                stream.write(np.ascontiguousarray(numbers, dtype=_DESCRIPTIONS[kind]).tobytes())
                n_rows += len(batch)
        with rows.open("rb") as stream, new.open("wb") as out:
            header = {"descr": _DESCRIPTIONS[kind], "fortran_order": False, "shape": (n_rows, dimensions)}
            np.lib.format.write_array_header_1_0(out, header)
            while piece := stream.read(1 << 20):
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        new.replace(path)
    except OSError as error:
        raise ArtifactError(f"{path} could not be written: {error.strerror or error}") from error
    finally:
        rows.unlink(missing_ok=True)
        new.unlink(missing_ok=True)
    return n_rows
