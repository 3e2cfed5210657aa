"""Two lists as one: scores by hand, and the laws that any lists obey."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.search.fusion import fuse


def columns(*hits: tuple[int, float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([place for place, _ in hits], np.int64), np.array([score for _, score in hits], np.float64)


def fused(
    words: tuple, vectors: tuple, *, limit: float = 10.0, weight: float = 0.5, depth: int = 10
) -> dict[int, float]:
    positions, scores = fuse(columns(*words), columns(*vectors), limit=limit, weight=weight, depth=depth)
    return dict(zip(positions.tolist(), scores.tolist(), strict=True))


def test_words_count_by_their_share_of_the_limit_and_vectors_by_their_cosine():
    scores = fused(((7, 8.0), (3, 2.0)), ((3, 0.9), (7, 0.5), (5, 0.4)), weight=0.75)

    assert scores == pytest.approx({3: 0.25 * 0.2 + 0.75 * 0.9, 5: 0.75 * 0.4, 7: 0.25 * 0.8 + 0.75 * 0.5})


def test_where_no_document_has_most_of_the_words_words_say_less():
    words, vectors = ((7, 8.0), (3, 2.0)), ((3, 0.9), (7, 0.5))

    most, few = fused(words, vectors, limit=8), fused(words, vectors, limit=40)

    assert (max(most, key=most.__getitem__), max(few, key=few.__getitem__)) == (7, 3)


def test_a_score_that_rounding_puts_above_the_limit_is_the_whole_of_it():
    assert fused(((1, 8.0001),), (), limit=8, weight=0.25) == {1: 0.75}


def test_what_a_full_list_lacks_scores_as_its_last():
    assert fused(((1, 8.0), (2, 4.0)), ((3, 0.9), (1, 0.2)), depth=2) == pytest.approx(
        {1: 0.4 + 0.1, 2: 0.2 + 0.1, 3: 0.2 + 0.45}
    )


def test_what_a_list_of_words_that_is_not_full_lacks_has_none_of_the_words():
    assert fused(((1, 8.0),), ((3, 0.9), (1, 0.2)), depth=2)[3] == pytest.approx(0.45)


def test_a_negative_cosine_counts_as_none():
    assert fused((), ((4, -0.5),)) == {4: 0.0}


def test_two_empty_lists_are_one():
    assert fused((), ()) == {}


lists = st.lists(st.integers(0, 50), unique=True, max_size=10)


@given(lists, lists, st.randoms(use_true_random=False), st.floats(0, 1))
def test_scores_lie_between_0_and_1_and_a_weight_of_0_or_1_keeps_the_order_of_its_list(places, others, random, weight):
    words = [(place, score) for place, score in zip(places, falling(random, len(places), 10.0), strict=True)]
    vectors = [(place, score) for place, score in zip(others, falling(random, len(others), 1.0), strict=True)]

    assert all(0 <= score <= 1 for score in fused(tuple(words), tuple(vectors), weight=weight).values())
    by_words = fused(tuple(words), tuple(vectors), weight=0)
    assert [by_words[place] for place in places] == sorted((by_words[place] for place in places), reverse=True)
    by_vectors = fused(tuple(words), tuple(vectors), weight=1)
    assert [by_vectors[place] for place in others] == sorted((by_vectors[place] for place in others), reverse=True)


def falling(random, size: int, most: float) -> list[float]:
    return sorted((random.uniform(0.001, most) for _ in range(size)), reverse=True)
