import numpy as np
import torch

from procqa.encoder.batches import Batches
from procqa.encoder.sampling import Sampler
from procqa.encoder.streams import Stream


class Echo:
    """Features that are the rows and the views asked for, of as many tokens as the number of the row."""

    def take(self, rows, views):
        return {"rows": rows.tolist(), "views": views.tolist(), "input_ids": torch.zeros(rows.sum())}


HASHES = np.arange(1, 31, dtype=np.uint64).reshape(10, 3)
GROUPS = np.arange(100, 110, dtype=np.uint64)


def batches(steps: int = 6, mode: str = "stream") -> Batches:
    streams = [
        Stream("Q/go/title-answer", 0, 2, np.array([0, 1, 2, 3], dtype=np.int32), HASHES, GROUPS),
        Stream("Q/c/title-question", 0, 1, np.array([5, 7, 9], dtype=np.int32), HASHES, GROUPS),
    ]
    sampler = Sampler(streams, batch_size=2, alpha=0.5, steps=steps, seed=0, batches=mode)
    return Batches(streams, sampler, Echo(), 10)


def test_a_batch_holds_queries_and_documents_of_the_same_rows():
    drawn = batches()
    for step in range(len(drawn)):
        features = drawn[step]
        assert features["query_rows"] == features["document_rows"]
        is_go = set(features["query_rows"]) <= {0, 1, 2, 3}
        assert (features["query_views"], features["document_views"]) == ([0, 0], [2, 2] if is_go else [1, 1])


def test_every_pair_of_a_mixed_batch_has_the_views_of_its_stream_and_its_keys():
    drawn = batches(steps=20, mode="mixed")
    for step in range(len(drawn)):
        features = drawn[step]
        for place, row in enumerate(features["query_rows"]):
            document = 2 if row <= 3 else 1
            assert features["document_views"][place] == document
            keys = [HASHES[row, 0], HASHES[row, document], GROUPS[row]]
            assert features["label"][place].tolist() == keys
    assert set(drawn.pairs) == {"Q/go/title-answer", "Q/c/title-question"}
    assert drawn.pairs.total() == 40


def test_what_was_drawn_is_counted():
    drawn = batches()
    rows = {row for step in range(6) for row in drawn[step]["query_rows"]}
    assert set(np.flatnonzero(drawn.is_seen).tolist()) == rows
    assert (drawn.batches.total(), drawn.pairs.total()) == (6, 12)


def test_the_tokens_of_both_sides_of_each_batch_are_counted():
    drawn = batches()
    read = sum(2 * sum(drawn[step]["query_rows"]) for step in range(6))
    assert drawn.tokens_seen == read > 0


def test_drawing_without_features_counts_alike():
    one, other = batches(), batches()
    for step in range(6):
        one[step]
        other.draw(step)
    assert (one.batches, one.pairs, one.is_seen.tolist()) == (other.batches, other.pairs, other.is_seen.tolist())
