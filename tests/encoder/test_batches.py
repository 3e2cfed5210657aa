import numpy as np
import torch

from procqa.encoder.batches import Batches
from procqa.encoder.further import FurtherDocuments
from procqa.encoder.ranks import ALONE, Ranks
from procqa.encoder.sampling import Sampler
from procqa.encoder.streams import Stream


class Echo:
    """Features that are the rows and the views asked for, of as many tokens as the number of the row."""

    def take(self, rows, views):
        return {"rows": rows.tolist(), "views": views.tolist(), "input_ids": torch.zeros(rows.sum())}


HASHES = np.arange(1, 31, dtype=np.uint64).reshape(10, 3)
GROUPS = np.arange(100, 110, dtype=np.uint64)


def batches(steps: int = 6, mode: str = "stream", size: int = 2, n_further: int = 0, ranks: Ranks = ALONE) -> Batches:
    streams = [
        Stream("Q/go/title-answer", 0, 2, np.array([0, 1, 2, 3], dtype=np.int32), HASHES, GROUPS),
        Stream("Q/c/title-question", 0, 1, np.array([5, 7, 9], dtype=np.int32), HASHES, GROUPS),
    ]
    sampler = Sampler(streams, batch_size=size, alpha=0.5, steps=steps, seed=0, batches=mode)
    further = FurtherDocuments(streams, count=n_further, seed=0) if n_further else None
    return Batches(streams, sampler, Echo(), 10, further=further, ranks=ranks)


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


def test_further_documents_stand_behind_those_of_the_pairs_with_keys_of_their_own():
    drawn = batches(steps=20, mode="mixed", n_further=3)
    for step in range(20):
        features = drawn[step]
        pairs, further = features["query_rows"], features["negative_rows"]
        assert (len(pairs), len(further)) == (2, 6)
        views = [2 if row <= 3 else 1 for row in pairs for _ in range(3)]
        assert features["negative_views"] == views
        keys = [[HASHES[row, 0], HASHES[row, view], GROUPS[row]] for row, view in zip(further, views, strict=True)]
        assert features["label"][2:].tolist() == keys
        for place, row in enumerate(further):
            assert (row <= 3) == (pairs[place // 3] <= 3)
            assert drawn.is_seen[row]


def test_drawing_without_features_sees_the_further_documents_too():
    one, other = batches(n_further=2), batches(n_further=2)
    for step in range(6):
        one[step]
        other.draw(step)
    assert one.is_seen.tolist() == other.is_seen.tolist()


def test_ranks_read_their_parts_of_a_batch_and_count_all_of_it():
    whole = batches(mode="mixed", size=5)
    parts = [batches(mode="mixed", size=5, ranks=Ranks(rank, 3)) for rank in range(3)]
    for step in range(len(whole)):
        expected, found = whole[step], [part[step] for part in parts]
        labels = [row for each in found for row in each["label"].tolist()]
        is_real = [any(row) for row in labels]
        assert [row for row, real in zip(labels, is_real, strict=True) if real] == expected["label"].tolist()
        rows = [row for each in found for row in each["query_rows"]]
        assert [row for row, real in zip(rows, is_real, strict=True) if real] == expected["query_rows"]
        assert len({len(each["query_rows"]) for each in found}) == 1
    assert all(part.pairs == whole.pairs and (part.is_seen == whole.is_seen).all() for part in parts)
