"""Which of the documents that a teacher ranks best are negatives of a pair, and where its own answer stands.

Pure functions of hashes and scores, a block of pairs at a time. Source: Moreira et al. 2024 (NV-Retriever) for the
share of the right answer's score; ours, docs/decisions/0020, for the rest.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from procqa.config import MineConfig
from procqa.dataset.schema import read_batches
from procqa.encoder.negatives import HeldOut
from procqa.encoder.streams import EMPTY, text_hash
from procqa.encoder.views import VIEWS
from procqa.manifest import load_manifest

REASONS = (
    "the text of the right answer",
    "an answer to the same question, by its number, text or title",
    "of the same cluster of near-duplicates",
    "the text of a validation or test answer",
    "a blank text",
    "too near: not below the share of the right answer's cosine",
    "the text of a negative before it",
)
"""Why a document among the best of a query is no negative of it; of several the first counts."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What is known of the rows of one train split, one behind the other.

    Args:
        ids: site, question_id and answer_id of each.
        queries: (n,) hashes of the folded texts that ask.
        titles: (n,) equal for questions of one title; functions of one name do other things, and share none.
        documents: (n,) hashes of the folded answers.
        questions: (n,) equal for rows of one question.
        groups: (n,) equal for rows of one cluster of near-duplicates.
        is_held_out: (n,) of which a validation or test answer has the text.
    """

    ids: pa.Table
    queries: NDArray[np.uint64]
    titles: NDArray[np.uint64]
    documents: NDArray[np.uint64]
    questions: NDArray[np.uint64]
    groups: NDArray[np.uint64]
    is_held_out: NDArray[np.bool_]

    def __len__(self) -> int:
        """Rows."""
        return len(self.documents)

    @property
    def pairs(self) -> NDArray[np.int64]:
        """The rows that have both a question and an answer."""
        return np.flatnonzero((self.queries != EMPTY) & (self.documents != EMPTY))


def read_rows_of(dataset: Path, language: str, query: str, held_out: HeldOut) -> Rows:
    """The rows of the train split of a language. Memory: some 70 bytes a row, and one record batch."""
    names = ["site", "question_id", "answer_id"]
    columns = [*names, "title", "question", "answer", "duplicate_cluster"]
    has_titles = load_manifest(dataset, kind="dataset").counts.get("kind", "questions") == "questions"
    ids, numbers = [], [np.empty((0, 5), dtype=np.uint64)]
    n_rows = 0
    for batch in read_batches(dataset, columns=columns, language=language, split="train"):
        ids.append(batch.select(names))
        of_batch = []
        for row in batch.to_pylist():
            site, question, cluster = row["site"], row["question_id"], row["duplicate_cluster"]
            alone = text_hash(f"row {n_rows}")  # what has no number or title shares it with no other
            title = text_hash(row["title"] or "") if has_titles else EMPTY
            of_batch.append(
                (
                    text_hash(query_text(row, query)),
                    alone if title == EMPTY else title,
                    text_hash(row["answer"] or ""),
                    alone if question is None else text_hash(f"question {site} {question}"),
                    alone if cluster is None else text_hash(f"cluster {cluster}"),
                )
            )
            n_rows += 1
        numbers.append(np.array(of_batch, dtype=np.uint64).reshape(-1, 5))
    queries, titles, documents, questions, groups = np.concatenate(numbers).T.copy()
    return Rows(pa.Table.from_batches(ids), queries, titles, documents, questions, groups, held_out.holds(documents))


def query_text(row: dict[str, Any], query: str) -> str:
    """The view of a row that asks."""
    return VIEWS[query]({name: row[name] or "" for name in ("title", "question", "answer")})


def own_ranks(
    rows: Rows,
    block: NDArray[np.int64],
    own_scores: NDArray[np.float32],
    scores: NDArray[np.float32],
    hits: NDArray[np.int64],
    *,
    depth: int,
) -> NDArray[np.int32]:
    """(b,) the rank of each pair's own answer: 1 and the documents of another text that score at least as high.

    0 where it does not stand among the best ``depth``.

    Args:
        block: (b,) the rows of the pairs.
        own_scores: (b,) of their own answers.
        scores: (b, depth + 1) of the best documents, or of all where there are fewer.
        hits: their rows.
    """
    at_least = scores >= own_scores[:, None]
    n_others = (at_least & (rows.documents[hits] != rows.documents[block][:, None])).sum(axis=1)
    is_beyond = at_least.all(axis=1) & (scores.shape[1] > depth)
    return np.where(is_beyond | (n_others >= depth), 0, n_others + 1).astype(np.int32)


def choose(
    rows: Rows,
    block: NDArray[np.int64],
    own_scores: NDArray[np.float32],
    scores: NDArray[np.float32],
    hits: NDArray[np.int64],
    config: MineConfig,
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Which (b, k) of the best documents are negatives, and how many before the last of them are none, by reason.

    Args: as ``own_ranks``, with k columns.
    """
    documents = rows.documents[hits]
    # A share of a negative cosine would lie above it.
    limits = own_scores - (1 - config.share) * np.abs(own_scores)
    own = block[:, None]
    asks_the_same = (getattr(rows, name) for name in ("questions", "queries", "titles"))
    applies = (
        documents == rows.documents[own],
        np.any([values[hits] == values[own] for values in asks_the_same], axis=0),
        rows.groups[hits] == rows.groups[own],
        rows.is_held_out[hits],
        documents == EMPTY,
        scores >= limits[:, None],
    )
    verdicts = np.zeros(hits.shape, dtype=np.int8)  # 0, or the place of the reason counted from 1
    for place in range(len(applies), 0, -1):
        verdicts[applies[place - 1]] = place
    verdicts[_repeats(documents, verdicts == 0)] = len(REASONS)
    is_taken = verdicts == 0
    is_taken &= np.cumsum(is_taken, axis=1) <= config.negatives
    # What lies behind the last one that is wanted was not looked at.
    is_open = np.cumsum(is_taken, axis=1) - is_taken < config.negatives
    counted = verdicts[is_open & (hits != own)]
    return is_taken, {name: int((counted == place).sum()) for place, name in enumerate(REASONS, start=1)}


def _repeats(keys: NDArray[np.uint64], is_open: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(b, k) of which an open place before it in its row has the same key."""
    repeats = np.zeros(keys.shape, dtype=np.bool_)
    order = np.lexsort((np.broadcast_to(~is_open, keys.shape), keys), axis=1)
    sorted_keys = np.take_along_axis(keys, order, axis=1)
    sorted_open = np.take_along_axis(is_open, order, axis=1)
    same = (sorted_keys[:, 1:] == sorted_keys[:, :-1]) & sorted_open[:, 1:] & sorted_open[:, :-1]
    np.put_along_axis(repeats, order[:, 1:], same, axis=1)
    return repeats
