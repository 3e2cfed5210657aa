"""Answers queries from an index: words, vectors, or both as one score.

The one place where an encoder meets an index. Python, the command line, HTTP and the page all call
``Searcher.search``, and all show what ``forms`` makes of it.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from procqa.config import SearchConfig
from procqa.encoder.model import Encoder, open_encoder
from procqa.errors import ArtifactError, QueryError
from procqa.index.dense import DenseIndex
from procqa.index.documents import Documents, document_text, embedded_answer
from procqa.index.filters import Allowed, FilterColumns
from procqa.index.generations import generation_folder
from procqa.index.lexical import LexicalIndex, Ranking
from procqa.manifest import MANIFEST, Manifest, load_manifest
from procqa.records import Document, Explanation, Hit
from procqa.search.fusion import fuse
from procqa.search.query import ANY_LANGUAGE, Query, parse_query
from procqa.text import lexical_tokens

FUSION_DEPTH = 100
"""Hits of each list that are fused, at least. Source: ours, docs/decisions/0007."""

VERBATIM = 1.5
"""What the words of a document that holds a line of an error to the letter count more. Source: ours, docs/search.md."""


READ_HITS = 50
"""Hits that a cross-encoder puts in order. Source: ours, docs/search.md."""


class PairReader(Protocol):
    """What reads a query and a document at once; see ``encoder.cross_encoder``."""

    def score(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """(n,) higher is better."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The answer to one query.

    Args:
        query: as it was asked.
        kind: what it was taken for: words, code or an error.
        mode: what ranked the hits; an index without vectors answers ``hybrid`` as ``lexical``.
        seconds: wall time of the search.
        dump_date: the newest date in the dumps behind the index, if any.
        hits: best first, ties by document id.
    """

    query: str
    kind: str
    mode: str
    seconds: float
    dump_date: str | None
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class _Ranked:
    """The positions that answer a query with their scores, and the lists they came from."""

    best: Ranking
    words: Ranking
    vectors: Ranking
    limit: float | None = None
    weight: float | None = None
    read: Mapping[int, float] = field(default_factory=dict)

    def explain(self, position: int, query: str, document: Document) -> Explanation:
        """Where a document stands in each list, and what it shares with the query."""
        words_rank, words_score = _place(self.words, position)
        vectors_rank, cosine = _place(self.vectors, position)
        held = set(lexical_tokens(f"{document.title}\n{document.question}\n{document.answer}"))
        words = {word: lexical_tokens(word) for word in query.split()}
        return Explanation(
            words_rank=words_rank,
            words_score=words_score,
            words_limit=self.limit,
            vectors_rank=vectors_rank,
            cosine=cosine,
            weight=self.weight,
            read=None if position not in self.read else self.read[position] - 1,
            matched=tuple(word for word, tokens in words.items() if held.intersection(tokens)),
        )


def _read_text(document: Document) -> str:
    """What an encoder reads of a document."""
    is_code = document.question_id == document.answer_id
    return document_text(document.title, embedded_answer(document.question, document.answer, is_code=is_code))


def _best_first(hit: tuple[int, float]) -> tuple[float, int]:
    """Sorts hits by score, ties by position."""
    return -hit[1], hit[0]


def _place(ranking: Ranking, position: int) -> tuple[int, float] | tuple[None, None]:
    """Rank and score of a position in a list; None where it is not in it."""
    found = ((rank, score) for rank, (other, score) in enumerate(ranking, start=1) if other == position)
    return next(found, (None, None))


class Searcher:
    """An open index, safe to use from several threads; see ``Searcher.open``."""

    def __init__(self, folder: Path, manifest: Manifest, reader: PairReader | None = None) -> None:
        self.manifest = manifest
        self._reader = reader
        self.languages: dict[str, int] = manifest.counts["languages"]
        self._generation = generation_folder(folder, manifest)
        self._documents = Documents(self._generation / "documents")
        self._lexical = LexicalIndex(self._generation / "lexical")
        self._filters = FilterColumns(self._generation / "filters")
        self._described: dict[str, Any] | None = manifest.recipe["encoder"]
        self._dense = None if self._described is None else DenseIndex(self._generation / "dense")
        self._weight: float = 0.0 if self._described is None else self._described["fusion_weight"]
        self._encoder: Encoder | None = None
        self._lock = threading.Lock()

    @classmethod
    def open(cls, index: Path, *, reader: PairReader | None = None, with_encoder: bool = False) -> "Searcher":
        """Map an index into memory; unless it is asked for, its encoder is loaded when the first query needs it.

        Args:
            reader: a cross-encoder, which puts the first fifty hits in the order of how well each answers the query.
            with_encoder: load the encoder too: an update removes the generation that a late load would read.

        Raises:
            ArtifactError: the folder is no index, is of another format version, or is broken.
            MissingExtra: the encoder needs a package that is not installed.
        """
        for attempt in (1, 2):
            manifest = load_manifest(index, kind="index")
            try:
                searcher = cls(index, manifest, reader)
                if with_encoder and searcher.has_vectors:
                    searcher._load_encoder()
                return searcher
            except ArtifactError:
                # An update between the two steps removes the generation that the manifest named.
                if attempt == 2 or load_manifest(index, kind="index") == manifest:
                    raise
            except (KeyError, TypeError, AttributeError) as error:
                raise ArtifactError(f"{index / MANIFEST} is not a readable manifest: run procqa index again") from error
        raise AssertionError("unreachable")

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self._documents)

    @property
    def has_vectors(self) -> bool:
        """Whether the modes dense and hybrid are more than words."""
        return self._dense is not None

    @property
    def sha256(self) -> str:
        """The digest of the index, as its manifest states it."""
        return self.manifest.sha256

    @property
    def dump_date(self) -> str | None:
        """The newest date in the dumps behind the index, if any."""
        date: str | None = self.manifest.counts["dump_date"]
        return date

    def close(self) -> None:
        """Let go of the mapped files."""
        self._documents.close()

    def document(self, id: str) -> Document | None:  # noqa: A002  # the field's word
        """The document of an id, or None."""
        return self._documents.find(id)

    def warm(self) -> None:
        """Load the encoder and touch the indexes now, so that the first query need not wait for them.

        Raises:
            ArtifactError: the encoder is missing or is not the one that made the vectors.
            MissingExtra: the encoder needs a package that is not installed.
        """
        self.search("warm up", SearchConfig())

    def search(self, query: str, config: SearchConfig, *, is_code: bool = False) -> SearchResult:
        """The hits for a query, best first.

        Args:
            is_code: the query is code, whatever it looks like.

        Raises:
            QueryError: the query is blank or too long, the language is unknown, or there are no vectors.
            ArtifactError: the encoder of the index cannot be loaded.
        """
        started = time.perf_counter()
        asked = parse_query(query, is_code=is_code)
        language = self.known_language(config.language)
        mode = self._mode(config.mode)
        wanted = config.k if self._reader is None else max(config.k, READ_HITS)
        ranked = self._rank(asked, wanted, mode, language, self._allowed(asked))
        if self._reader is not None:
            ranked = self._read(asked.text, ranked, self._reader)
        hits = tuple(
            self._hit(rank, position, score, ranked, asked.text if config.explain else None)
            for rank, (position, score) in enumerate(ranked.best[: config.k], start=1)
        )
        seconds = time.perf_counter() - started
        return SearchResult(
            query=asked.asked, kind=asked.kind, mode=mode, seconds=seconds, dump_date=self.dump_date, hits=hits
        )

    def _read(self, query: str, ranked: "_Ranked", reader: PairReader) -> "_Ranked":
        """The first hits in the order in which a cross-encoder puts them; the others follow as they were.

        Scores are 1 + that of the reader, between 1 and 2, so that those that were read stand above the others.
        """
        first, rest = ranked.best[:READ_HITS], ranked.best[READ_HITS:]
        documents = [self._documents[position] for position, _ in first]
        with self._lock:
            said = reader.score([(query, _read_text(document)) for document in documents])
        scores = 1.5 + np.tanh(np.asarray(said, np.float64) / 2) / 2  # 1 + σ, without an overflow
        read = sorted(zip([position for position, _ in first], scores.tolist(), strict=True), key=_best_first)
        highest = max([1.0, *(score for _, score in rest)])
        others = [(position, score / highest) for position, score in rest]
        return replace(ranked, best=read + others, read=dict(read))

    def _hit(self, rank: int, position: int, score: float, ranked: "_Ranked", query: str | None) -> Hit:
        """A hit, explained where there is a query to explain it by."""
        document = self._documents[position]
        explanation = None if query is None else ranked.explain(position, query, document)
        return Hit(rank=rank, score=score, document=document, explanation=explanation)

    def known_language(self, language: str | None) -> str | None:
        """The language that a request names; None where it means any.

        Raises:
            QueryError: the index has none of that name.
        """
        if language is None or language == ANY_LANGUAGE:
            return None
        if language not in self.languages:
            known = ", ".join(self.languages)
            raise QueryError(f"language must be one of the index ({known}) or all, got {language!r}")
        return language

    def _mode(self, wanted: str) -> str:
        if self.has_vectors:
            return wanted
        if wanted == "dense":
            raise QueryError("this index holds words only: search it lexically, or build it with --encoder")
        return "lexical"

    def _allowed(self, query: Query) -> Allowed | None:
        """Which documents have what a query asks for; None where it asks for nothing.

        Raises:
            QueryError: a language that the index does not have.
        """
        for language in query.wanted.languages:
            self.known_language(language)
        allowed = self._filters.allowed(query.wanted)
        if not (query.phrases or query.without):
            return allowed
        allowed = np.ones(len(self), dtype=bool) if allowed is None else allowed.copy()
        for word in query.without:
            # A word that no index knows, such as the one of `docker run -it`, leaves nothing out.
            if tokens := lexical_tokens(word)[:1]:
                allowed[self._lexical.having(tokens)] = False
        for phrase in query.phrases:
            # One without a token could stand in any document, and all would have to be read: it ranks alone.
            if not (tokens := lexical_tokens(phrase)):
                continue
            candidates = self._lexical.having(tokens)
            held = np.zeros_like(allowed)
            held[self._documents.holding(phrase, candidates[allowed[candidates]])] = True
            allowed &= held
        return allowed

    def _rank(self, query: Query, k: int, mode: str, language: str | None, allowed: Allowed | None) -> "_Ranked":
        where: dict[str, Any] = {"language": language, "allowed": allowed}
        depth = max(k, FUSION_DEPTH)
        words = [] if mode == "dense" else self._emphasise(query, self._lexical.search(query.text, depth, **where))
        if mode == "lexical":
            return _Ranked(words[:k], words, [], self._lexical.limit(query.text))
        assert self._dense is not None
        vector = self._encode(query.text)
        vectors = self._dense.search(vector, k if mode == "dense" else depth, **where)
        if mode == "dense":
            return _Ranked(vectors, [], vectors)
        limit = self._lexical.limit(query.text)
        positions, scores = fuse(_columns(words), _columns(vectors), limit=limit, weight=self._weight, depth=depth)
        order = np.lexsort((positions, -scores))[:k]
        best = list(zip(positions[order].tolist(), scores[order].tolist(), strict=True))
        return _Ranked(best, words, vectors, limit, self._weight)

    def _emphasise(self, query: Query, words: Ranking) -> Ranking:
        """The ranking of an error message, with documents that hold one of its lines to the letter raised."""
        if query.kind != "error" or not words:
            return words
        positions = np.sort(np.array([position for position, _ in words], np.int64))
        lines = query.text.splitlines()
        holding = {int(position) for line in lines for position in self._documents.holding(line, positions)}
        raised = [(position, score * (VERBATIM if position in holding else 1)) for position, score in words]
        return sorted(raised, key=_best_first)

    def _encode(self, query: str) -> Any:  # Any: (D,) float32; tokenizers are not for two threads at once
        with self._lock:
            return self._load_encoder().encode_queries([query])[0]

    def _load_encoder(self) -> Encoder:
        """The encoder, opened once; for one thread at a time."""
        if self._encoder is None:
            self._encoder = self._open_encoder()
        return self._encoder

    def _open_encoder(self) -> Encoder:
        assert self._described is not None
        folder = self._generation / "encoder"
        if not folder.is_dir():
            # Its name may be one of the model hub, and a search never fetches.
            raise ArtifactError(
                f"{folder} must hold the encoder of this index ({self._described['name']}), but there is no such "
                "folder: run procqa index again, or search with the mode lexical"
            )
        # A graph would pay for being made after hundreds of queries.
        encoder = open_encoder(str(folder.absolute()), backend="torch")
        if encoder.revision != self._described["revision"]:
            raise ArtifactError(
                f"{folder} must be the encoder that made this index ({self._described['name']}, sha256 "
                f"{self._described['revision'][:12]}), got {encoder.revision[:12]}: run procqa index again"
            )
        return encoder


def _columns(ranking: Ranking) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The positions and the scores of a ranking."""
    return np.array([position for position, _ in ranking], np.int64), np.array([score for _, score in ranking])
