"""Ids of functions."""

from hypothesis import given
from hypothesis import strategies as st

from procqa.corpora.records import stable_id


def test_an_id_is_the_head_of_a_sha256_and_does_not_change():
    assert stable_id("repo", "a.py", "f", "def f(): pass") == 1228616191548205784


def test_an_id_depends_on_where_one_part_ends():
    assert stable_id("ab", "c") != stable_id("a", "bc")


@given(st.lists(st.text(), min_size=1))
def test_an_id_is_a_positive_63_bit_integer(parts):
    assert 0 < stable_id(*parts) < 2**63
