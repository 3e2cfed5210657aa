"""The ranker ``bm25``: documents by the words they share with the query."""

import re
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.config import EvaluateConfig
from procqa.errors import MissingExtra
from procqa.evaluation.rankers.contract import DOCUMENTS_AT_ONCE, Pool, Ranking, Report, query_blocks
from procqa.text import lexical_tokens
from procqa.topk import top_k_of_scores

_PART = re.compile(r"[A-Z]+(?![^\W\dA-Z_])|[A-Z]?[^\W\dA-Z_]+|\d+")


def plain_tokens(text: str) -> list[str]:
    """The words of a text and the parts of its identifiers, lower-cased, and nothing else done to them.

    An identifier is split at camelCase of ASCII letters, underlines and the borders of digits, and is no token itself.
    Source: what reproduces the numbers that another implementation published, docs/evaluation.md#published-numbers.
    """
    return [part.lower() for part in _PART.findall(text)]


TOKENS: dict[str, tuple[Callable[[str], list[str]], str]] = {
    "stemmed": (lexical_tokens, "split identifiers, stemmed"),
    "plain": (plain_tokens, "split identifiers, not stemmed"),
}
"""What a word is, by the setting ``words``, and how a protocol calls it."""


class Bm25:
    """BM25 over the words of documents and the parts of their identifiers (bm25s).

    Source: k1 and b were chosen on validation data, docs/decisions/0028; the stemmed tokens, docs/decisions/0006, are
    those of lexical search.
    """

    def __init__(self, config: EvaluateConfig, *, report: Report) -> None:
        self._bm25s: Any = _import_bm25s()  # Any: bm25s is untyped
        self.name = "bm25"
        self.revision = f"bm25s {version('bm25s')}"
        self._tokenize, tokens = TOKENS[config.words]
        repeated = ", a repeated word of a query counts once" if config.distinct_words else ""
        self.protocol = f"{self.revision} lucene k1={config.k1:g} b={config.b:g}, {tokens}{repeated}"
        self._k1, self._b, self._distinct = config.k1, config.b, config.distinct_words
        self._report = report
        self._held: str | None = None
        self._size = 0
        self._vocabulary: dict[str, int] = {}
        self._rarity = np.empty(0)  # (words,) what each adds to a score at most
        self._model: Any = None  # Any: bm25s is untyped

    def index(self, pool: Pool) -> None:
        """Count the words of every document; see ``Ranker.index``."""
        if self._held == pool.digest:
            return
        self._held, self._size, self._model = pool.digest, len(pool.texts), None
        self._vocabulary = {}
        rows = []
        for number, text in enumerate(pool.texts, start=1):
            rows.append([self._vocabulary.setdefault(word, len(self._vocabulary)) for word in self._tokenize(text)])
            if number % DOCUMENTS_AT_ONCE == 1:
                self._report(f"bm25: reading {self._size:,} documents", number)
        if self._vocabulary:  # bm25s divides by the mean length
            self._model = self._bm25s.BM25(k1=self._k1, b=self._b, method="lucene", backend="numpy")
            self._model.index((rows, self._vocabulary), create_empty_token=False, show_progress=False)
        holders = np.zeros(len(self._vocabulary))
        for row in rows:
            holders[list(set(row))] += 1
        self._rarity = np.log(1 + (self._size - holders + 0.5) / (holders + 0.5))

    def rank(self, queries: Sequence[str], k: int) -> Iterator[Ranking]:
        """Score every document for each query; see ``Ranker.rank``."""
        for block in query_blocks(queries):
            best = [top_k_of_scores(self._scores(query), k) for query in block]
            yield np.array([row[0] for row in best], np.float32), np.array([row[1] for row in best], np.int64)

    def score(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """(Q, N) the score of every document for each query."""
        return np.stack([self._scores(query) for query in queries])

    def limits(self, queries: Sequence[str]) -> NDArray[np.float64]:
        """(Q,) what no document scores more than for each query, however often it has the words that are known."""
        return np.array([self._rarity[self._known(query)].sum() for query in queries])

    def _scores(self, query: str) -> NDArray[np.float32]:
        """The score of every document (N,), 0 where no word is shared."""
        known = self._known(query)
        if not known:
            return np.zeros(self._size, np.float32)
        scores: NDArray[np.float32] = self._model.get_scores_from_ids(known)
        return scores

    def _known(self, query: str) -> list[int]:
        """The numbers of its words that documents have, as often as each counts."""
        asked = self._tokenize(query)
        words = dict.fromkeys(asked) if self._distinct else asked
        return [self._vocabulary[word] for word in words if word in self._vocabulary]


def _import_bm25s() -> Any:  # Any: bm25s is untyped
    """The module bm25s."""
    try:
        import bm25s
    except ImportError as error:
        raise MissingExtra("eval", "the ranker bm25") from error
    return bm25s
