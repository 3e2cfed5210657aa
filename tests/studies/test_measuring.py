"""Scores of studies, on a dataset where every rank is known by hand."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from procqa.config import EvaluateConfig
from procqa.evaluation.analysis import Example
from procqa.evaluation.evaluate import evaluate
from procqa.evaluation.misses import Miss
from procqa.studies.measuring import Scores, choose_examples, load_scores, measure_tasks, save_scores
from tests.evaluation.small import PYTHON, RUBY, write_dataset


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "dataset", {"python": PYTHON, "ruby": RUBY})


def measure(dataset: Path, *, looks_at: tuple[str, ...] = ()) -> list[Scores]:
    return list(
        measure_tasks(
            "bm25",
            "exam",
            ["procqa"],
            [dataset],
            EvaluateConfig(),
            encoder=None,
            looks_at=looks_at,
            report=lambda *_: None,
        )
    )


def test_scores_are_those_of_evaluate(dataset: Path) -> None:
    scores = measure(dataset)
    expected = {
        result.task: result.metrics["mrr@1000"]
        for result in evaluate(["bm25"], ["procqa"], [dataset], EvaluateConfig())
    }
    assert {one.task: one.mean for one in scores} == {f"exam/{task}": value for task, value in expected.items()}
    assert {one.family for one in scores} == {"exam/procqa"}
    assert [(one.measure, one.documents) for one in scores] == [("mrr@1000", 5), ("mrr@1000", 2)]
    assert [one.queries for one in scores] == [("local:4", "local:5"), ("local:7",)]


def test_what_is_saved_is_what_is_loaded(dataset: Path, tmp_path: Path) -> None:
    scores = measure(dataset, looks_at=("slices",))
    path = tmp_path / "scores" / "exam.jsonl"
    save_scores(path, {"cpu_s": 1.5}, scores)
    told, loaded = load_scores(path)
    assert told == {"cpu_s": 1.5}
    for one, again in zip(scores, loaded, strict=True):
        assert np.array_equal(one.values, again.values)
        assert (one.queries, one.groups, one.task, one.labels) == (
            again.queries,
            again.groups,
            again.task,
            again.labels,
        )


def test_everything_that_is_saved_is_loaded(tmp_path: Path) -> None:
    whole = Scores(
        task="exam/procqa:go",
        family="exam/procqa",
        measure="mrr@1000",
        documents=9,
        revision="abc",
        queries=("local:1", "local:2"),
        groups=("text a", "group b"),
        values=np.array([0.5, 1 / 3]),
        seen=(True, False),
        labels={"language": [("go",), ("c", "go")]},
        traced={"go": {"python": 2}},
        examples=({"query": "a\nb", "hit": "c"},),
    )
    save_scores(tmp_path / "one.jsonl", {}, [whole])
    (loaded,) = load_scores(tmp_path / "one.jsonl")[1]
    for name in (field.name for field in fields(Scores)):
        if name != "values":
            assert getattr(loaded, name) == getattr(whole, name), name
    assert loaded.values.tolist() == whole.values.tolist()


def test_labels_are_kept_where_slices_are_looked_at(dataset: Path) -> None:
    python, _ = measure(dataset, looks_at=("slices",))
    assert python.labels is not None
    assert python.labels["language"] == [("python",), ("python",)]
    assert measure(dataset)[0].labels is None


def test_examples_are_of_every_cause() -> None:
    def example(cause: str, query: str) -> Example:
        miss = Miss(query_id=query, right="r", rank=20, hits=(), cause=cause)
        return Example(miss=miss, query=query, right="", hits=())

    found = choose_examples([example("a", "1"), example("a", "2"), example("a", "3"), example("b", "4")])
    assert [one.query for one in found] == ["1", "2", "4"]
