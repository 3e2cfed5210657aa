"""Answers queries from an index: words, vectors, or both as one score.

The one place where an encoder meets an index. Python, the command line, HTTP and the page all call
``Searcher.search``, and all show ``result_json`` of what it returns.
"""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.artifact import MANIFEST, Manifest, load_manifest
from procqa.config import MAX_QUERY_CHARS, SearchConfig
from procqa.encoder.model import Encoder, open_encoder
from procqa.errors import ArtifactError, QueryError
from procqa.index.dense import DenseIndex
from procqa.index.documents import Documents
from procqa.index.generations import generation_folder
from procqa.index.lexical import LexicalIndex, Ranking
from procqa.records import Document, Hit
from procqa.search.fusion import fuse
from procqa.text import fence

FUSION_DEPTH = 100
"""Hits of each list that are fused, at least. Source: ours, docs/decisions/0007."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The answer to one query.

    Args:
        query: as it was searched.
        mode: what ranked the hits; an index without vectors answers ``hybrid`` as ``lexical``.
        seconds: wall time of the search.
        dump_date: the newest date in the dumps behind the index, if any.
        hits: best first, ties by document id.
    """

    query: str
    mode: str
    seconds: float
    dump_date: str | None
    hits: tuple[Hit, ...]


def check_query(query: str) -> str:
    """The query as it can be searched: what is no Unicode text is replaced.

    Raises:
        QueryError: it is blank, or longer than 20,000 characters.
    """
    if not query.strip():
        raise QueryError("a query must hold at least one character that is not blank, got none")
    if len(query) > MAX_QUERY_CHARS:
        raise QueryError(f"a query must have at most {MAX_QUERY_CHARS:,} characters, got {len(query):,}: shorten it")
    return query.encode("utf-8", "replace").decode("utf-8")


class Searcher:
    """An open index, safe to use from several threads; see ``Searcher.open``."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self.languages: dict[str, int] = manifest.counts["languages"]
        self._generation = generation_folder(folder, manifest)
        self._documents = Documents(self._generation / "documents")
        self._lexical = LexicalIndex(self._generation / "lexical")
        self._described: dict[str, Any] | None = manifest.recipe["encoder"]
        self._dense = None if self._described is None else DenseIndex(self._generation / "dense")
        self._weight: float = 0.0 if self._described is None else self._described["fusion_weight"]
        self._encoder: Encoder | None = None
        self._lock = threading.Lock()

    @classmethod
    def open(cls, index: Path) -> "Searcher":
        """Map an index into memory; its encoder is loaded when the first query needs it.

        Raises:
            ArtifactError: the folder is no index, is of another format version, or is broken.
        """
        for attempt in (1, 2):
            manifest = load_manifest(index, kind="index")
            try:
                return cls(index, manifest)
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

    def search(self, query: str, config: SearchConfig) -> SearchResult:
        """The hits for a query, best first.

        Raises:
            QueryError: the query is blank or too long, the language is unknown, or there are no vectors.
            ArtifactError: the encoder of the index cannot be loaded.
        """
        started = time.perf_counter()
        text = check_query(query)
        language = self._known_language(config.language)
        mode = self._mode(config.mode)
        ranking = self._rank(text, config.k, mode, language)
        hits = tuple(
            Hit(rank=rank, score=score, document=self._documents[position])
            for rank, (position, score) in enumerate(ranking, start=1)
        )
        seconds = time.perf_counter() - started
        return SearchResult(query=text, mode=mode, seconds=seconds, dump_date=self.dump_date, hits=hits)

    def _known_language(self, language: str | None) -> str | None:
        if language is None or language == "all":
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

    def _rank(self, query: str, k: int, mode: str, language: str | None) -> Ranking:
        if mode == "lexical":
            return self._lexical.search(query, k, language=language)
        assert self._dense is not None
        vector = self._encode(query)
        if mode == "dense":
            return self._dense.search(vector, k, language=language)
        depth = max(k, FUSION_DEPTH)
        words = self._lexical.search(query, depth, language=language)
        vectors = self._dense.search(vector, depth, language=language)
        positions, scores = fuse(_columns(words), _columns(vectors), weight=self._weight, depth=depth)
        best = np.lexsort((positions, -scores))[:k]
        return list(zip(positions[best].tolist(), scores[best].tolist(), strict=True))

    def _encode(self, query: str) -> Any:  # Any: (D,) float32; tokenizers are not for two threads at once
        with self._lock:
            if self._encoder is None:
                self._encoder = self._open_encoder()
            return self._encoder.encode_queries([query])[0]

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


def markdown_of(document: Document) -> tuple[str, str]:
    """Question and answer as Markdown: a documented function is plain text and bare code.

    A function's question and answer are one thing with one id; no question of a dump is its own answer.
    """
    if document.question_id != document.answer_id:
        return document.question, document.answer
    return fence(document.question), fence(document.answer, document.language)


def result_json(result: SearchResult) -> dict[str, Any]:
    """What every surface shows of a result: the object of ``search --json``."""
    return {
        "query": result.query,
        "mode": result.mode,
        "seconds": round(result.seconds, 6),
        "dump_date": result.dump_date,
        "hits": [hit_json(hit) for hit in result.hits],
    }


def hit_json(hit: Hit) -> dict[str, Any]:
    """One hit with its attribution; source code has a place instead of ids and urls."""
    document = hit.document
    return {
        "rank": hit.rank,
        "id": document.id,
        "score": hit.score,
        "language": document.language,
        "title": document.title,
        "answer": document.answer,
        **_origin_json(document),
    }


def document_json(document: Document) -> dict[str, Any]:
    """One document with its question, its tags and its attribution."""
    return {
        "id": document.id,
        "language": document.language,
        "title": document.title,
        "question": document.question,
        "answer": document.answer,
        "tags": list(document.tags),
        "answer_score": document.score,
        **_origin_json(document),
    }


def _origin_json(document: Document) -> dict[str, Any]:
    by = document.attribution
    authors = {"question_author": by.question_author, "answer_author": by.answer_author}
    licences = {"question_licence": by.question_licence, "answer_licence": by.answer_licence}
    if document.place is not None:
        place = {"path": document.place.path, "line": document.place.line, "symbol": document.place.symbol}
        return {**place, **authors, **licences, "source": by.origin}
    return {
        "question_id": document.question_id,
        "answer_id": document.answer_id,
        "question_url": by.question_url,
        "answer_url": by.answer_url,
        **authors,
        "question_author_url": by.question_author_url,
        "answer_author_url": by.answer_author_url,
        **licences,
        "source": by.origin,
    }
