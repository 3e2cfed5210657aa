"""Segments by bucket: written, found again, and joined from many files into one."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.dataset.spill import (
    KEY_BUCKETS,
    ROW_BUCKETS,
    MergeTask,
    merge_spills,
    read_index,
    read_segments,
    write_segments,
)

N_BUCKETS = ROW_BUCKETS + KEY_BUCKETS


def write(path, segments):
    """Write segments by bucket."""
    write_segments(path, [segments.get(bucket, b"") for bucket in range(N_BUCKETS)])
    return path


def read(path):
    """The segments of every bucket that has any."""
    found = {bucket: list(read_segments(path, range(bucket, bucket + 1))) for bucket in range(N_BUCKETS)}
    return {bucket: segments for bucket, segments in found.items() if segments}


SEGMENTS = st.dictionaries(
    st.integers(0, N_BUCKETS - 1) | st.sampled_from([0, ROW_BUCKETS - 1, ROW_BUCKETS, N_BUCKETS - 1]),
    st.binary(min_size=1, max_size=300),
    max_size=8,
)


@settings(max_examples=25)
@given(st.lists(SEGMENTS, min_size=1, max_size=4), st.booleans())
def test_segments_are_found_again_in_one_file_and_in_what_it_is_joined_into(tmp_path_factory, blocks, removes):
    folder = tmp_path_factory.mktemp("spills")
    paths = [write(folder / f"{number}.spill", segments) for number, segments in enumerate(blocks)]
    for path, segments in zip(paths, blocks, strict=True):
        assert read(path) == {bucket: [segment] for bucket, segment in segments.items()}
    joined = merge_spills(MergeTask(tuple(paths), folder / "joined.spill", removes))
    expected = {}
    for segments in blocks:
        for bucket, segment in segments.items():
            expected.setdefault(bucket, []).append(segment)
    assert read(joined) == expected
    every = list(read_segments(joined, range(N_BUCKETS)))
    assert every == [segment for bucket in sorted(expected) for segment in expected[bucket]]
    sizes = read_index(joined)["size"].tolist()
    assert sizes == [0, *(sum(map(len, expected.get(bucket, []))) for bucket in range(N_BUCKETS))]
    names = {"joined.spill"} if removes else {"joined.spill", *(path.name for path in paths)}
    assert set(os.listdir(folder)) == names  # noqa: PTH208


@pytest.mark.parametrize("buckets", [range(3), range(5, 9), range(ROW_BUCKETS, N_BUCKETS), range(7, 7)])
def test_the_index_of_some_buckets_is_that_part_of_the_whole(tmp_path, buckets):
    path = write(tmp_path / "a.spill", {1: b"x" * 1_000, 6: b"yy", ROW_BUCKETS + 3: b"z"})
    whole = read_index(path)
    assert len(whole) == N_BUCKETS + 1
    assert read_index(path, buckets).tolist() == whole[buckets.start : buckets.stop + 1].tolist()
    assert whole["end"][0] == 0
    assert whole["end"][-1] == path.stat().st_size - whole.nbytes


def test_what_is_joined_already_is_not_joined_again(tmp_path):
    first = write(tmp_path / "a.spill", {3: b"one"})
    out = merge_spills(MergeTask((first,), tmp_path / "joined.spill", True))
    write(first, {3: b"two"})
    assert merge_spills(MergeTask((first,), out, True)) == out
    assert read(out) == {3: [b"one"]}
    assert merge_spills(MergeTask((first,), out, True)) == out
    assert [path.name for path in tmp_path.iterdir()] == ["joined.spill"]


def test_a_file_whose_writing_fails_does_not_appear(tmp_path):
    def segments():
        yield b"x"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_segments(tmp_path / "a.spill", segments())
    assert not (tmp_path / "a.spill").exists()
