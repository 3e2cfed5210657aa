"""From the bytes of a Posts table to blocks of whole rows, and the raw rows of a block.

After ``archive``, before ``rows``. In well-formed XML no ``<`` stands inside an attribute, so ``<row`` up
to the next ``<`` frames a row whatever the lines are. What a row says, and whether it is well-formed, is
not known here. Source: ours, docs/decisions/0003.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from procqa.dump.stream import ByteStream, broken
from procqa.errors import DumpError

BLOCK_BYTES = 8 << 20
"""Bytes of a block, the unit of work of a build. Source: ours, docs/decisions/0003."""

MAX_BLOCK_ROWS = 1 << 16
"""Rows of a block at the most; true ones of 8 MB have some 5,000. Source: ours, docs/decisions/0003."""

MAX_ROW_BYTES = 16 << 20
"""A row from this size on is unreadable; true ones stay under 1 MB. Source: ours, docs/decisions/0003."""

MAX_HEAD_BYTES = 1 << 20
"""The most that may stand before the first row, and after the root's end. Source: ours, docs/decisions/0003."""


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows that stand together in a dump.

    Args:
        index: counts from 0 within the dump.
        offset: where ``data`` begins in the decompressed stream, bytes.
        is_verbatim: whether ``data`` is what stands there, and nothing in it was made blank.
    """

    index: int
    offset: int
    data: bytes
    is_verbatim: bool = False


@dataclass(frozen=True, slots=True)
class BlockPlace:
    """Where a verbatim block stands in a file that is not compressed: less to hand to another process than its data."""

    path: Path
    index: int
    offset: int
    size: int

    def read(self) -> Block:
        """The block.

        Raises:
            DumpError: the file cannot be read there.
        """
        try:
            with self.path.open("rb") as stream:
                stream.seek(self.offset)
                data = stream.read(self.size)
        except OSError as error:
            raise broken(str(self.path), self.offset, error) from error
        if len(data) != self.size:
            raise broken(str(self.path), self.offset + len(data), EOFError("it became shorter while it was read"))
        return Block(self.index, self.offset, data, is_verbatim=True)


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

    Where a block ends follows from the bytes and ``block_bytes`` alone, not from the sizes of reads. It holds no more
    than MAX_BLOCK_ROWS rows, for each takes memory of its own.
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
            # The row is too long to be read; what begins behind it is not part of it.
            following = scan.clean.rfind(b"<", 1, scan.limit)
            stop = following if following > 0 else scan.limit
            if stop == 0:
                raise window.error(f"holds a comment of more than {MAX_ROW_BYTES >> 20} MiB: it is no dump of posts")
        if scan.rows > MAX_BLOCK_ROWS and (border := _border_of_rows(scan.clean, stop)) < stop:
            stop, ended = border, False
        if scan.clean.find(b"<row", 0, stop) >= 0:
            yield Block(index, window.offset, scan.clean[:stop], is_verbatim=scan.clean is window.data)
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
        if data[start + 4 : start + 5] in _AFTER_ROW:
            yield base + start, whole_row(data, start, end if end >= 0 else len(data))
        start = find(b"<row", end) if end >= 0 else -1


def whole_row(data: bytes, start: int, end: int) -> bytes:
    """The row that begins at ``start``, of which the next ``<`` stands at ``end``, or the data ends there."""
    raw = data[start:end]
    trimmed = raw.rstrip(_SPACE)
    return trimmed if trimmed[-2:] == b"/>" else _long_row(data, start, raw)


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
        raise window.error("must be a table in XML, but it is empty")
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
        raise window.error(f"must be a table in XML, but {why}") from error
    raise window.error("must be a table in XML, but no root element begins within its first MiB")


def _enter_root(window: _Window, head: _RootFound, encodings: Sequence[str | None]) -> bytes:
    declared = next(filter(None, encodings), "utf-8").lower()
    if declared not in ("utf-8", "utf8", "us-ascii") or window.data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise window.error("must be UTF-8, but its head says otherwise: convert it first")
    if head.root.lower() == "html":
        raise window.error("must be a table in XML, but it is a web page")
    if head.root == "row":
        raise window.error("must have one root element around its rows, but it begins with a row")
    tag = _TAG.match(window.data, head.at)
    if tag is None:
        raise window.error("must be a table in XML, but its root element's tag is broken", head.at)
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
        rows: how many begin, or a few more.
    """

    clean: bytes
    limit: int
    root_end: int | None
    rows: int


def _scan(data: bytes, root: bytes, *, is_last: bool) -> _Scan:
    rows = _count_rows(data)
    if rows is not None:
        return _Scan(data, len(data), None, rows)
    pattern = re.compile(rb"<(?:!--|!\[CDATA\[|\?|/" + re.escape(root) + rb"[ \t\r\n]*>)")
    clean = bytearray(data)
    at = blanked = 0
    while (match := pattern.search(clean, at)) is not None:
        start, at, opener = match.start(), match.end(), bytes(match[0])
        if not _is_between_tags(clean, blanked, start):
            continue
        if opener not in _CLOSERS:
            return _Scan(bytes(clean), len(clean), start, clean.count(b"<row"))
        closer = _CLOSERS[opener]
        close = clean.find(closer, at)
        if close < 0:
            return _Scan(bytes(clean), start, None, clean.count(b"<row"))
        at = blanked = close + len(closer)
        clean[start:at] = b" " * (at - start)
    return _Scan(bytes(clean), len(clean), _final_tag(data, root) if is_last else None, clean.count(b"<row"))


def _count_rows(data: bytes) -> int | None:
    """How many rows begin; None where anything else begins with ``<``. Much faster than a search for a pattern."""
    find, at, rows = data.find, data.find(b"<"), 0
    while at >= 0 and data[at + 1 : at + 2] == b"r":
        at = find(b"<", at + 1)
        rows += 1
    return rows if at < 0 else None


def _border_of_rows(data: bytes, stop: int) -> int:
    """Where the row begins that is one too many for a block; ``stop`` where none is."""
    at = data.find(b"<row", 0, stop)
    for _ in range(MAX_BLOCK_ROWS):
        if at < 0:
            return stop
        at = data.find(b"<row", at + 1, stop)
    return stop if at < 0 else at


def _final_tag(data: bytes, root: bytes) -> int | None:
    """Where the root's end tag begins if all ends with it, even if the row before it is broken."""
    at = data.rfind(b"</" + root)
    if at < 0 or _COMMENT.sub(b"", data[at + 2 + len(root) :]).strip(_SPACE) != b">":
        return None
    return at


def _is_between_tags(data: bytearray, since: int, at: int) -> bool:
    """Whether the tag before a place has ended; within a broken row nothing is markup.

    Args:
        since: where markup that stood between tags has ended, or 0: nothing before it needs to be looked at.
    """
    last = data.rfind(b"<", since, at)
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
