from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import mine_hard_negatives

from datasets import Dataset
from procqa.config import MineConfig
from procqa.encoder.candidates import REASONS, Rows, choose, own_ranks, read_rows_of
from procqa.encoder.model import open_encoder
from procqa.encoder.negatives import read_held_out
from procqa.encoder.streams import EMPTY, text_hash
from procqa.topk import dot_products, top_k
from tests.encoder.small import make_dataset


def rows(documents, *, queries=None, titles=None, questions=None, groups=None, held_out=()) -> Rows:
    """Rows that share nothing but what is said."""
    size = len(documents)
    return Rows(
        pa.table({"answer_id": list(range(size))}),
        np.array(queries or range(100, 100 + size), dtype=np.uint64),
        np.array(titles or range(400, 400 + size), dtype=np.uint64),
        np.array(documents, dtype=np.uint64),
        np.array(questions or range(200, 200 + size), dtype=np.uint64),
        np.array(groups or range(300, 300 + size), dtype=np.uint64),
        np.isin(np.arange(size), held_out),
    )


def chosen(of: Rows, scores: list[float], own: float, **config: object) -> tuple[list[int], dict[str, int]]:
    """The negatives of row 0 among all rows, which stand in the order of their scores, and the reasons that count."""
    hits = np.argsort(-np.array(scores), kind="stable")[None]
    ranked = np.array(scores, dtype=np.float32)[hits]
    settings = MineConfig(**{"negatives": 3, "share": 0.9, "depth": 10, **config})
    is_taken, excluded = choose(of, np.array([0]), np.array([own], dtype=np.float32), ranked, hits, settings)
    return hits[is_taken].tolist(), {reason: count for reason, count in excluded.items() if count}


def test_the_nearest_below_the_share_are_taken_and_nothing_behind_the_last_is_looked_at():
    of = rows([1, 2, 3, 4, 5, 6, 5])
    assert chosen(of, [1.0, 0.95, 0.89, 0.8, 0.7, 0.6, 0.5], 1.0) == ([2, 3, 4], {REASONS[5]: 1})
    assert chosen(of, [1.0, 0.95, 0.89, 0.8, 0.7, 0.6, 0.5], 1.0, negatives=9) == (
        [2, 3, 4, 5],
        {REASONS[5]: 1, REASONS[6]: 1},
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"documents": [1, 1, 3]}, 0),
        ({"documents": [1, 2, 3], "questions": [7, 7, 8]}, 1),
        ({"documents": [1, 2, 3], "queries": [7, 7, 8]}, 1),
        ({"documents": [1, 2, 3], "titles": [7, 7, 8]}, 1),
        ({"documents": [1, 2, 3], "groups": [7, 7, 8]}, 2),
        ({"documents": [1, 2, 3], "held_out": [1]}, 3),
        ({"documents": [1, EMPTY, 3]}, 4),
    ],
)
def test_what_may_be_a_second_right_answer_is_passed_over_for_one_reason(change, reason):
    assert chosen(rows(**change), [0.9, 0.5, 0.4], 0.9) == ([2], {REASONS[reason]: 1})


def test_the_first_reason_counts():
    of = rows([1, 1, 1], questions=[7, 7, 7], groups=[8, 8, 8], held_out=[1])
    assert chosen(of, [0.5, 0.9, 0.9], 0.5) == ([], {REASONS[0]: 2})


def test_of_a_negative_cosine_the_share_lies_below_it():
    assert chosen(rows([1, 2, 3]), [-0.5, -0.52, -0.56], -0.5)[0] == [2]


def ranks(documents: list[int], scores: list[float], own: float, depth: int) -> int:
    hits = np.argsort(-np.array(scores), kind="stable")[None, : depth + 1]
    ranked = np.array(scores, dtype=np.float32)[hits]
    of = rows(documents)
    (rank,) = own_ranks(of, np.array([0]), np.array([own], dtype=np.float32), ranked, hits, depth=depth).tolist()
    return rank


def test_a_rank_counts_the_documents_of_another_text_that_score_at_least_as_high():
    assert ranks([1, 2, 3, 4], [0.9, 0.5, 0.4, 0.3], 0.9, 2) == 1
    assert ranks([1, 2, 3, 4], [0.4, 0.5, 0.4, 0.3], 0.4, 3) == 3  # a tie counts against it
    assert ranks([1, 1, 3, 4], [0.5, 0.5, 0.4, 0.3], 0.5, 2) == 1  # but not of the same text
    assert ranks([1, 2, 3, 4], [0.1, 0.5, 0.4, 0.3], 0.1, 3) == 0
    assert ranks([1, 2, 3, 4], [0.1, 0.5, 0.4, 0.3], 0.1, 4) == 4


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(2, 25), st.integers(1, 4), st.integers(0, 3), st.floats(0.3, 1))
def test_a_block_of_pairs_is_what_a_plain_loop_makes_of_them(seed, n_rows, negatives, skip, share):
    generator = np.random.default_rng(seed)
    few = {
        name: generator.integers(1, n_rows + 3, n_rows).tolist()
        for name in ("queries", "titles", "questions", "groups")
    }
    of = rows(generator.integers(0, n_rows, n_rows).tolist(), **few, held_out=generator.integers(0, n_rows, 2))
    config = MineConfig(negatives=negatives, skip=skip, share=share, depth=max(negatives + skip, 8))
    queries, documents = generator.standard_normal((2, n_rows, 3)).round(1).astype(np.float32)
    block = np.arange(n_rows)
    own = dot_products(queries, documents)
    scores, hits = top_k(queries, documents, config.depth + 1)
    looked_at = slice(skip, config.depth)
    is_taken, excluded = choose(of, block, own, scores[:, looked_at], hits[:, looked_at], config)
    counts = dict.fromkeys(REASONS, 0)
    for row in range(n_rows):
        best = np.argsort(-dot_products(queries[row], documents), kind="stable").tolist()
        taken: list[int] = []
        for hit in best[looked_at]:
            if len(taken) == negatives:
                break
            same = [of.documents, of.questions, of.groups]
            applies = [values[hit] == values[row] for values in same]
            applies[1] |= of.queries[hit] == of.queries[row] or of.titles[hit] == of.titles[row]
            limit = own[row] - (1 - share) * abs(own[row])
            applies += [
                of.is_held_out[hit],
                of.documents[hit] == EMPTY,
                dot_products(queries[row], documents)[hit] >= limit,
            ]
            applies.append(of.documents[hit] in of.documents[taken])
            if not any(applies):
                taken.append(hit)
            elif hit != row:
                counts[REASONS[applies.index(True)]] += 1
        assert hits[row, looked_at][is_taken[row]].tolist() == taken
    assert excluded == counts


def test_negatives_are_those_that_the_library_mines(static_folder: Path, tmp_path: Path):
    generator = np.random.default_rng(5)
    words = ("list", "file", "string", "thread", "socket", "regex", "integer", "table", "window", "class", "loop")
    texts = [" ".join(sorted(generator.choice(words, 5))) for _ in range(200)]  # a static encoder sees no order
    queries, documents = list(dict.fromkeys(texts))[:70], list(dict.fromkeys(texts))[70:140]
    library = mine_hard_negatives(
        Dataset.from_dict({"query": queries, "document": documents}),
        SentenceTransformer(str(static_folder)),
        range_max=70,
        relative_margin=0.1,
        num_negatives=4,
        output_format="n-tuple",
        output_scores=True,
        verbose=False,
    )
    encoder = open_encoder(str(static_folder))
    asked, answers = encoder.encode_queries(queries), encoder.encode_documents(documents)
    own = dot_products(asked, answers)
    scores, hits = top_k(asked, answers, 70)
    config = MineConfig(negatives=4, share=0.9, depth=70)
    is_taken, _ = choose(rows(list(range(1, 71))), np.arange(70), own, scores, hits, config)
    whole = np.flatnonzero(is_taken.sum(axis=1) == 4)
    assert len(whole) > 30
    assert [queries[row] for row in whole] == library["query"]
    for place, row in enumerate(whole.tolist()):
        ours = [documents[hit] for hit in hits[row][is_taken[row]].tolist()]
        assert ours == [library[f"negative_{number}"][place] for number in range(1, 5)]
        np.testing.assert_allclose([own[row], *scores[row][is_taken[row]]], library["scores"][place], atol=1e-5)


def test_rows_know_their_texts_threads_and_clusters(tmp_path: Path):
    dataset = make_dataset(
        tmp_path / "Q",
        {"go": [("Sort", "a list", "Sort it"), ("sort", "a list!", ""), ("t", None, "kept out")]},
        clusters={"go": [4, None, 4]},
        others={"test": {"go": [("x", "y", "Kept out.")], "c": [("x", "y", "z")]}},
    )
    of = read_rows_of(dataset, "go", "title+question", read_held_out(dataset))
    assert of.queries.tolist() == [text_hash("sort a list")] * 2 + [text_hash("t")]
    assert of.documents.tolist() == [text_hash("sort it"), EMPTY, text_hash("kept out")]
    assert len(set(of.questions.tolist())) == 3
    assert of.titles[0] == of.titles[1] != of.titles[2]
    assert of.groups[0] == of.groups[2] != of.groups[1]
    assert of.is_held_out.tolist() == [False, False, True]
    assert (of.pairs.tolist(), of.ids["site"].to_pylist()) == ([0, 2], ["local"] * 3)


def test_functions_of_one_name_are_not_one_question(tmp_path: Path):
    dataset = make_dataset(
        tmp_path / "F", {"go": [("close", "the file", "f()"), ("close", "the port", "g()")]}, kind="functions"
    )
    of = read_rows_of(dataset, "go", "question", read_held_out(dataset))
    assert len(set(of.titles.tolist())) == 2
