"""Whatever orders documents for a query: words (bm25), a model's vectors, or both as one score.

A ranker takes the documents of a task once and then ranks queries in blocks, so that memory holds the
documents and a few hundred rankings, never all of them. Documents come sorted by id: equal scores stand by
lower position, which is by id. Rankers are opened together, so that ``minilm`` and ``hybrid:minilm`` are one
model and every document is encoded once.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from procqa.config import EvaluateConfig
from procqa.encoder.cache import open_cached
from procqa.encoder.model import Encoder, open_encoder
from procqa.errors import ConfigError, MissingExtra
from procqa.search.fusion import fuse
from procqa.text import lexical_tokens
from procqa.topk import top_k, top_k_of_scores

HYBRID = "hybrid:"
QUERIES_AT_ONCE = 256
DOCUMENTS_AT_ONCE = 4_096

Report = Callable[[str, int], None]
"""Told what is being done and how much of it is done."""

Ranking = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Scores (Q, k) and positions of documents (Q, k), best first, for one block of queries."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The documents that a task ranks, sorted by id.

    Args:
        ids: sorted, each once.
        texts: what stands under each id.
        digest: sha256 of both; equal pools are indexed once.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Digest ids and texts."""
        sha256 = hashlib.sha256()
        for part in (*self.ids, *self.texts):
            encoded = part.encode("utf-8", "surrogatepass")
            sha256.update(b"%d:" % len(encoded))
            sha256.update(encoded)
        object.__setattr__(self, "digest", sha256.hexdigest())


class Ranker(Protocol):
    """What ``evaluate`` measures.

    ``name`` is what the user called it, ``revision`` the exact version of what decides the order, and
    ``protocol`` the words about it that belong beside every number.
    """

    @property
    def name(self) -> str:
        """As the user called it."""
        ...

    @property
    def revision(self) -> str:
        """The version or the sha256 of what decides the order."""
        ...

    @property
    def protocol(self) -> str:
        """Its settings in words."""
        ...

    def index(self, pool: Pool) -> None:
        """Take the documents to rank; a pool that is already taken costs nothing."""
        ...

    def rank(self, queries: Sequence[str], k: int) -> Iterator[Ranking]:
        """The min(k, N) best documents of each query, in blocks of QUERIES_AT_ONCE queries.

        Documents that match nothing stand last with score 0; equal scores by lower position.
        """
        ...


class Bm25:
    """BM25 over stemmed words and split identifiers (bm25s).

    Source: k1 and b are the defaults of Lucene, on which the search engine of docs/paper.md#benchmark-protocol
    stands; the tokens, docs/decisions/0006, are those of lexical search.
    """

    def __init__(
        self,
        config: EvaluateConfig,
        *,
        report: Report,
        tokenize: Callable[[str], list[str]] = lexical_tokens,
        tokens: str = "split identifiers, stemmed",
    ) -> None:
        self._bm25s: Any = _import_bm25s()  # Any: bm25s is untyped
        self.name = "bm25"
        self.revision = f"bm25s {version('bm25s')}"
        self.protocol = f"{self.revision} lucene k1={config.k1:g} b={config.b:g}, {tokens}"
        self._k1, self._b = config.k1, config.b
        self._tokenize, self._report = tokenize, report
        self._held: str | None = None
        self._size = 0
        self._vocabulary: dict[str, int] = {}
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

    def rank(self, queries: Sequence[str], k: int) -> Iterator[Ranking]:
        """Score every document for each query; see ``Ranker.rank``."""
        for block in _blocks(queries):
            best = [top_k_of_scores(self._scores(query), k) for query in block]
            yield np.array([row[0] for row in best], np.float32), np.array([row[1] for row in best], np.int64)

    def score(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """(Q, N) the score of every document for each query."""
        return np.stack([self._scores(query) for query in queries])

    def _scores(self, query: str) -> NDArray[np.float32]:
        """The score of every document (N,), 0 where no word is shared."""
        words = [self._vocabulary[word] for word in self._tokenize(query) if word in self._vocabulary]
        if not words:
            return np.zeros(self._size, np.float32)
        scores: NDArray[np.float32] = self._model.get_scores_from_ids(words)
        return scores


class Dense:
    """A model: the dot product of unit vectors, all documents compared."""

    def __init__(self, name: str, encoder: Encoder, *, report: Report) -> None:
        self.name = name
        self.revision = encoder.revision
        self.protocol = (
            f"{encoder.name} revision {encoder.revision}, {encoder.max_tokens} tokens a text, {encoder.arithmetic}, "
            "cosine, exact"
        )
        self.fusion_weight = encoder.fusion_weight
        self._encoder, self._report = encoder, report
        self._held: str | None = None
        self._vectors = np.empty((0, encoder.dimensions), np.float32)
        self._asked: Sequence[str] = ()
        self._query_vectors = self._vectors

    def index(self, pool: Pool) -> None:
        """Encode every document; see ``Ranker.index``."""
        if self._held == pool.digest:
            return
        self._held, self._vectors = None, np.empty((len(pool.texts), self._encoder.dimensions), np.float32)
        for start in range(0, len(pool.texts), DOCUMENTS_AT_ONCE):
            self._report(f"{self.name}: encoding {len(pool.texts):,} documents", start)
            texts = list(pool.texts[start : start + DOCUMENTS_AT_ONCE])
            self._vectors[start : start + len(texts)] = self._encoder.encode_documents(texts)
        self._held = pool.digest

    def rank(self, queries: Sequence[str], k: int) -> Iterator[Ranking]:
        """Compare every document with each query; see ``Ranker.rank``."""
        if self._asked != queries:  # the hybrid of this model asks the same again
            self._query_vectors = np.asarray(self._encoder.encode_queries(list(queries)), np.float32)
            self._asked = queries
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            yield top_k(self._query_vectors[start : start + QUERIES_AT_ONCE], self._vectors, k)


class Hybrid:
    """The scores of bm25 and of a model as one, as search fuses them: ``search.fusion``.

    The weight is that of the model, unless the config names one; none is tuned on a task.

    Source: ours, docs/decisions/0007.
    """

    def __init__(self, lexical: Ranker, dense: Dense, config: EvaluateConfig) -> None:
        self.name = f"{HYBRID}{dense.name}"
        self.revision = f"{lexical.revision} + {dense.revision}"
        self._weight = dense.fusion_weight if config.dense_weight is None else config.dense_weight
        self.protocol = (
            f"{1 - self._weight:.3g} × bm25 over its best + {self._weight:.3g} × cosine, "
            f"of the first {config.depth} of ({lexical.protocol}) and of ({dense.protocol})"
        )
        self._lexical, self._dense, self._depth = lexical, dense, config.depth
        self._size = 0

    def index(self, pool: Pool) -> None:
        """Hand the documents to both; see ``Ranker.index``."""
        self._lexical.index(pool)
        self._dense.index(pool)
        self._size = len(pool.texts)

    def rank(self, queries: Sequence[str], k: int) -> Iterator[Ranking]:
        """Fuse the rankings of both; see ``Ranker.rank``."""
        blocks = zip(self._lexical.rank(queries, self._depth), self._dense.rank(queries, self._depth), strict=True)
        for (word_scores, by_words), (cosines, by_vectors) in blocks:
            best = []
            for row in range(len(by_words)):
                n_matched = int((word_scores[row] > 0).sum())
                words = by_words[row, :n_matched], word_scores[row, :n_matched]
                vectors = by_vectors[row], cosines[row]
                scores = np.zeros(self._size)
                positions, fused = fuse(words, vectors, weight=self._weight, depth=self._depth)
                scores[positions] = fused
                best.append(top_k_of_scores(scores, k))
            yield np.array([row[0] for row in best], np.float32), np.array([row[1] for row in best], np.int64)


def check_ranker_names(names: Sequence[str]) -> list[str]:
    """The names, each once, in their order.

    Raises:
        ConfigError: none, or a name that no ranker can have.
    """
    for name in names:
        model = name.removeprefix(HYBRID)
        scheme = re.match(r"([\w-]*):", model)
        if not model or model == "hybrid" or (name != model and model == "bm25"):
            raise ConfigError(f"a hybrid ranker must be hybrid:MODEL with a model beside bm25, got {name!r}")
        if scheme is not None and not Path(model).exists():
            raise ConfigError(f"a ranker must be bm25, a model, or hybrid:MODEL, got {name!r}")
    if not names:
        raise ConfigError("evaluate must be given at least one ranker: bm25, a model, or hybrid:MODEL")
    return list(dict.fromkeys(names))


def open_rankers(
    names: Sequence[str],
    config: EvaluateConfig,
    *,
    report: Report,
    cache: Path | None = None,
    opened: ExitStack,
) -> list[Ranker]:
    """The rankers of these names; a model or an index that two of them need is opened once.

    Args:
        cache: a folder that keeps the vectors of models; None keeps none.
        opened: closes the files of the cache.

    Raises:
        ConfigError: see ``check_ranker_names``.
        ArtifactError: a model is not there or cannot be read.
        MissingExtra: a ranker needs a package that is not installed.
    """
    checked = check_ranker_names(names)
    needs_words = any(name == "bm25" or name.startswith(HYBRID) for name in checked)
    words = Bm25(config, report=report) if needs_words else None
    models: dict[str, Dense] = {}

    def model(name: str) -> Dense:
        if name not in models:
            settings: dict[str, Any] = {
                "max_tokens": config.max_tokens,
                "precision": config.precision,
                "backend": config.backend,
            }
            encoder: Encoder
            if cache is None:
                encoder = open_encoder(name, **settings)
            else:
                encoder = opened.enter_context(open_cached(name, cache, **settings))
            models[name] = Dense(name, encoder, report=report)
        return models[name]

    rankers: list[Ranker] = []
    for name in checked:
        if name == "bm25" and words is not None:
            rankers.append(words)
        elif name.startswith(HYBRID) and words is not None:
            rankers.append(Hybrid(words, model(name.removeprefix(HYBRID)), config))
        else:
            rankers.append(model(name))
    return rankers


def _blocks(queries: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        yield queries[start : start + QUERIES_AT_ONCE]


def _import_bm25s() -> Any:  # Any: bm25s is untyped
    """The module bm25s."""
    try:
        import bm25s
    except ImportError as error:
        raise MissingExtra("eval", "the ranker bm25") from error
    return bm25s
