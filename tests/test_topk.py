"""Exact top-k against a full sort of double-precision scores."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.errors import ConfigError
from procqa.topk import dot_products, top_k, top_k_of_scores


def full_sort(queries: np.ndarray, documents: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The same by the shortest way: every score in double precision, rounded once, sorted stably."""
    scores = np.array([[np.sum(d * q) for d in documents.astype(float)] for q in queries.astype(float)], np.float32)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, axis=1), order


def test_the_best_come_first_and_equal_scores_by_lower_index():
    queries = np.array([[1, 0], [0, 1]], np.float32)
    documents = np.array([[1, 1], [3, 0], [1, 2], [3, 2]], np.float32)

    scores, indices = top_k(queries, documents, 3)

    assert indices.tolist() == [[1, 3, 0], [2, 3, 0]]
    assert scores.tolist() == [[3, 3, 1], [2, 2, 1]]
    assert (scores.dtype, indices.dtype) == (np.float32, np.int64)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 5),
    st.integers(1, 60),
    st.integers(1, 20),
    st.integers(1, 70),
    st.integers(1, 64),
)
def test_any_block_size_gives_the_order_of_a_full_sort(seed, n_queries, n_documents, dimensions, k, block_rows):
    generator = np.random.default_rng(seed)
    queries = generator.standard_normal((n_queries, dimensions)).astype(np.float32)
    documents = generator.standard_normal((n_documents, dimensions)).astype(np.float32)
    documents = documents[generator.integers(0, n_documents, n_documents)]  # some stand there twice
    expected_scores, expected = full_sort(queries, documents, k)

    scores, indices = top_k(queries, documents, k, block_rows=block_rows)

    assert indices.tolist() == expected.tolist()
    assert scores.tolist() == expected_scores.tolist()


def test_equal_documents_in_different_blocks_score_equally_and_stand_by_index():
    generator = np.random.default_rng(7)
    queries = generator.standard_normal((3, 384)).astype(np.float32)
    documents = np.repeat(generator.standard_normal((1, 384)).astype(np.float32), 1_001, axis=0)

    scores, indices = top_k(queries, documents, 1_001, block_rows=100)

    assert (indices == np.arange(1_001)).all()
    assert (scores == scores[:, :1]).all()


def test_many_queries_are_ranked_like_each_alone():
    generator = np.random.default_rng(3)
    queries = generator.standard_normal((300, 16)).astype(np.float32)
    documents = generator.standard_normal((50, 16)).astype(np.float32)

    scores, indices = top_k(queries, documents, 5)

    for row in (0, 255, 256, 299):
        alone = top_k(queries[row : row + 1], documents, 5)
        assert scores[row].tolist() == alone[0][0].tolist()
        assert indices[row].tolist() == alone[1][0].tolist()


def test_a_document_counts_though_its_product_overflows_single_precision():
    queries = np.array([[1e20, 1e20]], np.float32)
    documents = np.array([[-1, 0], [1, 0], [-1, -1], [1e20, -1e20]], np.float32)

    for block_rows in (1, 4):
        scores, indices = top_k(queries, documents, 3, block_rows=block_rows)

        assert indices.tolist() == [[1, 3, 0]]
        assert scores.tolist() == [[np.float32(1e20), 0, np.float32(-1e20)]]


def test_a_score_is_the_dot_product_of_its_two_vectors():
    generator = np.random.default_rng(5)
    queries = generator.standard_normal((3, 383)).astype(np.float32)
    documents = generator.standard_normal((200, 383)).astype(np.float32)

    scores, indices = top_k(queries, documents, 150, block_rows=64)

    for row in range(3):
        assert scores[row].tolist() == dot_products(queries[row], documents[indices[row]]).tolist()
        pairs = np.repeat(queries[row : row + 1], 150, axis=0)
        assert scores[row].tolist() == dot_products(pairs, documents[indices[row]]).tolist()


def test_documents_may_be_a_memory_map(tmp_path: Path):
    vectors = np.random.default_rng(1).standard_normal((40, 8)).astype(np.float32)
    vectors.tofile(tmp_path / "vectors")
    mapped = np.memmap(tmp_path / "vectors", np.float32, mode="r", shape=(40, 8))

    assert top_k(vectors[:4], mapped, 3, block_rows=7)[1].tolist() == top_k(vectors[:4], vectors, 3)[1].tolist()


def test_more_than_there_are_gives_all_there_are():
    documents = np.eye(3, dtype=np.float32)

    scores, indices = top_k(documents[:1], documents, 10)

    assert indices.tolist() == [[0, 1, 2]]
    assert scores.tolist() == [[1, 0, 0]]


@pytest.mark.parametrize(("n_queries", "n_documents", "shape"), [(2, 0, (2, 0)), (0, 5, (0, 3)), (0, 0, (0, 0))])
def test_no_queries_or_no_documents_give_empty_rows(n_queries, n_documents, shape):
    scores, indices = top_k(np.zeros((n_queries, 4), np.float32), np.zeros((n_documents, 4), np.float32), 3)

    assert scores.shape == indices.shape == shape
    assert (scores.dtype, indices.dtype) == (np.float32, np.int64)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
@pytest.mark.parametrize("side", ["queries", "documents"])
def test_vectors_that_are_not_finite_are_refused(broken, side):
    sides = {"queries": np.ones((2, 2), np.float32), "documents": np.ones((3, 2), np.float32)}
    sides[side][1, 1] = broken

    with pytest.raises(ConfigError, match="finite numbers"):
        top_k(sides["queries"], sides["documents"], 2)


@pytest.mark.parametrize(
    ("queries", "documents", "k"), [((2, 3), (4, 2), 1), ((3,), (4, 3), 1), ((2, 3), (4, 3), 0), ((2, 3), (4, 3), -1)]
)
def test_wrong_shapes_and_k_are_refused(queries, documents, k):
    with pytest.raises(ConfigError, match="must be"):
        top_k(np.zeros(queries, np.float32), np.zeros(documents, np.float32), k)


@given(st.lists(st.integers(-3, 3), max_size=40), st.integers(1, 45))
def test_one_vector_of_scores_is_cut_like_a_stable_sort(values, k):
    scores = np.array(values, np.float64)
    order = sorted(range(len(values)), key=lambda place: (-values[place], place))[:k]

    best, places = top_k_of_scores(scores, k)

    assert places.tolist() == order
    assert best.tolist() == [values[place] for place in order]


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ConfigError, match="NaN"):
        top_k_of_scores(np.array([1.0, np.nan]), 1)


def test_infinite_scores_have_their_place():
    best, places = top_k_of_scores(np.array([0.0, -np.inf, np.inf, 1.0]), 4)

    assert places.tolist() == [2, 3, 0, 1]
    assert best.tolist() == [np.inf, 1.0, 0.0, -np.inf]
