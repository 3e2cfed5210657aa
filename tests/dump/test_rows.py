"""Rows and posts against literal values, and against lxml on written, random and real dumps."""

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from procqa.dump import rows
from procqa.dump.archive import open_dump
from procqa.dump.blocks import read_blocks, rows_in
from procqa.dump.rows import RawRow, Unreadable, read_row, to_post
from procqa.records import Post
from tests.dump.raw_rows import ANSWER, QUESTION, rows_of

DUMPS = Path(__file__).parents[3] / "shared" / "data" / "dumps"
needs_dumps = pytest.mark.skipif(not DUMPS.is_dir(), reason="the real dumps of ../shared/data/dumps are not here")


# What a row is.


def test_a_question_and_an_answer_say_what_a_join_needs():
    assert read_row(QUESTION) == RawRow("question", 4, 4, 7, 1_450_639_118_650, 1_450_639_118_650)
    assert read_row(ANSWER) == RawRow("answer", 7, 4, None, 1_525_219_199_999, 1_546_300_800_000)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b" LastActivityDate=", b" X="),
        (b'2015-12-20T19:18:38.650"', b'"'),
    ],
)
def test_without_an_activity_the_last_edit_counts(old: bytes, new: bytes):
    row = read_row(QUESTION.replace(old, new))
    assert isinstance(row, RawRow)
    assert row.activity_ms == 1_406_541_770_557


def test_other_rows_need_an_id_and_no_more():
    assert read_row(b'<row Id="9" PostTypeId="5" CreationDate="x" />') == RawRow("other", 9, 9, None, 0, None)
    dated = b'<row Id="9" PostTypeId="4" CreationDate="2010-01-01T00:00:00" LastEditDate="1010-01-01T00:00:00" />'
    assert read_row(dated) == RawRow("other", 9, 9, None, 0, 1_262_304_000_000)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"Id=", b"Id= =", "not well-formed"),
        (b' Id="4"', b' Id="4" Id="4"', "not well-formed"),
        (b' Id="4" ', b' Id="4"', "not well-formed"),
        (b' Id="4"', b" Id=4", "not well-formed"),
        (b" />", b" >", "not well-formed"),
        (b" />", b" /> />]]>", "not well-formed"),
        (b" />", b"", "not well-formed"),
        (b"<row", b"<rower", "not well-formed"),
        (b"&#39;", b"&nbsp;", "not well-formed"),
        (b"&#39;", b"&", "not well-formed"),
        (b"&#39;", b"&lt", "not well-formed"),
        (b"&#39;", b"<b>", "not well-formed"),
        (b"&#39;", b'"', "not well-formed"),
        (b"&#39;", b"&#;", "not well-formed"),
        (b"&#39;", b"\xff", "not UTF-8"),
        (b"&#39;", b"\xed\xa0\x80", "not UTF-8"),
        (b"&#39;", b"\x1f", "forbidden character"),
        (b"&#39;", b"\x00", "forbidden character"),
        (b"&#39;", b"\xef\xbf\xbf", "forbidden character"),
        (b"&#39;", b"&#x1F;", "forbidden character"),
        (b"&#39;", b"&#0;", "forbidden character"),
        (b"&#39;", b"&#xD800;", "forbidden character"),
        (b"&#39;", b"&#x110000;", "forbidden character"),
        (b"&#39;", b"&#xFFFFFFFFFFFFFF;", "forbidden character"),
        (b' Id="4"', b"", "no id"),
        (b' Id="4"', b' Id=""', "no id"),
        (b' PostTypeId="1"', b"", "no post type"),
        (b' PostTypeId="1"', b' PostTypeId="question"', "no post type"),
        (b" Body=", b" Text=", "no body"),
        (b" Title=", b" Head=", "no title"),
        (b" CreationDate=", b" Date=", "no date"),
        (b"2008-07-31T", b"2008-06-31T", "impossible date"),
        (b"2008-07-31T21", b"2008-07-31T24", "impossible date"),
        (b"2008-07-31T21:42:52.667", b"2008-07-31", "impossible date"),
        (b"2008-07-31T21:42:52.667", b"yesterday", "impossible date"),
        (b"52.667", b"52.6667", "impossible date"),
        (b"2008-07-31", b"1989-12-31", "impossible date"),
        (b"2015-12-20", b"2101-01-01", "impossible date"),
        (b'Score="-3"', b'Score="many"', "impossible score"),
        (b'Score="-3"', b'Score="1.5"', "impossible score"),
        (b'Score="-3"', b'Score="2147483649"', "impossible score"),
        (b'Score="-3"', b'Score="%s"' % (b"9" * 9_000), "impossible score"),
        (b'ViewCount="20324"', b'ViewCount="1e9"', "impossible score"),
        (b' Id="4"', b' Id="0"', "impossible id"),
        (b' Id="4"', b' Id="-4"', "impossible id"),
        (b' Id="4"', b' Id="4_0"', "impossible id"),
        (b' Id="4"', b' Id="9223372036854775808"', "impossible id"),
        (b'AnswerId="7"', b'AnswerId="seven"', "impossible id"),
        (b'OwnerUserId="8"', b'OwnerUserId="x"', "impossible id"),
    ],
)
def test_an_unreadable_question_has_its_reason(old: bytes, new: bytes, reason: str):
    assert QUESTION.count(old) >= 1
    assert read_row(QUESTION.replace(old, new)) == Unreadable(reason)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b' ParentId="4"', b"", "no parent"),
        (b' ParentId="4"', b' ParentId="x"', "impossible id"),
        (b' Body="yes"', b' Body=""', "no body"),
    ],
)
def test_an_unreadable_answer_has_its_reason(old: bytes, new: bytes, reason: str):
    assert read_row(ANSWER.replace(old, new)) == Unreadable(reason)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'Score="-3"', b'Score="-2147483648"'),
        (b'Score="-3"', b'Score="+0003"'),
        (b' Score="-3"', b""),
        (b' Id="4"', b' Id="9223372036854775807"'),
        (b'OwnerUserId="8"', b'OwnerUserId="-1"'),
        (b'AcceptedAnswerId="7"', b'AcceptedAnswerId=""'),
        (b"52.667", b"52"),
        (b"52.667", b"52.6"),
        (b"2008-07-31", b"2008-02-29"),
        (b"2015-12-20", b"2100-12-31"),
    ],
)
def test_the_bounds_of_numbers_and_dates_are_kept(old: bytes, new: bytes):
    changed = QUESTION.replace(old, new)
    assert isinstance(read_row(changed), RawRow)
    assert isinstance(to_post(changed, site="local"), Post)


# Posts.


def test_a_question_becomes_a_post_with_every_value_resolved():
    assert to_post(QUESTION, site="stackoverflow.com") == Post(
        site="stackoverflow.com",
        id=4,
        kind="question",
        parent_id=None,
        accepted_answer_id=7,
        created_ms=1_217_540_572_667,
        activity_ms=1_450_639_118_650,
        score=-3,
        view_count=20_324,
        title="What's ä?",
        tags=("c#", ".net"),
        body_html='<p>a &amp;&lt; "b"\n</p>',
        author="user 8",
        author_url="https://stackoverflow.com/users/8",
        licence="CC BY-SA 4.0",
    )


def test_an_answer_becomes_a_post_with_what_its_row_lacks():
    assert to_post(ANSWER, site="stackoverflow.com") == Post(
        site="stackoverflow.com",
        id=7,
        kind="answer",
        parent_id=4,
        accepted_answer_id=None,
        created_ms=1_525_219_199_999,
        activity_ms=1_525_219_199_999,
        score=0,
        view_count=None,
        title="",
        tags=(),
        body_html="yes",
        author="user9",
        author_url=None,
        licence="CC BY-SA 3.0",
    )


@pytest.mark.parametrize(
    ("created", "licence"),
    [
        (b"2011-04-07T23:59:59.999", "CC BY-SA 2.5"),
        (b"2011-04-08T00:00:00.000", "CC BY-SA 3.0"),
        (b"2018-05-01T23:59:59.999", "CC BY-SA 3.0"),
        (b"2018-05-02T00:00:00.000", "CC BY-SA 4.0"),
    ],
)
def test_a_licence_that_the_row_lacks_follows_from_its_day(created: bytes, licence: str):
    assert to_post(ANSWER.replace(b"2018-05-01T23:59:59.999", created), site="local").licence == licence


@pytest.mark.parametrize(
    ("owner", "site", "author", "url"),
    [
        (b"", "ai.stackexchange.com", "deleted user", None),
        (b' OwnerUserId="5"', "ai.stackexchange.com", "user 5", "https://ai.stackexchange.com/users/5"),
        (b' OwnerUserId="-1"', "superuser.com", "user -1", "https://superuser.com/users/-1"),
        (b' OwnerUserId="5" OwnerDisplayName="A &amp; B"', "superuser.com", "A & B", "https://superuser.com/users/5"),
        (b' OwnerUserId="5" OwnerDisplayName=" "', "superuser.com", "user 5", "https://superuser.com/users/5"),
        (b' OwnerUserId="5" OwnerDisplayName="Manual"', "local", "Manual", None),
    ],
)
def test_an_author_is_named_as_far_as_the_row_says(owner: bytes, site: str, author: str, url: str | None):
    post = to_post(ANSWER.replace(b' OwnerDisplayName="user9"', owner), site=site)
    assert (post.author, post.author_url) == (author, url)


@pytest.mark.parametrize("tags", [b"&lt;c#&gt;&lt;.net&gt;", b"|c#|.net|", b"&#60;c#>&lt;.net&gt;", b"c# .net"])
def test_both_styles_of_tags_are_read(tags: bytes):
    assert to_post(QUESTION.replace(b"&lt;c#&gt;&lt;.net&gt;", tags), site="local").tags == ("c#", ".net")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"&amp;lt;", "&lt;"),
        (b"&#38;lt;", "&lt;"),
        (b"&#x26;amp;", "&amp;"),
        (b"&#60;&#x3C;&#x3e;", "<<>"),
        (b"&#xA;&#xD;&#x9;&#10;&#13;&#9;", "\n\r\t\n\r\t"),
        (b"a\nb\tc\r\nd", "a b c d"),
        (b"&#x1F600;\xf0\x9f\x98\x80\xef\xbf\xbd", "😀😀\ufffd"),
        (b"&apos;'&quot;>", "''\">"),
        (b"&#0000065;", "A"),
    ],
)
def test_references_and_white_space_are_read_as_xml_has_it(written: bytes, text: str):
    assert to_post(ANSWER.replace(b'"yes"', b'"%s"' % written), site="local").body_html == text


@pytest.mark.parametrize("raw", [b'<row Id="1" PostTypeId="4" />', b"<row", b"\xff"])
def test_to_post_refuses_what_is_no_question_and_no_answer(raw: bytes):
    with pytest.raises(ValueError, match="takes a row"):
        to_post(raw, site="local")


# lxml as the oracle.


def expected(attributes: dict[str, str]) -> dict[str, object]:
    """The values of a post that lxml's attributes tell without any rule of ours."""
    is_question = attributes["PostTypeId"] == "1"
    return {
        "id": int(attributes["Id"]),
        "parent_id": None if is_question else int(attributes["ParentId"]),
        "accepted_answer_id": int(attributes["AcceptedAnswerId"]) if "AcceptedAnswerId" in attributes else None,
        "score": int(attributes.get("Score", 0)),
        "view_count": int(attributes["ViewCount"]) if "ViewCount" in attributes else None,
        "title": attributes.get("Title", ""),
        "body_html": attributes["Body"],
    }


def parsed(data: bytes) -> Iterator[dict[str, str]]:
    for _, element in etree.iterparse(io.BytesIO(data), tag="row", huge_tree=True):
        yield dict(element.attrib)
        element.clear()


def compare_with_lxml(data: bytes, *, block_bytes: int) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for (_, raw), attributes in zip(rows_of(data, block_bytes=block_bytes), parsed(data), strict=True):
        row = read_row(raw)
        assert isinstance(row, RawRow)
        kinds[row.kind] += 1
        if row.kind != "other":
            post = to_post(raw, site="stackoverflow.com")
            assert {name: getattr(post, name) for name in expected(attributes)} == expected(attributes)
            assert "".join(f"<{tag}>" for tag in post.tags) == attributes.get("Tags", "")
            assert (row.id, row.activity_ms) == (post.id, post.activity_ms)
    return kinds


XML_TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\ufffe\uffff", exclude_categories=["Cc", "Cs"])
    | st.sampled_from(list("<>&'\"\n\r\t |/=;#")),
    min_size=1,
)
QUOTED = st.sampled_from(["'", '"'])
NUMBERS = st.sampled_from(["&#{};", "&#x{:x};", "&#x{:X};", "&#00{};"])


@st.composite
def written_rows(draw: st.DrawFn) -> str:
    """A question as some writer of XML might lay it out."""
    attributes = {
        "Id": str(draw(st.integers(1, 2**63 - 1))),
        "PostTypeId": "1",
        "CreationDate": "2008-07-31T21:42:52.667",
        "Title": draw(XML_TEXT),
        "Body": draw(XML_TEXT),
        "Score": str(draw(st.integers(-(2**31), 2**31 - 1))),
        "Extra": draw(XML_TEXT),
    }
    space = st.sampled_from([" ", "  ", "\n", "\r\n\t"])
    row = "<row"
    for name in draw(st.permutations(list(attributes))):
        quote = draw(QUOTED)
        value = draw(st.sampled_from([as_named, as_numbers, as_little]))(attributes[name], quote, draw(NUMBERS))
        row += f"{draw(space)}{name}{draw(st.sampled_from(['=', ' = ']))}{quote}{value}{quote}"
    return row + draw(st.sampled_from(["/>", " />", "></row>", "\n>\n</row>", ">text &gt; />text</row >"]))


def as_named(value: str, _quote: str, _number: str) -> str:
    for character, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot"), ("'", "apos")):
        value = value.replace(character, f"&{name};")
    return value


def as_numbers(value: str, _quote: str, number: str) -> str:
    return "".join(letter if letter.isalnum() else number.format(ord(letter)) for letter in value)


def as_little(value: str, quote: str, number: str) -> str:
    return "".join(number.format(ord(letter)) if letter in "<&" + quote else letter for letter in value)


@given(st.lists(written_rows(), max_size=4), st.sampled_from(["", "\n  ", "<!-- <row/> -->"]), st.integers(1, 300))
def test_any_well_formed_row_reads_as_lxml_reads_it(written: list[str], gap: str, block_bytes: int):
    data = f"<posts>{gap.join(written)}</posts>".encode()
    found = [raw for _, raw in rows_of(data, block_bytes=block_bytes)]
    for raw, attributes in zip(found, parsed(data), strict=True):
        row = read_row(raw)
        assert isinstance(row, RawRow)
        post = to_post(raw, site="local")
        assert {name: getattr(post, name) for name in expected(attributes)} == expected(attributes)


@given(st.data())
def test_a_row_with_one_byte_changed_is_readable_only_if_lxml_reads_it_the_same(data: st.DataObject):
    place = data.draw(st.integers(1, len(QUESTION) - 1))
    # A colon in a name is XML to expat; only lxml minds namespaces.
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != ord(":")))
    raw = QUESTION[:place] + bytes([byte]) + QUESTION[place + 1 :]
    row = read_row(raw)
    try:
        attributes = dict(etree.fromstring(raw).attrib)
    except etree.XMLSyntaxError:
        assert isinstance(row, Unreadable)
        assert row.reason in {rows.NOT_UTF8, rows.NOT_WELL_FORMED, rows.FORBIDDEN_CHARACTER}
        return
    if isinstance(row, RawRow) and row.kind == "question":
        post = to_post(raw, site="local")
        assert (post.title, post.body_html) == (attributes["Title"], attributes["Body"])
        assert str(row.id) == attributes["Id"]


# Real dumps.


@needs_dumps
@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("stackoverflow-2008-excerpt.xml", {"question": 224, "answer": 674}),
        ("stackoverflow-2008-mini.xml", {"question": 35, "answer": 63}),
        ("ai.stackexchange-2016.xml", {"question": 421, "answer": 749, "other": 109}),
    ],
)
def test_a_real_dump_reads_as_lxml_reads_it(name: str, kinds: dict[str, int]):
    assert compare_with_lxml((DUMPS / name).read_bytes(), block_bytes=50_000) == kinds


@needs_dumps
def test_a_dump_of_the_newer_layout_streams_out_of_its_archive():
    kinds: Counter[str] = Counter()
    with open_dump(str(DUMPS / "mixed-qa.7z")) as stream:
        for block in read_blocks(stream, name="mixed-qa.7z"):
            for _, raw in rows_in(block):
                row = read_row(raw)
                kinds[row.reason if isinstance(row, Unreadable) else row.kind] += 1
    assert kinds == {"question": 8_641, "answer": 8_641}
