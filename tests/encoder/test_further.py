from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.encoder.further import FurtherDocuments, random_numbers
from procqa.encoder.sampling import Batch, Sampler
from procqa.encoder.streams import Stream

N_ROWS = 60
HASHES = np.arange(1, 3 * N_ROWS + 1, dtype=np.uint64).reshape(N_ROWS, 3)
GROUPS = np.arange(1_000, 1_000 + N_ROWS, dtype=np.uint64)


def stream(rows: range, name: str = "Q/go/title-answer", **changes: object) -> Stream:
    return replace(Stream(name, 0, 2, np.array(rows, dtype=np.int32), HASHES, GROUPS), **changes)


def batch(positions: list[int], number: int = 0) -> Batch:
    return Batch(np.full(len(positions), number), np.array(positions))


def mined(table: dict[int, list[int]], width: int = 4) -> np.ndarray:
    rows = np.full((N_ROWS, width), -1, dtype=np.int32)
    for row, found in table.items():
        rows[row, : len(found)] = found
    return rows


def test_random_documents_are_of_the_same_stream_and_share_nothing_with_the_pair():
    groups = GROUPS.copy()
    groups[:10] = 7  # one cluster
    one, other = stream(range(40), groups=groups), stream(range(40, 60), "Q/c/title-answer")
    further = FurtherDocuments([one, other], count=5, seed=1)
    for step in range(30):
        of_one = further.draw(batch([0, 3, 25]), step)
        assert of_one.shape == (3, 5)
        assert set(of_one.ravel().tolist()) <= set(range(40))
        assert all(row >= 10 for row in of_one[:2].ravel())
        assert 25 not in of_one[2]
        assert set(further.draw(batch([0, 3], number=1), step).ravel().tolist()) <= set(range(40, 60))


def test_every_document_is_drawn_about_as_often():
    further = FurtherDocuments([stream(range(60))], count=6, seed=3)
    drawn = Counter(row for step in range(2_000) for row in further.draw(batch([5]), step).ravel().tolist())
    assert 5 not in drawn
    expected = 2_000 * 6 / 59
    # 59 counts of a binomial: 5 standard deviations leave one failure in some 30,000 seeds.
    assert all(abs(drawn[row] - expected) < 5 * expected**0.5 for row in range(60) if row != 5)


def test_mined_negatives_come_first_and_random_ones_fill_up():
    of = stream(range(60), mined=mined({0: [10, 11, 12, 13], 1: [20], 2: []}))
    further = FurtherDocuments([of], count=3, seed=1)
    orders = set()
    for step in range(50):
        drawn = further.draw(batch([0, 1, 2]), step)
        assert set(drawn[0].tolist()) < {10, 11, 12, 13}
        assert len(set(drawn[0].tolist())) == 3
        assert drawn[1, 0] == 20
        assert 2 not in drawn[2]
        orders.add(tuple(drawn[0].tolist()))
    assert len(orders) > 15  # of 24


def test_a_folder_with_fewer_than_are_asked_for_is_filled_up_too():
    of = stream(range(60), mined=mined({0: [10, 11]}, width=2))
    drawn = FurtherDocuments([of], count=5, seed=1).draw(batch([0]), 0)
    assert set(drawn[0, :2].tolist()) == {10, 11}
    assert 0 not in drawn[0]


def test_a_stream_that_holds_nothing_else_hands_out_what_will_be_masked():
    groups = np.full(N_ROWS, 7, dtype=np.uint64)
    drawn = FurtherDocuments([stream(range(2), groups=groups)], count=3, seed=1).draw(batch([0, 1]), 0)
    assert set(drawn.ravel().tolist()) <= {0, 1}


@given(st.integers(0, 2**31 - 1), st.integers(0, 1_000), st.permutations(range(40)), st.integers(1, 39))
def test_a_pair_has_the_same_documents_in_whatever_batch_part_and_order(seed, step, positions, cut):
    further = FurtherDocuments([stream(range(40), mined=mined({3: [10, 11, 12]}))], count=4, seed=seed)
    whole = {pair: rows.tolist() for pair, rows in zip(positions, further.draw(batch(positions), step), strict=True)}
    part = further.draw(batch(positions[:cut]), step)
    assert [rows.tolist() for rows in part] == [whole[pair] for pair in positions[:cut]]


def test_parts_of_a_batch_of_several_streams_have_those_of_the_whole():
    streams = [stream(range(40)), stream(range(40, 60), "Q/c/title-answer")]
    sampler = Sampler(streams, batch_size=16, alpha=0.5, steps=3, seed=0, batches="mixed")
    further = FurtherDocuments(streams, count=3, seed=0)
    for step in range(3):
        whole = sampler.draw(step)
        parts = [further.draw(whole.part(rank, 2), step) for rank in range(2)]
        np.testing.assert_array_equal(np.concatenate(parts), further.draw(whole, step))


@pytest.mark.parametrize("change", [{"seed": 2}, {"step": 1}])
def test_another_seed_or_step_draws_others(change):
    def draw(seed: int = 1, step: int = 0) -> list[list[int]]:
        return FurtherDocuments([stream(range(60))], count=4, seed=seed).draw(batch([0, 1, 2]), step).tolist()

    assert draw() == draw()
    assert draw() != draw(**change)


def test_random_numbers_are_even_in_every_bit():
    numbers = random_numbers((1, 2, 3), np.arange(500), 40)
    assert len(np.unique(numbers)) == numbers.size
    bits = (numbers[..., None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert np.abs(bits.mean(axis=(0, 1)) - 0.5).max() < 0.5 * 5 / numbers.size**0.5
    np.testing.assert_array_equal(random_numbers((1, 2, 3), np.array([7, 3]), 40), numbers[[7, 3]])
