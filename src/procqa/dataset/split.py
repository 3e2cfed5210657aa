"""Where a language's rows, once in order, are cut into train, validation and test.

The paper cuts its files 80/10/10 without shuffling. Ours are in the order of the questions' dates, so
that nothing is tested on what came before its training data. Source: docs/paper.md#split.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

_PLACE_OF_PARTITION = {None: 0, "train": 1, "validation": 2, "test": 3}
_GROUP_BITS = 60


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
