"""A task made ready to be ranked: documents by position, judgements beside them, queries in the order of their ids."""

from collections.abc import Mapping
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
        groups: (Q,) int64, equal for queries that repeat one another: the programs of one task.
    """

    task: Task
    collection: Collection
    pool: Pool
    query_ids: tuple[str, ...]
    queries: tuple[str, ...]
    relevant: tuple[Judged, ...]
    own: tuple[int, ...]
    groups: NDArray[np.int64]

    def judgements(self) -> Mapping[str, Mapping[str, int]]:
        """The published judgements of the queries that are measured."""
        return {query: self.collection.qrels[query] for query in self.query_ids}


def prepare(task: Task, collection: Collection) -> Exam:
    """Sort a collection by id and turn its judgements into positions.

    Raises:
        BenchmarkError: there is no document, or no query with a relevant one.
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
    names = [collection.groups.get(query, query) for query in query_ids]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return Exam(
        task=task,
        collection=collection,
        pool=Pool(ids, [collection.documents[identifier] for identifier in ids]),
        query_ids=query_ids,
        queries=tuple(collection.queries[query] for query in query_ids),
        relevant=tuple(_judge(collection.qrels[query], position) for query in query_ids),
        own=tuple(position.get(query, -1) if collection.excludes_itself else -1 for query in query_ids),
        groups=np.array([numbers[name] for name in names], np.int64),
    )


def _judge(grades: Mapping[str, int], position: Mapping[str, int]) -> Judged:
    positive = {document: grade for document, grade in grades.items() if grade > 0}
    places = np.array([position.get(document, -1) for document in positive], np.int64)
    return places, np.array(list(positive.values()), np.int64)
