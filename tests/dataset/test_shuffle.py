from hypothesis import given
from hypothesis import strategies as st

from procqa.dataset import shuffle


def empty(buckets):
    return [[] for _ in range(buckets)]


@given(st.lists(st.integers(1, 2**63 - 1), max_size=60))
def test_every_row_is_found_again_in_its_bucket(tmp_path_factory, ids):
    path = tmp_path_factory.mktemp("spill") / "block.spill"
    rows, keys = empty(shuffle.ROW_BUCKETS), empty(shuffle.KEY_BUCKETS)
    for number in ids:
        rows[shuffle.bucket_of(number, shuffle.ROW_BUCKETS)].append(b"<row %d>" % number)
        keys[shuffle.bucket_of(number, shuffle.KEY_BUCKETS)].append((shuffle.ANSWER, number, 1, 2, 3))
    shuffle.write_spill(path, rows, keys)
    for number in ids:
        bucket = shuffle.bucket_of(number, shuffle.ROW_BUCKETS)
        (held,) = shuffle.read_rows(path, range(bucket, bucket + 1))
        assert b"<row %d>" % number in held.split(b"\n")
        assert number in shuffle.read_keys([path], shuffle.bucket_of(number, shuffle.KEY_BUCKETS))["id"]
    everything = list(shuffle.read_rows(path, range(shuffle.ROW_BUCKETS)))
    assert sum(len(held.split(b"\n")) for held in everything) == len(ids)


def test_buckets_are_grouped_up_to_a_limit_and_none_is_left_out(tmp_path):
    path = tmp_path / "block.spill"
    rows = empty(shuffle.ROW_BUCKETS)
    for bucket in range(0, 1_024, 2):
        rows[bucket].append(b"x" * 100)
    shuffle.write_spill(path, rows, empty(shuffle.KEY_BUCKETS))
    groups = shuffle.group_buckets([path], 1_000)
    assert [number for group in groups for number in group] == list(range(1_024))
    assert max(sum(len(held) for held in shuffle.read_rows(path, group)) for group in groups) == 1_000


def test_ids_spread_evenly():
    counts = [0] * shuffle.ROW_BUCKETS
    for number in range(1, 102_401):
        counts[shuffle.bucket_of(number, shuffle.ROW_BUCKETS)] += 1
    assert 80 <= min(counts) <= max(counts) <= 120
