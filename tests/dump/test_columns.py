"""Rows as columns against the slow way, one row at a time, on written, random and real dumps."""

import re
from collections import Counter
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from procqa.dump import posts as post_kinds
from procqa.dump.archive import open_dump
from procqa.dump.blocks import BLOCK_BYTES, MAX_ROW_BYTES, Block, read_blocks, rows_in
from procqa.dump.columns import read_columns
from procqa.dump.posts import ABSENT, POST, to_post, to_records
from procqa.dump.rows import ATTRIBUTES, Unreadable, parse_tags, read_row, read_values
from procqa.dump.rows import to_post as to_post_alone
from procqa.errors import DumpError
from tests.dump.raw_rows import ANSWER, QUESTION, blocks_of

DUMPS = Path(__file__).parents[3] / "shared" / "data" / "dumps"
needs_dumps = pytest.mark.skipif(not DUMPS.is_dir(), reason="the real dumps of ../shared/data/dumps are not here")


def texts_of(posts, texts):
    """The texts of each post, which lie one after the other."""
    ends = np.cumsum(posts["sizes"].sum(axis=1)).tolist()
    assert len(texts) == (ends[-1] if ends else 0)
    return [texts[start:end].tobytes() for start, end in zip([0, *ends], ends, strict=False)]


def posts_of(block, site="stackoverflow.com"):
    """The posts of a block by way of its columns."""
    rows = read_columns(block)
    n_posts = len(rows.posts)
    posts, texts = rows.take(np.arange(n_posts), np.ones(n_posts, dtype=bool))
    return [to_post(post, own, site=site) for post, own in zip(to_records(posts), texts_of(posts, texts), strict=True)]


def check(block):
    """The columns of a block tell of every row what the row alone tells."""
    rows = read_columns(block)
    posts, offsets, values, unreadable, newest, other = [], [], [], [], [], 0
    for offset, raw in rows_in(block):
        row = read_row(raw)
        if isinstance(row, Unreadable):
            unreadable.append((offset, row.reason, raw))
            continue
        if row.newest_ms is not None:
            newest.append(row.newest_ms)
        if row.kind == "other":
            other += 1
        else:
            offsets.append(offset)
            posts.append(to_post_alone(raw, site="stackoverflow.com"))
            values.append(read_values(raw))
    assert posts_of(block) == posts
    assert sorted(rows.unreadable) == sorted(unreadable)
    assert rows.offsets.tolist() == offsets
    assert (rows.rows, rows.other) == (len(posts) + len(unreadable) + other, other)
    assert rows.newest_ms == max(newest, default=None)
    records = to_records(rows.posts)
    assert [record.thread for record in records] == [value.parent_id for value in values]
    assert [record.owner_id for record in records] == [value.owner for value in values]
    assert [record.is_closed for record in records] == [value.is_closed for value in values]
    assert [record.language for record in records] == [-1] * len(values)
    assert [parse_tags(tags) for tags in rows.escaped_tags(np.arange(len(posts)))] == [post.tags for post in posts]
    return rows


def dump(*rows, gap=b"\n"):
    return b"<posts>" + gap.join(rows) + b"</posts>"


def block_of(*rows, gap=b"\n"):
    (block,) = blocks_of(dump(*rows, gap=gap))
    return block


def digests_of(*rows):
    return read_columns(block_of(*rows)).posts["digest"].tolist()


def test_a_question_and_an_answer_become_records():
    rows = check(block_of(QUESTION, ANSWER))
    question, answer = rows.posts
    assert [question[name].item() for name in POST.names[:-1]] == [
        *(post_kinds.QUESTION, False, -1, 4, 4, 7, 1_217_540_572_667, 1_450_639_118_650, -3, 20_324, 8),
        int(question["digest"]),
    ]
    assert [answer[name].item() for name in POST.names[:-1]] == [
        *(post_kinds.ANSWER, True, -1, 7, 4, ABSENT, 1_525_219_199_999, 1_525_219_199_999, 0, ABSENT, ABSENT),
        int(answer["digest"]),
    ]
    assert rows.newest_ms == 1_546_300_800_000
    assert rows.offsets.tolist() == [7, 7 + len(QUESTION) + 1]
    assert list(rows.escaped_tags(np.array([1, 0]))) == [b"", b"&lt;c#&gt;&lt;.net&gt;"]


def test_texts_are_taken_in_the_order_that_is_asked_for_and_whole_only_where_wanted():
    rows = read_columns(block_of(QUESTION, ANSWER))
    posts, texts = rows.take(np.array([1, 0]), np.array([False, True]))
    assert posts["id"].tolist() == [7, 4]
    assert posts["sizes"].tolist() == [[0, 3, 0, 5, 0], [0, 0, 10, 0, 0]]
    assert texts.tobytes() == b"yesuser9<c#><.net>"


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_attribute_is_found_by_its_name_and_not_by_one_like_it(name: str):
    for row in (QUESTION, ANSWER):
        check(block_of(row.replace(b" %s=" % name.encode(), b" %sX=" % name[:-1].encode())))
        check(block_of(re.sub(rb' %s="[^"]*"' % name.encode(), b"", row)))
        check(block_of(re.sub(rb' %s="[^"]*"' % name.encode(), b' %s=""' % name.encode(), row)))


def test_the_digest_of_a_row_follows_from_its_bytes_alone():
    (alone,) = digests_of(ANSWER)
    odd = ANSWER.replace(b'"yes"', b"'yes'")
    assert digests_of(QUESTION, ANSWER)[1] == digests_of(b"<row />", ANSWER)[0] == alone
    assert digests_of(odd, QUESTION)[0] == digests_of(QUESTION, odd)[1] == digests_of(odd)[0] != alone


@given(st.integers(5, len(ANSWER) - 3), st.sampled_from(b"abcx0 "))
def test_the_digest_changes_with_any_byte(place: int, byte: int):
    changed = ANSWER[:place] + bytes([byte]) + ANSWER[place + 1 :]
    digests = digests_of(ANSWER, changed)
    if len(digests) == 2:
        assert (digests[0] == digests[1]) == (changed == ANSWER)


def test_a_block_without_a_row_is_empty():
    rows = check(Block(0, 5, b"\n<rowx Id='1'/> <!--  --> <b/>"))
    assert (rows.rows, rows.other, rows.newest_ms) == (0, 0, None)


def test_a_row_is_read_up_to_the_longest_that_may_be():
    longest = ANSWER.replace(b"yes", b"y" * (MAX_ROW_BYTES - len(ANSWER) + 2))
    assert len(longest) == MAX_ROW_BYTES - 1
    assert [reason for _, reason, _ in check(Block(0, 0, longest)).unreadable] == []
    too_long = longest.replace(b"yy", b"yyy", 1)
    assert [reason for _, reason, _ in check(Block(0, 0, ANSWER + too_long)).unreadable] == ["16 MiB or longer"]


@pytest.mark.parametrize("size", [MAX_ROW_BYTES - 3, MAX_ROW_BYTES - 1])
def test_no_row_is_lost_behind_the_longest(size: int):
    longest = ANSWER.replace(b"yes", b"y" * (size - len(ANSWER) + 3))
    blocks = blocks_of(dump(longest, QUESTION, gap=b""))
    assert [post["id"] for block in blocks for post in read_columns(block).posts] == [7, 4]


# Values at their borders.

DATES = [
    *(b"2008-02-29T00:00:00.000", b"2009-02-29T00:00:00.000", b"2000-02-29T00:00:00.000", b"2100-02-28T23:59:59.999"),
    *(b"2100-02-29T00:00:00.000", b"2100-12-31T23:59:59.999", b"2101-01-01T00:00:00.000", b"1990-01-01T00:00:00.000"),
    *(b"1989-12-31T23:59:59.999", b"2010-04-31T00:00:00.000", b"2010-04-30T00:00:00.000", b"2010-12-31T23:59:59.999"),
    *(b"2010-01-31T24:00:00.000", b"2010-01-31T23:60:00.000", b"2010-01-31T23:59:60.000", b"2010-00-10T00:00:00.000"),
    *(b"2010-13-01T00:00:00.000", b"2010-01-00T00:00:00.000", b"2010-01-32T00:00:00.000", b"2010-01-01T00:00:00"),
    *(b"2010-01-01T00:00:00.1", b"2010-01-01T00:00:00.12", b"2010-01-01T00:00:00.1234", b"2010-01-01 00:00:00.000"),
    *(b"2010-01-01T00:00:00.000Z", b"2010-01-01", b"yesterday", b"", b"0000-00-00T00:00:00.000", b" "),
    *(b"2010-1-01T00:00:00.0000", b"2010-01-01T0\xc2\xb20:00.000", b"2010-03-01T00:00:00&#46;000"),
    *(b"+010-01-01T00:00:00.000",),
]  # fmt: skip
NUMBERS = [
    *(b"0", b"-0", b"+7", b"007", b"-1", b"-2", b"-", b"", b"999999999", b"1000000000", b"2147483647", b"2147483648"),
    *(b"-2147483648", b"-2147483649", b"2147483649", b"999999999999999999", b"1000000000000000000"),
    *(b"9223372036854775807", b"9223372036854775808", b"-9223372036854775807", b"-9223372036854775808"),
    *(b"99999999999999999999", b"1.5", b"1e9", b"1_0", b" 1", b"0x1", b"\xd9\xa1", b"&#49;", b"1000000001"),
]  # fmt: skip


def with_value(row, name, value):
    """A row whose attribute has another value, be it there or not."""
    changed, n = re.subn(rb'( %s=")[^"]*"' % name.encode(), lambda found: found[1] + value + b'"', row)
    return changed if n else row[:-3] + b' %s="%s" />' % (name.encode(), value)


@pytest.mark.parametrize("name", ATTRIBUTES[:11])
def test_numbers_and_dates_are_read_or_refused_as_in_a_row_alone(name: str):
    values = DATES + NUMBERS
    check(block_of(*(with_value(row, name, value) for row in (QUESTION, ANSWER) for value in values)))


@given(st.datetimes(min_value=datetime(1989, 1, 1)))
def test_any_day_of_the_calendar_has_its_milliseconds(date):
    check(block_of(with_value(ANSWER, "CreationDate", date.isoformat(timespec="milliseconds").encode())))


@pytest.mark.parametrize("value", [b"1", b"2", b"3", b"17", b"", b"01", b"x", b"&#49;", b"1 ", b"&#x32;"])
def test_the_kind_of_a_row_is_told_as_in_a_row_alone(value: bytes):
    check(block_of(with_value(QUESTION, "PostTypeId", value), with_value(ANSWER, "PostTypeId", value)))


TEXTS = [
    *(b"&lt;", b"&gt;", b"&amp;", b"&quot;", b"&apos;", b"&#xA;", b"&#xD;", b"&#x9;", b"&#10;", b"&#13;", b"&#9;"),
    *(b"&#39;", b"&amp;lt;", b"&#38;", b"&#x26;amp;", b"&#60;", b"&#x1F600;", b"&#x1F;", b"&#0;", b"&#xD800;"),
    *(b"&#xFFFF;", b"&nbsp;", b"&", b"&;", b"&#;", b"&#x;", b"&lt", b"&LT;", b"&#39", b"&#xa;", b"&#x0A;"),
    *(b"&#xFFFFFFFFFFF;", b"&amp", b"&a;", b"\t", b"\n", b"\r\n", b"\r", b"'", b">", b"]]>", b"--", b"/>", b" "),
    *(b"<b>", b"<row", b"<rowx", b'"', b"<!-- x -->", b"\xc3\xa4", b"\xe2\x82\xac", b"\xf0\x9f\x98\x80"),
    *(b"\xef\xbb\xbf", b"\xef\xbf\xbd", b"\xef\xbe\x80", b"\xc2\x80", b"\x7f", b"\xef\xbf\xbe", b"\xef\xbf\xbf"),
    *(b"\xf0\x9f\xbf\xbf", b"\xf4\x8f\xbf\xbf", b"\xee\x80\x80", b"\xed\x9f\xbf", b"\xc0\x80", b"\xc1\xbf"),
    *(b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf"),
    *(b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xff", b"\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc3("),
    *(b"\xe2(\xa1", b"\xf0\x9f(\x80", b"\x00", b"\x08", b"\x0b", b"\x1f"),
]  # fmt: skip
"""What may stand in a value: usual and odd references, white space, markup, UTF-8 broken in every way."""


@pytest.mark.parametrize("name", ["Title", "Body", "Tags", "OwnerDisplayName", "ContentLicense"])
def test_any_text_is_read_or_refused_as_in_a_row_alone(name: str):
    for text in TEXTS:
        check(
            block_of(ANSWER, with_value(QUESTION, name, b"a" + text + b"z"), with_value(ANSWER, name, text), QUESTION)
        )


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_at_the_very_end_of_a_block_is_read_as_in_a_row_alone(text: bytes):
    for end in (b'"/>', b'" />', b'"', b"", b'"/> '):
        check(
            Block(
                3,
                1_000,
                b'<row Id="7" PostTypeId="2" ParentId="4" CreationDate="2010-01-01T00:00:00.000" Body="' + text + end,
            )
        )


# Rows of any shape.

ODD_ROWS = [
    *(b"<row/>", b"<row />", b"<row>", b"<row", b"<row/", b"<row ", b"<rowx/>", b"<rows Id='1'/>", b"<row\n/>"),
    *(b"<row></row>", QUESTION + b"text", QUESTION + b"text <b/>", QUESTION[:-3] + b"></row>"),
    *(QUESTION[:-3] + b">text</row>", b"</row>", QUESTION[:-2] + b"/ >", QUESTION[:-3] + b"/>"),
    *(QUESTION[:-3] + b'Id="9" />', QUESTION.replace(b'" ', b'"'), QUESTION.replace(b"<row ", b"<row  \t\r\n")),
    *(QUESTION.replace(b" Id=", b" Id ="), QUESTION.replace(b'"', b"'"), QUESTION[:-3] + b' Id="4" />'),
    *(QUESTION[:-3] + b' X="4" X="5" />', QUESTION[:-3] + b' x:y="4" />', b"<!-- <row/> -->"),
    *(QUESTION[:-3] + b' Title="" />', QUESTION.replace(b"Id", b"id"), QUESTION[:-3] + b' \xc3\xa4="1" />'),
    *(b"<?x <row/> ?>", QUESTION[:-3] + b"".join(b' A%d="%d"' % (n, n) for n in range(31)) + b" />"),
    *(QUESTION[:-3] + b' xmlns="u" />', QUESTION[:-3] + b"".join(b' A%d="%d"' % (n, n) for n in range(60)) + b" />"),
    *(ANSWER[:-3] + b" checked />", QUESTION + b"<!-- c -->", QUESTION + b"<x/>", ANSWER.replace(b"/>", b"  />")),
    *(b'<row 1="2" />', b'<row -a="2" />', b'<row Id="9" PostTypeId="5" CreationDate="2019-12-31T00:00:00.000" />'),
    *(b'<row Id="9" PostTypeId="3" Score="x" />',),
    *(b'<row Id="9" PostTypeId="4" CreationDate="2019-02-30T00:00:00.000" LastEditDate="2018-01-01T00:00:00" />',),
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD_ROWS)
def test_an_odd_row_among_usual_ones_is_read_as_if_alone(odd: bytes):
    for gap in (b"", b"\n", b" \r\n\t", b" text "):
        check(Block(0, 3, gap.join((QUESTION, odd, ANSWER))))
    check(Block(0, 3, odd + QUESTION))
    check(Block(0, 3, QUESTION + odd))


@pytest.mark.parametrize("row", [QUESTION, ANSWER])
def test_a_row_cut_off_anywhere_is_told_as_if_alone(row: bytes):
    for place in range(len(row)):
        check(Block(0, 0, row[:place]))
        check(Block(0, 0, row[:place] + b"\n" + ANSWER))


VALUES = st.sampled_from(DATES + NUMBERS + TEXTS) | st.text(max_size=8).map(
    lambda text: text.encode("utf-8", "replace")
)


@st.composite
def changed_rows(draw: st.DrawFn) -> bytes:
    """A usual row with its attributes in any order and a few of them changed, dropped, doubled or quoted otherwise."""
    attributes = re.findall(rb'([\w]+)="([^"]*)"', draw(st.sampled_from([QUESTION, ANSWER])))
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from([*ATTRIBUTES, "Extra", "Extr\u00e4", "a.b-c"])).encode()
        attributes = [entry for entry in attributes if draw(st.booleans()) or entry[0] != name]
        attributes.append((name, draw(VALUES)))
    if draw(st.booleans()):
        attributes = draw(st.permutations(attributes))
    quote = draw(st.sampled_from([b'"'] * 6 + [b"'"]))
    row = b"<row" + b"".join(b" " + name + b"=" + quote + value + quote for name, value in attributes)
    return row + draw(st.sampled_from([b" />", b"/>", b" ></row>", b">"]) if draw(st.booleans()) else st.just(b" />"))


GAPS = st.sampled_from([b"\n  ", b"", b"\r\n", b"text", b"<!-- <row/> -->", b"<rowx/>", b"</row>", b"\xff"])


@settings(max_examples=300)
@given(st.lists(st.sampled_from([QUESTION, ANSWER]) | changed_rows() | st.sampled_from(ODD_ROWS), max_size=6), GAPS)
@example([QUESTION] * 3, b"")
def test_any_block_tells_what_its_rows_tell_alone(rows: list[bytes], gap: bytes):
    check(Block(1, 70_000_000_000, gap.join(rows)))


@settings(max_examples=200)
@given(st.lists(changed_rows(), max_size=4), GAPS, st.integers(1, 900))
def test_any_dump_tells_what_its_rows_tell_alone(rows: list[bytes], gap: bytes, block_bytes: int):
    with suppress(DumpError):  # a root's end tag within a gap ends the dump early
        for block in blocks_of(dump(*rows, gap=gap), block_bytes=block_bytes):
            check(block)


@settings(max_examples=200)
@given(st.data())
def test_bytes_changed_anywhere_are_told_as_in_a_row_alone(data: st.DataObject):
    rows = bytearray(QUESTION + b"\n" + ANSWER + b"\n" + QUESTION)
    for _ in range(data.draw(st.integers(1, 4))):
        rows[data.draw(st.integers(0, len(rows) - 1))] = data.draw(st.integers(0, 255))
    check(Block(0, 0, bytes(rows)))


# Dumps.


def test_the_sample_tells_what_its_rows_tell_alone(sample_dump: Path):
    with sample_dump.open("rb") as stream:
        kinds = Counter(
            kind
            for block in read_blocks(stream, name="Posts.xml", block_bytes=20_000)
            for kind in check(block).posts["kind"].tolist()
        )
    assert kinds[post_kinds.QUESTION] > 20
    assert kinds[post_kinds.ANSWER] > 20


@needs_dumps
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stackoverflow-2008-excerpt.xml", (898, 224, 674, 0, 0)),
        ("ai.stackexchange-2016.xml", (1_279, 421, 749, 109, 0)),
        ("mixed-qa.7z", (17_282, 8_641, 8_641, 0, 0)),
    ],
)
def test_a_real_dump_tells_what_its_rows_tell_alone(name: str, expected: tuple[int, ...]):
    found = np.zeros(5, dtype=np.int64)
    with open_dump(str(DUMPS / name)) as stream:
        for block in read_blocks(stream, name=name, block_bytes=BLOCK_BYTES):
            rows = check(block)
            kinds = rows.posts["kind"]
            found += (
                rows.rows,
                (kinds == post_kinds.QUESTION).sum(),
                (kinds == post_kinds.ANSWER).sum(),
                rows.other,
                len(rows.unreadable),
            )
    assert tuple(found.tolist()) == expected
