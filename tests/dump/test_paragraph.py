"""One paragraph: which marks are written, what is escaped, where words part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from procqa.dump.paragraph import Paragraph, escape_tildes, in_one_line, to_prose

LINK = 'a href="http://x.org"'


def written(*steps):
    """The paragraph of steps: text, or the name of a method and its argument."""
    paragraph = Paragraph()
    for step in steps:
        if isinstance(step, str):
            paragraph.inline.append(to_prose(step))
        else:
            method, argument = step
            getattr(paragraph, method)(argument)
    return paragraph.take_inline()


@pytest.mark.parametrize(
    ("steps", "markdown"),
    [
        ((), ""),
        (("  a\n b\t", "c "), "a b c"),
        (("a", ("add_line_break", "br"), " b"), "a  \nb"),
        ((("add_line_break", "br"), "a"), "a"),
        (("a", ("add_line_break", "br"), ("add_line_break", "br"), "b"), "a\n\nb"),
        (("10", ("start_raised", "sup"), "6", ("end_word", "/sup"), "x"), "10^6 x"),
        ((("start_raised", "sup"), "1", ("end_word", "/sup"), ", x"), "1, x"),
        (("press", ("start_key", "kbd"), "C", ("end_word", "/kbd"), ("add_code_span", "x")), "press C `x`"),
        ((("start_struck", "del"), "a", ("end_struck", "/del"), "b"), "~~a~~b"),
        ((("start_struck", "del"), "a"), "~~a~~"),
        ((("start_struck", "del"), " ", ("end_struck", "/del"), "b"), "b"),
    ],
)
def test_marks_and_blanks(steps, markdown):
    assert written(*steps) == markdown


@pytest.mark.parametrize(
    ("steps", "markdown"),
    [
        ((("start_link", LINK), "a", ("end_link", "/a"), "b"), "[a](http://x.org)b"),
        ((("start_link", LINK), "a"), "[a](http://x.org)"),
        ((("start_link", LINK), "a", ("start_link", LINK), "b"), "[a](http://x.org)[b](http://x.org)"),
        ((("start_link", LINK), "http://x.org", ("end_link", "/a")), "http://x.org"),
        ((("start_link", LINK), " ", ("end_link", "/a"), "b"), "b"),
        (("a", ("start_link", "a href='//x.org/a b'"), "b", ("end_link", "/a")), "a[b](https://x.org/a%20b)"),
        ((("start_link", 'a href="/questions/1"'), "a", ("end_link", "/a")), "a"),
        ((("start_link", 'a href="javascript:x"'), "a", ("end_link", "/a")), "a"),
        ((("add_image", 'img src="http://x.org/a.png" alt="[a`"'),), "![\\[a\\`](http://x.org/a.png)"),
        ((("add_image", 'img src="a.png" alt="a"'),), "a"),
    ],
)
def test_links_and_images(steps, markdown):
    assert written(*steps) == markdown


@pytest.mark.parametrize(
    ("steps", "markdown"),
    [
        ((("add_code_span", "a  b"), " c  d"), "`a  b` c d"),
        ((("add_code_span", "``"),), "``` `` ```"),
        (("a\\", ("add_code_span", "b")), "a\\\\`b`"),
        ((("add_code_span", "a"), ("add_code_span", "b")), "`a` `b`"),
        (("a", ("add_code_span", " "), "b", ("add_code_span", "")), "a b"),
    ],
)
def test_code_spans_keep_their_blanks_and_apart(steps, markdown):
    assert written(*steps) == markdown


@given(st.text(alphabet="`\\ab ~&;"), st.text(alphabet="`ab \\", min_size=1).filter(str.strip))
def test_a_commonmark_parser_finds_the_code_span_and_no_other(prose, code):
    inline = MarkdownIt("commonmark").parseInline(written("x " + prose, ("add_code_span", code)))[0]
    assert [token.content for token in inline.children if token.type == "code_inline"] == [code]


def test_taking_a_paragraph_closes_what_is_open_and_leaves_it_empty():
    paragraph = Paragraph()
    paragraph.start_struck("del")
    paragraph.start_link(LINK)
    paragraph.inline.append("a")
    paragraph.end_word("/kbd")
    assert paragraph.take_inline() == "~~[a](http://x.org)~~"
    assert paragraph.take_inline() == ""


def test_only_what_would_open_code_is_escaped():
    assert to_prose("&lt;b&gt; *a* _b_ # $x$ [c]") == "<b> *a* _b_ # $x$ [c]"
    assert to_prose("`a` \\`") == "\\`a\\` \\\\\\`"
    assert escape_tildes("~~~ a") == "\\~~~ a"
    assert escape_tildes("~~a~~ ~~~") == "~~a~~ ~~~"


def test_a_heading_or_cell_is_one_line():
    assert in_one_line("a  \nb\n\nc") == "a b c"
