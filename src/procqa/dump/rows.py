"""What the row of a post says: its kind and thread, the post in it, or why it is none.

After ``blocks``, before ``body``. A row of the usual shape is read without a parser; any surprising row
goes to expat, which decides. A row that cannot be read is never an error: it is counted with a reason.
Source: ours, docs/decisions/0003.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Literal, NamedTuple
from xml.parsers import expat

from procqa.dump.blocks import MAX_ROW_BYTES
from procqa.records import Post

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


def read_tags(raw: bytes) -> tuple[str, ...]:
    """The tags of a question that ``read_row`` passed, without the cost of its whole post."""
    fields = _fields(raw)
    return () if isinstance(fields, Unreadable) else _tags(fields)


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
        tags=_tags(fields),
        body_html=_text(fields[_BODY]),
        author=author,
        author_url=author_url,
        licence=_text(fields[_LICENCE]).strip() or _licence_of(created_ms),
    )


def _tags(fields: _Fields) -> tuple[str, ...]:
    """Both styles: ``<a><b>`` and ``|a|b|``."""
    return tuple(_TAG_NAME.findall(_text(fields[_TAGS])))


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
