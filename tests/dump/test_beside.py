"""Names and duplicates out of Users and PostLinks, row by row, whatever shape a row has."""

import io
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.dump.beside import MAX_NAME_CHARS, SideTable, read_duplicates, read_users
from procqa.errors import DumpError

USUAL = b'  <row Id="%d" Reputation="1" CreationDate="2008-07-31T14:22:31.287" DisplayName="%s" AccountId="-1" />\r\n'


def users(rows: bytes) -> tuple[list[tuple[int, str]], SideTable[tuple[int, str]]]:
    table = read_users(io.BytesIO(b'\xef\xbb\xbf<?xml version="1.0"?>\r\n<users>\r\n' + rows + b"</users>"), name="u")
    return list(table), table


def counts(table: SideTable) -> tuple[int, int, int]:
    return table.rows, table.other, table.unreadable


def test_users_have_ids_and_names():
    found, table = users(
        USUAL % (-1, b"Community") + USUAL % (4, b"Jo\xc3\xablle") + USUAL % (8, b"A &amp; B &#39;x&#39;")
    )
    assert found == [(-1, "Community"), (4, "Joëlle"), (8, "A & B 'x'")]
    assert counts(table) == (3, 0, 0)


ODD_ROWS = [
    (b'<row DisplayName="a" Id="7" />', (7, "a")),
    (b"<row Id='7' DisplayName='a' />", (7, "a")),
    (b'<row\n\tId = "7"\n DisplayName="a &lt;b&gt;"></row>', (7, "a <b>")),
    (b'<row Id="7" AboutMe="DisplayName=&quot;x&quot;" DisplayName="a"/>', (7, "a")),
    (b'<row Id="7" AboutMe=\' DisplayName="x"\' DisplayName="a"/>', (7, "a")),
    (b'<row Id="7" AboutMe="&#x1F;" DisplayName="a"/>', (7, "a")),
    (b'<row Id="7" DisplayName="&amp;lt;" />', (7, "&lt;")),
    (b"<row Id='7' DisplayName='&amp;amp;lt;' />", (7, "&amp;lt;")),
    (b'<row Id="7" DisplayName=" a\x0b  b\xc2\xa0\x7f\xe2\x80\xae " />', (7, "a b")),
    (b'<row Id="7" DisplayName="' + b"n" * 1_000 + b'" />', (7, "n" * MAX_NAME_CHARS)),
    (b'<row Id="7" />', None),
    (b'<row DisplayName="a" />', None),
    (b'<row Id="" DisplayName="a" />', None),
    (b'<row Id="seven" DisplayName="a" />', None),
    (b'<row Id="99999999999999999999" DisplayName="a" />', None),
    (b'<row Id="7" DisplayName="" />', None),
    (b'<row Id="7" DisplayName=" \x0b " />', None),
    (b'<row Id="7" DisplayName="\xff" />', None),
    (b'<row Id="7" DisplayName="&nbsp;" />', None),
    (b'<row Id="7" DisplayName="&#0;" />', None),
    (b'<row Id="7" DisplayName="a', None),
    (b"<row/>", None),
]


@pytest.mark.parametrize(("row", "user"), ODD_ROWS)
def test_an_odd_row_is_read_or_counted_and_harms_no_other(row: bytes, user: tuple[int, str] | None):
    found, table = users(USUAL % (1, b"first") + row + b"\n" + USUAL % (9, b"last"))
    assert found == [(1, "first"), *([user] if user else []), (9, "last")]
    assert counts(table) == (3, 0, 0 if user else 1)


def test_many_blocks_are_read_to_their_end():
    rows = b"".join(USUAL % (number, b"user" * 9) for number in range(1, 90_000))
    found, table = users(rows)
    assert [number for number, _ in found] == list(range(1, 90_000))
    assert counts(table) == (89_999, 0, 0)


LINK = b'  <row Id="19" CreationDate="2010-04-26T02:59:48.130" PostId="%d" RelatedPostId="%d" LinkTypeId="%d" />\n'


def test_only_duplicate_links_are_given():
    rows = [
        LINK % (109, 32_412, 1),
        LINK % (110, 7, 3),
        b'<row LinkTypeId="3" PostId="111" RelatedPostId="8" />',
        b'<row PostId="112" RelatedPostId="9" LinkTypeId="x" />',
        b'<row PostId="113" LinkTypeId="3" />',
        LINK % (114, 7, 4),
    ]
    table = read_duplicates(io.BytesIO(b"<postlinks>" + b"".join(rows) + b"</postlinks>"), name="l")
    assert list(table) == [(110, 7), (111, 8)]
    assert counts(table) == (6, 2, 2)


@pytest.mark.parametrize("data", [b"", b"<users>" + USUAL % (1, b"a"), b"no XML", b"<users></users><users></users>"])
def test_a_table_that_is_cut_off_or_none_is_refused(data: bytes):
    with pytest.raises(DumpError):
        list(read_users(io.BytesIO(data), name="u"))


@given(
    st.lists(
        st.tuples(
            st.integers(-(1 << 62), 1 << 62),
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20),
        )
    )
)
def test_every_well_formed_user_is_read_as_a_parser_reads_it(pairs: list[tuple[int, str]]):
    names = [(number, name) for number, name in pairs if "\ufffe" not in name and "\uffff" not in name]
    rows = "".join(f"<row Id={quoteattr(str(number))} DisplayName={quoteattr(name)}/>\n" for number, name in names)
    parsed = [
        (int(row.attrib["Id"]), row.attrib["DisplayName"]) for row in ElementTree.fromstring(f"<users>{rows}</users>")
    ]
    found, table = users(rows.encode())
    plain = [(number, name) for number, name in parsed if name.isprintable() and name == " ".join(name.split()) != ""]
    assert [pair for pair in found if pair in plain] == plain
    assert table.rows == len(names) == len(found) + table.unreadable
