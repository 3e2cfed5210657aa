"""Lists of Python values as Arrow columns, by their buffers.

``pyarrow.array`` asks pandas what it is given, which costs the import of pandas in every worker; the
buffers of a column are a join and a sum away.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa


def strings(values: Sequence[str | None]) -> pa.Array:
    """A column of strings; None is null."""
    encoded = [b"" if value is None else value.encode() for value in values]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int32)
    np.cumsum([len(value) for value in encoded], out=offsets[1:])
    buffers = [_validity(values), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def integers(values: Sequence[int | None], type_: pa.DataType | None = None) -> pa.Array:
    """A column of 64-bit integers, or of another type that is stored as such; None is null."""
    numbers = np.array([0 if value is None else value for value in values], dtype=np.int64)
    return pa.Array.from_buffers(type_ or pa.int64(), len(values), [_validity(values), pa.py_buffer(numbers)])


def string_lists(values: Sequence[Sequence[str]]) -> pa.Array:
    """A column of lists of strings."""
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum([len(value) for value in values], out=offsets[1:])
    flat = strings([text for value in values for text in value])
    return pa.Array.from_buffers(pa.list_(pa.string()), len(values), [None, pa.py_buffer(offsets)], children=[flat])


def _validity(values: Sequence[object]) -> pa.Buffer | None:
    """One bit a value, least significant first; None where no value is None."""
    is_there = [value is not None for value in values]
    return None if all(is_there) else pa.py_buffer(np.packbits(is_there, bitorder="little"))
