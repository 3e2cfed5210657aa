"""Whatever orders documents for a query: words, vectors, both as one score, pairs that are read, an index.

A ranker takes the documents of a task once and then ranks queries in blocks, so that memory holds the
documents and a few hundred rankings, never all of them. Documents come sorted by id: equal scores stand by
lower position, which is by id. Rankers are opened together, so that ``minilm`` and ``hybrid:minilm`` are one
model and every document is encoded once.
"""

from procqa.evaluation.rankers.contract import Details, Pool, Ranker, Ranking, Report, details_of
from procqa.evaluation.rankers.dense import Dense
from procqa.evaluation.rankers.hybrid import Hybrid
from procqa.evaluation.rankers.opening import check_ranker_names, open_rankers
from procqa.evaluation.rankers.two_stage import TwoStage
from procqa.evaluation.rankers.words import Bm25

__all__ = [
    "Bm25",
    "Dense",
    "Details",
    "Hybrid",
    "Pool",
    "Ranker",
    "Ranking",
    "Report",
    "TwoStage",
    "check_ranker_names",
    "details_of",
    "open_rankers",
]
