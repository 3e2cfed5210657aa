import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.dataset.split import group_cuts, group_order, time_cuts


@pytest.mark.parametrize(
    ("rows", "cuts"), [(0, (0, 0)), (9, (9, 9)), (10, (8, 9)), (19, (17, 18)), (20, (16, 18)), (101, (81, 91))]
)
def test_test_and_validation_get_a_tenth_each_rounded_down(rows, cuts):
    assert time_cuts(np.arange(rows)) == cuts


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 20)), max_size=20))
def test_no_group_stands_in_two_splits(groups):
    names = [f"file{name}" for name, size in groups for _ in range(size)]
    orders = np.sort(np.array([group_order(name, None) for name in names], dtype=np.int64))
    train_end, validation_end = group_cuts(orders)
    assert 0 <= train_end <= validation_end <= len(orders)
    parts = [
        set(part.tolist()) for part in (orders[:train_end], orders[train_end:validation_end], orders[validation_end:])
    ]
    assert sum(map(len, parts)) == len(set().union(*parts))


def test_a_published_partition_is_followed():
    published = ["train", "test", "train", "validation", "test", "test"]
    orders = np.sort(np.array([group_order(f"f{n}", name) for n, name in enumerate(published)], dtype=np.int64))
    assert group_cuts(orders) == (2, 3)


def test_a_corpus_published_as_train_alone_stays_train():
    orders = np.sort(np.array([group_order(f"f{n}", "train") for n in range(50)], dtype=np.int64))
    assert group_cuts(orders) == (50, 50)
