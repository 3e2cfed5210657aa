"""What differs between two result files."""

import json
from pathlib import Path
from typing import Any

import pytest

from procqa.config import EvaluateConfig
from procqa.errors import ArtifactError
from procqa.evaluation.differences import compare_results

CONFIG = EvaluateConfig(bootstrap=100, permutations=100)


def line(**changes: Any) -> dict[str, Any]:
    setting = {name: name for name in ("metrics", "pool", "query", "document", "relevant", "data", "intervals")}
    ranker = {"protocol": "model A", "models": ["a"], "max_tokens": 128, "arithmetic": "torch fp32", "weight": None}
    told = {
        "task": "cosqa",
        "ranker": "model",
        "revision": "1",
        "queries": 3,
        "documents": 9,
        "metrics": {"mrr@1000": 0.5},
        "setting": setting | {"ranker": ranker},
        "ranks": {"q1": 1, "q2": 2, "q3": 0},
    }
    return told | changes


def write(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(told) + "\n" for told in lines))
    return path


def test_what_is_the_same_differs_in_nothing(tmp_path: Path):
    (pair,) = compare_results(write(tmp_path / "a", line()), write(tmp_path / "b", line()), CONFIG).pairs

    assert (pair.differs, pair.better, pair.worse, pair.moves, pair.delta, pair.p) == ({}, 0, 0, (), 0, 1)
    assert pair.common == 3


def test_data_truncation_precision_and_revision_are_named(tmp_path: Path):
    before = line()
    setting = before["setting"] | {"data": "other rows"}
    setting["ranker"] = setting["ranker"] | {"max_tokens": 256, "arithmetic": "torch bf16", "protocol": "model B"}
    after = line(setting=setting, revision="2", queries=4, metrics={"mrr@1000": 0.625, "map": 0.1})

    (pair,) = compare_results(write(tmp_path / "a", before), write(tmp_path / "b", after), CONFIG).pairs

    assert pair.differs == {
        "revision of the ranker": ("1", "2"),
        "queries": (3, 4),
        "data": ("data", "other rows"),
        "truncation (tokens read)": (128, 256),
        "precision": ("torch fp32", "torch bf16"),
        "ranker": ("model A", "model B"),
    }
    assert pair.metrics == {"mrr@1000": (0.5, 0.625)}


def test_the_queries_that_moved_most_come_first(tmp_path: Path):
    after = line(ranks={"q1": 2, "q2": 1, "q3": 4, "q4": 1})

    (pair,) = compare_results(write(tmp_path / "a", line()), write(tmp_path / "b", after), CONFIG).pairs

    assert [(move.query, move.before, move.after) for move in pair.moves] == [("q1", 1, 2), ("q2", 2, 1), ("q3", 0, 4)]
    assert (pair.common, pair.better, pair.worse) == (3, 2, 1)
    assert pair.delta == pytest.approx((-1 / 2 + 1 / 2 + 1 / 4) / 3)


def test_lines_without_ranks_are_compared_by_their_numbers(tmp_path: Path):
    plain = {name: value for name, value in line().items() if name != "ranks"}

    (pair,) = compare_results(write(tmp_path / "a", plain), write(tmp_path / "b", line()), CONFIG).pairs

    assert (pair.common, pair.delta, pair.moves) == (None, None, ())
    assert pair.metrics == {"mrr@1000": (0.5, 0.5)}


def test_two_rankers_are_matched_by_a_task_that_stands_once_in_each_file(tmp_path: Path):
    before = write(tmp_path / "a", line(), line(task="conala"), line(task="conala", ranker="bm25"))
    after = write(tmp_path / "b", line(ranker="other"), line(task="conala"))

    found = compare_results(before, after, CONFIG)

    assert [(pair.task, pair.rankers) for pair in found.pairs] == [
        ("cosqa", ("model", "other")),
        ("conala", ("model", "model")),
    ]
    assert found.unmatched == (f"conala by bm25 stands in {before} alone",)


def test_files_without_a_task_in_common_are_refused(tmp_path: Path):
    with pytest.raises(ArtifactError, match="must have a task in common"):
        compare_results(write(tmp_path / "a", line()), write(tmp_path / "b", line(task="conala")), CONFIG)
