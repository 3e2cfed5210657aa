"""The ranker that a model is: documents by the cosine of their vectors with that of the query."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.model import Encoder
from procqa.evaluation.rankers.contract import DOCUMENTS_AT_ONCE, QUERIES_AT_ONCE, Details, Pool, Ranking, Report
from procqa.topk import top_k

Vectors = NDArray[np.float32]


class Dense:
    """A model: the dot product of unit vectors, all documents compared.

    Documents or queries that are a part of those encoded last are looked up and not encoded again.
    """

    def __init__(self, name: str, encoder: Encoder, *, report: Report) -> None:
        self.name = name
        self.revision = encoder.revision
        self.protocol = (
            f"{encoder.name} revision {encoder.revision}, {encoder.max_tokens} tokens a text, {encoder.arithmetic}, "
            "cosine, exact"
        )
        self.details = Details(models=(encoder.name,), max_tokens=encoder.max_tokens, arithmetic=encoder.arithmetic)
        self.fusion_weight = encoder.fusion_weight
        self._encoder, self._report = encoder, report
        self._held: str | None = None
        self._vectors: Vectors = np.empty((0, encoder.dimensions), np.float32)
        self._documents = self._queries = _Encoded((), self._vectors)

    def index(self, pool: Pool) -> None:
        """Encode every document; see ``Ranker.index``."""
        if self._held == pool.digest:
            return
        self._held = None
        found = self._documents.find(pool.texts)
        self._vectors = self._encode(pool.texts) if found is None else found
        self._held = pool.digest

    def rank(self, queries: Sequence[str], k: int) -> Iterator[Ranking]:
        """Compare every document with each query; see ``Ranker.rank``."""
        vectors = self._queries.find(queries)  # the hybrid of this model asks the same again
        if vectors is None:
            vectors = np.asarray(self._encoder.encode_queries(list(queries)), np.float32)
            self._queries = _Encoded(queries, vectors)
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            yield top_k(vectors[start : start + QUERIES_AT_ONCE], self._vectors, k)

    @property
    def vectors(self) -> Vectors:
        """(N, D) float32 unit rows, of the documents that are indexed."""
        return self._vectors

    def _encode(self, texts: Sequence[str]) -> Vectors:
        """The vectors (N, D) of all documents, in the place of those encoded before."""
        self._documents = _Encoded((), self._vectors[:0])
        self._vectors = np.empty((len(texts), self._encoder.dimensions), np.float32)
        for start in range(0, len(texts), DOCUMENTS_AT_ONCE):
            self._report(f"{self.name}: encoding {len(texts):,} documents", start)
            block = list(texts[start : start + DOCUMENTS_AT_ONCE])
            self._vectors[start : start + len(block)] = self._encoder.encode_documents(block)
        self._documents = _Encoded(texts, self._vectors)
        return self._vectors


class _Encoded:
    """Texts with their vectors, of which any part is looked up by its texts.

    Memory: a number for each text, once a part is asked for.
    """

    def __init__(self, texts: Sequence[str], vectors: Vectors) -> None:
        self._texts, self._vectors = texts, vectors
        self._row_of: dict[str, int] = {}

    def find(self, texts: Sequence[str]) -> Vectors | None:
        """The vectors (n, D) of some texts; None where one of them is not held."""
        if texts == self._texts:
            return self._vectors
        if not self._row_of:
            self._row_of = {text: row for row, text in enumerate(self._texts)}
        rows = [self._row_of.get(text, -1) for text in texts]
        return None if -1 in rows else self._vectors[rows]
