"""The ranker ``index:FOLDER``: an index asked as search asks it, so that what is measured is what is served."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from procqa.config import EvaluateConfig, SearchConfig
from procqa.errors import ArtifactError, ConfigError, QueryError
from procqa.evaluation.rankers.contract import Details, Pool, Ranking, Report, query_blocks
from procqa.index.generations import generation_folder
from procqa.search.searcher import Searcher

MOST_HITS = 1_000
"""Of one search. Source: ``SearchConfig``."""


class Served:
    """An index that holds the documents of a task, asked by ``Searcher.search`` as every surface asks it.

    A hit is the document of the task with its id; other hits are left out. Documents that are no hits, and all of them
    for a query that search refuses, stand last by id with score 0.

    Raises:
        ConfigError: vectors are to be searched alone, and there are none.
        ArtifactError: the folder holds no index that can be read.
    """

    def __init__(self, name: str, folder: Path, config: EvaluateConfig, *, report: Report) -> None:
        self._searcher = Searcher.open(folder)
        self._folder, self._report = folder, report
        if config.mode == "dense" and not self._searcher.has_vectors:
            self.close()
            raise ConfigError(f"{folder} holds words only: measure it with --mode lexical")
        self._search = SearchConfig(mode=config.mode if self._searcher.has_vectors else "lexical")
        self.name = name
        self.revision = self._searcher.sha256
        self.protocol = (
            f"an index of {len(self._searcher):,} documents of all splits, sha256 {self.revision}, asked as it is "
            f"served: {self._describe()}; for at most {MOST_HITS:,} hits, with the filter of the language that all "
            "documents of the task have, none where they have several; hits that are no documents of the task are left "
            "out, documents that are no hits stand last by id, and a query that search refuses has no hits"
        )
        self.details = self._tell_details()
        self._held: str | None = None
        self._place_of: dict[str, int] = {}

    def _describe(self) -> str:
        """Mode, words, vectors and weight."""
        recipe, mode = self._searcher.manifest.recipe, self._search.mode
        boosts = ", ".join(f"{name} × {boost:g}" for name, boost in recipe["boosts"].items())
        words = f"tantivy's BM25 of {boosts}, split identifiers, stemmed"
        if mode == "lexical":
            return f"mode lexical, {words}"
        encoder = recipe["encoder"]
        vectors = f"cosines of {encoder['name']} revision {encoder['revision']} of {recipe['text']}"
        if mode == "dense":
            return f"mode dense, {vectors}"
        weight = encoder["fusion_weight"]
        return f"mode hybrid, {1 - weight:.3g} × ({words}) over its limit + {weight:.3g} × ({vectors})"

    def _tell_details(self) -> Details:
        if self._search.mode == "lexical":
            return Details()
        manifest = self._searcher.manifest
        encoder = manifest.recipe["encoder"]
        return Details(
            models=(str(generation_folder(self._folder, manifest) / "encoder"),),
            arithmetic=encoder["arithmetic"],
            weight=encoder["fusion_weight"] if self._search.mode == "hybrid" else None,
        )

    def index(self, pool: Pool) -> None:
        """Find the documents in the index; see ``Ranker.index``.

        Raises:
            ArtifactError: one of them is not there, or has another text there.
        """
        if self._held == pool.digest:
            return
        self._held = None
        languages = set()
        for number, (identifier, text) in enumerate(zip(pool.ids, pool.texts, strict=True)):
            document = self._searcher.document(identifier)
            if document is None or document.answer != text:
                raise ArtifactError(
                    f"{self._folder} must hold all {len(pool.ids):,} documents of the task, but has "
                    f"{'no' if document is None else 'another'} {identifier}: index the datasets of the task"
                )
            languages.add(document.language)
            self._report(f"{self.name}: looking for {len(pool.ids):,} documents", number)
        language = languages.pop() if len(languages) == 1 else None
        self._search = replace(self._search, language=language)
        self._place_of = {identifier: place for place, identifier in enumerate(pool.ids)}
        self._held = pool.digest

    def rank(self, queries: Sequence[str], k: int) -> Iterator[Ranking]:
        """Search for each query; see ``Ranker.rank``."""
        config = replace(self._search, k=min(k, MOST_HITS))
        width = min(k, len(self._place_of))
        for block in query_blocks(queries):
            best = [self._rank(query, config, width) for query in block]
            yield np.array([row[0] for row in best], np.float32), np.array([row[1] for row in best], np.int64)

    def _rank(self, query: str, config: SearchConfig, width: int) -> tuple[list[float], list[int]]:
        """The scores and the positions of so many documents for one query."""
        try:
            hits = self._searcher.search(query, config).hits
        except QueryError:  # as its asker would be told
            hits = ()
        known = [hit for hit in hits if hit.document.id in self._place_of][:width]
        places, scores = [self._place_of[hit.document.id] for hit in known], [hit.score for hit in known]
        is_left = np.ones(len(self._place_of), np.bool_)
        is_left[places] = False
        places += np.flatnonzero(is_left)[: width - len(places)].tolist()
        scores += [min([0.0, *scores[-1:]])] * (width - len(scores))  # cosines may lie below 0
        return scores, places

    def close(self) -> None:
        """Let go of the index's files."""
        self._searcher.close()
