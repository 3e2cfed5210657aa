import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.dataset.duplicates_files import (
    SignatureFiles,
    load_whole,
    read_entries,
    write_atomically,
    write_entries,
)
from procqa.dataset.minhash import PERMUTATIONS
from procqa.errors import ArtifactError


def write_parts(folder, sizes):
    whole = np.random.default_rng(0).integers(0, 1 << 32, (sum(sizes), PERMUTATIONS), np.uint32)
    paths = []
    for number, (stop, size) in enumerate(zip(np.cumsum(sizes), sizes, strict=True)):
        paths.append(folder / f"{number}.npy")
        np.save(paths[-1], whole[stop - size : stop])
    return whole, paths


def test_rows_are_numbered_over_all_files(tmp_path):
    whole, paths = write_parts(tmp_path, [3, 0, 5, 1])
    files = SignatureFiles.open(paths)
    assert (files.starts, files.n_rows) == ((0, 3, 3, 8, 9), 9)
    for rows in ([], [0], [8], [2, 3], [0, 1, 2, 5, 7, 8], list(range(9))):
        assert files.read(np.array(rows, np.int64)).tolist() == whole[rows].tolist()


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((4, PERMUTATIONS), np.uint64),
        np.zeros((4, PERMUTATIONS - 1), np.uint32),
        np.zeros(PERMUTATIONS, np.uint32),
        np.zeros((4, PERMUTATIONS), ">u4"),
        np.zeros((PERMUTATIONS, 4), np.uint32).T,
    ],
)
def test_a_file_of_something_else_is_refused(values, tmp_path):
    np.save(tmp_path / "other.npy", values)
    with pytest.raises(ArtifactError, match=r"other\.npy must hold rows of 128 uint32"):
        SignatureFiles.open([tmp_path / "other.npy"])


def test_a_file_cut_short_is_refused(tmp_path):
    _, paths = write_parts(tmp_path, [4])
    data = paths[0].read_bytes()
    paths[0].write_bytes(data[:-1])
    with pytest.raises(ArtifactError, match="must hold all rows of its header"):
        SignatureFiles.open(paths).read(np.arange(4))
    paths[0].write_bytes(data[:5])
    with pytest.raises(ArtifactError, match=r"must be a \.npy file"):
        SignatureFiles.open(paths)


@given(
    keys=st.lists(st.integers(0, (1 << 64) - 1) | st.sampled_from([0, 7, 1 << 63, (1 << 64) - 1]), max_size=30),
    cut=st.integers(0, 30),
    n_buckets=st.integers(1, 9),
)
def test_buckets_hold_every_key_once_sorted_and_rows_in_order(keys, cut, n_buckets, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    values, rows = np.array(keys, np.uint64), np.arange(len(keys), dtype=np.uint32)
    write_entries(folder / "a", values[:cut], rows[:cut], n_buckets)
    write_entries(folder / "b", values[cut:], rows[cut:], n_buckets)
    found = []
    for bucket in range(n_buckets):
        entries = [values.tolist() for values in read_entries([folder / "a", folder / "b"], bucket)]
        assert all(bucket << 64 <= key * n_buckets < (bucket + 1) << 64 for key in entries[0])
        found += zip(*entries, strict=True)
    assert found == sorted(zip(keys, range(len(keys)), strict=True))


def test_entries_cut_short_by_a_crash_are_refused(tmp_path):
    path = tmp_path / "keys"
    write_entries(path, np.arange(50, dtype=np.uint64), np.arange(50, dtype=np.uint32), 1)
    data = path.read_bytes()
    for size in (0, 100, 200, 300, 600, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(ArtifactError, match="must be whole"):
            read_entries([path], 0)


def test_an_array_cut_short_by_a_crash_is_refused(tmp_path):
    np.save(tmp_path / "links.npy", np.arange(6).reshape(2, 3))
    assert load_whole(tmp_path / "links.npy").tolist() == [[0, 1, 2], [3, 4, 5]]
    data = (tmp_path / "links.npy").read_bytes()
    for size in (0, 9, 100, len(data) - 1):
        (tmp_path / "links.npy").write_bytes(data[:size])
        with pytest.raises(ArtifactError, match="must be whole"):
            load_whole(tmp_path / "links.npy")


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    def fail(stream):
        stream.write(b"half")
        raise KeyboardInterrupt

    write_atomically(tmp_path / "file", lambda stream: stream.write(b"whole"))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", fail)
    assert (tmp_path / "file").read_bytes() == b"whole"
