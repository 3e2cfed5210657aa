"""Random posts of the pieces that the fast way of the converter takes, nearly takes, or should leave alone."""

import html as html_module

from hypothesis import strategies as st

_NAMES = "p div ul ol li blockquote pre code em strong b span sub br hr h1 h3 a P LI CODE dl dd"
_TEXTS = (
    *("word", "é", "“x”", " ", "  ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u2003", "\u3000", "\u0085", "\x1c", "\0"),
    *("`", "``", "```", "~", "~~~", "\\", "\\\\", "[", "]", "](", "|", "#", "- ", "1. ", "*", "&lt;", "&gt;", "&amp;"),
    *(
        "&quot;",
        "&#39;",
        "&nbsp;",
        "&hellip;",
        "&",
        "&lt",
        "&amp;lt;",
        "&#96;",
        "<",
        ">",
        "=",
        '"',
        "'",
        "/>",
        "<!",
        "-->",
    ),
)
_TAGS = (
    *('<a href="http://x.org">', '<a href="https://x.org/a(b)?c&amp;d" rel="n">', '<a href="#x">', '<a href="/q">'),
    *('<a href="word">', '<a href="//x">', "<a name='x'>", '<a title="" href="http://x">', '<a href="mailto:word">'),
    *(
        '<a href="http://word">http://word</a>',
        '<a href="http://x">[',
        "<a href=http://x>",
        '<a href="http://x" b=">">',
    ),
    *('<img src="http://x.org/i.png" alt="a b">', '<img src="http://x/`" alt="`[" />', '<img alt="x" src="data:x">'),
    *('<img src="http://x"/>', '<img src="http://x" alt=" " width="1" alt="2">', '<img src="http://x" alt="a', "<img>"),
    *('<pre class="lang-py">', '<pre class="x lang-c++ language-js">', '<pre class="default s"><code class="lang-rs">'),
    *('<pre class="lang-lang-x">', '<pre class="lang-.x">', '<pre class="lang-"><code>', "<pre class='lang-js'>"),
    *('<ol start="9">', '<ol start="999999999">', '<ol start="x">', "<ol >", "<br/>", "<br />", "</br>", "<p x=y>"),
    *("<kbd>", "</kbd>", "<sup>", "</sup>", "<del>", "</del>", "<table>", "<td>", "</table>", "<script>", "<String>"),
    *("<!-- language: lang-js -->", "<p title='>'>", "<em =\u00a0'>", "<em x= \n'<", "</p >", "<p/>", "<blockquotes>"),
)

PIECES = st.one_of(
    st.sampled_from(_NAMES.split()).map("<{}>".format),
    st.sampled_from(_NAMES.split()).map("</{}>".format),
    st.sampled_from(_TEXTS),
    st.sampled_from(_TAGS),
    st.sampled_from(
        ["</code>", "</pre>", "</a>", "</li>", "<code>x</code>", "<pre><code>x\n</code></pre>", "</code></pre>"]
    ),
)
"""Pieces of HTML in any order."""

_ESCAPED = st.text(st.sampled_from(" \n\tab.~[(*#-&<>'\"é“\u00a0\u2003"), max_size=12).map(
    lambda text: html_module.escape(text.replace("~~", "~")).replace("&#x27;", "&#39;")
)
_WORD = st.text("abcxyz ", max_size=5).map("w{}".format)
_INLINE = st.one_of(
    _ESCAPED.filter(lambda text: "[" not in text),
    _WORD,
    _WORD.map("<em>{}</em>".format),
    _WORD.map("<strong> {}</strong>".format),
    st.tuples(st.text(" \n`<&é", max_size=4), _WORD).map(lambda t: f"<code>{html_module.escape(''.join(t))}</code>"),
    _WORD.map('<a href="http://x.org/(y)?a=1&amp;b">{}</a>'.format),
    st.just('<a href="http://x.org/y" rel="nofollow"> http://x.org/y</a>'),
    st.just('<img src="http://x.org/i.png" alt="enter image">'),
)
_LINE = st.lists(_INLINE, max_size=5).map("".join)
_PARAGRAPH = st.lists(_LINE, max_size=3).map("<br>".join)
_CODE = st.text(st.sampled_from(" \n\tab`&<>\"'\\;"), max_size=20).map(
    lambda text: html_module.escape(text).replace("&#x27;", "&#39;")
)
_LEAF = st.one_of(
    _PARAGRAPH.map("<p>{}</p>\n".format),
    _PARAGRAPH,
    _LINE.map("<h2>{}</h2>\n".format),
    _CODE.map("<pre><code>{}</code></pre>\n\n".format),
    _CODE.map('<pre class="lang-py prettyprint-override"><code>{}</code></pre>'.format),
    st.just("<hr>\n"),
)


def _nest(blocks: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Lists and quotes of blocks."""
    inside = st.lists(blocks, max_size=3).map("".join)
    items = st.lists(inside.map("<li>{}</li>\n".format), max_size=3).map("".join)
    return st.one_of(
        items.map("<ul>\n{}</ul>\n".format),
        items.map('<ol start="8">{}</ol>'.format),
        inside.map("<blockquote>\n{}</blockquote>".format),
    )


USUAL = st.lists(st.recursive(_LEAF, _nest, max_leaves=6), min_size=1, max_size=5).map("".join).filter(bool)
"""Well-formed posts of what is taken, without what is left to the general way."""

SPOILED = st.tuples(USUAL, st.lists(st.tuples(st.floats(0, 1), PIECES), max_size=3)).map(lambda drawn: _spoil(*drawn))
"""Usual posts with a few pieces put in or cut off."""


def _spoil(post: str, cuts: list[tuple[float, str]]) -> str:
    """The post with a piece in the place of one character at each cut."""
    for share, piece in cuts:
        at = int(share * len(post))
        post = post[:at] + piece + post[at + 1 :]
    return post
