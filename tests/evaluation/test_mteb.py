"""Our tasks as mteb's, our encoders as mteb's, and mteb's tasks as ours, on small local data."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from procqa.config import EvaluateConfig
from procqa.errors import BenchmarkError, ConfigError
from procqa.evaluation.evaluate import evaluate
from procqa.evaluation.mteb import as_mteb_model, as_mteb_task
from procqa.evaluation.rankers.dense import Dense
from tests.corpora.published import write_lines, write_text

mteb = pytest.importorskip("mteb", reason="the extra mteb is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WORDS = ("sort", "list", "read", "file", "join", "text", "plot", "line")
CORPUS = [
    {"_id": "d1", "title": "sort", "text": "list list"},
    {"_id": "d2", "title": "", "text": "read file"},
    {"_id": "d3", "title": "", "text": "join text text file"},
    {"_id": "d4", "title": "", "text": "plot line list"},
    {"_id": "d5", "title": "", "text": "file line read plot"},
]
QUERIES = [
    {"_id": "q1", "text": "sort file"},
    {"_id": "q2", "text": "read text"},
    {"_id": "q3", "text": "plot"},
    {"_id": "q4", "text": "nobody judged this"},
]
QRELS = [("q1", "d1", 1), ("q1", "d4", 1), ("q2", "d3", 1), ("q2", "d2", 2), ("q3", "d5", 1)]
CONFIGS = """---
configs:
- config_name: corpus
  data_files: [{split: corpus, path: corpus.jsonl}]
- config_name: queries
  data_files: [{split: queries, path: queries.jsonl}]
- config_name: default
  data_files: [{split: test, path: qrels.jsonl}]
---
"""
CONFIG = EvaluateConfig(bootstrap=100, permutations=100)


class Counting:
    """An encoder that counts words, so that every score is known."""

    name, revision, dimensions, max_tokens, fusion_weight, arithmetic = "by/count", "0" * 8, 8, 64, 0.5, "numpy"

    def encode_queries(self, texts: list[str]) -> np.ndarray:
        return self.encode_documents(texts)

    def encode_documents(self, texts: list[str]) -> np.ndarray:
        counts = np.array([[text.split().count(word) for word in WORDS] for text in texts], np.float32)
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "mteb" / "StackOverflowQA"
    write_text(folder / "README.md", CONFIGS)
    write_lines(folder / "corpus.jsonl", CORPUS)
    write_lines(folder / "queries.jsonl", QUERIES)
    names = ("query-id", "corpus-id", "score")
    write_lines(folder / "qrels.jsonl", [dict(zip(names, row, strict=True)) for row in QRELS])
    beir = tmp_path / "small"
    write_lines(beir / "corpus.jsonl", CORPUS)
    write_lines(beir / "queries.jsonl", QUERIES)
    lines = ["\t".join(map(str, row)) + "\n" for row in [names, *QRELS]]
    write_text(beir / "qrels" / "test.tsv", "".join(lines))
    return tmp_path


def ours(task: str, root: Path) -> dict[str, float]:
    """What we measure of the encoder that counts."""
    ranker = Dense("count", Counting(), report=lambda *_: None)
    ranker.details = replace(ranker.details, models=())  # it was trained on nothing
    (result,) = evaluate([ranker], [task], [root], CONFIG)
    return result.metrics


def theirs(task: Any) -> dict[str, float]:
    """What mteb measures of the encoder that counts."""
    result = mteb.evaluate(as_mteb_model(Counting()), task, cache=None, show_progress_bar=False)
    (scores,) = result.task_results[0].scores["test"]
    return scores


def test_a_task_of_ours_has_the_same_scores_in_mteb(root: Path):
    task = as_mteb_task("beir:small", [root])
    measured, known = theirs(task), ours("beir:small", root)

    assert (task.metadata.name, task.metadata.main_score) == ("beir-small", "ndcg_at_10")
    assert measured["ndcg_at_10"] == pytest.approx(known["ndcg@10"], abs=1e-5)
    assert measured["mrr_at_1000"] == pytest.approx(known["mrr@1000"], abs=1e-5)
    assert measured["recall_at_10"] == pytest.approx(known["recall@10"], abs=1e-5)
    assert known["mrr@1000"] == pytest.approx((1 / 3 + 1 + 1 / 2) / 3)


def test_a_task_of_mteb_is_measured_from_a_copy_of_its_data(root: Path):
    assert ours("mteb:StackOverflowQA", root) == ours("beir:small", root)
    task = mteb.get_task("StackOverflowQA")
    task.metadata = task.metadata.model_copy(
        update={"dataset": {"path": str(root / "mteb" / "StackOverflowQA"), "revision": "main"}}
    )
    assert theirs(task)["ndcg_at_10"] == pytest.approx(ours("mteb:StackOverflowQA", root)["ndcg@10"], abs=1e-5)


def test_a_subset_of_a_task_of_mteb_is_named_after_a_mark(root: Path):
    folder = root / "mteb" / "StackOverflowQA"
    for name in ("corpus", "queries"):
        write_text(folder / "README.md", (folder / "README.md").read_text().replace(f"e: {name}\n", f"e: go-{name}\n"))
    write_text(folder / "README.md", (folder / "README.md").read_text().replace("e: default\n", "e: go-qrels\n"))
    folder.rename(root / "mteb" / "CodeSearchNetRetrieval")

    assert ours("mteb:CodeSearchNetRetrieval#go", root) == ours("beir:small", root)


def test_a_program_is_left_out_of_its_own_ranking_in_mteb_too(tmp_path: Path):
    rows = [{"label": 1, "index": str(number), "code": text} for number, text in enumerate(WORDS[:4])]
    rows[1]["code"] = "sort list"
    write_lines(tmp_path / "poj104" / "test.jsonl", rows)
    task = as_mteb_task("poj104", [tmp_path])

    assert task.ignore_identical_ids
    assert theirs(task)["map_at_1000"] == pytest.approx(ours("poj104", tmp_path)["map"], abs=1e-5)


def test_the_data_of_a_task_says_where_it_is_from(root: Path):
    (result,) = evaluate(["bm25"], ["mteb:StackOverflowQA"], [root], CONFIG)
    assert (result.queries, result.documents) == (3, 5)
    assert "StackOverflowQA of mteb" in result.protocol
    assert "mteb/StackOverflowQA at 7b46f5ebd2365278c1bb025986dda2fee893bbf5, split test, sha256 " in result.protocol


@pytest.mark.parametrize(
    ("task", "error", "sentence"),
    [
        (
            "mteb:AppsRetrieval",
            BenchmarkError,
            r"needs mteb/AppsRetrieval below .*CoIR-Retrieval/apps at revision f22508",
        ),
        ("mteb:Nope", ConfigError, r"mteb must have the task 'Nope'"),
        ("mteb:CodeSearchNetRetrieval", ConfigError, r"must name one of its subsets python, .*Retrieval#python, got"),
        ("mteb:CodeSearchNetRetrieval#c", ConfigError, r"must name one of its subsets python"),
        ("mteb:Banking77Classification", ConfigError, r"must be a retrieval of text .*, got Banking77Classification"),
        ("mteb:AskUbuntuDupQuestions", ConfigError, r"among all documents, got AskUbuntuDupQuestions, .* Reranking"),
        ("mteb", ConfigError, r"must be named mteb:NAME"),
    ],
)
def test_a_task_that_mteb_or_its_data_lacks_is_one_sentence(root: Path, task: str, error: type, sentence: str):
    with pytest.raises(error, match=sentence):
        list(evaluate(["bm25"], [task], [root], CONFIG))


def test_a_broken_copy_is_one_sentence(root: Path):
    write_text(root / "mteb" / "StackOverflowQA" / "README.md", "no configs")
    with pytest.raises(BenchmarkError, match="StackOverflowQA must be a whole copy of its dataset, as mteb reads it"):
        ours("mteb:StackOverflowQA", root)


def test_several_tasks_are_no_task_for_mteb(root: Path):
    write_lines(root / "codenet" / "ruby_with_func.jsonl", [{"label": 1, "index": "1", "func": "p"}])
    write_lines(root / "codenet" / "java_with_func.jsonl", [{"label": 1, "index": "2", "func": "q"}])
    with pytest.raises(ConfigError, match="must be one, got 'codenet', which is 4"):
        as_mteb_task("codenet", [root])
