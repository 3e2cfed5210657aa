"""The compiled inner loops of near-duplicates: band keys, comparisons within a group, union and find.

Every function works on plain arrays and keeps nothing; what they are for is in dataset/duplicates.py.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_BAND_MASK = np.uint64(127)  # low bits of a key that hold the number of its band, of which there are at most 128
_ODD_1, _ODD_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_HALF, _THIRD = np.uint64(32), np.uint64(29)
_STRETCH = 32  # entries compared before it is asked whether they differ too much already


def band_of(key: np.uint64) -> int:
    """The band that a key is of."""
    return int(key & _BAND_MASK)


@njit(cache=True, nogil=True)
def band_keys(signatures: Any, bounds: Any, keys: Any) -> None:
    """Fill in the key of each band of each row: equal entries give equal keys, others almost surely not.

    Args:
        signatures: (n, PERMUTATIONS) uint32.
        bounds: (B + 1,) int64, where each band begins, then where the last ends.
        keys: (n, B) uint64, filled here; 57 bits of hash, 7 of the band's number.
    """
    for row in range(len(signatures)):
        for band in range(len(bounds) - 1):
            value = np.uint64(band) * _ODD_2
            for entry in range(bounds[band], bounds[band + 1]):
                value = (value ^ np.uint64(signatures[row, entry])) * _ODD_1
                value ^= value >> _HALF
            value = (value ^ (value >> _THIRD)) * _ODD_2
            value ^= value >> _HALF
            keys[row, band] = (value & ~_BAND_MASK) | np.uint64(band)


@njit(cache=True, nogil=True)
def find_root(parent: Any, row: int) -> int:
    """The least member of a row's cluster as far as it is known; shortens the way for the next time."""
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


@njit(cache=True, nogil=True)
def join(parent: Any, left: Any, right: Any) -> None:
    """Unite the clusters of left[i] and right[i], for every i; the least row of a cluster is its root."""
    for i in range(len(left)):
        a, b = find_root(parent, left[i]), find_root(parent, right[i])
        if a != b:
            parent[max(a, b)] = min(a, b)


@njit(cache=True, nogil=True)
def settle(parent: Any) -> None:
    """Point every row at its root."""
    for row in range(len(parent)):
        parent[row] = parent[parent[row]]  # the parent is a smaller row, so it is settled already


@njit(cache=True, nogil=True)
def find_joined(parent: Any) -> NDArray[np.bool_]:
    """Which rows have a smaller row for their root: (N,) bool; points every row at its root."""
    settle(parent)
    joined = np.empty(len(parent), np.bool_)
    for row in range(len(parent)):
        joined[row] = parent[row] != row
    return joined


@njit(cache=True, nogil=True)
def to_labels(parent: Any) -> None:
    """Turn parents into labels in place: the root of a cluster of two and more, -1 for a row alone."""
    settle(parent)
    has_other = np.zeros(len(parent), np.bool_)
    for row in range(len(parent)):
        if parent[row] != row:
            has_other[row] = has_other[parent[row]] = True
    for row in range(len(parent)):
        if not has_other[row]:
            parent[row] = -1


@njit(cache=True, nogil=True)
def _are_near(signatures: Any, a: int, b: int, most_different: int) -> bool:
    different = 0
    for start in range(0, signatures.shape[1], _STRETCH):
        for entry in range(start, start + _STRETCH):
            different += signatures[a, entry] != signatures[b, entry]
        if different > most_different:
            return False
    return True


@njit(cache=True, nogil=True)
def link_members(
    signatures: Any, place: Any, parent: Any, fresh: int, window: int, most_different: int, components: int
) -> int:
    """Compare each fresh member of a group with up to ``window`` members before it, and unite those that are near.

    Two members that are connected already are not compared: that would change nothing.

    Args:
        signatures: (u, PERMUTATIONS) uint32.
        place: (n,) the signature of each member.
        parent: (n,) int64, roots among the members; the fresh ones are their own.
        fresh: the first fresh member.
        window: comparisons of a member, at most.
        most_different: entries in which near signatures differ, at most.
        components: clusters among all members before the fresh ones.

    Returns:
        Clusters among all members now.
    """
    for i in range(fresh, len(place)):
        components += 1
        mine = i
        for j in range(i - 1, max(i - window, 0) - 1, -1):
            if components == 1:
                break
            other = find_root(parent, j)
            if other != mine and _are_near(signatures, place[i], place[j], most_different):
                parent[max(mine, other)] = min(mine, other)
                mine = min(mine, other)
                components -= 1
    return components


@njit(cache=True, nogil=True)
def link_groups(signatures: Any, place: Any, starts: Any, window: int, most_different: int) -> NDArray[np.int64]:
    """The root of each member of many groups, each compared in itself; see ``link_members``.

    Args:
        signatures: (u, PERMUTATIONS) uint32.
        place: (n,) the signature of each member, group after group.
        starts: (G + 1,) where each group begins, then n.
        window: see ``link_members``.
        most_different: see ``link_members``.

    Returns:
        (n,) int64 positions in ``place``.
    """
    roots = np.arange(len(place))
    for group in range(len(starts) - 1):
        low, high = starts[group], starts[group + 1]
        parent = np.arange(high - low)
        link_members(signatures, place[low:high], parent, 0, window, most_different, 0)
        settle(parent)
        for k in range(high - low):
            roots[low + k] = low + parent[k]
    return roots
