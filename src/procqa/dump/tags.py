"""HTML of a post → text and tags in turn, and what a tag says: the tokenizer of the converter.

One regular expression finds the tags, linear and without recursion; whatever it does not take for a tag
is text. Comments and declarations are gone before, but for those that name a language (hints.py). It
builds no tree and closes nothing: what tags do to the page stands in body.py and page.py.
Source: ours: docs/decisions/0005.
"""

import re
from html import unescape

from procqa.dump.hints import to_hint_tag

_INLINE = """
a abbr acronym area audio b base bdi bdo big blink br button canvas cite code col colgroup data del dfn em embed font i
iframe img input ins kbd label link map mark marquee meta meter nobr noscript object output param picture progress q rb
rp rt rtc ruby s samp script slot small source span strike strong style sub sup template textarea time track tt u var
video wbr !language"""
_BLOCKS = """
address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure footer
form h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li main menu nav ol optgroup option p pre section select
summary table tbody td tfoot th thead title tr ul"""

INLINE_TAGS = frozenset(_INLINE.split())
"""Names of tags that stand inside a paragraph, and of the stand-in for a hint. Source: ours: docs/decisions/0005."""

BLOCK_TAGS = frozenset(_BLOCKS.split())
"""Names of tags that end a paragraph. Source: ours: docs/decisions/0005."""

SKIPPED_TAGS = frozenset(("script", "style"))
"""Names of tags whose content is dropped. Source: ours: docs/decisions/0005."""

_KNOWN_TAGS = INLINE_TAGS | BLOCK_TAGS

# A tag ends at the first > outside a quoted value. Nothing in it is a <, which bounds every scan, so the
# whole is linear; posts escape it in values. <!language …> is what a hint in a comment was turned into.
_TAG = re.compile(
    r"""<(/?[a-zA-Z][^<>=]*+(?:=(?:\s*+(?:"[^"<]*+"|'[^'<]*+'))?+[^<>=]*+)*+|!language[^<>]*)>""",
)
_ATTRIBUTE = re.compile(r"""(?<![\w:.-])([a-zA-Z][\w:.-]*+)\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"']++)""")
_DECLARATION = re.compile(r"<[!?]")
_ENDLESS_REFERENCE = re.compile(r"&#[0-9]{1000,}+;?")


def split_tags(html: str) -> list[str]:
    """Text, tag, text, …, text: tags without their angle brackets, text with its references still encoded."""
    return _TAG.split(_without_comments(html) if "<!" in html else html)


def name_of(tag: str) -> str:
    """The lower-case name of a tag, with its slash where it is an end tag."""
    head = tag.split(None, 1)[0]
    return (head[0] + head[1:].partition("/")[0]).lower()


def is_html(name: str) -> bool:
    """Whether HTML has a tag of this name, as `name_of` gives it."""
    return name.removeprefix("/") in _KNOWN_TAGS


def attributes_of(tag: str) -> dict[str, str]:
    """Decoded values by lower-case name; of a repeated name the first."""
    values: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(tag):
        value = match[2]
        values.setdefault(match[1].lower(), decode(value[1:-1] if value[0] in "\"'" else value))
    return values


def decode(text: str) -> str:
    """The text with its character references decoded."""
    # Four references make up nearly all of a dump, and replacing them is 10 times as fast as unescape.
    plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    if "&" not in plain:
        return plain
    if plain.count("&") == plain.count("&amp;"):
        return plain.replace("&amp;", "&")
    return unescape(_ENDLESS_REFERENCE.sub("\ufffd", text))  # int() refuses thousands of digits


def _without_comments(html: str) -> str:
    """The HTML without comments and declarations; a comment that names a language becomes a tag."""
    kept = []
    done = 0
    last_end, last_comment_end = html.rfind(">"), html.rfind("-->")
    for match in _DECLARATION.finditer(html):
        start = match.start()
        if start < done:
            continue
        is_comment = html.startswith("<!--", start)
        if start > (last_comment_end if is_comment else last_end):
            continue  # never closed: text
        end = html.find("-->" if is_comment else ">", start + 2)
        kept.append(html[done:start])
        if is_comment:
            kept.append(to_hint_tag(html, start + 4, end))
        done = end + (3 if is_comment else 1)
    kept.append(html[done:])
    return "".join(kept)
