"""From the bytes of a Posts table to posts: blocks of whole rows, rows, and what a row says.

After ``archive``, before ``body``. In well-formed XML no ``<`` stands inside an attribute, so ``<row`` up
to the next ``<`` frames a row whatever the lines are, and a row of the usual shape is read without a
parser; any surprising row goes to expat, which decides. A row that cannot be read is never an error: it
is counted with a reason. Source: ours, docs/decisions/0003.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Literal, NamedTuple
from xml.parsers import expat

from procqa.dump.archive import ByteStream
from procqa.errors import DumpError
from procqa.records import Post

BLOCK_BYTES = 8 << 20
"""Bytes of a block, the unit of work of a build. Source: ours, docs/decisions/0003."""

MAX_ROW_BYTES = 16 << 20
"""A row from this size on is unreadable; true ones stay under 1 MB. Source: ours, docs/decisions/0003."""

MAX_HEAD_BYTES = 1 << 20
"""The most that may stand before the first row, and after the root's end. Source: ours, docs/decisions/0003."""

NOT_UTF8 = "not UTF-8"
NOT_WELL_FORMED = "not well-formed"
FORBIDDEN_CHARACTER = "forbidden character"
TOO_LONG = "16 MiB or longer"
NO_ID = "no id"
NO_POST_TYPE = "no post type"
NO_BODY = "no body"
NO_PARENT = "no parent"
NO_TITLE = "no title"
NO_DATE = "no date"
IMPOSSIBLE_DATE = "impossible date"
IMPOSSIBLE_SCORE = "impossible score"
IMPOSSIBLE_ID = "impossible id"

LOCAL_SITE = "local"
"""The site of posts that have no web page. Source: ours, docs/decisions/0003."""

DELETED_USER = "deleted user"

Kind = Literal["question", "answer", "other"]


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows that stand together in a dump.

    Args:
        index: counts from 0 within the dump.
        offset: where ``data`` begins in the decompressed stream, bytes.
    """

    index: int
    offset: int
    data: bytes


class RawRow(NamedTuple):
    """What is told of a readable row before its thread is known. A tuple, because each row makes one.

    Args:
        thread_id: a question's own id, an answer's question, another row's own id.
        accepted_answer_id: a question's, where it has one.
        activity_ms: last activity, else last edit, else creation; 0 for a row of another type.
        newest_ms: newest date in the row; None where a row of another type has no possible one.
    """

    kind: Kind
    id: int
    thread_id: int
    accepted_answer_id: int | None
    activity_ms: int
    newest_ms: int | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that is no post, and the one reason for it, which is a constant of this module."""

    reason: str


class _Window:
    """The next bytes of a stream, as many as are asked for, and where they stand."""

    def __init__(self, stream: ByteStream, name: str) -> None:
        self._stream = stream
        self._name = name
        self.data = b""
        self.offset = 0
        self.ended = False

    def fill(self, size: int) -> None:
        """Hold at least ``size`` bytes, or all up to the end; never read on once they are there."""
        pieces, missing = [self.data], size - len(self.data)
        while missing > 0 and not self.ended:
            piece = self._stream.read(missing)
            self.ended = not piece
            pieces.append(piece)
            missing -= len(piece)
        self.data = b"".join(pieces)

    def drop(self, size: int) -> None:
        """Go on behind the first ``size`` bytes."""
        self.data = self.data[size:]
        self.offset += size

    def error(self, sentence: str, at: int = 0) -> DumpError:
        """The error that says what is wrong ``at`` so many bytes into the window."""
        return DumpError(f"{self._name} {sentence}", path=self._name, offset=self.offset + at)


def read_blocks(stream: ByteStream, *, name: str, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """The rows of a dump in blocks, lazily; a dump without rows gives none.

    Where a block ends follows from the bytes and ``block_bytes`` alone, not from the sizes of reads.
    Comments and the like become spaces, so that offsets stay. The stream is read to its end.
    Memory: a few times the larger of ``block_bytes`` and MAX_ROW_BYTES.

    Args:
        name: what errors call the dump.

    Raises:
        DumpError: the stream is no dump, is cut off, or goes on after its root element.
    """
    window = _Window(stream, name)
    root = _skip_head(window)
    index, size, ended = 0, block_bytes, root == b""
    while not ended:
        window.fill(size)
        scan = _scan(window.data, root, is_last=window.ended)
        ended = scan.root_end is not None
        if not ended and window.ended:
            at = window.offset + len(window.data)
            what = f"ends without </{root.decode()}>: the file is cut off at byte {at:,} of its data, fetch it again"
            raise window.error(what, len(window.data))
        stop = scan.root_end if scan.root_end is not None else _last_border(scan)
        if stop == 0 and not ended:
            if len(window.data) < MAX_ROW_BYTES:
                size += block_bytes
                continue
            stop = scan.limit
            if stop == 0:
                raise window.error(f"holds a comment of more than {MAX_ROW_BYTES >> 20} MiB: it is no dump of posts")
        if scan.clean.find(b"<row", 0, stop) >= 0:
            yield Block(index, window.offset, scan.clean[:stop])
            index += 1
        window.drop(stop)
        size = block_bytes
    _check_tail(window, root)


def rows_in(block: Block) -> Iterator[tuple[int, bytes]]:
    """Each row of a block as (offset in the stream, raw bytes from ``<row`` to its end)."""
    data, base, find = block.data, block.offset, block.data.find
    start = find(b"<row")
    while start >= 0:
        end = find(b"<", start + 1)
        raw = data[start:end] if end >= 0 else data[start:]
        if raw[4:5] in _AFTER_ROW:
            trimmed = raw.rstrip(_SPACE)
            yield base + start, trimmed if trimmed[-2:] == b"/>" else _long_row(data, start, raw)
        start = find(b"<row", end) if end >= 0 else -1


def _long_row(data: bytes, start: int, raw: bytes) -> bytes:
    """A row that is not one empty tag up to the next: an end tag or text follows, or it is broken."""
    tag, after = _TAG.match(raw), start + len(raw)
    if tag is not None and tag[0].endswith(b"/>"):
        return tag[0]
    if data.startswith(b"</row", after):
        return data[start : data.find(b">", after) + 1 or len(data)]
    return raw


_SPACE = b" \t\r\n"
_AFTER_ROW = (b" ", b"\t", b"\r", b"\n", b"/", b">")
_TAG = re.compile(rb"""<[^<>"']*+(?:(?:"[^"<]*+"|'[^'<]*+')[^<>"']*+)*+>""")
_COMMENT = re.compile(rb"<!--.*?-->|<\?.*?\?>", re.DOTALL)
_UNUSUAL = re.compile(rb"<[^r]")
_CLOSERS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}


class _RootFound(Exception):
    """Ends the parse of a head: the name of the root and where its tag begins."""

    def __init__(self, root: str, at: int) -> None:
        super().__init__(root, at)
        self.root = root
        self.at = at


def _skip_head(window: _Window) -> bytes:
    """Drop all up to the root's first child; the root's name, or nothing where it is ``<root/>``."""
    window.fill(MAX_HEAD_BYTES)
    if not window.data:
        raise window.error("must be a Posts table in XML, but it is empty")
    encodings: list[str | None] = []
    parser = expat.ParserCreate()
    parser.XmlDeclHandler = lambda _version, encoding, _standalone: encodings.append(encoding)

    def found(root: str, _attributes: dict[str, str]) -> None:
        raise _RootFound(root, parser.CurrentByteIndex)

    parser.StartElementHandler = found
    try:
        parser.Parse(window.data, window.ended)
    except _RootFound as head:
        return _enter_root(window, head, encodings)
    except expat.ExpatError as error:
        why = "it is a web page" if _looks_like_html(window.data) else f"its head is {error}"
        raise window.error(f"must be a Posts table in XML, but {why}") from error
    raise window.error("must be a Posts table in XML, but no root element begins within its first MiB")


def _enter_root(window: _Window, head: _RootFound, encodings: Sequence[str | None]) -> bytes:
    declared = next(filter(None, encodings), "utf-8").lower()
    if declared not in ("utf-8", "utf8", "us-ascii") or window.data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise window.error("must be UTF-8, but its head says otherwise: convert it first")
    if head.root.lower() == "html":
        raise window.error("must be a Posts table in XML, but it is a web page")
    if head.root == "row":
        raise window.error("must have one root element around its rows, but it begins with a row")
    tag = _TAG.match(window.data, head.at)
    if tag is None:
        raise window.error("must be a Posts table in XML, but its root element's tag is broken", head.at)
    window.drop(tag.end())
    return b"" if tag[0].endswith(b"/>") else head.root.encode()


def _looks_like_html(data: bytes) -> bool:
    return re.match(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)\b", data, re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class _Scan:
    """What stands in a window besides rows.

    Args:
        clean: the window with spaces for comments, CDATA and processing instructions.
        limit: where one of them begins that does not end in the window; else the window's size.
        root_end: where the root's end tag begins.
    """

    clean: bytes
    limit: int
    root_end: int | None


def _scan(data: bytes, root: bytes, *, is_last: bool) -> _Scan:
    if _UNUSUAL.search(data) is None:
        return _Scan(data, len(data), None)
    pattern = re.compile(rb"<(?:!--|!\[CDATA\[|\?|/" + re.escape(root) + rb"[ \t\r\n]*>)")
    clean = bytearray(data)
    at = 0
    while (match := pattern.search(clean, at)) is not None:
        start, at, opener = match.start(), match.end(), bytes(match[0])
        if not _is_between_tags(clean, start):
            continue
        if opener not in _CLOSERS:
            return _Scan(bytes(clean), len(clean), start)
        closer = _CLOSERS[opener]
        close = clean.find(closer, at)
        if close < 0:
            return _Scan(bytes(clean), start, None)
        at = close + len(closer)
        clean[start:at] = b" " * (at - start)
    return _Scan(bytes(clean), len(clean), _final_tag(data, root) if is_last else None)


def _final_tag(data: bytes, root: bytes) -> int | None:
    """Where the root's end tag begins if all ends with it, even if the row before it is broken."""
    at = data.rfind(b"</" + root)
    if at < 0 or _COMMENT.sub(b"", data[at + 2 + len(root) :]).strip(_SPACE) != b">":
        return None
    return at


def _is_between_tags(data: bytearray, at: int) -> bool:
    """Whether the tag before this place has ended; within a broken row nothing is markup."""
    last = data.rfind(b"<", 0, at)
    return last < 0 or _TAG.match(data, last, at) is not None


def _last_border(scan: _Scan) -> int:
    """The last place of a window up to which all rows are whole; 0 where more bytes must tell."""
    last = scan.clean.rfind(b"<row", 1, scan.limit)
    if last > 0 or scan.clean.startswith(b"<row"):
        return max(last, 0)
    if scan.limit < len(scan.clean):
        return scan.limit
    last = scan.clean.rfind(b"<")
    return last if last >= 0 else len(scan.clean)


def _check_tail(window: _Window, root: bytes) -> None:
    """Nothing but comments and white space may follow the root element."""
    window.fill(MAX_HEAD_BYTES)
    tail = window.data[window.data.find(b">") + 1 :] if root else window.data
    if not window.ended or _COMMENT.sub(b"", tail).strip(_SPACE):
        end = f"</{root.decode()}>" if root else "its root element"
        raise window.error(f"goes on after {end}: a dump is one XML document, give joined files one by one")


# The attributes that are read, in the order of a row's fields.
_ATTRIBUTES = (
    *("Id", "ParentId", "AcceptedAnswerId", "OwnerUserId"),
    *("CreationDate", "LastEditDate", "LastActivityDate", "ClosedDate", "CommunityOwnedDate"),
    *("Score", "ViewCount", "PostTypeId", "Title", "Body", "Tags", "OwnerDisplayName", "ContentLicense"),
)
_ID, _PARENT, _ACCEPTED, _OWNER, _CREATED, _EDITED, _ACTIVE = range(7)
_SCORE, _VIEWS, _TYPE, _TITLE, _BODY, _TAGS, _OWNER_NAME, _LICENCE = range(9, 17)
_DATES, _CHECKED = slice(_CREATED, _SCORE), slice(_ID, _TYPE)
_Fields = tuple[bytes, ...]
_Pick = Callable[[Sequence[bytes]], _Fields]

# What must not stand in a row of the usual shape: control characters, a second "<", other references.
_FLAGS = bytes(0 if byte < 0x20 or byte == 0x3C else 1 for byte in range(256))
_USUAL_NAMES = re.compile(rb'<row(?: +[A-Za-z_][\w.-]*=")+ */>')
_MAX_NAMES_BYTES = 1_024
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# The references of the usual shape and what they stand for; "&" last, or "&amp;lt;" would become "<".
_REFERENCES = (
    *(("&lt;", "<"), ("&gt;", ">"), ("&#xA;", "\n"), ("&quot;", '"'), ("&#39;", "'"), ("&apos;", "'")),
    *(("&#xD;", "\r"), ("&#x9;", "\t"), ("&#10;", "\n"), ("&#13;", "\r"), ("&#9;", "\t"), ("&amp;", "&")),
)
_ODD_REFERENCE = re.compile(rb"&(?!lt;|gt;|#xA;|amp;|quot;|#xD;|#x9;|#39;|apos;|#10;|#13;|#9;)")


def _fields(raw: bytes) -> _Fields | Unreadable:
    """The values of _ATTRIBUTES, still escaped; an absent attribute is empty.

    All of them are UTF-8 without forbidden characters, and hold no references but the usual ones.
    """
    parts = raw.split(b'"')
    names = b'"'.join(parts[::2])
    pick = _layout(names) if len(names) <= _MAX_NAMES_BYTES else None
    if (
        pick is None
        or len(raw) >= MAX_ROW_BYTES
        or raw.translate(_FLAGS).find(b"\0", 1) >= 0
        or _ODD_REFERENCE.search(raw) is not None
        or not (raw.isascii() or _is_clean_utf8(raw))
    ):
        return _parse(raw)
    parts[-1] = b""
    return pick(parts)


@lru_cache(maxsize=4_096)
def _layout(names: bytes) -> _Pick | None:
    """How to pick the fields from a row that was split at its quotes, by all that stands outside them."""
    if _USUAL_NAMES.fullmatch(names) is None:
        return None
    found = [name.decode() for name in re.findall(rb'([^ ]+)="', names)]
    if len(set(found)) < len(found):
        return None
    # An absent attribute is picked from the last part, which the caller empties.
    return itemgetter(*(2 * found.index(name) + 1 if name in found else -1 for name in _ATTRIBUTES))


def _is_clean_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    # U+FFC0 to U+FFFF: the last two are forbidden, the others rare enough to be parsed.
    return b"\xef\xbf" not in raw


def _parse(raw: bytes) -> _Fields | Unreadable:
    """The fields of a surprising row, as a real XML parser reads it."""
    if len(raw) >= MAX_ROW_BYTES:
        return Unreadable(TOO_LONG)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return Unreadable(NOT_UTF8)
    if _FORBIDDEN.search(text) is not None:
        return Unreadable(FORBIDDEN_CHARACTER)
    elements: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate("UTF-8")
    parser.StartElementHandler = lambda name, attributes: elements.append((name, attributes))
    try:
        # In an element of its own, for text may follow a row before the next one.
        parser.Parse(b"<root>" + raw + b"</root>", True)
    except expat.ExpatError as error:
        forbidden = error.code == expat.errors.codes[expat.errors.XML_ERROR_BAD_CHAR_REF]
        return Unreadable(FORBIDDEN_CHARACTER if forbidden else NOT_WELL_FORMED)
    if [name for name, _ in elements] != ["root", "row"]:
        return Unreadable(NOT_WELL_FORMED)
    values = elements[1][1]
    return tuple(_escape(values.get(name, "")) for name in _ATTRIBUTES)


def _escape(text: str) -> bytes:
    for reference, character in reversed(_REFERENCES):
        text = text.replace(character, reference)
    return text.encode()


def _text(value: bytes) -> str:
    """The text of a field: its references resolved, all else untouched."""
    text = value.decode()
    if "&" in text:
        for reference, character in _REFERENCES:
            text = text.replace(reference, character)
    return text


_LEAST_YEAR, _MOST_YEAR = 1990, 2100
_MOST_ID = (1 << 63) - 1
_MOST_SCORE = 1 << 31
_MOST_DIGITS = 19
_EPOCH, _MILLISECOND = datetime(1970, 1, 1), timedelta(milliseconds=1)
_DATE = re.compile(rb"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,3})?")


def _usual_values() -> re.Pattern[bytes]:
    """Ids, dates and numbers, joined by commas, that need no closer look; a day past the 28th does."""
    number = rb"[1-9]\d{0,17}"
    date = rb"(?:199\d|20\d\d)-(?:0[1-9]|1[0-2])-(?:[01][1-9]|10|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}"
    maybe = [b"(?:" + value + b")?" for value in (number, number, b"-?" + number, date, date, date, date)]
    counts = [rb"(?:-?\d{1,9})?", rb"(?:\d{1,9})?"]
    return re.compile(b",".join([number, *maybe[:3], date, *maybe[3:], *counts]))


_USUAL_VALUES = _usual_values()


def read_row(raw: bytes) -> RawRow | Unreadable:
    """What a row is, or why it is no post; ``to_post`` takes every question and answer that passes.

    An attribute with an empty value counts as absent. Of several reasons the first in the order of this
    module's constants is given. A row of another type needs no more than well-formed XML and an id.
    """
    fields = _fields(raw)
    if isinstance(fields, Unreadable):
        return fields
    post_type = fields[_TYPE]
    if post_type != b"1" and post_type != b"2":
        return _read_other(fields)
    is_question = post_type == b"1"
    needed = fields[_TITLE] if is_question else fields[_PARENT]
    if not (needed and fields[_BODY] and _USUAL_VALUES.fullmatch(b",".join(fields[_CHECKED]))):
        reason = _reason(fields, is_question=is_question)
        if reason is not None:
            return Unreadable(reason)
    post_id, accepted = int(fields[_ID]), fields[_ACCEPTED]
    newest, activity = max(fields[_DATES]), _activity(fields)
    newest_ms = _to_ms(newest)
    activity_ms = newest_ms if activity == newest else _to_ms(activity)
    if is_question:
        return RawRow("question", post_id, post_id, int(accepted) if accepted else None, activity_ms, newest_ms)
    return RawRow("answer", post_id, int(needed), None, activity_ms, newest_ms)


def _reason(fields: _Fields, *, is_question: bool) -> str | None:
    """Why a question or an answer is none; None where all is well."""
    absent = (
        (NO_ID, fields[_ID]),
        (NO_BODY, fields[_BODY]),
        (NO_TITLE, fields[_TITLE]) if is_question else (NO_PARENT, fields[_PARENT]),
        (NO_DATE, fields[_CREATED]),
    )
    for reason, value in absent:
        if not value:
            return reason
    if not all(_is_date(value) for value in fields[_DATES] if value):
        return IMPOSSIBLE_DATE
    if not all(_is_integer(value, _MOST_SCORE) for value in (fields[_SCORE], fields[_VIEWS]) if value):
        return IMPOSSIBLE_SCORE
    ids = [value for value in (fields[_ID], fields[_PARENT], fields[_ACCEPTED]) if value]
    if not all(map(_is_id, ids)) or not _is_integer(fields[_OWNER] or b"0", _MOST_ID):
        return IMPOSSIBLE_ID
    return None


def _read_other(fields: _Fields) -> RawRow | Unreadable:
    if not fields[_ID]:
        return Unreadable(NO_ID)
    if not fields[_TYPE].isdigit():
        return Unreadable(NO_POST_TYPE)
    if not _is_id(fields[_ID]):
        return Unreadable(IMPOSSIBLE_ID)
    post_id = int(fields[_ID])
    newest = max(filter(_is_date, fields[_DATES]), default=None)
    return RawRow("other", post_id, post_id, None, 0, None if newest is None else _to_ms(newest))


def _activity(fields: _Fields) -> bytes:
    return fields[_ACTIVE] or fields[_EDITED] or fields[_CREATED]


def _is_date(value: bytes) -> bool:
    """Whether this is a date-time that the calendar knows, from 1990 to 2100, with up to milliseconds."""
    if _DATE.fullmatch(value) is None:
        return False
    try:
        return _LEAST_YEAR <= datetime.fromisoformat(value.decode()).year <= _MOST_YEAR
    except ValueError:
        return False


def _to_ms(date: bytes) -> int:
    """Milliseconds since 1970 of a date-time that ``_is_date``."""
    return (datetime.fromisoformat(date.decode()) - _EPOCH) // _MILLISECOND


def _is_id(value: bytes) -> bool:
    return value.isdigit() and len(value) <= _MOST_DIGITS and 1 <= int(value) <= _MOST_ID


def _is_integer(value: bytes, most: int) -> bool:
    digits = value[1:] if value[:1] in (b"-", b"+") else value
    return digits.isdigit() and len(digits) <= _MOST_DIGITS and int(digits) <= most


_LICENCE_3_MS = _to_ms(b"2011-04-08T00:00:00")
_LICENCE_4_MS = _to_ms(b"2018-05-02T00:00:00")
_TAG_NAME = re.compile(r"[^<>|\s]+")


def to_post(raw: bytes, *, site: str) -> Post:
    """The post in a row that ``read_row`` takes for a question or an answer.

    Args:
        site: the host of the post's page, or ``local`` for none: then no url is made.

    Raises:
        ValueError: the row is no question and no answer; ask ``read_row`` first.

    Source: ours, docs/decisions/0003.
    """
    fields = _fields(raw)
    if isinstance(fields, Unreadable) or fields[_TYPE] not in (b"1", b"2"):
        raise ValueError("to_post takes a row that read_row takes for a question or an answer")
    is_question = fields[_TYPE] == b"1"
    accepted = fields[_ACCEPTED] if is_question else b""
    created_ms = _to_ms(fields[_CREATED])
    author, author_url = _author(fields, site)
    return Post(
        site=site,
        id=int(fields[_ID]),
        kind="question" if is_question else "answer",
        parent_id=None if is_question else int(fields[_PARENT]),
        accepted_answer_id=int(accepted) if accepted else None,
        created_ms=created_ms,
        activity_ms=_to_ms(_activity(fields)),
        score=int(fields[_SCORE] or b"0"),
        view_count=int(fields[_VIEWS]) if fields[_VIEWS] else None,
        title=_text(fields[_TITLE]) if is_question else "",
        tags=tuple(_TAG_NAME.findall(_text(fields[_TAGS]))),
        body_html=_text(fields[_BODY]),
        author=author,
        author_url=author_url,
        licence=_text(fields[_LICENCE]).strip() or _licence_of(created_ms),
    )


def _author(fields: _Fields, site: str) -> tuple[str, str | None]:
    """The name to show and the profile's url: an id alone still says who, a deleted author has neither."""
    owner = fields[_OWNER].decode()
    name = _text(fields[_OWNER_NAME]).strip() or (f"user {owner}" if owner else DELETED_USER)
    return name, f"https://{site}/users/{owner}" if owner and site != LOCAL_SITE else None


def _licence_of(created_ms: int) -> str:
    """The licence of a post whose row names none: it follows from the day it was written."""
    if created_ms < _LICENCE_3_MS:
        return "CC BY-SA 2.5"
    return "CC BY-SA 3.0" if created_ms < _LICENCE_4_MS else "CC BY-SA 4.0"
