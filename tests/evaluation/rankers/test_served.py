"""An index as a ranker, against what its own search shows."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from procqa.config import EvaluateConfig, SearchConfig
from procqa.dataset.schema import read_rows
from procqa.encoder.model import open_encoder
from procqa.errors import ArtifactError, ConfigError
from procqa.evaluation.evaluate import evaluate
from procqa.evaluation.rankers import Pool, Ranker, open_rankers
from procqa.index.build import build_index
from procqa.search.searcher import Searcher
from tests.evaluation.rankers.small import rank, say_nothing
from tests.index.small import ROWS, write_dataset, write_encoder

HOST = "stackoverflow.com"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of words and vectors of five answers in three languages."""
    folder = tmp_path_factory.mktemp("served")
    model = write_encoder(folder / "model")
    build_index([write_dataset(folder / "d")], folder / "i", encoder=open_encoder(str(model)), encoder_folder=model)
    return folder / "i"


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    build_index([write_dataset(folder / "d")], folder / "i", encoder=None)
    return folder / "i"


def pool_of(*answers: int) -> Pool:
    texts = {f"{HOST}:{row['answer_id']}": row["answer"] for row in ROWS}
    ids = sorted(f"{HOST}:{answer}" for answer in answers)
    return Pool(ids, [texts[identifier] for identifier in ids])


def served(folder: Path, **settings: Any) -> Ranker:
    (ranker,) = open_rankers([f"index:{folder}"], EvaluateConfig(**settings), report=say_nothing, opened=ExitStack())
    return ranker


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
@pytest.mark.parametrize("query", ["read a file", "remove duplicates from a list", "sort goroutine"])
def test_the_ranking_is_that_of_search_and_the_other_documents_stand_behind_it_by_id(index, mode, query):
    documents = pool_of(10, 20, 9, 30, 40)
    hits = Searcher.open(index).search(query, SearchConfig(k=1_000, mode=mode)).hits

    ranked = rank(served(index, mode=mode), documents, query)

    shown = [(documents.ids.index(hit.document.id), pytest.approx(hit.score, rel=1e-6)) for hit in hits]
    assert ranked[: len(hits)] == shown
    behind = [place for place, _ in ranked[len(hits) :]]
    assert behind == sorted(behind)
    assert sorted(place for place, _ in ranked) == [0, 1, 2, 3, 4]
    assert all(score <= 0 for _, score in ranked[len(hits) :])


def test_documents_of_one_language_are_searched_with_its_filter_and_others_without(index):
    ranker = served(index, mode="lexical")
    file_in_go = {hit.document.id: hit.score for hit in search(index, "read file", language="go")}

    assert rank(ranker, pool_of(9, 30), "read file") == [
        (0, pytest.approx(file_in_go[f"{HOST}:30"])),
        (1, 0.0),
    ]  # ids in order: 30, 9
    assert [place for place, _ in rank(ranker, pool_of(10, 20, 30), "read file")] == [1, 2, 0]


def search(index: Path, query: str, **options: Any) -> tuple[Any, ...]:
    return Searcher.open(index).search(query, SearchConfig(mode="lexical", **options)).hits


def test_hits_that_are_no_documents_of_the_task_are_left_out(index):
    hits = [hit.document.id for hit in search(index, "read file sort")]
    assert f"{HOST}:40" in hits

    ranked = rank(served(index, mode="lexical"), pool_of(20, 30), "read file sort")

    assert [place for place, _ in ranked] == [0, 1]


@pytest.mark.parametrize("query", ["", "  ", "x" * 20_001, "list score:many"])
def test_a_query_that_search_refuses_has_no_hits(index, query):
    assert rank(served(index), pool_of(10, 20), query) == [(0, 0.0), (1, 0.0)]


def test_a_ranking_is_as_long_as_is_asked(index):
    documents = pool_of(10, 20, 9, 30, 40)

    assert [len(rank(served(index), documents, query, k=2)) for query in ("read file", "unknown")] == [2, 2]


@pytest.mark.parametrize(("text", "said"), [("Open it.", "has no nowhere:1"), ("Close it.", "has another")])
def test_an_index_without_the_documents_of_the_task_is_refused(index, text, said):
    identifier = "nowhere:1" if "no " in said else f"{HOST}:20"

    with pytest.raises(ArtifactError, match=f"must hold all 1 documents of the task, but {said}"):
        served(index).index(Pool([identifier], [text]))


def test_an_index_of_words_is_measured_by_words_and_refuses_vectors_alone(words):
    ranker = served(words)

    assert "mode lexical, tantivy's BM25 of title × 2, question × 1, answer × 1" in ranker.protocol
    assert ranker.details.models == ()
    with pytest.raises(ConfigError, match="holds words only: measure it with --mode lexical"):
        served(words, mode="dense")


def test_the_protocol_says_what_is_indexed_and_how_it_is_asked(index):
    ranker = served(index)

    assert (ranker.name, ranker.revision) == (f"index:{index}", Searcher.open(index).sha256)
    for part in (
        "5 documents of all splits",
        "mode hybrid",
        "title × 2",
        "of title + blank line + answer",
        "for at most 1,000 hits",
        "with the filter of the language",
        "documents that are no hits stand last by id",
    ):
        assert part in ranker.protocol
    assert ranker.details.weight == Searcher.open(index).manifest.recipe["encoder"]["fusion_weight"]


def test_an_index_is_opened_once_and_closed_with_the_rest(index):
    with ExitStack() as opened:
        names = [f"index:{index}", f"index:{index}"]
        (ranker,) = open_rankers(names, EvaluateConfig(), report=say_nothing, opened=opened)
        ranker.index(pool_of(10))

    with pytest.raises((ArtifactError, ValueError)):
        ranker.index(pool_of(20))


def test_what_is_no_index_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="nowhere"):
        served(tmp_path / "nowhere")


def test_evaluate_scores_what_search_shows(sample_dataset: Path, tmp_path: Path):
    build_index([sample_dataset], tmp_path / "i", encoder=None)
    searcher = Searcher.open(tmp_path / "i")

    def reciprocal_rank(row: dict[str, Any]) -> float:
        found = searcher.search(row["title"], SearchConfig(k=1_000, language=row["language"])).hits
        return 1 / (1 + [hit.document.id for hit in found].index(f"{row['site']}:{row['answer_id']}"))

    results = list(evaluate([f"index:{tmp_path / 'i'}"], ["procqa-title"], [sample_dataset], EvaluateConfig()))

    assert len(results) > 1
    for result in results:
        expected = [reciprocal_rank(row) for row in read_rows(sample_dataset, language=result.language, split="test")]
        assert result.queries == len(expected)
        assert result.metrics["mrr@1000"] == pytest.approx(np.mean(expected))
