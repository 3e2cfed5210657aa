"""Records, texts and keys by bucket: written, found again, and joined from many files into one."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.dataset.spill import (
    KEY_BUCKETS,
    ROW_BUCKETS,
    MergeTask,
    merge_spills,
    read_index,
    read_keys,
    read_rows,
    write_spill,
)

N_BUCKETS = (ROW_BUCKETS, ROW_BUCKETS, KEY_BUCKETS)
NOTHING = ({}, {}, {})


def write(path, contents):
    """Write records, texts and keys, each by bucket."""
    parts, sizes = [], []
    for of_kind, n_buckets in zip(contents, N_BUCKETS, strict=True):
        pieces = [of_kind.get(bucket, b"") for bucket in range(n_buckets)]
        parts.append(np.frombuffer(b"".join(pieces), dtype=np.uint8))
        sizes.append(np.array([len(piece) for piece in pieces], dtype=np.int64))
    write_spill(path, parts, sizes)
    return path


def read(path):
    """What stands in every bucket that holds anything."""
    rows = {bucket: read_rows(path, range(bucket, bucket + 1)) for bucket in range(ROW_BUCKETS)}
    keys = {bucket: read_keys(path, bucket) for bucket in range(KEY_BUCKETS)}
    kinds = {bucket: row[0] for bucket, row in rows.items()}, {bucket: row[1] for bucket, row in rows.items()}, keys
    return tuple({bucket: data for bucket, data in of_kind.items() if data} for of_kind in kinds)


def of_buckets(n_buckets):
    buckets = st.integers(0, n_buckets - 1) | st.sampled_from([0, n_buckets - 1])
    return st.dictionaries(buckets, st.binary(min_size=1, max_size=300), max_size=6)


@settings(max_examples=25)
@given(st.lists(st.tuples(*map(of_buckets, N_BUCKETS)), min_size=1, max_size=4), st.booleans())
def test_everything_is_found_again_in_one_file_and_in_what_it_is_joined_into(tmp_path_factory, blocks, removes):
    folder = tmp_path_factory.mktemp("spills")
    paths = [write(folder / f"{number}.spill", contents) for number, contents in enumerate(blocks)]
    for path, contents in zip(paths, blocks, strict=True):
        assert read(path) == contents
    joined = merge_spills(MergeTask(tuple(paths), folder / "joined.spill", removes))
    expected = ({}, {}, {})
    for contents in blocks:
        for of_all, of_kind in zip(expected, contents, strict=True):
            for bucket, data in of_kind.items():
                of_all[bucket] = of_all.get(bucket, b"") + data
    assert read(joined) == expected
    records, texts = read_rows(joined, range(ROW_BUCKETS))
    assert records == b"".join(expected[0][bucket] for bucket in sorted(expected[0]))
    assert texts == b"".join(expected[1][bucket] for bucket in sorted(expected[1]))
    sizes = [len(expected[0].get(bucket, b"")) + len(expected[1].get(bucket, b"")) for bucket in range(ROW_BUCKETS)]
    assert read_index(joined).row_sizes.tolist() == sizes
    names = {"joined.spill"} if removes else {"joined.spill", *(path.name for path in paths)}
    assert set(os.listdir(folder)) == names  # noqa: PTH208


def test_a_large_bucket_is_joined_whole(tmp_path):
    large = b"ab" * 2_000_000
    paths = [write(tmp_path / f"{name}.spill", ({7: b"r"}, {7: large}, {})) for name in "ab"]
    joined = merge_spills(MergeTask(tuple(paths), tmp_path / "joined.spill", True))
    assert read_rows(joined, range(5, 9)) == (b"rr", large + large)


@pytest.mark.parametrize("buckets", [range(0), range(7, 7), range(ROW_BUCKETS, ROW_BUCKETS)])
def test_no_buckets_hold_nothing(tmp_path, buckets):
    path = write(tmp_path / "a.spill", ({1: b"x", ROW_BUCKETS - 1: b"y"}, {6: b"zz"}, {3: b"k"}))
    assert read_rows(path, buckets) == (b"", b"")


def test_what_is_joined_already_is_not_joined_again(tmp_path):
    first = write(tmp_path / "a.spill", ({3: b"one"}, {}, {}))
    out = merge_spills(MergeTask((first,), tmp_path / "joined.spill", True))
    write(first, ({3: b"two"}, {}, {}))
    assert merge_spills(MergeTask((first,), out, True)) == out
    assert read(out) == ({3: b"one"}, {}, {})
    assert merge_spills(MergeTask((first,), out, True)) == out
    assert [path.name for path in tmp_path.iterdir()] == ["joined.spill"]


def test_a_file_whose_writing_fails_does_not_appear(tmp_path):
    first = write(tmp_path / "a.spill", NOTHING)
    first.write_bytes(first.read_bytes()[8:])
    with pytest.raises(OSError, match="Invalid argument"):
        merge_spills(MergeTask((first,), tmp_path / "joined.spill", False))
    assert not (tmp_path / "joined.spill").exists()
