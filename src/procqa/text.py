"""Markdown of a post ↔ typed segments of text and code; words and split identifiers.

Every stage that writes, counts, tokenizes or shows a post goes through here, so that what is measured
is what is served. Fences are read as CommonMark reads them, with one reversible addition: a closing
fence longer than its opening one says that the code does not end with a line break (see `fence`).
It knows nothing of HTML (dump/body.py writes the Markdown) and nothing of an index (index/lexical.py).
All functions take any str, never raise, and are linear in its length.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from threading import Lock
from typing import Any

from procqa.records import Segment

MAX_TOKEN_CHARS = 64
"""Longest lexical token, in characters. Source: ours: docs/decisions/0006."""

CACHED_WORDS = 1 << 15
"""Words whose tokens are remembered, each of at most MAX_TOKEN_CHARS: some 15 MB a process."""

_STOP = "a an are at be but by into it no of on such that the their there these they to was will"
STOP_WORDS = frozenset(_STOP.split())
"""English function words that are no keyword in the eleven languages, and so carry no meaning in code.

Keywords (``for``, ``in``, ``is``, ``not``, ``with`` …) stay: people ask about them. The list was chosen
on test sets that are also reported. Source: ours: docs/decisions/0006, which tells the gain on each.
"""

BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
"""What turns the direction of the characters after it, and so what a reader takes them for."""

_PERHAPS_UNSEEN = re.compile(r"[^\n\t -~]")
_FENCE_LINE = re.compile(r"^( {0,3})(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
_INFO_WORD = re.compile(r"[\w+#][\w+#.-]*")
_BACKTICK_RUN = re.compile(r"`{3,}")

_WORD = re.compile(r"[cC]\+\+|[cCfF]#(?!\w)|\w+(?:(?:[.-]|::)\w+)*")
_JOINT = re.compile(r"[.-]|::")
_ASCII_PART = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_CJK_CHARACTER = re.compile(f"[{_CJK}]")
_OTHER_PART = re.compile(rf"[{_CJK}]|\d+|[^\W\d_{_CJK}]+")

_NO_WORD = re.compile(r"[\W_]+")
_ASCII_FOLD = str.maketrans({code: " " for code in range(128) if not chr(code).isalnum()})

_STEMMER_LOCK = Lock()  # a stemmer holds a buffer and must not be shared while it works


def segments(markdown: str) -> list[Segment]:
    """The spans of a post's Markdown in order, fenced code apart from prose.

    Code is exactly what was fenced: it ends with the line break before the closing fence, as in
    CommonMark, unless the closing fence is the longer one (see `fence`). Up to three blanks before an
    opening fence are taken off each line of its code; a fence that is never closed is code to the end.
    Indented code, and fences behind a quote mark or a deeper indentation, are prose: the converter
    writes neither. Prose loses the line breaks at its ends; blank prose is no segment.

    Source: ours: docs/decisions/0005.
    """
    spans: list[Segment] = []
    prose_start = code_start = 0
    opening: re.Match[str] | None = None
    for line in _FENCE_LINE.finditer(markdown):
        if opening is None:
            if line[2][0] == "`" and "`" in line[3]:
                continue  # a code span that fills a line
            _add_prose(spans, markdown[prose_start : line.start()])
            opening, code_start = line, line.end() + 1
        elif line[2].startswith(opening[2]) and not line[3].strip():
            code = markdown[code_start : line.start()]
            if len(line[2]) > len(opening[2]):
                code = code[:-1]
            _add_code(spans, code, opening)
            opening, prose_start = None, line.end() + 1
    if opening is None:
        _add_prose(spans, markdown[prose_start:])
    else:
        _add_code(spans, markdown[code_start:], opening)
    return spans


def _add_prose(spans: list[Segment], prose: str) -> None:
    if prose and not prose.isspace():
        spans.append(Segment("text", prose.strip("\r\n")))


def _add_code(spans: list[Segment], code: str, opening: re.Match[str]) -> None:
    if opening[1]:
        code = re.sub(f"^ {{1,{len(opening[1])}}}", "", code, flags=re.MULTILINE)
    word = _INFO_WORD.search(opening[3])
    spans.append(Segment("code", code, word[0].lower() if word else None))


def join(spans: Iterable[Segment]) -> str:
    """The Markdown of segments, a blank line between them: the inverse of `segments`.

    ``segments(join(s)) == s`` for every s that `segments` gave; code comes back byte-identical whatever
    it holds. Prose is taken as it stands and must not hold a fence.
    """
    return "\n\n".join(fence(span.text, span.language) if span.kind == "code" else span.text for span in spans)


def fence(code: str, language: str | None = None) -> str:
    """A fenced code block, without a line break at its end, that `segments` reads back exactly.

    The fence is three back-ticks, or one more than the longest run of them in the code. The last line
    break of the code is that before the closing fence; where the code ends without one, the closing
    fence is one back-tick longer than the opening one, which CommonMark allows and renders alike.

    Args:
        language: one word without back-ticks, or None.

    Source: ours: docs/decisions/0005.
    """
    ticks = "```"
    if ticks in code:
        ticks = "`" * (max(map(len, _BACKTICK_RUN.findall(code))) + 1)
    if code and code[-1] != "\n":
        return f"{ticks}{language or ''}\n{code}\n{ticks}`"
    return f"{ticks}{language or ''}\n{code}{ticks}"


def count_chars(markdown: str) -> tuple[int, int]:
    """The characters in code blocks, and those of the prose, fences and blank lines around them left out.

    Inline code is prose here, as it is in a `Segment`. Source: ours: docs/decisions/0005.
    """
    code_chars = text_chars = 0
    for span in segments(markdown):
        if span.kind == "code":
            code_chars += len(span.text)
        else:
            text_chars += len(span.text)
    return code_chars, text_chars


def fold(text: str) -> str:
    """The words of a text in one form, a blank between them, for telling whether two texts are the same.

    NFKC, case-folded, every run of white space, punctuation and operators one blank; C++, C# and F#
    keep their difference as cpp, csharp and fsharp. Idempotent. Source: ours: docs/decisions/0006.
    """
    if text.isascii():
        return " ".join(_name_languages(text.lower()).translate(_ASCII_FOLD).split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(_NO_WORD.sub(" ", _name_languages(folded)).split())


def _name_languages(text: str) -> str:
    return text.replace("c++", "cpp ").replace("c#", "csharp ").replace("f#", "fsharp ")


def lexical_tokens(text: str, *, stem: bool = True) -> list[str]:
    """What BM25 and the lexical index see of prose or code, in order.

    Words are lower-cased and stemmed; `STOP_WORDS`, operators and punctuation are left out; numbers
    stay. An identifier is split at camelCase, snake_case, kebab-case, dots, ``::`` and the borders of
    digits: it gives itself, not stemmed, and then its parts; in a path so does each component that has
    parts, without underlines at its ends. ``C++``, ``C#`` and ``F#`` are words. Chinese, Japanese and
    Korean give single characters. Of a component longer than `MAX_TOKEN_CHARS` (base64, hashes) the
    first 64 characters are one token; a path longer than that gives only its components.

    Args:
        stem: take English endings off, with the Snowball stemmer.

    Source: ours: docs/decisions/0006.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return list(chain.from_iterable([_tokens_of(word, stem) for word in _WORD.findall(text)]))


def _tokens_of(word: str, stem: bool) -> tuple[str, ...]:
    # The cache is bounded in words, so a long word, which may be a megabyte, must not enter it.
    return _cached_tokens(word, stem) if len(word) <= MAX_TOKEN_CHARS else _split(word, stem)


def _split(word: str, stem: bool) -> tuple[str, ...]:
    """The tokens of one match of `_WORD`."""
    if word[-1] in "+#":
        return (word.lower(),)
    components = _JOINT.split(word)
    tokens = [_fold_token(word)] if len(components) > 1 and len(word) <= MAX_TOKEN_CHARS else []
    for component in map(_strip_underlines, components):
        is_cjk = not component.isascii() and _CJK_CHARACTER.search(component) is not None
        if len(component) > MAX_TOKEN_CHARS and not is_cjk:
            tokens.append(_fold_token(component))
            continue
        parts = (_ASCII_PART if component.isascii() else _OTHER_PART).findall(component)
        if len(parts) > 1 and not is_cjk:
            tokens.append(_fold_token(component))
        parts = [part for part in map(_fold_token, parts) if part not in STOP_WORDS]
        tokens += map(_stem, parts) if stem else parts
    return tuple(tokens)


_cached_tokens = lru_cache(CACHED_WORDS)(_split)


def _fold_token(token: str) -> str:
    return token.casefold()[:MAX_TOKEN_CHARS]


def _strip_underlines(component: str) -> str:
    return component.strip("_")


def _stem(word: str) -> str:
    with _STEMMER_LOCK:
        stemmed: str = _stemmer().stemWord(word)
    return stemmed


@lru_cache(maxsize=1)
def _stemmer() -> Any:  # Any: PyStemmer has no types
    import Stemmer  # here, so that what makes an error printable needs no library

    return Stemmer.Stemmer("english")


def one_line(text: str) -> str:
    """The text as ``visible`` shows it, on one line."""
    return " ".join(visible(text).split())


def visible(text: str) -> str:
    """The text without power over what shows it: control characters are replaced by visible signs."""
    return _PERHAPS_UNSEEN.sub(lambda found: _sign(found[0]), text)


def _sign(character: str) -> str:
    if character in "\n\t" or character.isprintable():
        return character
    if character < " ":
        return chr(0x2400 + ord(character))
    is_control = character in BIDI_CONTROLS or unicodedata.category(character) in ("Cc", "Cs", "Cn", "Zl", "Zp")
    return "\ufffd" if is_control else character
