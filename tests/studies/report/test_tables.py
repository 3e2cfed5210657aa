"""Tables of text."""

from pathlib import Path

from procqa.studies.report.tables import tell_scores, tell_table
from procqa.studies.results import load_found
from tests.studies.lines import score, small_lines, write_found


def test_scores_have_a_row_a_task_and_a_column_an_arm_with_bm25_last(tmp_path: Path):
    static, tiny = tell_scores(load_found(write_found(tmp_path, small_lines())))
    assert (static.title, tiny.title) == ("benchmarks, static", "benchmarks, tiny")
    assert static.head == ["task", "measure", "queries", "documents", "before", "trained", "bm25"]
    cells = ["0.400 (0.300 to 0.500)", "0.500 (0.400 to 0.600)", "0.450 (0.350 to 0.550)"]
    assert static.rows == [["cosqa", "mrr@1000", "100", "500", *cells]]


def test_bm25_stands_beside_the_same_queries_alone_and_seen_queries_are_told(tmp_path: Path):
    scores = [
        score("bm25", "words", "e/procqa", 0.5, queries=300, is_family=True),
        score("trained", "tiny", "e/procqa", 0.6, queries=100, is_family=True, seen=7, ci95=[None, None]),
    ]
    (grid,) = tell_scores(load_found(write_found(tmp_path, [small_lines()[0], *scores])))
    assert grid.rows == [["procqa, all", "mrr@1000", "100", "500", "0.600 (no interval), 7 seen in training", ""]]


def test_shares_are_per_cent_and_measures_are_not():
    causes = {
        "look": "traces",
        "title": "why",
        "head": ["arm", "language", "n", "found"],
        "rows": [["a", "go", 1200, 0.25]],
    }
    assert tell_table(causes).rows == [["a", "go", "1,200", "25.0 %"]]
    slices = {
        "look": "slices",
        "title": "slices",
        "head": ["of", "slice", "n", "from"],
        "rows": [["tag", "x", 20, None]],
    }
    assert tell_table(slices).rows == [["tag", "x", "20", "–"]]
