"""A document falls into what stands under each of its headings."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.corpora.sections import Markup, markup_of, read_sections

MARKDOWN = """\
Intro line.

# Install #

Run this:

```bash
# not a heading
pip install x
```

## From source

    # indented code

Text.

Usage
=====

~~~
```
# still code
~~~
- item
---
1. item
2. item

Options
-------
| a | b |
|---|---|

### Empty

### Deep `code`
end
"""

RST = """\
=======
 Title
=======

Intro.

Install
-------

Run this::

    ----
    not a heading

Part
~~~~

Text.

Second
------

=====  =====
a      b
=====  =====

More.
"""


def told(text: str, markup: Markup) -> list[tuple[tuple[str, ...], int, str]]:
    return [(section.headings, section.line, section.text) for section in read_sections(text, markup)]


def test_markdown_is_cut_at_headings_and_never_in_code():
    assert [(headings, line, text[:20]) for headings, line, text in told(MARKDOWN, "markdown")] == [
        ((), 1, "Intro line."),
        (("Install",), 3, "Run this:\n\n```bash\n#"),
        (("Install", "From source"), 12, "    # indented code\n"),
        (("Usage",), 18, "~~~\n```\n# still code"),
        (("Usage", "Options"), 30, "| a | b |\n|---|---|"),
        (("Usage", "Options", "Deep `code`"), 37, "end"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        MARKDOWN.replace("### Empty\n", ""),
        "# a\n\nx\n\n#b\n\n####### c\n\n# d\\#\n\nx\n\n   ## e ##  \n\nx\n",
        "a\n\nb\n===\nc\n\n***\n- x\n---\ny\n\n    f\n---\nz\n",
    ],
)
def test_markdown_has_the_headings_that_another_reader_finds(text: str):
    tokens = pytest.importorskip("markdown_it").MarkdownIt().parse(text)
    expected = [(token.map[0] + 1, body.content) for token, body in pairwise(tokens) if token.type == "heading_open"]
    assert [(line, headings[-1]) for headings, line, _ in told(text, "markdown") if headings] == expected


def test_restructured_text_is_cut_at_underlined_titles():
    assert [(headings, line, text[:9]) for headings, line, text in told(RST, "rst")] == [
        (("Title",), 1, "Intro."),
        (("Title", "Install"), 7, "Run this:"),
        (("Title", "Install", "Part"), 15, "Text."),
        (("Title", "Second"), 20, "=====  =="),
    ]


@pytest.mark.parametrize("sign", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_lines_are_those_that_an_editor_counts(sign: str):
    assert told(f"a{sign}b\n{sign}\n# T\nx\n", "markdown") == [((), 1, f"a{sign}b"), (("T",), 3, "x")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_on_any_system(end: str):
    text = "a\n\n# T\n\nx\ny\n".replace("\n", end)
    assert told(text, "markdown") == [((), 1, "a"), (("T",), 3, "x\ny")]


def test_a_long_line_takes_a_bounded_time():
    for line in ("<!--" * 100_000, "# a" + " " * 200_000 + "b", "# " + "# " * 100_000 + "b", "~" * 200_000 + "`"):
        assert len(told(f"{line}\n\nx", "markdown")) == 1


def test_a_comment_alone_says_nothing_and_words_beside_one_do():
    assert told("<!-- a --> <!-- b\n -->", "text") == []
    assert [text for _, _, text in told("<!-- a --> b", "text") + told("<!-- a", "text")] == ["<!-- a --> b", "<!-- a"]


def test_plain_text_is_one_section_and_blank_text_none():
    assert told("\n# a\n\nb\n\n", "text") == [((), 2, "# a\n\nb")]
    assert told(" \n\n", "text") == told("# only a heading\n\n<!-- hidden -->\n", "markdown") == []


@pytest.mark.parametrize(
    ("name", "markup"),
    [
        ("README.md", "markdown"),
        ("a.MARKDOWN", "markdown"),
        ("index.rst", "rst"),
        ("notes.txt", "text"),
        ("README", "text"),
        ("Makefile", None),
        ("a.py", None),
        ("md", None),
    ],
)
def test_a_document_is_told_by_its_name(name: str, markup: Markup | None):
    assert markup_of(name) == markup


@given(st.text(alphabet="# -=~`\nab*>1.", max_size=200), st.sampled_from(["markdown", "rst", "text"]))
def test_any_text_is_cut_without_losing_a_line_that_says_something(text: str, markup: Markup):
    sections = told(text, markup)
    kept = "\n".join("\n".join([*headings, body]) for headings, _, body in sections)
    lines = [line for line in text.splitlines() if any(character in "ab1" for character in line)]
    if sections and markup == "text":
        assert all(line.rstrip() in kept for line in lines)
    assert [line for _, line, _ in sections] == sorted({line for _, line, _ in sections})
