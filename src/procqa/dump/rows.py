"""What the row of a post says: its kind and thread, the post in it, or why it is none.

After ``blocks``, before ``body``: one row at a time, as a real XML parser reads it. It decides what a row
is; ``columns`` does the same for a block of usual rows at once. A row that cannot be read is never an
error: it is counted with a reason. Source: ours, docs/decisions/0003.
"""

import html
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
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


ATTRIBUTES = (
    *("Id", "ParentId", "AcceptedAnswerId", "OwnerUserId"),
    *("CreationDate", "LastEditDate", "LastActivityDate", "ClosedDate", "CommunityOwnedDate"),
    *("Score", "ViewCount", "PostTypeId", "Title", "Body", "Tags", "OwnerDisplayName", "ContentLicense"),
)
"""The attributes that are read: ids, dates, numbers, the type, then texts."""

_DATES = ATTRIBUTES[4:9]
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_Values = dict[str, str]


def _parse(raw: bytes) -> _Values | Unreadable:
    """The attributes of a row."""
    if len(raw) >= MAX_ROW_BYTES:
        return Unreadable(TOO_LONG)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return Unreadable(NOT_UTF8)
    if _FORBIDDEN.search(text) is not None:
        return Unreadable(FORBIDDEN_CHARACTER)
    elements: list[tuple[str, _Values]] = []
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
    return elements[1][1]


_LEAST_YEAR, _MOST_YEAR = 1990, 2100
_MOST_ID = (1 << 63) - 1
_MOST_SCORE = 1 << 31
_MOST_DIGITS = 19
_EPOCH, _MILLISECOND = datetime(1970, 1, 1), timedelta(milliseconds=1)
_DATE = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,3})?", re.ASCII)


def read_row(raw: bytes) -> RawRow | Unreadable:
    """What a row is, or why it is no post; ``to_post`` takes every question and answer that passes.

    An attribute with an empty value counts as absent. Of several reasons the first in the order of this
    module's constants is given. A row of another type needs no more than well-formed XML and an id.
    """
    values = _parse(raw)
    if isinstance(values, Unreadable):
        return values
    if values.get("PostTypeId") not in ("1", "2"):
        return _read_other(values)
    reason = _reason(values)
    if reason is not None:
        return Unreadable(reason)
    post = _to_values(values)
    newest_ms = max(_to_ms(values[name]) for name in _DATES if values.get(name))
    if post.is_question:
        return RawRow("question", post.id, post.id, post.accepted, post.activity_ms, newest_ms)
    return RawRow("answer", post.id, post.parent_id, None, post.activity_ms, newest_ms)


def _reason(values: _Values) -> str | None:
    """Why a question or an answer is none; None where all is well."""
    absent = (
        (NO_ID, "Id"),
        (NO_BODY, "Body"),
        (NO_TITLE, "Title") if values["PostTypeId"] == "1" else (NO_PARENT, "ParentId"),
        (NO_DATE, "CreationDate"),
    )
    for reason, name in absent:
        if not values.get(name):
            return reason
    if not all(_is_date(values[name]) for name in _DATES if values.get(name)):
        return IMPOSSIBLE_DATE
    if not all(_is_integer(values.get(name) or "0", _MOST_SCORE) for name in ("Score", "ViewCount")):
        return IMPOSSIBLE_SCORE
    ids = [values[name] for name in ("Id", "ParentId", "AcceptedAnswerId") if values.get(name)]
    if not all(map(_is_id, ids)) or not _is_integer(values.get("OwnerUserId") or "0", _MOST_ID):
        return IMPOSSIBLE_ID
    return None


def _read_other(values: _Values) -> RawRow | Unreadable:
    if not values.get("Id"):
        return Unreadable(NO_ID)
    if not _is_digits(values.get("PostTypeId", "")):
        return Unreadable(NO_POST_TYPE)
    if not _is_id(values["Id"]):
        return Unreadable(IMPOSSIBLE_ID)
    post_id = int(values["Id"])
    newest = max((values[name] for name in _DATES if _is_date(values.get(name, ""))), default=None)
    return RawRow("other", post_id, post_id, None, 0, None if newest is None else _to_ms(newest))


def _is_date(value: str) -> bool:
    """Whether this is a date-time that the calendar knows, from 1990 to 2100, with up to milliseconds."""
    if _DATE.fullmatch(value) is None:
        return False
    try:
        return _LEAST_YEAR <= datetime.fromisoformat(value).year <= _MOST_YEAR
    except ValueError:
        return False


def _to_ms(date: str) -> int:
    """Milliseconds since 1970 of a date-time that ``_is_date``."""
    return (datetime.fromisoformat(date) - _EPOCH) // _MILLISECOND


def _is_digits(value: str) -> bool:
    return value.isascii() and value.isdigit()


def _is_id(value: str) -> bool:
    return _is_digits(value) and len(value) <= _MOST_DIGITS and 1 <= int(value) <= _MOST_ID


def _is_integer(value: str, most: int) -> bool:
    digits = value[1:] if value[:1] in ("-", "+") else value
    return _is_digits(digits) and len(digits) <= _MOST_DIGITS and int(digits) <= most


class PostValues(NamedTuple):
    """What a row says of a post, before it is known where its site is; None where the row says nothing.

    Args:
        parent_id: of an answer its question, of a question its own id.
        tags: as one text, in either style.
        name: the owner's, where the row has it; ``owner`` is the owner's id.
    """

    is_question: bool
    id: int
    parent_id: int
    accepted: int | None
    owner: int | None
    created_ms: int
    activity_ms: int
    is_closed: bool
    score: int
    views: int | None
    title: str
    body: str
    tags: str
    name: str
    licence: str


def read_values(raw: bytes) -> PostValues:
    """What a row says of a post.

    Raises:
        ValueError: ``read_row`` does not take the row for a question or an answer; ask it first.
    """
    values = _parse(raw)
    if isinstance(values, Unreadable) or values.get("PostTypeId") not in ("1", "2"):
        raise ValueError("read_values takes a row that read_row takes for a question or an answer")
    return _to_values(values)


def _to_values(values: _Values) -> PostValues:
    is_question = values["PostTypeId"] == "1"
    accepted = values.get("AcceptedAnswerId") if is_question else None
    owner, views = values.get("OwnerUserId"), values.get("ViewCount")
    active = values.get("LastActivityDate") or values.get("LastEditDate") or values["CreationDate"]
    return PostValues(
        is_question=is_question,
        id=int(values["Id"]),
        parent_id=int(values["Id"] if is_question else values["ParentId"]),
        accepted=int(accepted) if accepted else None,
        owner=int(owner) if owner else None,
        created_ms=_to_ms(values["CreationDate"]),
        activity_ms=_to_ms(active),
        is_closed=bool(values.get("ClosedDate")),
        score=int(values.get("Score") or "0"),
        views=int(views) if views else None,
        title=values.get("Title", ""),
        body=values["Body"],
        tags=values.get("Tags", ""),
        name=values.get("OwnerDisplayName", ""),
        licence=values.get("ContentLicense", ""),
    )


_LICENCE_3_MS = _to_ms("2011-04-08T00:00:00")
_LICENCE_4_MS = _to_ms("2018-05-02T00:00:00")
_TAG_NAME = re.compile(r"[^<>|\s]+")


def parse_tags(escaped: bytes) -> tuple[str, ...]:
    """The tags of a row as the dump has them, in either style: ``<a><b>`` or ``|a|b|``."""
    plain = escaped.replace(b"&lt;", b"<").replace(b"&gt;", b">")
    return split_tags(html.unescape(escaped.decode()) if b"&" in plain else plain.decode())


def split_tags(text: str) -> tuple[str, ...]:
    """The tags of a post in either style."""
    return tuple(_TAG_NAME.findall(text))


def to_post(raw: bytes, *, site: str) -> Post:
    """The post in a row that ``read_row`` takes for a question or an answer.

    Args:
        site: the host of the post's page, or ``local`` for none: then no url is made.

    Raises:
        ValueError: the row is no question and no answer; ask ``read_row`` first.

    Source: ours, docs/decisions/0003.
    """
    return make_post(read_values(raw), site=site)


def make_post(values: PostValues, *, site: str) -> Post:
    """The post that a row's values make on a site; see ``to_post``."""
    author, author_url = _author(values, site)
    return Post(
        site=site,
        id=values.id,
        kind="question" if values.is_question else "answer",
        parent_id=None if values.is_question else values.parent_id,
        accepted_answer_id=values.accepted,
        created_ms=values.created_ms,
        activity_ms=values.activity_ms,
        score=values.score,
        view_count=values.views,
        title=values.title if values.is_question else "",
        tags=split_tags(values.tags),
        body_html=values.body,
        author=author,
        author_url=author_url,
        licence=values.licence.strip() or _licence_of(values.created_ms),
    )


def _author(values: PostValues, site: str) -> tuple[str, str | None]:
    """The name to show and the profile's url: an id alone still says who, a deleted author has neither."""
    owner = values.owner
    name = values.name.strip() or (DELETED_USER if owner is None else f"user {owner}")
    return name, None if owner is None or site == LOCAL_SITE else f"https://{site}/users/{owner}"


def _licence_of(created_ms: int) -> str:
    """The licence of a post whose row names none: it follows from the day it was written."""
    if created_ms < _LICENCE_3_MS:
        return "CC BY-SA 2.5"
    return "CC BY-SA 3.0" if created_ms < _LICENCE_4_MS else "CC BY-SA 4.0"
