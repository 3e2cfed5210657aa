"""What the tables beside Posts say: the names of users, and which questions are marked as duplicates.

After ``archive`` and ``blocks``. Of a row only the attributes that are wanted are read: without a parser
where it has the usual shape, by expat where it has not. A row that does not give them is counted, never
an error: a name is a kindness to the reader, and a build does not end for want of one.
Source: ours, docs/decisions/0011.
"""

import re
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar
from xml.parsers import expat
from xml.sax.saxutils import escape

from procqa.dump.blocks import Block, read_blocks, rows_in
from procqa.dump.stream import ByteStream

MAX_NAME_CHARS = 100
"""Where the name of a user is cut, characters; the site stops at 40. Source: ours, docs/decisions/0011."""

DUPLICATE_LINK_TYPE = 3
"""The LinkTypeId of a question that is marked as a duplicate. Source: ours, docs/decisions/0011."""

_MOST_ID = (1 << 63) - 1
_MAX_ID_CHARS = 20
# Few attributes, or a row that repeats one would be searched in quadratic time; rows with more are parsed.
_ATTRIBUTES = rb'<row(?: [A-Za-z]++="[^"<]*+"){0,16}?'
_USER = re.compile(_ATTRIBUTES + rb' Id="([^"<]*+)"(?: [A-Za-z]++="[^"<]*+"){0,16}? DisplayName="([^"<]*+)"')
_LINK = re.compile(_ATTRIBUTES + rb' PostId="([^"<]*+)" RelatedPostId="([^"<]*+)" LinkTypeId="([^"<]*+)"')

Read = TypeVar("Read")


class SideTable(Generic[Read]):
    """The readable rows of a table, lazily and once; what was read so far is counted.

    ``rows`` = those that were handed out + ``other`` + ``unreadable``, once all are read.

    Args:
        usual: finds the wanted attributes of a row of the usual shape.
        names: those attributes.
        read: what a row's values, still escaped, say; None where they cannot be read, False where
            the row is of no interest.

    Raises:
        DumpError: from iterating: the stream is no table, is cut off, or goes on after its root element.
    """

    def __init__(
        self,
        stream: ByteStream,
        *,
        name: str,
        usual: re.Pattern[bytes],
        names: tuple[str, ...],
        read: Callable[..., Read | bool | None],
    ) -> None:
        self.rows = 0
        self.other = 0
        self.unreadable = 0
        self._blocks = read_blocks(stream, name=name)
        self._usual = usual
        self._names = names
        self._read = read

    def __iter__(self) -> Iterator[Read]:
        """The rows, each as the reader of its table gives it."""
        read = self._read
        for block in self._blocks:
            for values in self._values_of(block):
                self.rows += 1
                found = None if values is None else read(*values)
                if found is None:
                    self.unreadable += 1
                elif isinstance(found, bool):
                    self.other += 1
                else:
                    yield found

    def _values_of(self, block: Block) -> Iterator[tuple[bytes, ...] | None]:
        """The wanted values of each row of a block; None where a row does not have them all."""
        # A match lies within one row, so as many matches as rows are one of each.
        found = self._usual.findall(block.data)
        if len(found) == block.data.count(b"<row"):
            yield from found
            return
        for _, raw in rows_in(block):
            match = self._usual.match(raw)
            yield _values_in(raw, self._names) if match is None else match.groups()


def read_users(stream: ByteStream, *, name: str) -> SideTable[tuple[int, str]]:
    """The id and the name of each user in a Users table.

    Names are without control characters, their blanks collapsed, at most MAX_NAME_CHARS long, never empty.

    Args:
        name: what errors call the table.
    """
    return SideTable(stream, name=name, usual=_USER, names=("Id", "DisplayName"), read=_read_user)


def read_duplicates(stream: ByteStream, *, name: str) -> SideTable[tuple[int, int]]:
    """The id of each question that a PostLinks table marks as a duplicate, and the id of what it repeats.

    Args:
        name: what errors call the table.
    """
    return SideTable(stream, name=name, usual=_LINK, names=("PostId", "RelatedPostId", "LinkTypeId"), read=_read_link)


def _read_user(user_id: bytes, name: bytes) -> tuple[int, str] | None:
    number, text = _integer(user_id), _text(name)
    if number is None or text is None:
        return None
    if not text.isprintable() or text[:1] == " " or text[-1:] == " " or "  " in text:
        text = "".join(filter(str.isprintable, " ".join(text.split()))).strip()
    return (number, text[:MAX_NAME_CHARS]) if text else None


def _read_link(post_id: bytes, related_id: bytes, link_type: bytes) -> tuple[int, int] | bool | None:
    if link_type == b"1":
        return False
    numbers = _integer(post_id), _integer(related_id), _integer(link_type)
    if numbers[0] is None or numbers[1] is None or numbers[2] is None:
        return None
    return (numbers[0], numbers[1]) if numbers[2] == DUPLICATE_LINK_TYPE else False


def _integer(value: bytes) -> int | None:
    """The number that stands there in ASCII digits, if it fits into 64 bits."""
    digits = value[1:] if value[:1] == b"-" else value
    if not digits.isdigit() or len(value) > _MAX_ID_CHARS:
        return None
    number = int(value)
    return number if abs(number) <= _MOST_ID else None


def _text(value: bytes) -> str | None:
    """The text of an attribute's value, its references resolved; None where it is not well-formed."""
    if b"&" in value:
        return (_attributes_of(b'<row v="' + value + b'"/>') or {}).get("v")
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _values_in(raw: bytes, names: tuple[str, ...]) -> tuple[bytes, ...] | None:
    """The wanted values of a surprising row, escaped again, if it has them all."""
    values = _attributes_of(raw)
    if values is None or not all(name in values for name in names):
        return None
    return tuple(escape(values[name]).encode() for name in names)


def _attributes_of(raw: bytes) -> dict[str, str] | None:
    """The attributes of a row as a real XML parser reads it; None where it is not well-formed."""
    elements: list[dict[str, str]] = []
    parser = expat.ParserCreate("UTF-8")
    parser.StartElementHandler = lambda _name, attributes: elements.append(attributes)
    try:
        parser.Parse(raw, True)
    except expat.ExpatError:
        return None
    return elements[0]
