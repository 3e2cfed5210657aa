"""The ranker ``hybrid:MODEL``: words and vectors as one score."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from procqa.config import EvaluateConfig
from procqa.evaluation.rankers.contract import Pool, Ranking, query_blocks
from procqa.evaluation.rankers.dense import Dense
from procqa.evaluation.rankers.words import Bm25
from procqa.search.fusion import fuse
from procqa.topk import top_k_of_scores

HYBRID = "hybrid:"


class Hybrid:
    """The scores of bm25 and of a model as one, as search fuses them: ``search.fusion``.

    The weight is that of the model, unless the config names one; none is tuned on a task.

    Source: ours, docs/decisions/0007.
    """

    def __init__(self, lexical: Bm25, dense: Dense, config: EvaluateConfig) -> None:
        self.name = f"{HYBRID}{dense.name}"
        self.revision = f"{lexical.revision} + {dense.revision}"
        self._weight = dense.fusion_weight if config.dense_weight is None else config.dense_weight
        self.protocol = (
            f"{1 - self._weight:.3g} × bm25 over its limit + {self._weight:.3g} × cosine, "
            f"of the first {config.depth} of ({lexical.protocol}) and of ({dense.protocol})"
        )
        self.details = replace(dense.details, weight=self._weight)
        self._lexical, self._dense, self._depth = lexical, dense, config.depth
        self._size = 0

    def index(self, pool: Pool) -> None:
        """Hand the documents to both; see ``Ranker.index``."""
        self._lexical.index(pool)
        self._dense.index(pool)
        self._size = len(pool.texts)

    def rank(self, queries: Sequence[str], k: int) -> Iterator[Ranking]:
        """Fuse the rankings of both; see ``Ranker.rank``."""
        by_both = self._lexical.rank(queries, self._depth), self._dense.rank(queries, self._depth)
        for block, (word_scores, by_words), (cosines, by_vectors) in zip(query_blocks(queries), *by_both, strict=True):
            best = []
            limits = self._lexical.limits(block).tolist()
            for row in range(len(by_words)):
                n_matched = int((word_scores[row] > 0).sum())
                words = by_words[row, :n_matched], word_scores[row, :n_matched]
                vectors = by_vectors[row], cosines[row]
                scores = np.zeros(self._size)
                positions, fused = fuse(words, vectors, limit=limits[row], weight=self._weight, depth=self._depth)
                scores[positions] = fused
                best.append(top_k_of_scores(scores, k))
            yield np.array([row[0] for row in best], np.float32), np.array([row[1] for row in best], np.int64)
