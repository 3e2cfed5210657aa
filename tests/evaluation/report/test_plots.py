"""Plots as elements of a page."""

import re
from xml.etree import ElementTree

from procqa.evaluation.report.plots import Point, draw_matrix, draw_scores

GROUPS = {
    "cosqa": {"bm25": Point(0.3, 0.2, 0.4), "model": Point(0.5, 0.4, 0.6)},
    "conala": {"bm25": Point(0.6, 0.5, 0.7)},
}


def test_a_plot_is_one_element_that_takes_the_width_of_the_page():
    plot = draw_scores(GROUPS, ["bm25", "model"], label="mrr@1000")

    root = ElementTree.fromstring(plot)  # ours
    assert root.tag.endswith("svg")
    assert "viewBox" in root.attrib
    assert not {"width", "height"} & set(root.attrib)


def test_equal_numbers_give_equal_plots_without_a_date():
    first, second = (draw_scores(GROUPS, ["bm25", "model"], label="mrr@1000", zero=True) for _ in "ab")

    assert first == second
    assert not re.search(r"<dc:date>|Matplotlib v", first)


def test_names_are_drawn_as_they_are_written_and_cut_where_they_are_long():
    groups = {"a $x^2$ </svg><script>alert(1)</script>" + "long " * 20: {"bm25": Point(0.3, 0.2, 0.4)}}

    plot = draw_scores(groups, ["bm25"], label="$\\frac{")

    assert "<script" not in plot
    ElementTree.fromstring(plot)  # ours


def test_a_ranker_has_one_colour_in_every_plot():
    both = draw_scores(GROUPS, ["bm25", "model"], label="x")
    model_alone = draw_scores({"cosqa": {"model": Point(0.5, 0.4, 0.6)}}, ["bm25", "model"], label="x")

    assert "#0072b2" in both
    assert "#d55e00" in both
    assert "#0072b2" not in model_alone


def test_a_matrix_has_a_number_for_each_pair_that_is_known():
    plot = draw_matrix({("go", "rust"): 0.25, ("rust", "go"): 0.75, ("go", "go"): 1.0}, label="MAP")

    ElementTree.fromstring(plot)  # ours
    assert plot == draw_matrix({("go", "rust"): 0.25, ("rust", "go"): 0.75, ("go", "go"): 1.0}, label="MAP")
    assert plot != draw_matrix({("go", "rust"): 0.25, ("rust", "go"): 0.75, ("go", "go"): 0.5}, label="MAP")
