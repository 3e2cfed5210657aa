"""Columns by their buffers against those that pyarrow makes."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.dataset.columnar import integers, string_lists, strings

TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
INTEGER = st.integers(-(2**63), 2**63 - 1)


def same(column, expected):
    """Whether a column is sound and holds what another holds."""
    column.validate(full=True)
    return column.type == expected.type and column.null_count == expected.null_count and column.equals(expected)


@given(st.lists(st.none() | TEXT, max_size=20))
def test_strings_are_those_of_pyarrow(values):
    assert same(strings(values), pa.array(values, pa.string()))


@given(st.lists(st.none() | INTEGER, max_size=20), st.sampled_from([None, pa.int64(), pa.timestamp("ms", tz="UTC")]))
def test_integers_and_what_is_stored_as_such_are_those_of_pyarrow(values, kind):
    made = integers(values) if kind is None else integers(values, kind)
    assert same(made, pa.array(values, pa.int64()).cast(kind or pa.int64()))


@given(st.lists(st.lists(TEXT, max_size=4) | st.tuples(TEXT, TEXT), max_size=10))
def test_lists_of_strings_are_those_of_pyarrow(values):
    assert same(string_lists(values), pa.array([list(value) for value in values], pa.list_(pa.string())))


@pytest.mark.parametrize("n", [1, 7, 8, 9, 64, 65])
def test_nulls_are_told_at_any_place_of_a_byte(n):
    for place in range(n):
        values = [None if number == place else number for number in range(n)]
        assert integers(values).to_pylist() == values
        assert strings([None if value is None else str(value) for value in values]).null_count == 1
