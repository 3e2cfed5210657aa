"""Random posts of well-formed HTML as the site's renderer writes it, deeper and odder than any true one."""

import html as html_module

from hypothesis import strategies as st

WORDS = st.text("abcxyz0", min_size=1, max_size=5)
MARKED = st.sampled_from(
    ["```", "~~~", "`", "\\", "*", "_x_", "# y", "1.", "-", ">", "<", "&", "&lt;", "$x_1$", "|", "]("]
)
PROSE = st.lists(st.one_of(WORDS, MARKED), max_size=6).map(" ".join).map(html_module.escape)
CODE = st.text(alphabet=st.sampled_from(" \n\t`~&<>\"'ab\\;#\u00a0é"), max_size=30)
INLINE = st.one_of(
    PROSE,
    PROSE.map(lambda text: f" <em>{text}</em> "),
    PROSE.map(lambda text: f' <a href="http://x.org/y">{text}</a> '),
    PROSE.map(lambda text: f" <del>{text}</del> "),
    CODE.map(lambda text: f" <code>{html_module.escape(text)}</code> "),
    st.just("<br>"),
    st.just('<img src="http://x.org/i.png" alt="zz">'),
)
PARAGRAPH = st.lists(INLINE, max_size=4).map("".join)
BLOCK = st.recursive(
    st.one_of(
        PARAGRAPH.map(lambda text: f"<p>{text}</p>\n"),
        PARAGRAPH.map(lambda text: f"<h2>{text}</h2>"),
        CODE.map(lambda text: f"<pre><code>{html_module.escape(text)}</code></pre>\n\n"),
        CODE.map(lambda text: f'<pre class="lang-py">{html_module.escape(text)}</pre>'),
        st.just("<hr>"),
    ),
    lambda blocks: st.one_of(
        st.lists(st.lists(blocks, max_size=3).map("".join), max_size=3).map(
            lambda items: "<ul>\n" + "".join(f"<li>{item}</li>\n" for item in items) + "</ul>"
        ),
        st.lists(blocks, max_size=3).map(lambda items: f"<ol><li>{''.join(items)}</li></ol>"),
        st.lists(blocks, max_size=3).map(lambda items: f"<blockquote>{''.join(items)}</blockquote>"),
        st.lists(blocks, max_size=3).map(
            lambda cells: f"<table><tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr></table>"
        ),
        st.lists(blocks, max_size=3).map(lambda items: f"<div>{''.join(items)}</div>"),
    ),
    max_leaves=8,
)
POST = st.lists(BLOCK, max_size=5).map("".join)
