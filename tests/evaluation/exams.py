"""Exams, rankings and rankers so small that everything is known by hand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from procqa.corpora.benchmarks import Collection
from procqa.evaluation.exam import Exam, prepare
from procqa.evaluation.measure import Ranks, measure_ranker
from procqa.evaluation.rankers import Pool, Ranking
from procqa.evaluation.tasks import FAMILIES, Task


def make_exam(
    queries: Mapping[str, str],
    documents: Mapping[str, str],
    qrels: Mapping[str, Mapping[str, int]],
    *,
    family: str = "beir",
    part: str | None = "fruit",
    **fields: Any,
) -> Exam:
    """An exam of a collection that is given as it is."""
    task = Task(name=f"{family}:{part}" if part else family, family=FAMILIES[family], part=part)
    collection = Collection(
        name=task.name,
        language=fields.pop("language", None),
        queries=dict(queries),
        documents=dict(documents),
        qrels={query: dict(grades) for query, grades in qrels.items()},
        source="made for a test",
        licence="CC0",
        **fields,
    )
    return prepare(task, collection)


class ByHand:
    """Ranks documents in a stated order; those that are not named follow by position."""

    name = revision = protocol = "by hand"

    def __init__(self, orders: Mapping[str, Sequence[str]]) -> None:
        self.orders = orders
        self.ids: Sequence[str] = ()
        self.indexed: list[int] = []

    def index(self, pool: Pool) -> None:
        self.ids = pool.ids
        self.indexed.append(len(pool.ids))

    def rank(self, queries: Sequence[str], k: int) -> Iterator[Ranking]:
        rows = []
        for query in queries:
            named = [identifier for identifier in self.orders[query] if identifier in self.ids]
            rows.append([*map(self.ids.index, named), *(i for i, name in enumerate(self.ids) if name not in named)][:k])
        scores = [[len(row) - rank for rank in range(len(row))] for row in rows]
        yield np.array(scores, np.float32), np.array(rows, np.int64)


def rank_by_hand(exam: Exam, orders: Mapping[str, Sequence[str]], *, depth: int = 1_000) -> Ranks:
    """What a ranker that ranks in a stated order makes of an exam."""
    return measure_ranker(ByHand(orders), exam, depth, writer=None, report=lambda _stage, _done: None)
