"""Dumps with odd, mutated and broken rows: nothing crashes, nothing is lost, every way of reading agrees."""

import io
from html import escape
from pathlib import Path

from hypothesis import strategies as st

from procqa import bundled
from procqa.dump.beside import read_duplicates, read_users
from procqa.dump.blocks import Block, read_blocks, rows_in
from procqa.errors import DumpError
from tests.dump.raw_rows import ANSWER, QUESTION
from tests.fuzz.mutations import mutated, one_of
from tests.fuzz.readers import FAST_WAYS, read_one_by_one

SAMPLE = Path(bundled.__file__).parent / "sample" / "Posts.xml"
TAIL = b"\r\n</posts>\r\n"
HEADS = (
    b"<posts>",
    b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>\r\n<posts>\r\n',
    b'<?xml version="1.0"?>\n<!-- a comment -->\n<posts>\n',
)


def _sample_rows() -> tuple[bytes, ...]:
    blocks = read_blocks(io.BytesIO(SAMPLE.read_bytes()), name="sample")
    return tuple(raw for block in blocks for _, raw in rows_in(block) if len(raw) < 1_500)


REAL_ROWS = (QUESTION, ANSWER, *_sample_rows()[::7])
TOKENS = (
    *(b"<", b">", b"/>", b'"', b"'", b"=", b" ", b"\n", b"\t", b"\r\n", b"\0", b"\x1f", b"\x7f", b"\xff", b"\xc3"),
    *(b"&", b"&amp;", b"&lt;", b"&#xA;", b"&#10;", b"&#0;", b"&#x1F;", b"&#xD800;", b"&#x110000;", b"&#65;", b"&nbsp;"),
    *(b"&amp;lt;", b"&quot;", b"&apos;", b"&#39;", b"&#x1F600;", b"\xf0\x9f\x98\x80", b"\xe2\x80\xa8", b"\xc2\x85"),
    *(b"\xef\xbf\xbe", b"\xef\xbf\xbf", b"\xef\xbf\xbd", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"&#xFFFE;", b"&#9;"),
    *(b"<row ", b"</row>", b"<row/>", b"<rows ", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?x", b"?>", b"</posts>"),
    *(b' Id="5"', b' Id=""', b' Body="b"', b' Score="', b' PostTypeId="2"', b' ParentId="4"', b" Id='5'", b' xml:x="'),
    *(b"-1", b"+1", b"0", b"00", b"9223372036854775807", b"9223372036854775808", b"2147483649", b"1e3", b"\xd9\xa3"),
    *(b"2008-02-30T00:00:00.000", b"2008-02-29T23:59:59.9", b"2008-01-01", b"24:00:00", b"60", b"1970", b"2101"),
)
MUTATED_ROW = mutated(REAL_ROWS, TOKENS)

NUMBERS = st.one_of(
    st.integers(-5, 50).map(str),
    st.integers(-(1 << 65), 1 << 65).map(str),
    st.sampled_from(["", "+3", "-", "007", "1.0", " 1", "１", "1_0", "2147483648", "-2147483649", "x"]),
)
DATES = st.one_of(
    st.datetimes().map(lambda date: f"{date:%Y-%m-%dT%H:%M:%S}.{date.microsecond // 1000:03}".rjust(23, "0")),
    st.datetimes(allow_imaginary=False).map(lambda date: date.isoformat(timespec="seconds")),
    st.builds("2{:03}-{:02}-{:02}T{:02}:{:02}:{:02}.{}".format, *[st.integers(0, 105), *[st.integers(0, 61)] * 6]),
    st.sampled_from(["", "2008-07-31", "2008-07-31T21:42:52.6670", "2008-07-31T21:42:52,667", "2008-07-31 21:42:52"]),
)
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["", "<p>a &amp; b</p>", "<c#><.net>", "|a|b|", " ", "a\r\nb\tc", "&#1;"]
)
VALUES = {
    **dict.fromkeys(("Id", "ParentId", "AcceptedAnswerId", "OwnerUserId", "Score", "ViewCount"), NUMBERS),
    **dict.fromkeys(("CreationDate", "LastEditDate", "LastActivityDate", "ClosedDate", "CommunityOwnedDate"), DATES),
    **dict.fromkeys(("Title", "Body", "Tags", "OwnerDisplayName", "ContentLicense", "id", "Titles", "B"), TEXTS),
    "PostTypeId": st.sampled_from(["1", "1", "2", "2", "3", "5", "", "01", "x", "11"]),
}
FRAMES = st.sampled_from([' {}="{}"', ' {}="{}"', ' {}="{}"', "  {}='{}'", '\n{} = "{}"', '{}="{}"', " {}={}"])


@st.composite
def _made_row(draw: st.DrawFn) -> bytes:
    """A row of known attributes with likely and unlikely values, mostly all that a post needs."""
    needed = draw(st.sampled_from([("Id", "PostTypeId", "CreationDate", "Body", "Title", "ParentId"), ("Id",), ()]))
    names = draw(st.permutations([*needed, *draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=6))]))
    usual = {"Id": "5", "ParentId": "4", "PostTypeId": "2", "CreationDate": "2008-07-31T21:42:52.667", "Body": "b"}
    plain = draw(st.booleans())
    parts = []
    for name in names:
        value = usual[name] if name in usual and draw(st.integers(0, 3)) else draw(VALUES[name])
        parts.append((' {}="{}"' if plain else draw(FRAMES)).format(name, escape(value).replace("\n", "&#xA;")))
    end = draw(st.sampled_from([" />", " />", "/>", "></row>", ">text</row>", ">"]))
    return f"<row{''.join(parts)}{end}".encode("utf-8", "surrogatepass")


@st.composite
def _row_with_an_odd_value(draw: st.DrawFn) -> bytes:
    """A real row in which one value is another, or two values of one kind are swapped."""
    parts = draw(one_of(REAL_ROWS)).decode(errors="replace").split('"')
    for _ in range(draw(st.integers(1, 2))):
        if len(parts) < 2:
            break
        place = 2 * draw(st.integers(0, len(parts) // 2 - 1))
        name = parts[place].strip(" =").rpartition(" ")[2]
        value = draw(VALUES.get(name, TEXTS))
        parts[place + 1] = escape(value).replace("\n", "&#xA;").replace("\r", "&#xD;")
    return '"'.join(parts).encode("utf-8", "surrogatepass")


ROW = st.one_of(
    st.sampled_from(REAL_ROWS),
    MUTATED_ROW,
    MUTATED_ROW,
    _made_row(),
    _row_with_an_odd_value(),
    _row_with_an_odd_value(),
)
BETWEEN = st.sampled_from([b"\r\n  ", b"\n", b"", b" ", b"<!-- c -->", b"\n<other/>\n", b"text", b"\n<rowx/>"])
DUMP = st.builds(
    lambda head, rows, tail: (head, rows, tail),
    st.sampled_from(HEADS),
    st.lists(st.tuples(BETWEEN, ROW), max_size=6),
    st.sampled_from([TAIL, TAIL, TAIL, b"</posts>", b""]),
)


def check_rows(dump: tuple[bytes, list[tuple[bytes, bytes]], bytes]) -> None:
    """Rows = posts + other + unreadable by every way of reading, whatever the size of blocks."""
    head, rows, tail = dump
    data = head + b"".join(between + row for between, row in rows) + tail
    seen = []
    for block_bytes in (1 << 20, 700):
        try:
            blocks = list(read_blocks(io.BytesIO(data), name="d", block_bytes=block_bytes))
        except DumpError:
            seen.append(None)
            continue
        seen.append([row for block in blocks for row in rows_in(block)])
        for block in blocks:
            check_block(block)
    assert seen[0] == seen[1], "what the rows are depends on the size of blocks"


def check_block(block: Block) -> None:
    """Every way of reading says the same of a block, and loses no row."""
    expected = read_one_by_one(block)
    assert expected.rows == len(expected.posts) + expected.other + len(expected.unreadable)
    for way in FAST_WAYS:
        found = way(block)
        assert found == expected, f"{way.__name__} differs"


def check_neighbours(row: bytes) -> None:
    """A row that is broken in any way but by an angle bracket costs no other row."""
    data = HEADS[0] + QUESTION + b"\n<row " + row.replace(b"<", b"").replace(b">", b"") + b"\n" + ANSWER + TAIL
    found = [raw for block in read_blocks(io.BytesIO(data), name="d") for _, raw in rows_in(block)]
    assert found[0] == QUESTION
    assert found[-1] == ANSWER
    assert len(found) == 3


USER = b'<row Id="8" Reputation="1" CreationDate="2008-07-31T14:22:31.287" DisplayName="A &amp; B" AccountId="-1" />'
LINK = b'<row Id="19" CreationDate="2010-04-26T02:59:48.130" PostId="4" RelatedPostId="7" LinkTypeId="3" />'
SIDE_ROWS = st.lists(st.sampled_from([USER, LINK]) | mutated([USER, LINK], TOKENS), max_size=6)


def check_side_tables(rows: list[bytes]) -> None:
    """Every row of a table beside Posts is handed out or counted."""
    data = b"<users>\n" + b"\n".join(rows) + b"\n</users>"
    for read in (read_users, read_duplicates):
        table = read(io.BytesIO(data), name="d")
        try:
            found = list(table)
        except DumpError:
            continue
        assert table.rows == len(found) + table.other + table.unreadable
        n_rows = sum(1 for block in read_blocks(io.BytesIO(data), name="d") for _ in rows_in(block))
        assert table.rows == n_rows
