"""HTML of a Stack Exchange post → clean Markdown: from a row of a dump to what datasets hold and pages show.

Code blocks (`<pre>`) come out byte-identical, entities decoded, as fences at column 0 even inside lists
and quotes, so that `text.segments` gives back exactly the code blocks of the post. Prose is one line a
paragraph; lists, quotes, headings, tables, links and images keep their Markdown. Asterisks, ``<``
and the like stand as typed, so a page renders with emphasis and raw HTML off and checks link targets.
Here is which tag does what; tags.py finds them, paragraph.py and page.py write. Usual posts are converted
by usual_body.py, which gives the same many times faster.
Source: ours: docs/decisions/0005.
"""

from collections.abc import Callable, Iterator
from functools import cache

from procqa.dump.hints import read_language_class
from procqa.dump.page import Page
from procqa.dump.paragraph import to_prose
from procqa.dump.tags import BLOCK_TAGS, INLINE_TAGS, SKIPPED_TAGS, attributes_of, decode, is_html, name_of, split_tags
from procqa.text import fence


def to_markdown(html: str) -> str:
    """The Markdown of a post's HTML, without a line break at its end; the module tells its rules.

    The code segments of the result are the texts of the post's `<pre>` elements in order, byte-identical,
    a `<br>` in them a line break. Links survive to http, https and mailto only; others leave their text.
    Scripts, styles and comments are dropped; tags that HTML does not know (``Map<String>``) are text.
    Time and memory are linear in the length of the post; no str raises.
    """
    usual = _usual_way()(html)
    return convert_general(html) if usual is None else usual


@cache
def _usual_way() -> Callable[[str], str | None]:
    """The fast way, loaded with numba when the first post comes."""
    from procqa.dump.usual_body import convert_usual

    return convert_usual


def convert_general(html: str) -> str:
    """What `to_markdown` gives, of any post: the way that decides, and to which the fast one is held."""
    parts = split_tags(html)
    parts.append("/pre")  # so that a code block left open finds its end
    page = Page()
    inline, plain = page.inline, "`" not in html
    find_action, ignore, end_block = _ACTIONS.get, Page.ignore, Page.end_block
    tokens = iter(parts)
    for text in tokens:
        if text and (inline or not text.isspace()):
            inline.append(text if plain and "&" not in text else to_prose(text))
        tag = next(tokens)
        action = find_action(tag)
        if action is None:
            if tag != "code":
                _act(page, tag, tokens)
                continue
            text, tag = next(tokens), next(tokens)
            if tag == "/code":
                page.add_code_span(decode(text) if "&" in text else text)
            else:
                _end_code_span(page, text, tag, tokens)
        elif action is not ignore and (inline or action is not end_block):
            action(page, tag)
    return page.finish()


def _act(page: Page, tag: str, tokens: Iterator[str]) -> None:
    """Do what a tag asks for by its name; tokens go on with the text behind it."""
    name = name_of(tag)
    reader = _READERS.get(name)
    if reader is None:
        _ACTIONS.get(name, Page.add_unknown_tag)(page, tag)
    else:
        reader(page, tag, tokens)


def _read_code_span(page: Page, _tag: str, tokens: Iterator[str]) -> None:
    """Inline code, up to its end tag or the next block."""
    _end_code_span(page, next(tokens), next(tokens), tokens)


def _end_code_span(page: Page, text: str, tag: str, tokens: Iterator[str]) -> None:
    """Inline code of which the first text and the tag behind it are read."""
    text, tag = _join_code_span(decode(text), tag, tokens)
    page.add_code_span(text)
    if tag != "/code":
        _act(page, tag, tokens)


def _join_code_span(text: str, tag: str, tokens: Iterator[str]) -> tuple[str, str]:
    """The text of a code span with tags in it, and the tag that ends it: its own, or that of a block."""
    chunks = [text]
    while True:
        name = name_of(tag)
        if name == "/code":
            return "".join(chunks), name
        if name in _ENDS_CODE_SPAN:
            return "".join(chunks), tag
        chunks += (_tag_in_code(tag, name), decode(next(tokens)))
        tag = next(tokens)


def _read_code_block(page: Page, tag: str, tokens: Iterator[str]) -> None:
    """A fenced code block: the text up to the end tag, as it is."""
    if page.inline:
        page.end_block()
    tags = [tag]
    chunks = []
    for text in tokens:
        chunks.append(decode(text) if "&" in text else text)
        tag = next(tokens)
        if tag == "/pre":
            break
        if tag == "code" or tag == "/code":
            continue
        name = name_of(tag)
        if name == "/pre":
            break
        if name == "code":
            tags.append(tag)
        elif name in SKIPPED_TAGS:
            _skip_content(page, tag, tokens)
        else:
            chunks.append(_tag_in_code(tag, name))
    page.put_code(fence("".join(chunks), _language_of(tags, page.take_hint())))


def _tag_in_code(tag: str, name: str) -> str:
    """What a tag inside code adds to it: a line break, nothing, or itself where it is none of HTML's."""
    if name == "br":
        return "\n"
    return "" if is_html(name) else decode(f"<{tag}>")


def _language_of(tags: list[str], hint: str) -> str | None:
    """The language that the tags of a code block name, else the hint before it."""
    for tag in tags:
        if "lang" in tag and (named := read_language_class(attributes_of(tag).get("class", ""))) is not None:
            return named or None
    return hint or None


def _skip_content(_page: Page, tag: str, tokens: Iterator[str]) -> None:
    """Nothing of a script or a style sheet."""
    end = "/" + name_of(tag)
    for _ in tokens:
        if name_of(next(tokens)) == end:
            return


def _with_ends(names: frozenset[str]) -> list[str]:
    """Start and end tags."""
    return [slash + name for name in sorted(names) for slash in ("", "/")]


_Action = Callable[[Page, str], None]
_Reader = Callable[[Page, str, Iterator[str]], None]

_READERS: dict[str, _Reader] = {
    "code": _read_code_span,
    "pre": _read_code_block,
    **dict.fromkeys(SKIPPED_TAGS, _skip_content),
}
"""Tags that read on in the tokens (text, tag, text, …)."""

_ENDS_CODE_SPAN = SKIPPED_TAGS | frozenset(_with_ends(BLOCK_TAGS))

_ACTIONS: dict[str, _Action] = {
    **dict.fromkeys((name for name in _with_ends(INLINE_TAGS) if name not in _READERS), Page.ignore),
    **dict.fromkeys((name for name in _with_ends(BLOCK_TAGS) if name not in _READERS), Page.end_block),
    **{f"h{level}": Page.start_heading for level in range(1, 7)},
    **{f"/h{level}": Page.end_heading for level in range(1, 7)},
    **dict.fromkeys(("ul", "ol"), Page.start_list),
    **dict.fromkeys(("/ul", "/ol", "/blockquote", "/table"), Page.end_frame),
    **dict.fromkeys(("td", "th"), Page.start_cell),
    **dict.fromkeys(("/td", "/th"), Page.end_cell),
    **dict.fromkeys(("br", "/br"), Page.add_line_break),
    **dict.fromkeys(("del", "s", "strike"), Page.start_struck),
    **dict.fromkeys(("/del", "/s", "/strike"), Page.end_struck),
    "li": Page.start_item,
    "/li": Page.end_item,
    "blockquote": Page.start_quote,
    "table": Page.start_table,
    "tr": Page.start_row,
    "/tr": Page.end_row,
    "hr": Page.add_rule,
    "a": Page.start_link,
    "/a": Page.end_link,
    "img": Page.add_image,
    "sup": Page.start_raised,
    "kbd": Page.start_key,
    "/sup": Page.end_word,
    "/kbd": Page.end_word,
    "!language": Page.add_hint,
}
"""All other tags of HTML; a tag that is found as it stands need not be asked for its name."""
