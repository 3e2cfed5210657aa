"""Which split each row goes to, and the proof that nothing which belongs together was parted.

The paper cuts its files 80/10/10 without shuffling. Ours are in the order of the questions' dates, so
that nothing is tested on what came before its training data. By author or by hash a row's place follows
from a hash alone, and so stays the same when the dump grows. Where near-duplicates are clustered, every
member goes where the oldest question of its cluster goes. Source: docs/paper.md#split; ours,
docs/decisions/0012.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from procqa.dataset.runs import SORTED_BY, LanguageRows, beside, read_languages, sort_by

_PLACE_OF_PARTITION = {None: 0, "train": 1, "validation": 2, "test": 3}
_GROUP_BITS = 60

Cut = Callable[[LanguageRows], NDArray[np.uint8]]
"""From the sorted rows of a language to the place of each one's split in SPLITS."""


def time_cuts(orders: NDArray[np.int64]) -> tuple[int, int]:
    """The ends of train and validation: test and validation get floor(n/10) each, newest last.

    Args:
        orders: (n,) the sorted order of each row.
    """
    held_out = len(orders) // 10
    return len(orders) - 2 * held_out, len(orders) - held_out


def group_cuts(orders: NDArray[np.int64]) -> tuple[int, int]:
    """The ends of train and validation nearest after ``time_cuts`` that part no group.

    Args:
        orders: (n,) sorted; ``group_order`` of each row's group and published partition.
    """
    partitions = orders >> _GROUP_BITS
    if partitions.any():
        validation, test = _PLACE_OF_PARTITION["validation"], _PLACE_OF_PARTITION["test"]
        return int(np.searchsorted(partitions, validation)), int(np.searchsorted(partitions, test))
    train_end, validation_end = (
        int(np.searchsorted(orders, orders[cut - 1], side="right")) if cut else 0 for cut in time_cuts(orders)
    )
    return train_end, validation_end


def group_order(group: str, partition: str | None) -> int:
    """Where a group of rows stands: by its published partition, then by a hash of its name.

    Where any row has a published partition, the rows without one are train.
    """
    place = int.from_bytes(hashlib.sha256(group.encode()).digest()[:8]) >> (64 - _GROUP_BITS)
    return _PLACE_OF_PARTITION[partition] << _GROUP_BITS | place


def group_hash(*names: object) -> int:
    """A 64-bit hash of what a split must not part: an asker, or a question."""
    text = "\0".join(map(str, names))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def cut_by(cuts: Callable[[NDArray[np.int64]], tuple[int, int]]) -> Cut:
    """A cut of rows in their order."""

    def cut(rows: LanguageRows) -> NDArray[np.uint8]:
        ends = np.array(cuts(rows.keys["order"]))
        return np.searchsorted(ends, np.arange(len(rows.keys)), side="right").astype(np.uint8)

    return cut


def cut_by_hash(rows: LanguageRows) -> NDArray[np.uint8]:
    """A cut by the hash of each row's group: eight tenths, one tenth, one tenth of all hashes."""
    tenths = rows.keys["group"] // np.uint64((1 << 64) // 10 + 1)
    return np.maximum(tenths.astype(np.int64) - 7, 0).astype(np.uint8)


def assign_splits(
    runs: Sequence[Path], cut: Cut, labels: NDArray[np.int64] | None = None, *, keeps_groups: bool = False
) -> None:
    """Write beside each run the split of its rows, and their clusters where there are labels.

    Clusters are numbered from 0 in the order of their oldest questions; -1 is none.

    Args:
        labels: (n,) over the rows of all runs, as ``duplicates.find_clusters`` gives them.
        keeps_groups: the cut is by group, and groups that share a cluster must go together.
    """
    sizes = [len(np.load(beside(run, "keys"), mmap_mode="r")) for run in runs]
    starts = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
    joined = _join_groups(runs, starts, labels) if keeps_groups and labels is not None else {}
    splits = np.zeros(int(starts[-1]), dtype=np.uint8)
    clustered: list[NDArray[np.void]] = []
    for rows in read_languages(runs):
        if joined:
            rows.keys["group"] = [joined.get(group, group) for group in rows.keys["group"].tolist()]
        of_rows = cut(rows)
        splits[starts[rows.run] + rows.place] = of_rows
        if labels is not None:
            clustered.append(_members(rows, starts, labels, of_rows))
    clusters = None if labels is None else _join_clusters(splits, clustered)
    for run, start, stop in zip(runs, starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        np.save(beside(run, "splits"), splits[start:stop])
        if clusters is not None:
            np.save(beside(run, "clusters"), clusters[start:stop])


def _join_groups(runs: Sequence[Path], starts: NDArray[np.int64], labels: NDArray[np.int64]) -> dict[int, int]:
    """The group that stands for each group which shares a cluster with another: that of their oldest question."""
    clustered = (_members(rows, starts, labels, None) for rows in read_languages(runs))
    members = np.concatenate([np.empty(0, dtype=_MEMBER), *clustered])
    members = members[sort_by(members)]
    parent: dict[int, int] = {}

    def root(group: int) -> int:
        while (above := parent.setdefault(group, group)) != group:
            parent[group] = parent[above]
            group = parent[group]
        return group

    first: dict[int, int] = {}
    age: dict[int, int] = {}
    for place, (label, group) in enumerate(zip(members["label"].tolist(), members["group"].tolist(), strict=True)):
        age.setdefault(group, place)
        one, other = root(group), root(first.setdefault(label, group))
        older, younger = sorted((one, other), key=age.__getitem__)
        parent[younger] = older
    return {group: root(group) for group in parent}


_MEMBER = np.dtype([*((name, "<i8") for name in ("label", *SORTED_BY, "row")), ("group", "<u8"), ("split", "u1")])


def _members(
    rows: LanguageRows, starts: NDArray[np.int64], labels: NDArray[np.int64], splits: NDArray[np.uint8] | None
) -> NDArray[np.void]:
    """The rows of a language that are in a cluster."""
    number = starts[rows.run] + rows.place
    inside = labels[number] >= 0
    members = np.zeros(int(inside.sum()), dtype=_MEMBER)
    members["label"], members["row"] = labels[number[inside]], number[inside]
    if splits is not None:
        members["split"] = splits[inside]
    for name in (*SORTED_BY, "group"):
        members[name] = rows.keys[name][inside]
    return members


def _join_clusters(splits: NDArray[np.uint8], clustered: Sequence[NDArray[np.void]]) -> NDArray[np.int64]:
    """Send every member where the oldest question of its cluster goes; the number of each row's cluster."""
    clusters = np.full(len(splits), -1, dtype=np.int64)
    if not any(map(len, clustered)):
        return clusters
    members = np.concatenate(clustered)
    members = members[sort_by(members, ("label", *SORTED_BY))]
    _, first, of_label = np.unique(members["label"], return_index=True, return_inverse=True)
    oldest = members[first]
    number = np.empty(len(oldest), dtype=np.int64)
    number[sort_by(oldest)] = np.arange(len(oldest))
    splits[members["row"]] = oldest["split"][of_label]
    clusters[members["row"]] = number[of_label]
    return clusters
