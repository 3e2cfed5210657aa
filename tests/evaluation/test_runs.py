"""TREC files that every tool reads in the order that was measured."""

from pathlib import Path

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from procqa.errors import ArtifactError, BenchmarkError, ConfigError
from procqa.evaluation.runs import check_file, open_run, strictly_falling, write_qrels


def test_a_run_has_the_six_columns_and_falling_scores(tmp_path: Path):
    path = tmp_path / "run.txt"

    with open_run(path, tag="hybrid:my model") as run:
        run.write("q1", ["b", "a", "c", "d"], np.array([1.5, 1.5, 0, 0], np.float32))
        run.write("q2", ["a"], np.array([-0.25], np.float32))

    assert path.read_text() == (
        "q1 Q0 b 1 1.5 hybrid:my_model\n"
        "q1 Q0 a 2 1.49999988 hybrid:my_model\n"
        "q1 Q0 c 3 0 hybrid:my_model\n"
        "q1 Q0 d 4 0 hybrid:my_model\n"
        "q2 Q0 a 1 -0.25 hybrid:my_model\n"
    )
    assert [file.name for file in tmp_path.iterdir()] == ["run.txt"]


def test_trec_eval_reads_equal_scores_in_the_order_they_were_written(tmp_path: Path):
    path = tmp_path / "run.txt"
    documents = [f"d{number:04}" for number in range(1_000)]

    with open_run(path, tag="t") as run:
        run.write("q", documents, np.array([2.0] * 500 + [-1.0] * 500, np.float32))

    with path.open() as stream:
        read = pytrec_eval.parse_run(stream)
    for place in (0, 9, 10, 11, 999):
        evaluator = pytrec_eval.RelevanceEvaluator({"q": {documents[place]: 1}}, {"recip_rank"})
        assert evaluator.evaluate(read)["q"]["recip_rank"] == pytest.approx(1 / (place + 1), abs=1e-9)


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False), max_size=50))
def test_scores_fall_strictly_and_change_only_where_they_are_equal(values):
    scores = np.array(sorted(values, reverse=True), np.float32)

    falling = strictly_falling(scores)

    assert (falling[scores == 0] == 0).all()
    others = falling[scores != 0]
    assert (others[1:] < others[:-1]).all()
    assert (falling <= scores).all()
    if len(set(values)) == len(values) and 0.0 not in values:
        assert falling.tolist() == scores.tolist()


def test_the_scores_as_text_are_the_scores_in_single_precision():
    falling = strictly_falling(np.array([0.1, 0.1, 0, 0, 0, -7e-9], np.float32))

    assert [np.float32(f"{float(score):.9g}") for score in falling] == falling.tolist()


def test_qrels_are_written_by_query_and_document(tmp_path: Path):
    write_qrels(tmp_path / "qrels.txt", {"q2": {"a": 0}, "q1": {"b": 2, "a": 1}})

    assert (tmp_path / "qrels.txt").read_text() == "q1 0 a 1\nq1 0 b 2\nq2 0 a 0\n"


@pytest.mark.parametrize(("query", "document"), [("a b", "d"), ("", "d"), ("q", "d\t1"), ("q", "")])
def test_an_id_with_white_space_leaves_no_file(tmp_path: Path, query: str, document: str):
    with pytest.raises(BenchmarkError, match="without white space"), open_run(tmp_path / "run", tag="t") as run:
        run.write(query, [document], np.zeros(1, np.float32))
    with pytest.raises(BenchmarkError, match="without white space"):
        write_qrels(tmp_path / "qrels", {query: {document: 1}})

    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_leaves_the_old_file_as_it_was(tmp_path: Path):
    path = tmp_path / "run"
    path.write_text("old")

    with pytest.raises(BenchmarkError), open_run(path, tag="t") as run:
        run.write("q 1", [], np.zeros(0, np.float32))

    assert path.read_text() == "old"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "no" / "folder" / "run", tmp_path / "file" / "run"):
        with pytest.raises(ArtifactError, match="could not be written"):
            write_qrels(path, {})
    with pytest.raises(ConfigError, match="must be a file"):
        write_qrels(tmp_path, {})


def test_a_name_that_no_file_can_have_is_refused_before_anything_is_measured(tmp_path: Path):
    check_file(tmp_path / "new.html", "--report")
    for path in (tmp_path, tmp_path / "nowhere" / "new.html"):
        with pytest.raises(ConfigError, match="--report must name a file in a folder that exists"):
            check_file(path, "--report")
