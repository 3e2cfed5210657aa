"""A task made ready to be ranked: documents by position, judgements beside them, queries in the order of their ids."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from procqa.corpora.benchmarks import Collection
from procqa.errors import BenchmarkError
from procqa.evaluation.rankers import Pool
from procqa.evaluation.tasks import Task

Judged = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(R,) positions of the relevant documents of one query, and (R,) their grades."""


@dataclass(frozen=True, slots=True)
class Exam:
    """Queries and documents by id, judgements by position.

    Args:
        relevant: for each query its graded documents; one that is judged but not in the pool has position -1.
        own: for each query the position of the document that is the query itself, or -1.
        groups: a name for each query, equal for queries that repeat one another: the programs for one task, or queries
            of the same text.
        n_absent: judged documents that are not in the pool, so that nobody can find them.
    """

    task: Task
    collection: Collection
    pool: Pool
    query_ids: tuple[str, ...]
    queries: tuple[str, ...]
    relevant: tuple[Judged, ...]
    own: tuple[int, ...]
    groups: tuple[str, ...]
    n_absent: int

    def judgements(self) -> Mapping[str, Mapping[str, int]]:
        """The published judgements of the queries that are measured."""
        return {query: self.collection.qrels[query] for query in self.query_ids}


def prepare(task: Task, collection: Collection) -> Exam:
    """Sort a collection by id and turn its judgements into positions.

    Raises:
        BenchmarkError: there is no document, no query with a relevant one, or none of those is among the documents.
    """
    ids = sorted(collection.documents)
    position = {identifier: place for place, identifier in enumerate(ids)}
    query_ids = tuple(
        sorted(
            query
            for query, grades in collection.qrels.items()
            if query in collection.queries and any(grade > 0 for grade in grades.values())
        )
    )
    if not query_ids or not ids:
        raise BenchmarkError(f"{task.name} must have documents and a query with a relevant one, but it has none")
    relevant = tuple(_judge(collection.qrels[query], position) for query in query_ids)
    places = np.concatenate([of_query for of_query, _ in relevant])
    if (places < 0).all():
        raise BenchmarkError(
            f"{task.name} must judge documents that it holds, but none of the {len(places)} judged is there: "
            "put the judgements beside their documents"
        )
    return Exam(
        task=task,
        collection=collection,
        pool=Pool(ids, [collection.documents[identifier] for identifier in ids]),
        query_ids=query_ids,
        queries=tuple(collection.queries[query] for query in query_ids),
        relevant=relevant,
        own=tuple(position.get(query, -1) if collection.excludes_itself else -1 for query in query_ids),
        groups=tuple(_group(query, collection) for query in query_ids),
        n_absent=int((places < 0).sum()),
    )


def number_groups(names: Sequence[Hashable]) -> NDArray[np.int64]:
    """(Q,) a number from 0 for each name, equal for equal ones."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)


def _group(query: str, collection: Collection) -> str:
    """What a query shares with others by its data, or else its text; the same in every task that asks it."""
    named = collection.groups.get(query)
    return f"text {collection.queries[query]}" if named is None else f"group {named}"


def _judge(grades: Mapping[str, int], position: Mapping[str, int]) -> Judged:
    positive = {document: grade for document, grade in grades.items() if grade > 0}
    places = np.array([position.get(document, -1) for document in positive], np.int64)
    return places, np.array(list(positive.values()), np.int64)
