"""A page: where blocks stand, what closes by itself, what is written of tables."""

import pytest

from procqa.dump.page import MAX_PREFIX_CHARS, Page
from procqa.text import fence

CODE = fence("x\n")
END = ("end_block", "/p")


def written(*steps):
    """The page of steps: a paragraph's text, or the name of a method and its argument."""
    page = Page()
    for step in steps:
        if isinstance(step, str):
            page.inline.append(step)
        else:
            method, argument = step
            getattr(page, method)(argument)
    return page.finish()


@pytest.mark.parametrize(
    ("steps", "markdown"),
    [
        ((), ""),
        (("a", END, "  b\n c ", END, " "), "a\n\nb c"),
        (("a", END, ("put_code", CODE), "b"), "a\n\n```\nx\n```\n\nb"),
        ((("start_heading", "h2"), "a", ("add_line_break", "br"), "b", ("end_heading", "/h2"), "c"), "## a b\n\nc"),
        ((("start_heading", "h2"), ("end_heading", "/h2"), "a"), "a"),
        (("a", ("add_rule", "hr"), "b"), "a\n\n---\n\nb"),
        (("List", ("add_unknown_tag", "T&amp;")), "List<T&>"),
        (("~~~",), "\\~~~"),
    ],
)
def test_blocks_are_parted_by_an_empty_line(steps, markdown):
    assert written(*steps) == markdown


UL, LI, QUOTE = ("start_list", "ul"), ("start_item", "li"), ("start_quote", "blockquote")


@pytest.mark.parametrize(
    ("steps", "markdown"),
    [
        ((UL, LI, "a", LI, "b", ("end_frame", "/ul"), "c"), "- a\n- b\n\nc"),
        ((("start_list", 'ol start="3"'), LI, "a", ("end_item", "/li"), LI, "b"), "3. a\n4. b"),
        ((("start_list", 'ol start="x"'), LI, "a", UL, LI, "b"), "1. a\n   - b"),
        ((QUOTE, "a", END, "b", ("end_frame", "/blockquote"), "c"), "> a\n>\n> b\n\nc"),
        ((UL, LI, QUOTE, "a", END, "b"), "- > a\n  >\n  > b"),
        ((UL, LI, "a", END, ("put_code", CODE), "b", LI, "c"), "- a\n\n```\nx\n```\n\nb\n\n- c"),
        ((QUOTE, "a", END, ("put_code", CODE), "b"), "> a\n\n```\nx\n```\n\n> b"),
        ((UL, LI, "a", UL, ("end_item", "/li"), LI, "b"), "- a\n- b"),
        ((("end_item", "/li"), ("end_frame", "/ul"), ("end_frame", "/blockquote"), "a"), "a"),
    ],
)
def test_containers_stand_before_their_content_and_code_at_column_0(steps, markdown):
    assert written(*steps) == markdown


def test_deep_containers_stop_indenting():
    lists = written(*[UL, LI] * 1000, "a", END, "b")
    assert max(map(len, lists.splitlines())) <= 2 * MAX_PREFIX_CHARS
    assert lists.splitlines()[-1] == " " * MAX_PREFIX_CHARS + "b"
    assert written(*[QUOTE] * 1000, "a") == "> " * (MAX_PREFIX_CHARS // 2) + "a"


TABLE, ROW, CELL = ("start_table", "table"), ("start_row", "tr"), ("start_cell", "td")


@pytest.mark.parametrize(
    ("steps", "markdown"),
    [
        ((TABLE, ROW, CELL, "a", CELL, "b|c", ROW, CELL, "d"), "| a | b\\|c |\n| --- | --- |\n| d |"),
        ((TABLE, ROW, CELL, CELL, "a", ("end_frame", "/table"), "b"), "|  | a |\n| --- | --- |\n\nb"),
        ((TABLE, ROW, CELL, "a", END, ("put_code", CODE), "b"), "| a b |\n| --- |\n\n```\nx\n```"),
        ((TABLE, ROW, CELL, "a", TABLE, ROW, CELL, "b"), "| a b |\n| --- |"),
        ((ROW, CELL, "a", CELL, "b", ("end_row", "/tr"), "c"), "a\n\nb\n\nc"),
        ((TABLE, ROW, ("end_frame", "/table")), ""),
        ((TABLE, ROW, CELL, "a", ("end_row", "/tr"), "b", END, "c"), "| a |\n| --- |\n\nb\n\nc"),
        ((TABLE, ROW, CELL, "a", ("end_row", "/tr"), ("put_code", CODE)), "| a |\n| --- |\n\n```\nx\n```"),
    ],
)
def test_the_first_row_of_a_table_is_its_head(steps, markdown):
    assert written(*steps) == markdown


def test_a_hint_is_taken_once_and_one_for_all_code_stays():
    page = Page()
    assert page.take_hint() == ""
    page.add_hint("!language all lang-py")
    page.add_hint("!language next lang-js")
    page.add_hint("!language perhaps lang-go")
    assert [page.take_hint(), page.take_hint(), page.take_hint()] == ["javascript", "python", "python"]
