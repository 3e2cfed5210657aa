"""The paragraph that is being read: prose with its links, images, code spans and line breaks.

Blanks are collapsed, except in code. Bold and italic marks are dropped: they are typography, and
``un<em>do</em>`` stays one word. Only back-ticks and tildes that would open code are escaped; asterisks,
underlines, ``#``, ``<`` and ``$…$`` stand as the post has them. Where the paragraph stands on the page,
in which list or quote, is not known here (page.py).
Source: ours: docs/decisions/0005.
"""

import re

from procqa.dump.tags import attributes_of, decode

_BACKTICK = re.compile(r"(?<!\\)(\\*+)`")
_BACKTICK_RUN = re.compile(r"`+")
_BLANKS = re.compile(r"\s+")
_LINE_ENDS = re.compile(r"\n{2,}")
_LONE_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")
_SAFE_TARGET = re.compile(r"(?:https?://|mailto:)\S", re.IGNORECASE)
_UNSAFE_IN_TARGET = re.compile(r"[\x00-\x20\x7f<>()\\`|]")
_MAY_JOIN_CODE = ("`", "\\", "")


class _CodeSpan(str):
    """Inline code with blanks to keep, when those of the prose around it are collapsed."""

    __slots__ = ()


_LINE_BREAK = _CodeSpan("  \n")


class Paragraph:
    """The pieces read so far, and what is open among them.

    Callers append prose to `inline` themselves, as `to_prose` gives it, because most of a dump is that.
    """

    __slots__ = ("has_kept_blanks", "inline", "link", "seams", "simple", "struck")

    def __init__(self) -> None:
        self.inline: list[str] = []  # pieces of the line that is being read
        self.has_kept_blanks = False  # `inline` holds a line break, or a code span with blanks to keep
        self.simple = True  # no link, deletion, kept blank, heading or table to think of
        self.link: tuple[int, str] | None = None  # index in `inline`, target
        self.struck: int | None = None  # index in `inline`
        self.seams: list[int] = []  # indices in `inline` where a blank keeps words apart

    def take_inline(self) -> str:
        """The paragraph that was being read, blanks collapsed, a line break for each <br>."""
        if self.link is not None:
            self.end_link()
        if self.struck is not None:
            self.end_struck()
        inline = self.inline
        for seam in self.seams:
            following = inline[seam + 1][:1] if seam + 1 < len(inline) else ""
            if following.isalnum() or following == "`":
                inline[seam] = " "
        self.seams.clear()
        if self.has_kept_blanks:
            self.has_kept_blanks = False
            block = _collapse_around_code(inline)
        else:
            block = " ".join("".join(inline).split())
        inline.clear()
        return escape_tildes(block)

    def add_line_break(self, _tag: str) -> None:
        """A line break inside the paragraph."""
        if self.inline:
            self.inline.append(_LINE_BREAK)
            self.has_kept_blanks = True
            self.simple = False

    def start_link(self, tag: str) -> None:
        """Open a link, if it has a target that may be followed."""
        if self.link is not None:
            self.end_link()
        if tag.startswith('a href="') and (end := tag.find('"', 8)) > 0:
            target = _target(decode(tag[8:end]))
        else:
            target = _target(attributes_of(tag).get("href", ""))
        if target:
            self.link = len(self.inline), target
            self.simple = False
            self.inline.append("")

    def end_link(self, _tag: str = "") -> None:
        """Close the link: [text](target), or the bare target where the text is the same."""
        if self.link is None:
            return
        (start, target), self.link = self.link, None
        pieces = self.inline[start:]
        text = "".join(pieces)
        if text == target or not text or text.isspace():
            return
        if text.count("[") != text.count("]"):
            pieces = [piece if piece.startswith("`") else _escape_brackets(piece) for piece in pieces]
        pieces[0] = "[" if not text[0].isspace() else " ["
        pieces[-1] = _even_backslashes(pieces[-1])
        pieces.append(f"]({_escape_target(target)})" + (" " if text[-1].isspace() else ""))
        self.inline[start:] = pieces

    def start_struck(self, _tag: str) -> None:
        """Open deleted text."""
        if self.struck is None:
            self.struck = len(self.inline)
            self.simple = False
            self.inline.append("")

    def end_struck(self, _tag: str = "") -> None:
        """Close deleted text: ~~text~~."""
        if self.struck is None:
            return
        start, self.struck = self.struck, None
        if any(piece and not piece.isspace() for piece in self.inline[start:]):
            self.inline[start] = "~~"
            self.inline.append("~~")

    def add_image(self, tag: str) -> None:
        """An image: ![alt](source), or the alt alone where the source may not be followed."""
        attributes = attributes_of(tag)
        alt = _escape_backticks(attributes.get("alt", ""))
        source = _target(attributes.get("src", ""))
        if source:
            self.inline.append(f"![{_escape_brackets(alt)}]({_escape_target(source)})")
        elif alt:
            self.inline.append(alt)

    def start_raised(self, _tag: str) -> None:
        """A power or a note mark is told from what it stands behind: 10^6."""
        if self.inline and self.inline[-1][-1:].strip():
            self.inline.append("^")

    def start_key(self, _tag: str) -> None:
        """Open a key, which does not stick to the word before it."""
        if self.inline and self.inline[-1][-1:].isalnum():
            self.inline.append(" ")

    def end_word(self, _tag: str) -> None:
        """End a key or something raised, which does not stick to the word behind it."""
        if self.inline:
            self.seams.append(len(self.inline))
            self.inline.append("")
            self.simple = False

    def add_code_span(self, text: str) -> None:
        """Inline code, decoded."""
        inline = self.inline
        if not text or text.isspace():
            inline.append(text)
            return
        if inline and inline[-1][-1:] in _MAY_JOIN_CODE:
            self._part_from_code()
        if text[0] == " " or "`" in text or "  " in text or not text.isprintable():
            self.has_kept_blanks = True
            self.simple = False
            inline.append(_to_code_span(text))
        else:
            inline.append(f"`{text}`")

    def _part_from_code(self) -> None:
        """Keep what stands before a code span from becoming part of it."""
        at = len(self.inline) - 1
        while at > 0 and not self.inline[at]:
            at -= 1
        if self.inline[at].endswith("`"):
            self.inline.append(" ")
        else:
            self.inline[at] = _even_backslashes(self.inline[at])


def to_prose(text: str) -> str:
    """The text decoded, its back-ticks escaped so that none opens code."""
    if "&" in text:
        text = decode(text)
    return _escape_backticks(text) if "`" in text else text


def escape_tildes(line: str) -> str:
    """The line, where it would open a code block escaped."""
    return "\\" + line if line.startswith("~~~") else line


def in_one_line(block: str) -> str:
    """The block with blanks for its line breaks."""
    return block.replace("\n\n", " ").replace(_LINE_BREAK, " ") if "\n" in block else block


def _escape_backticks(text: str) -> str:
    return _BACKTICK.sub(lambda match: match[1] * 2 + "\\`", text)


def _escape_brackets(text: str) -> str:
    return text.replace("[", "\\[").replace("]", "\\]")


def _even_backslashes(text: str) -> str:
    """The text with its last back-slash doubled where it would escape what follows."""
    n_last = len(text) - len(text.rstrip("\\"))
    return text + "\\" if n_last % 2 else text


def _to_code_span(text: str) -> _CodeSpan:
    """Inline code between more back-ticks than it holds in a row; a line break in it is a blank."""
    text = text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")
    ticks = "`"
    if "`" in text:
        ticks = "`" * (max(map(len, _BACKTICK_RUN.findall(text))) + 1)
    if "`" in (text[0], text[-1]) or text[0] == text[-1] == " ":
        text = f" {text} "
    return _CodeSpan(f"{ticks}{text}{ticks}")


def _collapse_around_code(pieces: list[str]) -> str:
    """The paragraph of pieces with blanks collapsed outside its code spans; an empty line parts paragraphs."""
    done: list[str] = []
    prose: list[str] = []
    for piece in (*pieces, _LINE_BREAK):
        if type(piece) is _CodeSpan:
            done += (_BLANKS.sub(" ", "".join(prose)), piece)
            prose.clear()
        else:
            prose.append(piece)
    lines = [line.strip() for line in "".join(done).split(_LINE_BREAK)]
    text = "\n".join(map(escape_tildes, lines)).strip("\n")
    return _LONE_LINE_END.sub(_LINE_BREAK, _LINE_ENDS.sub("\n\n", text))


def _target(url: str) -> str:
    """The target of a link or an image where it may be followed, else nothing."""
    url = url.strip()
    if url.startswith("//"):
        url = "https:" + url
    return url if _SAFE_TARGET.match(url) else ""


def _escape_target(url: str) -> str:
    """A target that Markdown reads to its end."""
    return _UNSAFE_IN_TARGET.sub(lambda match: f"%{ord(match[0]):02X}", url)
