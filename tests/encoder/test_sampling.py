from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from procqa.encoder.sampling import Sampler, has_negatives, stream_shares


@dataclass
class Fake:
    """A stream whose texts are numbers."""

    texts: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.texts)

    def keys(self, positions):
        return self.texts[positions]


def distinct(pairs: int) -> Fake:
    return Fake(np.arange(1, 2 * pairs + 1, dtype=np.uint64).reshape(pairs, 2))


def pairs_of(*pairs: tuple[int, int]) -> Fake:
    return Fake(np.array(pairs, dtype=np.uint64))


def draws(sampler: Sampler, steps) -> list[tuple[list[int], list[int]]]:
    batches = [sampler.draw(step) for step in steps]
    return [(batch.streams.tolist(), batch.positions.tolist()) for batch in batches]


def test_shares_follow_the_square_root_of_the_sizes():
    assert stream_shares([100, 400, 2_500], 0.5).tolist() == pytest.approx([10 / 80, 20 / 80, 50 / 80])


def test_alpha_zero_is_even_and_alpha_one_proportional():
    assert stream_shares([1, 3], 0).tolist() == [0.5, 0.5]
    assert stream_shares([1, 3], 1).tolist() == [0.25, 0.75]


MODES = ("stream", "mixed", "round-robin")


@pytest.mark.parametrize("batches", ["stream", "mixed"])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_streams_are_drawn_as_often_as_expected(batches, alpha):
    sizes = [100, 400, 900, 10_000]
    steps = 20_000 if batches == "stream" else 2_000
    sampler = Sampler(
        [distinct(size) for size in sizes], batch_size=10, alpha=alpha, steps=steps, seed=7, batches=batches
    )
    drawn = np.zeros(len(sizes))
    for step in range(steps):
        batch = sampler.draw(step)
        numbers, counts = np.unique(batch.streams, return_counts=True)
        drawn[numbers] += counts if batches == "mixed" else 1
        assert len(batch) == 10
    expected = stream_shares(sizes, alpha) * drawn.sum()
    # 99.9 % of draws from the right shares stay below this with 3 degrees of freedom.
    assert ((drawn - expected) ** 2 / expected).sum() < 16.27


def test_one_stream_after_the_other_takes_turns():
    sampler = Sampler(
        [distinct(9), distinct(90), distinct(30)], batch_size=3, alpha=0.5, steps=9, seed=1, batches="round-robin"
    )
    assert [set(sampler.draw(step).streams.tolist()) for step in range(9)] == [{0}, {1}, {2}] * 3
    first = [position for step in (0, 3, 6) for position in sampler.draw(step).positions.tolist()]
    assert sorted(first) == list(range(9))


def test_a_batch_of_one_stream_is_of_one_stream_and_a_mixed_one_is_not():
    streams = [distinct(50), distinct(50), distinct(50)]
    for batches, expected in (("stream", {1}), ("mixed", {3})):
        sampler = Sampler(streams, batch_size=40, alpha=0.5, steps=20, seed=1, batches=batches)
        assert {len(np.unique(sampler.draw(step).streams)) for step in range(20)} == expected


def test_mixed_batches_take_every_pair_of_a_stream_as_often_as_any_other():
    one, other = distinct(20), Fake(distinct(60).texts + np.uint64(1_000))
    sampler = Sampler([one, other], batch_size=8, alpha=1, steps=60, seed=3, batches="mixed")
    seen = [np.zeros(20, dtype=int), np.zeros(60, dtype=int)]
    for step in range(60):
        batch = sampler.draw(step)
        for number, position in zip(batch.streams.tolist(), batch.positions.tolist(), strict=True):
            seen[number][position] += 1
    for counts in seen:
        # Where an epoch ends within a batch, a pair that begins the next one too is replaced by any other.
        assert counts.max() - counts.min() <= 2
        assert abs(counts.mean() - 6) < 1


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(MODES), st.integers(1, 9), st.integers(0, 99))
def test_the_parts_of_all_ranks_are_the_batch_and_what_fills_up_the_last(batches, ranks, seed):
    sampler = Sampler([distinct(30), distinct(9)], batch_size=7, alpha=0.5, steps=5, seed=seed, batches=batches)
    for step in range(5):
        batch = sampler.draw(step)
        parts = [batch.part(rank, ranks) for rank in range(ranks)]
        assert len({len(part) for part in parts}) == 1
        assert sum(len(part) - part.fillers for part in parts) == len(batch)
        for name in ("positions", "streams"):
            real = [getattr(part, name)[: len(part) - part.fillers] for part in parts]
            assert np.concatenate(real).tolist() == getattr(batch, name).tolist()
            assert {value for part in parts for value in getattr(part, name)} <= set(getattr(batch, name))


def test_the_same_seed_draws_the_same_and_another_seed_does_not():
    streams = [distinct(50), distinct(20)]

    def drawn(seed: int) -> list[tuple[list[int], list[int]]]:
        return draws(Sampler(streams, batch_size=8, alpha=0.5, steps=30, seed=seed), range(30))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_the_global_generators_change_nothing():
    sampler = Sampler([distinct(50)], batch_size=8, alpha=0.5, steps=10, seed=1)
    before = draws(sampler, range(10))
    np.random.seed(99)
    assert draws(Sampler([distinct(50)], batch_size=8, alpha=0.5, steps=10, seed=1), range(10)) == before


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(MODES), st.integers(0, 40), st.integers(0, 1_000))
def test_a_run_that_is_taken_up_draws_what_the_uninterrupted_one_would(batches, first: int, seed: int):
    streams = [distinct(30), distinct(9), pairs_of((1, 2), (1, 3), (4, 3), (5, 6))]
    asked = {"batch_size": 6, "alpha": 0.5, "steps": 40, "seed": seed, "batches": batches}
    whole = draws(Sampler(streams, **asked), range(40))
    assert draws(Sampler(streams, **asked), range(first, 40)) == whole[first:]
    backwards = draws(Sampler(streams, **asked), reversed(range(first, 40)))
    assert backwards[::-1] == whole[first:]  # as a loader with several workers may ask for them


def test_an_epoch_takes_every_pair_once():
    sampler = Sampler([distinct(24)], batch_size=8, alpha=0.5, steps=6, seed=3)
    epochs = [
        sorted(position for _, positions in draws(sampler, steps) for position in positions)
        for steps in ((0, 1, 2), (3, 4, 5))
    ]
    assert epochs == [list(range(24)), list(range(24))]
    assert draws(sampler, (0, 1, 2)) != draws(sampler, (3, 4, 5))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=2, max_size=40),
    st.integers(2, 10),
    st.integers(0, 99),
    st.sampled_from(MODES),
)
def test_no_batch_holds_a_text_twice(pairs: list[tuple[int, int]], batch_size: int, seed: int, batches):
    stream = pairs_of(*((query, 100 + document) for query, document in pairs))
    if not has_negatives(stream):
        return
    other = pairs_of((1, 201), (50, 202), (51, 101), (52, 203))
    streams = [stream, other]
    sampler = Sampler(streams, batch_size=batch_size, alpha=0.5, steps=12, seed=seed, batches=batches)
    for step in range(12):
        batch = sampler.draw(step)
        pairs_drawn = zip(batch.streams.tolist(), batch.positions.tolist(), strict=True)
        texts = [text for number, place in pairs_drawn for text in streams[number].texts[place].tolist()]
        assert 2 <= len(batch) <= batch_size
        assert len(texts) == len(set(texts))


def test_no_batch_holds_a_cluster_twice():
    clustered = Fake(np.array([(n, 100 + n, 1_000 + n // 3) for n in range(30)], dtype=np.uint64))
    sampler = Sampler([clustered], batch_size=8, alpha=0.5, steps=40, seed=5)
    for step in range(40):
        groups = [position // 3 for position in sampler.draw(step).positions.tolist()]
        assert len(groups) == len(set(groups)) == 8


def test_other_pairs_stand_in_for_those_that_repeat_a_text():
    repeated = [(1, 100 + number) for number in range(20)]
    stream = pairs_of(*repeated, *((200 + number, 300 + number) for number in range(80)))
    sampler = Sampler([stream], batch_size=16, alpha=0.5, steps=60, seed=5)
    assert {len(sampler.draw(step).positions) for step in range(60)} == {16}


def test_a_batch_shrinks_to_a_small_stream():
    sampler = Sampler([distinct(3)], batch_size=64, alpha=0.5, steps=2, seed=0)
    assert [len(sampler.draw(step).positions) for step in range(2)] == [3, 3]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(1, 2)], False),
        ([(1, 2), (1, 2)], False),
        ([(1, 2), (1, 3), (1, 4)], False),
        ([(1, 2), (3, 2), (4, 2)], False),
        ([(1, 2), (2, 3), (3, 1)], False),
        ([(1, 2), (2, 3), (3, 4)], True),
        ([(1, 2), (1, 3), (4, 2)], True),
        ([(1, 2), (3, 4)], True),
    ],
)
def test_a_stream_needs_two_pairs_without_a_common_text(pairs: list[tuple[int, int]], expected: bool):
    assert has_negatives(pairs_of(*pairs)) is expected
