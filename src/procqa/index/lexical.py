"""Search by words: BM25 over title, question and answer, in tantivy.

Text is cut into tokens by ``text.lexical_tokens``, so that tantivy only splits at blanks, and queries
are made of terms and never parsed: whatever a user types is just words. Knows positions, not documents.
"""

import math
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tantivy
from numpy.typing import NDArray

from procqa.errors import ArtifactError
from procqa.text import lexical_tokens

BOOSTS = {"title": 2.0, "question": 1.0, "answer": 1.0}
"""Weight of a word by the field it stands in. Source: ours, docs/decisions/0007."""

K1 = 1.2
"""Saturation of BM25 as tantivy has it: k1 + 1 times the rarity of a word is the most that one field adds."""

WRITER_BYTES = 128_000_000
SCORE_DECIMALS = 4
FETCHED_PER_TERM = 20
"""Hits that tantivy collects in the time it takes to look one more term up in a set."""

REMOVAL_TRIES = 100
REMOVAL_PAUSE_S = 0.01
Words = dict[str, str]
"""The words of a document by the fields of BOOSTS, a blank between them."""

Indexed = tuple[int, str, Words]
"""Position, language and words of a document."""

Ranking = list[tuple[int, float]]
"""Positions with their scores: highest score first, ties by position."""


def find_words(texts: Mapping[str, str]) -> Words:
    """The words of a document, from the text of each field of BOOSTS."""
    return {name: " ".join(lexical_tokens(texts[name])) for name in BOOSTS}


def write_lexical(documents: Iterable[Indexed], folder: Path) -> None:
    """Write a lexical index into a new folder.

    Args:
        documents: of each its position, language and words.

    Raises:
        ArtifactError: the disk is full or refuses.
    """
    folder.mkdir()
    try:
        _write(documents, folder)
    except ValueError as error:  # so tantivy words what the disk says
        raise ArtifactError(f"{folder} could not be written: {error}") from error
    _tidy(folder)


def _write(documents: Iterable[Indexed], folder: Path) -> None:
    index = tantivy.Index(_schema(), str(folder), reuse=False)
    # One thread: the order of documents, and so the cut into segments, is that of the input.
    writer = index.writer(WRITER_BYTES, num_threads=1)
    for position, language, words in documents:
        document = tantivy.Document()
        document.add_unsigned("position", position)
        document.add_text("language", language)
        for name in BOOSTS:
            document.add_text(name, words[name])
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in BOOSTS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("language", tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("position", fast=True, indexed=True)
    return builder.build()


def _tidy(folder: Path) -> None:
    """Drop the writer's locks, and let everyone read what tantivy made for its owner only."""
    segment_mode = next(folder.glob("*.store")).stat().st_mode if any(folder.glob("*.store")) else 0o644
    for path in folder.iterdir():
        if path.suffix == ".lock":
            path.unlink()
        else:
            path.chmod(segment_mode)


class LexicalIndex:
    """A lexical index, mapped into memory; safe to use from several threads.

    Raises:
        ArtifactError: the folder holds no readable index.
    """

    def __init__(self, folder: Path) -> None:
        try:
            with _linked(folder) as links:
                index = tantivy.Index.open(str(links))
                index.config_reader(reload_policy="manual")
                self._searcher = index.searcher()
        except (OSError, ValueError) as error:
            raise ArtifactError(
                f"{folder} must hold a lexical index that can be read, but: {error}; run procqa index again"
            ) from error
        self._schema = index.schema

    def __len__(self) -> int:
        """How many documents there are."""
        return int(self._searcher.num_docs)

    def search(
        self, query: str, k: int, *, language: str | None = None, allowed: NDArray[np.bool_] | None = None
    ) -> Ranking:
        """The best k documents that share a word with the query; fewer where fewer do.

        Args:
            language: only documents of this language; None takes all.
            allowed: (n,) whether the document at each position may be a hit; None takes all.
        """
        terms = Counter(lexical_tokens(query))
        n_allowed = len(self) if allowed is None else int(np.count_nonzero(allowed))
        if not terms or n_allowed == 0:
            return []
        parts = [(tantivy.Occur.Must, self._any_of(terms))]
        if language is not None:
            parts.append(self._must(self._term("language", language, "basic")))
        if allowed is not None and k * len(self) > FETCHED_PER_TERM * n_allowed**2:
            few = tantivy.Query.term_set_query(self._schema, "position", np.flatnonzero(allowed).tolist())
            parts.append(self._must(few))
            n_allowed = len(self)
        return self._best(tantivy.Query.boolean_query(parts), k, allowed, len(self) / n_allowed)

    def having(self, terms: Sequence[str]) -> NDArray[np.int64]:
        """The positions (n,), ascending, of the documents that hold each of some tokens in any field.

        Args:
            terms: tokens of ``lexical_tokens``; none given are held by all documents.
        """
        if not terms:
            return np.arange(len(self))
        if len(self) == 0:
            return np.empty(0, np.int64)
        parts = [self._must(self._any_of(Counter([term]))) for term in dict.fromkeys(terms)]
        found = self._searcher.search(tantivy.Query.boolean_query(parts), len(self), count=False).hits
        positions = self._searcher.fast_field_values("position", [address for _, address in found])
        return np.sort(np.array(positions, np.int64))

    def _must(self, condition: tantivy.Query) -> tuple[tantivy.Occur, tantivy.Query]:
        """A condition that a hit must meet and that adds nothing to its score."""
        return tantivy.Occur.Must, tantivy.Query.const_score_query(condition, 0.0)

    def limit(self, query: str) -> float:
        """What no document scores more than, however often each of its fields has the words; 0 if none has any."""
        return sum(
            times * boost * (K1 + 1) * self._rarity(self._searcher.doc_freq(name, term))
            for term, times in Counter(lexical_tokens(query)).items()
            for name, boost in BOOSTS.items()
        )

    def _rarity(self, holders: int) -> float:
        """The idf of BM25 of a word that a field of so many documents has; 0 of one that none has."""
        return math.log(1 + (len(self) - holders + 0.5) / (holders + 0.5)) if holders else 0.0

    def _any_of(self, terms: Counter[str]) -> tantivy.Query:
        boosted = [
            tantivy.Query.boost_query(self._term(name, term, "freq"), boost * times)
            for term, times in terms.items()
            for name, boost in BOOSTS.items()
        ]
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in boosted])

    def _term(self, field: str, value: str, option: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, value, index_option=option)

    def _best(self, query: tantivy.Query, k: int, allowed: NDArray[np.bool_] | None, rarity: float) -> Ranking:
        """The k best that are allowed; asks for more while there are fewer, or the cut goes through a tie.

        So a filter loses no hit, and a tie falls by position.

        Args:
            rarity: hits that have to be fetched for one that is allowed, on average.
        """
        limit = round((k + 1) * rarity)
        while True:
            found = self._searcher.search(query, limit, count=False).hits
            positions: list[Any] = self._searcher.fast_field_values("position", [address for _, address in found])
            # Segments add up the same floats in other orders: their last bits are no ranking.
            scores = [round(score, SCORE_DECIMALS) for score, _ in found]
            hits = [hit for hit in zip(positions, scores, strict=True) if allowed is None or allowed[hit[0]]]
            if len(found) < limit or (len(hits) >= k and scores[-1] < hits[k - 1][1]):
                return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:k]
            limit *= 2


@contextmanager
def _linked(folder: Path) -> Iterator[Path]:
    """A throw-away folder of links to the index: tantivy locks the folder it opens, ours stays as it is."""
    if not (folder / "meta.json").is_file():
        raise FileNotFoundError(folder / "meta.json")
    try:
        links = Path(tempfile.mkdtemp(prefix="procqa-"))
    except OSError as error:
        raise ArtifactError(
            f"an index needs a folder for temporary files, but none can be made: {error.strerror}; set TMPDIR to one"
        ) from error
    try:
        for path in folder.resolve().iterdir():
            (links / path.name).symlink_to(path)
        yield links
    finally:
        _remove(links)


def _remove(links: Path) -> None:
    """Remove the links; a thread of tantivy's may still put a lock among them, once."""
    for _ in range(REMOVAL_TRIES):
        shutil.rmtree(links, ignore_errors=True)
        if not links.exists():
            return
        time.sleep(REMOVAL_PAUSE_S)
