"""The ranker ``rerank:CROSSENCODER,RANKER``: what another one finds, in the order of a model that reads each pair."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from procqa.config import EvaluateConfig
from procqa.evaluation.rankers.contract import Pool, Ranker, Ranking, Report, details_of

RERANK = "rerank:"


class PairScorer(Protocol):
    """What scores pairs of texts; see ``encoder.cross_encoder``."""

    @property
    def name(self) -> str:
        """As the user gave it."""
        ...

    @property
    def revision(self) -> str:
        """The sha256 of the weights."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens that are read of a pair."""
        ...

    @property
    def arithmetic(self) -> str:
        """What computes the scores and in which numbers."""
        ...

    def score(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """(n,) higher is better."""
        ...


class TwoStage:
    """The first documents of another ranker in the order of a cross-encoder, and behind them the others as they were.

    A candidate's score is 1 + σ(that of the pair), between 1 and 2. Any other document keeps its score, divided by that
    of the query's best where this is above 1, so it is at most 1; documents that scored 0 are no candidates.
    """

    def __init__(self, first: Ranker, pairs: PairScorer, config: EvaluateConfig, *, report: Report) -> None:
        self.name = f"{RERANK}{pairs.name},{first.name}"
        self.revision = f"{pairs.revision} + {first.revision}"
        self.protocol = (
            f"the first {config.rerank_depth} that score other than 0 of ({first.protocol}) in the order of "
            f"{pairs.name} revision {pairs.revision}, {pairs.max_tokens} tokens a pair, {pairs.arithmetic}"
        )
        details = details_of(first)
        self.details = replace(details, models=(*details.models, pairs.name))
        self._first, self._pairs, self._candidates, self._report = first, pairs, config.rerank_depth, report
        self._texts: Sequence[str] = ()

    def index(self, pool: Pool) -> None:
        """Hand the documents to the first ranker; see ``Ranker.index``."""
        self._first.index(pool)
        self._texts = pool.texts

    def rank(self, queries: Sequence[str], k: int) -> Iterator[Ranking]:
        """Read the candidates of each query; see ``Ranker.rank``."""
        done = 0
        for scores, positions in self._first.rank(queries, max(k, self._candidates)):
            best = []
            for row in range(len(positions)):
                best.append(self._read(queries[done], scores[row], positions[row]))
                done += 1
                self._report(f"{self.name}: reading the candidates of {len(queries):,} queries", done)
            yield np.array([row[0][:k] for row in best], np.float32), np.array([row[1][:k] for row in best], np.int64)

    def _read(
        self, query: str, scores: NDArray[np.float32], positions: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """One ranking with its candidates read."""
        is_candidate = (scores != 0) & (np.arange(len(scores)) < self._candidates)
        candidates, others = positions[is_candidate], positions[~is_candidate]
        read = self._pairs.score([(query, self._texts[position]) for position in candidates.tolist()])
        order = np.lexsort((candidates, -read))
        highest = max(1.0, float(scores.max(initial=0)))
        of_candidates = 1.5 + np.tanh(read[order].astype(np.float64) / 2) / 2  # 1 + σ, without an overflow
        return np.concatenate([of_candidates, scores[~is_candidate] / highest]), np.concatenate(
            [candidates[order], others]
        )
