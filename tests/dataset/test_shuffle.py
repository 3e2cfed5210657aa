"""Spill files: what a block sends to every bucket is found again there, and nowhere else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.dataset import shuffle
from procqa.dataset.shuffle import Share, share_buckets
from procqa.dataset.spill import KEY_BUCKETS, ROW_BUCKETS, read_index, write_spill
from procqa.dump.posts import POST

IDS = st.integers(1, 2**63 - 1)
ALL = Share(range(ROW_BUCKETS))


def records_of(threads, texts):
    """Records of threads with a number that tells them, and their texts of two kinds."""
    records = np.zeros(len(threads), dtype=POST)
    records["thread"], records["score"] = threads, np.arange(len(threads))
    records["sizes"][:, 1] = [len(text) // 2 for text in texts]
    records["sizes"][:, 3] = [len(text) - len(text) // 2 for text in texts]
    return records


def spill(path, threads, texts, keys=shuffle.NO_KEYS):
    """Write records of threads with their texts, as a scan does."""
    buckets = shuffle.bucket_of(np.array(threads, dtype=np.int64), ROW_BUCKETS)
    order = np.argsort(buckets, kind="stable")
    joined = np.frombuffer(b"".join(texts[place] for place in order), dtype=np.uint8)
    shuffle.write_rows(path, records_of(threads, texts)[order], joined, buckets[order], keys)
    return path


def read(paths, share=ALL):
    """(spill, thread, number, text) of every record."""
    records = shuffle.read_records(paths, share, POST)
    texts = records.texts(np.arange(len(records.rows)))
    columns = (records.source, records.rows["thread"], records.rows["score"], texts)
    return list(zip(*(part.tolist() if isinstance(part, np.ndarray) else part for part in columns), strict=True))


CUTS = st.lists(st.integers(0, ROW_BUCKETS), max_size=3)


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.tuples(IDS, st.binary(max_size=20)), max_size=20), min_size=1, max_size=3),
    CUTS,
    st.integers(1, 3),
)
def test_every_record_is_found_again_with_its_text_in_one_share(tmp_path_factory, blocks, cuts, of):
    folder = tmp_path_factory.mktemp("spill")
    paths = [spill(folder / f"{n}.spill", [t for t, _ in rows], [x for _, x in rows]) for n, rows in enumerate(blocks)]
    written = {(n, *row) for n, rows in enumerate(blocks) for row in ((t, k, x) for k, (t, x) in enumerate(rows))}
    cuts = sorted(cuts)
    ranges = [range(low, high) for low, high in zip([0, *cuts], [*cuts, ROW_BUCKETS], strict=True)]
    shares = [Share(buckets, number, of) for buckets in ranges for number in range(of)]
    found = []
    for share in shares:
        rows = read(paths, share)
        threads = np.array([thread for _, thread, _, _ in rows], dtype=np.int64)
        assert all(bucket in share.buckets for bucket in shuffle.bucket_of(threads, ROW_BUCKETS).tolist())
        assert share.holds(threads).all()
        found += rows
    assert len(found) == len(written)
    assert set(found) == written


def test_the_texts_of_some_records_come_in_the_order_asked_for(tmp_path):
    records = shuffle.read_records([spill(tmp_path / "a.spill", [5, 5, 5], [b"one", b"", b"three"])], ALL, POST)
    assert list(records.texts(np.array([2, 0, 2, 1]))) == [b"three", b"one", b"three", b""]
    assert list(records.texts(np.array([], dtype=np.int64))) == []


@settings(max_examples=40)
@given(st.lists(st.lists(st.tuples(st.integers(0, 2), IDS, IDS, IDS, IDS), max_size=30), max_size=3))
def test_every_key_is_found_again_in_the_bucket_of_its_id(tmp_path_factory, blocks):
    folder = tmp_path_factory.mktemp("spill")
    paths = [folder / f"{n}.spill" for n in range(len(blocks))]
    for path, keys in zip(paths, blocks, strict=True):
        spill(path, [], [], np.array(keys, dtype=shuffle.KEY))
    found = []
    for bucket in range(KEY_BUCKETS):
        keys = shuffle.read_bucket_keys(paths, bucket)
        assert set(shuffle.bucket_of(keys["id"], KEY_BUCKETS).tolist()) <= {bucket}
        found += keys.tolist()
    assert sorted(found) == sorted(key for keys in blocks for key in keys)


def test_no_spill_holds_nothing():
    records = shuffle.read_records([], ALL, POST)
    assert (len(records.rows), len(records.source), records.rows.dtype) == (0, 0, POST)
    assert len(shuffle.read_bucket_keys([], 3)) == 0


def write_sizes(path, sizes):
    """A spill file with so many bytes in some of its row buckets."""
    of_bucket = np.zeros(ROW_BUCKETS, dtype=np.int64)
    for bucket, size in sizes.items():
        of_bucket[bucket] = size
    nothing = np.zeros(0, dtype=np.uint8)
    parts = nothing, np.zeros(of_bucket.sum(), dtype=np.uint8), nothing
    write_spill(path, parts, (np.zeros_like(of_bucket), of_bucket, np.zeros(KEY_BUCKETS, dtype=np.int64)))


def held(path, share):
    """The bytes of a share's buckets."""
    return int(read_index(path).row_sizes[share.buckets.start : share.buckets.stop].sum())


def test_buckets_are_shared_out_up_to_a_limit(tmp_path):
    path = tmp_path / "block.spill"
    write_sizes(path, dict.fromkeys(range(0, 1_024, 2), 100))
    shares = share_buckets([path], 1_000)
    assert {share.of for share in shares} == {1}
    assert [number for share in shares for number in share.buckets] == list(range(1_024))
    assert max(held(path, share) for share in shares) == 1_000


def test_a_bucket_that_is_too_large_has_shares_of_its_own(tmp_path):
    path = tmp_path / "block.spill"
    write_sizes(path, {0: 1, 2: 250, 4: 1})
    of_its_own = [Share(range(2, 3), number, 3) for number in range(3)]
    assert share_buckets([path], 100) == [Share(range(2)), *of_its_own, Share(range(3, 1_024))]
    assert share_buckets([path, path], 250) == [Share(range(2)), Share(range(2, 3)), Share(range(3, 1_024))]
    assert share_buckets([path], 252) == [ALL]


def test_no_rows_are_one_share(tmp_path):
    path = tmp_path / "block.spill"
    write_sizes(path, {})
    assert share_buckets([path], 1) == share_buckets([], 1) == [ALL]


@settings(max_examples=60)
@given(st.dictionaries(st.integers(0, 1_023), st.integers(1, 400), max_size=12), st.integers(1, 300))
def test_every_bucket_is_in_the_shares_empty_or_not_and_their_names_sort_as_they_do(tmp_path_factory, sizes, limit):
    path = tmp_path_factory.mktemp("spill") / "block.spill"
    write_sizes(path, sizes)
    shares = share_buckets([path], limit)
    assert [share.name for share in shares] == sorted({share.name for share in shares})
    covered = [bucket for share in shares if share.number == 0 for bucket in share.buckets]
    assert covered == list(range(1_024))
    for share in shares:
        assert held(path, share) <= share.of * 2 * limit


@given(st.lists(IDS, max_size=30), st.integers(1, 7))
def test_a_thread_belongs_to_one_share_of_its_bucket(threads, of):
    numbers = np.array(threads, dtype=np.int64)
    assert sum(Share(range(1), number, of).holds(numbers).astype(int) for number in range(of)).tolist() == [1] * len(
        threads
    )


def test_the_shares_of_a_bucket_are_of_much_the_same_size():
    ids = np.arange(1, 2_000_001)
    in_bucket = ids[shuffle.bucket_of(ids, ROW_BUCKETS) == 7]
    counts = [int(Share(range(7, 8), number, 4).holds(in_bucket).sum()) for number in range(4)]
    assert min(counts) > len(in_bucket) / 4 * 0.8


@pytest.mark.parametrize("step", [1, 2, 7, 64, 1_024])
@pytest.mark.parametrize(("buckets", "least", "most"), [(1_024, 70, 130), (64, 1_500, 1_700)])
def test_ids_spread_evenly_whatever_their_steps(buckets, least, most, step):
    counts = np.bincount(shuffle.bucket_of(np.arange(1, 102_401) * step, buckets), minlength=buckets)
    assert len(counts) == buckets
    assert least <= counts.min() <= counts.max() <= most
