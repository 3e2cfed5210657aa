"""The fast way from HTML to Markdown: it gives what the general way gives, or leaves the post to it."""

import html as html_module
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from procqa.bundled import sample_dump
from procqa.dump.blocks import read_blocks, rows_in
from procqa.dump.body import convert_general, to_markdown
from procqa.dump.rows import Unreadable, read_row, to_post
from procqa.dump.usual_body import convert_usual
from tests.dump.random_posts import CODE, POST
from tests.dump.usual_posts import PIECES, SPOILED, USUAL

DUMPS = Path(__file__).parents[3] / "shared" / "data" / "dumps"


def check(html):
    """The fast way says the same as the general way where it says anything."""
    usual = convert_usual(html)
    assert usual is None or usual == convert_general(html)
    return usual


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>One\n line.</p>\n\n<p>Two &lt;b&gt; &amp;lt;&nbsp; .</p>\n", "One line.\n\nTwo <b> &lt; ."),
        ("<p>&quot;it&#39;s&quot;</p>", "\"it's\""),
        ("<p>un<em>do</em> <strong>all</strong> <b>b</b><i>i</i></p>", "undo all bi"),
        ("<P>a</P><p>b\u2003\u00a0\u3000\u0085c\u2013d</p>", "a\n\nb c–d"),
        ("<p>a<br>b<br/>c <br /> <br>d<br></p>", "a  \nb  \nc\n\nd"),
        ("<h1>A</h1><h2>B <code>c</code></h2><h6>d</h6><h3></h3>e", "# A\n\n## B `c`\n\n###### d\n\ne"),
        ("a<hr /><p>b</p>", "a\n\n---\n\nb"),
        ("<p>stray ` and ``x``</p>", "stray \\` and \\`\\`x\\`\\`"),
        ("<code>a  b</code> <code>a\r\nb</code> <code>a`b</code>", "`a  b` `a b` ``a`b``"),
        ("<code>`a</code> <code> a </code> <code>\n&lt;</code>", "`` `a `` `  a  ` ` <`"),
        ("<p>`<code>a</code><code>b</code></p>", "\\` `a` `b`"),
        ("<ul>\n<li><p>a</p></li>\n<li><p>b</p>\n<p>c</p></li>\n<li>d</li>\n</ul>", "- a\n- b\n\n  c\n\n- d"),
        ('<ol start="9"><li>a<ul><li>b<br>c</ul><li>d</ol><ul><li>e</ul>', "9. a\n   - b  \n     c\n10. d\n\n- e"),
        ("<blockquote>a<blockquote>b</blockquote>c<br>d</blockquote>", "> a\n>\n> > b\n>\n> c  \n> d"),
        ("<ul><li><blockquote><p>a</p><p>b</p></blockquote></li></ul>", "- > a\n  >\n  > b"),
        ("<ol><li>a<pre><code>x\n</code></pre><p>c</p></li><li>d</li></ol>", "1. a\n\n```\nx\n```\n\nc\n\n2. d"),
        ("<pre><code>a</code></pre><pre>```\n</pre>", "```\na\n````\n\n````\n```\n````"),
        ('<pre class="lang-py s-code-block"><code class="hljs language-rs">x\n</code></pre>', "```python\nx\n```"),
        ('<pre class="s"><code class="hljs language-typescript">x\n</code></pre>', "```typescript\nx\n```"),
        ('<pre class="lang-none"><code class="lang-js">x\n</code></pre>', "```\nx\n```"),
        ('<a href="https://x.org/a?b=1&amp;c=(2)" rel="nofollow">text</a>', "[text](https://x.org/a?b=1&c=%282%29)"),
        ('b<a href="http://x.org"> <code>f</code> [0] </a>.', "b [ `f` [0] ](http://x.org) ."),
        ('(<a href="http://x.org/">http://x.org/</a>)', "(http://x.org/)"),
        ('a<a href="http://x.org"> </a>b <a href="#top">up</a> <a href="/q/1">q</a>', "a b up q"),
        ('<p><img src="https://x.org/a.png" alt="a  &amp; b"> c</p>', "![a & b](https://x.org/a.png) c"),
        (
            '<a href="http://x.org"><img src="http://x.org/a.png" alt="" width="9" /></a>',
            "[![](http://x.org/a.png)](http://x.org)",
        ),
    ],
)  # fmt: skip
def test_usual_posts_are_taken_and_converted_as_the_general_way_does(html, markdown):
    assert convert_usual(html) == markdown
    assert convert_general(html) == markdown


@pytest.mark.parametrize(
    "html",
    [
        "",
        "a < b",
        "<p>~~~</p>",
        "a<br>~~~",
        "\\`",
        "a\\<code>b</code>",
        "<code></code>",
        "<code> &nbsp;</code>",
        "<code>a<br>b</code>",
        "<code>a",
        "<pre>a",
        "<pre>a<b>b</b></pre>",
        "<h1>a<br>b</h1>",
        "<h1>a<p>b</p></h1>",
        "<p>&hellip; &copy &#65;</p>",
        "<table><tr><td>a</td></tr></table>",
        "<!-- language: lang-js --><pre>x</pre>",
        "Map<String>",
        '<a href="http://x.org">a]</a>',
        '<a href="http://x.org">a\\</a>',
        '<a href="http://x.org">a<br>b</a>',
        '<a href="http://x.org"><a href="http://y.org">b</a>',
        '<a href="javascript:x">a</a>',
        '<a href="//x.org">a</a>',
        '<a href="http://x.org/\u00a0">a</a>',
        '<p title="a',
        "<blockquote>" * 13 + "a",
        "<ol><li>" * 20 + "a",
        '<pre class="lang-C++">x</pre>',
    ],
)
def test_what_it_is_not_sure_of_is_left_to_the_general_way(html):
    assert convert_usual(html) is None
    assert to_markdown(html) == convert_general(html)


@settings(max_examples=600, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
@example("<ul><li><pre>x</pre></li><li>a</li></ul><ul><li>b")
@example('`<a href="http://x"><code>a</code></a>')
@example("<li>a</li><pre>x</pre><li>b</li>")
def test_any_row_of_pieces_is_converted_as_the_general_way_does(html):
    check(html)


@settings(max_examples=300, deadline=None)
@given(USUAL)
def test_well_formed_posts_of_usual_pieces_are_all_taken(html):
    assert check(html) is not None


@settings(max_examples=300, deadline=None)
@given(POST)
def test_well_formed_posts_are_converted_as_the_general_way_does(html):
    check(html)


@settings(max_examples=300, deadline=None)
@given(SPOILED)
def test_spoiled_posts_are_converted_as_the_general_way_does(html):
    check(html)


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_is_converted_as_the_general_way_does(text):
    check(text)
    check(f"<p>{text}</p>")
    check(f"<p>a<code>{text}</code></p><pre><code>{text}</code></pre>")


@settings(max_examples=200, deadline=None)
@given(CODE)
def test_code_is_taken_whatever_it_holds(code):
    escaped = html_module.escape(code).replace("&#x27;", "&#39;")
    assert check(f"<p>a</p><pre><code>{escaped}</code></pre>") is not None


@pytest.mark.parametrize("code", ["`" * 499, "`" * 600, "`" * 100_000])
def test_long_runs_of_back_ticks_stay_in_their_bounds(code):
    for html in (f"<pre>{code}</pre>", f"<code>{code}</code>", f"<p>{code}</p>"):
        check(html)


@pytest.mark.parametrize(
    "piece",
    [
        "<li>",
        "<ul><li>",
        "a<br>",
        "a<br><br>",
        "<hr>",
        "<p>a",
        "<h6>a</h6>",
        "<blockquote>a</blockquote>",
        "<pre></pre>",
        "<code>a</code>",
        '<a href="http://x' + "(" * 990 + '">a</a>',
        '<img src="http://x' + "(" * 990 + '">',
        "`",
        "&lt;",
        "&nbsp;",
    ],
)
def test_what_grows_most_stays_within_the_output(piece):
    for before in ("", "<blockquote><ol><li><blockquote><ol><li>"):
        for times in (1, 2, 30, 300):
            check(before + piece * times)


@pytest.mark.parametrize(
    "html", ["\ud800 lone", "<p>\ud800\udc00</p>", "\0", "<\0>", "a\0b<p>\0</p>", "<p>\x1c\x85</p>"]
)
def test_odd_characters_are_kept_as_the_general_way_keeps_them(html):
    check(html)


def share_taken(path):
    bodies = []
    with path.open("rb") as stream:
        for block in read_blocks(stream, name=path.name):
            for _, raw in rows_in(block):
                row = read_row(raw)
                if not isinstance(row, Unreadable) and row.kind != "other":
                    bodies.append(to_post(raw, site="local").body_html)
    return sum(check(body) is not None for body in bodies) / len(bodies)


def test_nearly_all_posts_of_the_sample_are_taken():
    assert share_taken(sample_dump()) > 0.9


@pytest.mark.skipif(not DUMPS.exists(), reason="the dumps are not beside the repository")
@pytest.mark.parametrize("name", ["stackoverflow-2008-excerpt.xml", "ai.stackexchange-2016.xml"])
def test_most_posts_of_a_real_dump_are_taken(name):
    assert share_taken(DUMPS / name) > 0.8
