import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from procqa.dataset.duplicates_links import (
    band_keys,
    band_of,
    find_joined,
    find_root,
    join,
    link_groups,
    link_members,
    settle,
    to_labels,
)
from procqa.dataset.minhash import PERMUTATIONS


def signature_of(value):
    return np.full(PERMUTATIONS, value, np.uint32)


def test_equal_bands_have_equal_keys_and_other_bands_others():
    signatures = np.arange(3 * PERMUTATIONS, dtype=np.uint32).reshape(3, PERMUTATIONS)
    signatures[2, :60] = signatures[0, :60]
    signatures[1, 4:8] = signatures[1, :4]
    keys = np.zeros((3, 2), np.uint64)
    band_keys(signatures, np.array([0, 60, 128]), keys)
    assert (keys[0, 0] == keys[2, 0], keys[0, 1] == keys[2, 1]) == (True, False)
    assert len(np.unique(keys)) == 5
    assert [band_of(key) for key in keys.ravel()] == [0, 1] * 3
    band_keys(signatures, np.array([0, 4, 8]), keys)
    assert keys[1, 0] != keys[1, 1]  # the same entries in another band


def test_keys_spread_over_all_buckets():
    signatures = np.random.default_rng(0).integers(0, 1 << 32, (4_000, PERMUTATIONS), np.uint32)
    keys = np.zeros((4_000, 26), np.uint64)
    band_keys(signatures, np.arange(0, 108, 4), keys)
    counts = np.bincount((keys.ravel() >> np.uint64(60)).astype(np.int64), minlength=16)
    assert len(np.unique(keys)) == 4_000 * 26
    assert (np.abs(counts - 6_500) < 6 * 6_500**0.5).all()


@given(st.integers(1, 30), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40))
def test_unions_make_the_least_row_the_root_of_all_that_are_connected(n, edges):
    edges = [(a, b) for a, b in edges if a < n and b < n]
    expected = list(range(n))
    for a, b in edges:
        low, high = sorted((expected[a], expected[b]))
        expected = [low if root == high else root for root in expected]
    parent = np.arange(n)
    join(parent, np.array([a for a, _ in edges], np.int64), np.array([b for _, b in edges], np.int64))
    assert [find_root(parent.copy(), row) for row in range(n)] == expected
    assert find_joined(parent).tolist() == [root != row for row, root in enumerate(expected)]
    settle(parent)
    assert parent.tolist() == expected
    to_labels(parent)
    assert parent.tolist() == [root if expected.count(root) > 1 else -1 for root in expected]


def test_groups_are_compared_each_in_itself():
    signatures = np.stack([signature_of(1), signature_of(2), signature_of(1), signature_of(1)])
    signatures[2, :25] = 7
    signatures[3, :26] = 8
    place = np.array([0, 1, 2, 2, 1, 3, 0, 0])
    roots = link_groups(signatures, place, np.array([0, 3, 6, 8]), 100, 25)
    assert roots.tolist() == [0, 1, 0, 3, 4, 5, 6, 6]


def test_a_member_is_compared_with_the_window_before_it_only():
    signatures = np.stack([signature_of(1), signature_of(2), signature_of(3), signature_of(1)])
    for window, expected in [(3, [0, 1, 2, 0]), (2, [0, 1, 2, 3])]:
        parent = np.arange(4)
        n = link_members(signatures, np.arange(4), parent, 0, window, 25, 0)
        assert (parent.tolist(), n) == (expected, len(set(expected)))


def test_fresh_members_join_clusters_that_are_known():
    signatures = np.stack([signature_of(1), signature_of(2), signature_of(2), signature_of(1)])
    parent = np.array([0, 0, 2, 3])
    assert link_members(signatures, np.arange(4), parent, 2, 10, 25, 1) == 1
    settle(parent)
    assert parent.tolist() == [0, 0, 0, 0]
