"""The Markdown of a post → HTML that can do nothing but be read.

Posts are written by strangers. Raw HTML in them is text, images become links, links leave without a
referrer's blessing, code is coloured, and at the end a sanitiser lets through a short list of tags.
Needs the extra ``serve``.
"""

from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from procqa.text import visible

MAX_COLOURED_CHARS = 20_000
"""Longer code is shown without colours, for they cost time. Source: ours, docs/decisions/0007."""

SCHEMES = {"http", "https", "mailto"}
TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "strong", "em", "s"),
    *("code", "pre", "span", "a", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "span": {"class"}, "pre": {"class"}}
REL = "noopener nofollow ugc"


def to_html(markdown: str, *, language: str = "", is_written: bool = False) -> Markup:
    """The Markdown as safe HTML.

    Args:
        language: that of code blocks which name none.
        is_written: whether somebody wrote it as Markdown; that of a post was made from HTML, and its asterisks,
            underlines and ampersands stand for themselves. Source: docs/decisions/0005.
    """
    html = _parser(is_written).render(visible(markdown), {"language": language})
    inert = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_keep_attribute,
        url_schemes=SCHEMES,
        link_rel=REL,
    )
    return Markup(inert)  # noqa: S704  # the sanitiser has just been over it


def safe_url(url: str | None) -> str | None:
    """The address if it is an absolute one of the web, else None."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def _keep_attribute(tag: str, name: str, value: str) -> str | None:
    """Drop addresses that are relative: they would lead into this server."""
    if name != "href" or tag != "a":
        return value
    return value if value.lower().startswith("mailto:") else safe_url(value)


@lru_cache(maxsize=2)
def _parser(is_written: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    if not is_written:
        parser.disable(["emphasis", "entity"])
    parser.add_render_rule("image", _image_link)
    parser.add_render_rule("fence", _fence)
    return parser


# Any below: markdown-it's renderer, and its options.
def _fence(_: Any, tokens: Sequence[Token], index: int, __: Any, env: MutableMapping[str, Any]) -> str:
    token = tokens[index]
    named = token.info.split(maxsplit=1)
    return _coloured(token.content.rstrip("\n"), named[0] if named else env["language"])


def _image_link(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    token = tokens[index]
    return str(Markup('<a href="{}">image: {}</a>').format(token.attrGet("src") or "", token.content or "no text"))


def _coloured(code: str, language: str) -> str:
    """A code block with its tokens in classes; plain where the language is not known."""
    html: str = escape(code)
    if language and len(code) <= MAX_COLOURED_CHARS:
        # Posts quote PHP without its opening tag, and then the lexer would take it for text.
        options = {"startinline": "<?" not in code} if language.lower() == "php" else {}
        try:
            lexer = get_lexer_by_name(language.lower(), stripnl=False, **options)
        except ClassNotFound:
            lexer = None
        if lexer is not None:
            html = highlight(code, lexer, HtmlFormatter(nowrap=True))
    return f'<pre class="code"><code>{html}</code></pre>'
