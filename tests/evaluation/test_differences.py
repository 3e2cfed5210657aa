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


def test_repeated_queries_are_one_draw_and_several_tasks_are_corrected_for(tmp_path: Path):
    ranks = {f"q{n}": 1 for n in range(8)}
    lines = [line(task=task, ranks=ranks, groups=dict.fromkeys(ranks, "0")) for task in ("a", "b")]
    after = [told | {"ranks": dict.fromkeys(ranks, 2)} for told in lines]

    found = compare_results(write(tmp_path / "a", *lines), write(tmp_path / "b", *after), CONFIG).pairs

    # One group: each of the two assignments of its sign is as large.
    assert [(pair.p, pair.p_holm) for pair in found] == [(1, 1), (1, 1)]
    alone = [told | {"groups": {}} for told in lines]
    sure = compare_results(write(tmp_path / "c", *alone), write(tmp_path / "b", *after), CONFIG).pairs
    assert [pair.p_holm for pair in sure] == [pytest.approx(2 * pair.p) for pair in sure]


def test_ranks_that_one_of_them_did_not_look_at_are_left_out(tmp_path: Path):
    shallow = line(metrics={"mrr@10": 0.5}, ranks={"q1": 1, "q2": 2, "q3": 0})
    deep = line(metrics={"mrr@1000": 0.5}, ranks={"q1": 1, "q2": 2, "q3": 40})

    (pair,) = compare_results(write(tmp_path / "a", shallow), write(tmp_path / "b", deep), CONFIG).pairs

    assert (pair.depth, pair.better, pair.worse, pair.moves) == (10, 0, 0, ())


def test_an_older_file_is_compared_by_its_protocol(tmp_path: Path):
    before, after = (line(setting={}, protocol=f"{tokens} tokens") for tokens in (128, 512))

    (pair,) = compare_results(write(tmp_path / "a", before), write(tmp_path / "b", after), CONFIG).pairs
    (mixed,) = compare_results(
        write(tmp_path / "a", before), write(tmp_path / "b", line(protocol="512 tokens")), CONFIG
    ).pairs

    assert pair.differs == mixed.differs == {"protocol": ("128 tokens", "512 tokens")}


def test_what_one_does_not_tell_is_named_and_not_taken_for_different(tmp_path: Path):
    before = line()
    setting = {name: value for name, value in before["setting"].items() if name != "pool"}

    (pair,) = compare_results(write(tmp_path / "a", before), write(tmp_path / "b", line(setting=setting)), CONFIG).pairs

    assert (pair.differs, pair.not_told) == ({}, ("pool",))


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
