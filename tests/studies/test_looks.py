"""Tables of slices and of causes, from scores made by hand."""

from dataclasses import replace

import pytest

from procqa.studies.looks import tell_examples, tell_slices, tell_traces
from procqa.studies.measuring import Scores
from procqa.studies.running import Run
from tests.studies.scores import make_scores


def run(seed: int, scores: Scores, *, arm: str = "new", base: str = "static") -> Run:
    return Run(arm=arm, base=base, seed=seed, sha256="s", stages=(), costs={"one": 1.0}, scores=(scores,))


def labelled(values: list[float]) -> Scores:
    tags = [("pandas",) if place < 20 else ("flask", "rare") if place == 20 else ("flask",) for place in range(45)]
    return replace(make_scores(values, task="exam/procqa:python"), labels={"tag": tags})


def test_a_slice_has_the_mean_of_its_queries_beside_that_of_words() -> None:
    runs = [run(1, labelled([1.0] * 20 + [0.0] * 25)), run(2, labelled([0.5] * 20 + [0.0] * 25))]
    words = run(0, labelled([0.25] * 45), arm="bm25", base="words")
    (table,) = tell_slices(runs, words)
    assert table["title"] == "exam/procqa: slices, new on static"
    assert table["head"] == ["of", "slice", "queries", "bm25", "mean", "from", "to"]
    assert [row[:5] for row in table["rows"]] == [["tag", "flask", 25, 0.25, 0.0], ["tag", "pandas", 20, 0.25, 0.75]]


def test_ranges_of_numbers_rise_and_other_slices_stand_by_name() -> None:
    ranges = ["1 to 5 words", "11 to 25 words", "6 to 10 words"]
    labels = {
        "query length": [(ranges[place % 3],) for place in range(60)],
        "language": [("rust",) if place < 30 else ("c",) for place in range(60)],
    }
    scores = replace(make_scores([1.0] * 60, task="exam/procqa:python"), labels=labels)
    (table,) = tell_slices([run(1, scores)], run(0, scores, arm="bm25", base="words"))
    assert [row[1] for row in table["rows"]] == ["c", "rust", "1 to 5 words", "6 to 10 words", "11 to 25 words"]


def test_causes_are_shares_of_the_right_programs_over_all_seeds() -> None:
    first, second = (
        replace(make_scores([1.0], task="exam/rosetta:go-all"), traced={"java": causes})
        for causes in ({"found": 3, "far from the query": 1}, {"found": 1, "languages keep to themselves": 3})
    )
    (table,) = tell_traces([run(1, first), run(2, second)])
    assert table["head"] == [
        "arm",
        "language of the right program",
        "right programs",
        "found",
        "far from the query",
        "languages keep to themselves",
    ]
    (row,) = table["rows"]
    assert row == ["new", "java", 4, pytest.approx(0.5), pytest.approx(0.125), pytest.approx(0.375)]


def test_examples_are_those_of_the_first_seed() -> None:
    scores = replace(make_scores([0.0]), examples=({"query": "q", "right": "r"},))
    (example,) = tell_examples([run(1, scores), run(2, scores)])
    assert example == {"base": "static", "arm": "new", "task": "exam/cosqa", "query": "q", "right": "r"}


def test_runs_without_labels_or_traces_give_no_table() -> None:
    runs = [run(1, make_scores([1.0]))]
    assert list(tell_slices(runs, run(0, make_scores([1.0]), arm="bm25", base="words"))) == []
    assert list(tell_traces(runs)) == []
