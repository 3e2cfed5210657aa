"""Bodies and tags: any text gives Markdown whose code is read back exactly, and no tag is lost."""

import io
import re

from bs4 import BeautifulSoup
from hypothesis import strategies as st

from procqa.config import LANGUAGES
from procqa.dump.blocks import read_blocks, rows_in
from procqa.dump.body import convert_general, to_markdown
from procqa.dump.rows import Unreadable, parse_tags, read_row, to_post
from procqa.dump.tags import attributes_of, decode, name_of, split_tags
from procqa.dump.usual_body import convert_usual
from procqa.pairs.english import is_english
from procqa.pairs.languages import language_of, parse_languages
from procqa.text import count_chars, fence, join, segments
from tests.dump import usual_posts
from tests.fuzz.mutations import mutated
from tests.fuzz.rows import SAMPLE

NAMES = "p ul ol li pre code table tr td th br h1 h3 blockquote del sup kbd script style a img hr em String div dl dd"
PIECES = (
    *(f"<{name}>" for name in NAMES.split()),
    *(f"</{name}>" for name in NAMES.split()),
    *("<!--", "-->", "<!-- language: lang-js -->", "<!-- language-all: x -->", "<!language next x>", "<!", "<?", "<"),
    *(">", "\n\n", "\n", "  ", "\t", "\r\n", "\0", "\u00a0", "\u2028", "\u202e", "&", "&lt;", "&#96;", "&#", "&#x0;"),
    *(
        "&amp;amp;",
        "&#1114112;",
        "&nbsp",
        "`",
        "``",
        "```",
        "````",
        "~~~",
        "\\",
        "\\\\",
        "$x_1$",
        "word",
        "[",
        "]",
        "](",
        "|",
    ),
    *('<a href="http://x.org/a b(c)">', "<a href='//x'>", '<a href="javascript:x">', '<img src="http://x" alt="[`">'),
    *(
        '<a b="',
        "<pre class='lang-py'",
        '<pre class="lang-c++ s-code-block">',
        '<ol start="9999999999">',
        "- ",
        "1. ",
        "# ",
    ),
)


def _sample_bodies() -> tuple[str, ...]:
    bodies = []
    for block in read_blocks(io.BytesIO(SAMPLE.read_bytes()), name="sample"):
        for _, raw in rows_in(block):
            row = read_row(raw)
            if not isinstance(row, Unreadable) and row.kind != "other":
                bodies.append(to_post(raw, site="local").body_html)
    return tuple(body for body in bodies if len(body) < 3_000)


REAL_BODIES = _sample_bodies()[::5]
MUTATED = mutated([body.encode() for body in REAL_BODIES], [piece.encode() for piece in PIECES])
BODY = st.one_of(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=25).map("".join),
    MUTATED.map(lambda data: data.decode(errors="replace")),
    st.text(),
)


def check_body(html: str) -> None:
    """A body gives Markdown; its code blocks are no more than it opens, and survive being split and joined."""
    markdown = to_markdown(html)
    spans = segments(markdown)
    assert sum(span.kind == "code" for span in spans) <= html.lower().count("<pre")
    assert segments(join(spans)) == spans
    assert sum(count_chars(markdown)) == sum(len(span.text) for span in spans)
    assert to_markdown(html) == markdown
    is_english(markdown)


USUAL_BODY = st.one_of(
    st.lists(usual_posts.PIECES, max_size=30).map("".join), usual_posts.SPOILED, usual_posts.USUAL, BODY
)


def check_ways(html: str) -> None:
    """The fast way gives what the general way gives, or nothing."""
    usual = convert_usual(html)
    assert usual is None or usual == convert_general(html)


def check_words_and_code(html: str) -> None:
    """A well-formed post keeps the code blocks and the words that an independent parser finds in it."""
    soup = BeautifulSoup(html, "html.parser")
    markdown = to_markdown(html)
    expected = [block.get_text() for block in soup.find_all("pre")]
    assert [span.text for span in segments(markdown) if span.kind == "code"] == expected
    assert set(re.findall(r"\w+", soup.get_text(" "))) <= set(re.findall(r"\w+", markdown))


def check_code(code: str) -> None:
    """Code comes back as it was, alone and among prose."""
    assert [span.text for span in segments(f"a\n\n{fence(code, 'python')}\n\nb") if span.kind == "code"] == [code]
    escaped = code.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for html in (f"<pre><code>{escaped}</code></pre>", f"<ul><li>a<pre><code>{escaped}</code></pre>b</li></ul>"):
        assert [span.text for span in segments(to_markdown(html)) if span.kind == "code"] == [code]


CODE = st.text() | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def check_html_tags(html: str) -> None:
    """Text and tags in turn are the HTML again, and every tag has a name."""
    html = re.sub("<!+", "<", html)
    parts = split_tags(html)
    again = "".join(part if place % 2 == 0 else f"<{part}>" for place, part in enumerate(parts))
    assert again == html
    for tag in parts[1::2]:
        assert name_of(tag) == name_of(tag).lower() != ""
        assert all(name for name in attributes_of(tag))
    decode(html)


TABLE = parse_languages(LANGUAGES)
TAG_NAME = st.sampled_from(["c++", "c#", ".net", "python-3.x", "java", "é", "a&b", "x'", '"']) | st.text(
    st.characters(exclude_characters="<>|", exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"]), min_size=1, max_size=8
)
TAG_LISTS = st.lists(TAG_NAME, max_size=6)


def check_post_tags(tags: list[str]) -> None:
    """The tags of a post are read alike in both styles, and give one language or none."""
    tags = [tag for tag in tags if not re.search(r"\s", tag)]
    old, new = "".join(f"<{tag}>" for tag in tags), f"|{'|'.join(tags)}|"
    for style in (old, new):
        escaped = style.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
        assert parse_tags(escaped.encode()) == tuple(tags)
    assert language_of(tags, TABLE) in (None, *LANGUAGES)
