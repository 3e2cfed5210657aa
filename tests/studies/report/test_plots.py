"""The plots of a study: what they show, and that equal numbers give equal bytes."""

import struct
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

from procqa.evaluation.report.plots import Point
from procqa.figure import draw_element
from procqa.studies.report.dots import panels_of_scores, words_on
from procqa.studies.report.drawing import fold
from procqa.studies.report.plots import plots_of, write_plots
from procqa.studies.results import Found, line, load_found
from tests.studies.lines import Lines, contrast, score, small_lines, write_found

SLICES = [["language", "go", 30, 0.4, 0.5, 0.45, 0.55], ["tag", "channel </svg><script>", 20, 0.4, 0.6, None, None]]
CAUSES = [["trained", "go", 100, 0.5, 0.25, 0.25], ["before", "go", 100, 0.2, 0.0, 0.8]]


def looked_at() -> Lines:
    slices = {"look": "slices", "base": "static", "family": "programming/procqa"}
    heads = ["of", "slice", "queries", "bm25", "mean", "from", "to"]
    causes = ["found", "far from the query", "languages keep to themselves"]
    traces = {"look": "traces", "base": "static", "title": "why, static"}
    return [
        *(
            line("table", {**slices, "arm": arm, "title": f"slices, {arm}", "head": heads, "rows": SLICES})
            for arm in ("before", "trained")
        ),
        line("table", {**traces, "head": ["arm", "language", "right programs", *causes], "rows": CAUSES}),
    ]


def found(folder: Path, *more: dict) -> Found:
    return load_found(write_found(folder, [*small_lines(), *more]))


def test_a_study_has_a_plot_of_its_contrasts_its_scores_and_what_it_looks_at(tmp_path: Path):
    names = [plot.name for plot in plots_of(found(tmp_path, *looked_at()))]
    assert names == ["contrasts", "scores-benchmarks", "slices-1", "slices-2", "causes-1"]


def test_equal_numbers_give_equal_bytes_of_1200_pixels_width(tmp_path: Path):
    for name in ("one", "other"):
        write_plots(found(tmp_path / name, *looked_at()), tmp_path / name)
    plots = sorted(path.name for path in (tmp_path / "one").glob("*.png"))
    assert len(plots) == 5
    for plot in plots:
        drawn = (tmp_path / "one" / plot).read_bytes()
        assert drawn == (tmp_path / "other" / plot).read_bytes()
        assert struct.unpack(">I", drawn[16:20]) == (1_200,)
        assert len(drawn) < 200_000


def test_names_of_strangers_are_drawn_and_not_run(tmp_path: Path):
    for plot in plots_of(found(tmp_path, *looked_at())):
        element = draw_element(plot.draw)
        assert "<script" not in element
        assert ElementTree.fromstring(element).tag.endswith("svg")  # ours


def test_an_outcome_has_a_colour_and_decides_where_it_is_filled(tmp_path: Path):
    def drawn(name: str, one: dict) -> str:
        told = load_found(write_found(tmp_path / name, [small_lines()[0], one]))
        return draw_element(next(iter(plots_of(told))).draw)

    # The legend has each colour once in any case.
    supported, shown, refuted = (
        drawn("supported", contrast("better", "static", 0.04, 0.01)),
        drawn("shown", contrast("better", "static", 0.04, 0.01, decides=False)),
        drawn("refuted", contrast("worse", "static", 0.04, 0.01)),
    )
    assert supported.count("#0072b2") > refuted.count("#0072b2")
    assert refuted.count("#d55e00") > supported.count("#d55e00")
    assert shown != supported


def test_a_contrast_without_an_interval_is_drawn(tmp_path: Path):
    told = load_found(write_found(tmp_path, [small_lines()[0], contrast("better", "static", 0.04, None)]))
    (plot,) = plots_of(told)
    target = BytesIO()
    plot.draw(target)
    assert target.getvalue().startswith(b"<?xml")


def test_families_stand_for_tasks_that_no_contrast_names_and_bm25_beside_them(tmp_path: Path):
    scores = [
        *(score("bm25", "words", f"e/procqa:{name}", mean, queries=n) for name, mean, n in TASKS),
        *(score("trained", "static", f"e/procqa:{name}", mean, queries=n) for name, mean, n in TASKS[:2]),
        score("trained", "static", "e/procqa", 0.6, queries=40, is_family=True),
    ]
    told = load_found(write_found(tmp_path, [small_lines()[0], *scores]))
    (dots,) = panels_of_scores(told).values()
    (panel,) = dots.panels
    assert panel.title == "static"
    assert panel.rows == {"procqa": {"trained": Point(0.6, 0.5, 0.7)}}
    # Of the two tasks that the base was measured on, their queries pooled: (10 × 0.2 + 30 × 0.6) / 40.
    assert panel.words == {"procqa": 0.5}
    assert words_on("e/other", "static", told.scores) is None


TASKS = [("go", 0.2, 10), ("c", 0.6, 30), ("php", 1.0, 60)]


def test_a_long_name_beside_a_row_stands_in_two_lines_and_a_longer_one_is_shortened():
    assert fold("fewer than 2,000 answers in the language (208)") == "fewer than 2,000 answers in the language\n(208)"
    assert fold("at most 20 words") == "at most 20 words"
    assert fold("x" * 50) == "x" * 18 + "…" + "x" * 20
