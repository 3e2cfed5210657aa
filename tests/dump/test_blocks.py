"""Every row is framed once, whatever stands around it, and what is no dump is refused."""

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.dump.archive import open_dump
from procqa.dump.blocks import MAX_BLOCK_ROWS, MAX_ROW_BYTES, BlockPlace, read_blocks
from procqa.dump.rows import NOT_WELL_FORMED, TOO_LONG, Unreadable, read_row
from procqa.errors import DumpError
from tests.dump.raw_rows import ANSWER, QUESTION, blocks_of, rows_of


class Trickle:
    """A stream that hands out fewer bytes than it is asked for, in a fixed uneven rhythm."""

    def __init__(self, data: bytes, step: int) -> None:
        self._stream = io.BytesIO(data)
        self._step = step
        self._reads = 0

    def read(self, size: int, /) -> bytes:
        self._reads += 1
        return self._stream.read(min(size, 1 + self._reads % self._step))


def failure(data: bytes) -> DumpError:
    with pytest.raises(DumpError) as caught:
        blocks_of(data)
    assert caught.value.path == "d.xml"
    return caught.value


@pytest.mark.parametrize("block_bytes", [1, 40, 64, 100, 1_000, 8 << 20])
@pytest.mark.parametrize(
    ("head", "foot"),
    [
        (b"<posts>\n", b"\n</posts>"),
        (b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>\r\n<posts>\r\n', b"</posts>\r\n"),
        (b"<xml>", b"</xml >\n<!-- the end: <row /> --><?ok?>\n"),
        (b"<!-- no <row Id='0' /> here, nor <posts> -->\n<posts a='>' b=\"/>\">", b"</posts>"),
        (b'<!DOCTYPE rows [<!-- <row/> --><!ENTITY e "<row/>">]>\n<?pi <rows> ?><rows>', b"</rows>"),
        (
            b"<posts><!-- <row Id='5' PostTypeId='1' /> </posts> --><![CDATA[ <row/> ]]><?x <row/> ?><rowset/>",
            b"</posts>",
        ),
        (b"<posts><row-like Id='9' /><other><deep/></other> text ", b" text > text <!-- a --></posts>"),
    ],
)
def test_every_row_is_framed_once_whatever_stands_around_it(head: bytes, foot: bytes, block_bytes: int):
    written = [
        QUESTION,
        b'<row\n\tId="1"\n\tPostTypeId="4"\n/>',
        b'<row Id="2" PostTypeId="4" Body="a /> b > c" ></row>',
        b"<row Id='3' PostTypeId='4' Body='\"/>'/>",
        b'<row Id="8" PostTypeId="4">text</row >',
        b"<row/>",
        ANSWER,
    ]
    for gap in (b"", b"\r\n  ", b"<!-- <row Id='6' /> -->"):
        data = head + gap.join(written) + foot
        found = rows_of(data, block_bytes=block_bytes)
        assert [raw for _, raw in found] == written
        assert all(data[offset : offset + len(raw)] == raw for offset, raw in found)


@given(st.integers(1, 400), st.integers(1, 50), st.lists(st.integers(0, 120), max_size=30))
def test_blocks_depend_on_the_bytes_alone_and_lose_none(block_bytes: int, step: int, lengths: list[int]):
    data = b"<posts>" + b"\n".join(b'<row Id="%d" Body="%s" />' % (n, b"x" * n) for n in lengths) + b"</posts>"
    blocks = blocks_of(data, block_bytes=block_bytes)
    assert list(read_blocks(Trickle(data, step), name="d.xml", block_bytes=block_bytes)) == blocks
    assert [block.index for block in blocks] == list(range(len(blocks)))
    assert all(data[block.offset :].startswith(block.data) for block in blocks)
    assert rows_of(data, block_bytes=block_bytes) == rows_of(data)
    assert len(rows_of(data)) == len(lengths)


@pytest.mark.parametrize("data", [b"<posts/>", b"<posts />\n", b"<posts></posts>", b"<posts>\r\n <!-- x --> </posts>"])
def test_a_dump_without_rows_has_no_block(data: bytes):
    assert blocks_of(data) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        (b" \n ", "its head is no element found"),
        (bytes(range(256)) * 9, "its head is not well-formed"),
        (b'Id,Title\n1,"a"\n', "its head is syntax error"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "it is a web page"),
        (b"\n<!doctype HTML>\n<p>404", "it is a web page"),
        (b"<posts", "its head is unclosed token"),
        (b"<!-- " + b"x" * (1 << 20), "no root element begins within its first MiB"),
        ("<posts></posts>".encode("utf-16"), "must be UTF-8"),
        (b'<?xml version="1.0" encoding="iso-8859-1"?><posts></posts>', "must be UTF-8"),
        (QUESTION + ANSWER, "must have one root element around its rows"),
        (b"<posts>" + QUESTION + b"</posts><posts>" + ANSWER + b"</posts>", "goes on after </posts>"),
        (b"<posts/>" + QUESTION, "goes on after its root element"),
    ],
)
def test_what_is_no_dump_is_refused_in_one_sentence(data: bytes, words: str):
    error = failure(data)
    assert str(error).startswith("d.xml ")
    assert words in str(error)
    assert "\n" not in str(error)


@given(st.data())
def test_a_dump_cut_anywhere_is_refused_with_the_place(data: st.DataObject):
    whole = b"<posts>\n  " + QUESTION + b"<!-- </posts> -->\n  " + ANSWER + b"\n</posts>"
    cut = data.draw(st.integers(len(b"<posts>"), len(whole) - 1))
    error = failure(whole[:cut])
    assert str(error) == (
        f"d.xml ends without </posts>: the file is cut off at byte {cut:,} of its data, fetch it again"
    )
    assert error.offset == cut


def test_markup_inside_a_broken_row_is_not_taken_for_markup():
    broken = b'<row Id="1" PostTypeId="1" Title="t" Body="<!-- raw </posts>" />'
    data = b"<posts>" + broken + QUESTION + b"</posts>"
    (_, first), (_, second) = rows_of(data)
    assert read_row(first) == Unreadable(NOT_WELL_FORMED)
    assert second == QUESTION


@pytest.mark.parametrize("broken", [b'<row Id="1" Title="a "b" />', b'<row Id="1" Body="a < b" />', b'<row Id="1'])
def test_a_broken_last_row_does_not_hide_the_end_of_the_dump(broken: bytes):
    found = rows_of(b"<posts>" + QUESTION + broken + b"\n</posts >\n<!-- end -->\n")
    assert found[0][1] == QUESTION
    assert [read_row(raw) for _, raw in found[1:]] == [Unreadable(NOT_WELL_FORMED)]


@pytest.mark.parametrize("block_bytes", [1 << 20, 24 << 20])
def test_a_row_of_16_mib_is_counted_and_the_next_one_is_read(block_bytes: int):
    giant = b'<row Id="1" PostTypeId="2" Body="' + b"x" * MAX_ROW_BYTES + b'" />'
    data = b"<posts>" + ANSWER + giant + QUESTION + b"</posts>"
    found = rows_of(data, block_bytes=block_bytes)
    assert [offset for offset, _ in found] == [7, 7 + len(ANSWER), 7 + len(ANSWER) + len(giant)]
    assert [read_row(raw) for _, raw in found][1] == Unreadable(TOO_LONG)
    assert found[2][1] == QUESTION


def test_white_space_and_foreign_elements_of_any_length_are_passed_over():
    data = b"<posts>" + b" " * 300 + b"<a b='%s'/>" % (b"x" * 300) + QUESTION + b"</posts>"
    assert [raw for _, raw in rows_of(data, block_bytes=50)] == [QUESTION]


def test_a_comment_longer_than_any_row_is_refused():
    error = failure(b"<posts><!-- " + b"x" * MAX_ROW_BYTES + b" --></posts>")
    assert "holds a comment of more than 16 MiB" in str(error)


def test_a_verbatim_block_can_be_read_again_where_it_stands_in_the_file(tmp_path):
    path = tmp_path / "Posts.xml"
    path.write_bytes(b"\xef\xbb\xbf<posts>\r\n" + (QUESTION + b"\r\n" + ANSWER) * 9_000 + b"</posts>")
    with open_dump(str(path)) as stream:
        assert stream.file == path
        blocks = list(read_blocks(stream, name="d.xml", block_bytes=1 << 20))
    assert len(blocks) > 2
    # The last one holds the root's end, which is looked for in a copy.
    assert [block.is_verbatim for block in blocks] == [True] * (len(blocks) - 1) + [False]
    for block in blocks[:-1]:
        assert BlockPlace(path, block.index, block.offset, len(block.data)).read() == block


def test_a_block_in_which_a_comment_became_blank_is_not_verbatim():
    (block,) = read_blocks(io.BytesIO(b"<posts>" + QUESTION + b"<!-- x --></posts>"), name="d.xml")
    assert not block.is_verbatim


def test_what_is_decompressed_has_no_place_in_a_file(tmp_path):
    path = tmp_path / "Posts.xml.gz"
    path.write_bytes(gzip.compress(b"<posts>" + QUESTION + b"</posts>"))
    with open_dump(str(path)) as stream:
        assert stream.file is None


def test_a_place_in_a_file_that_is_gone_is_one_sentence(tmp_path):
    with pytest.raises(DumpError, match=r"Posts\.xml is cut off or corrupt after byte 70"):
        BlockPlace(tmp_path / "Posts.xml", 0, 70, 10).read()


def test_a_file_that_became_shorter_loses_no_row_in_silence(tmp_path):
    path = tmp_path / "Posts.xml"
    path.write_bytes(b"0123456789")
    assert BlockPlace(path, 0, 4, 6).read().data == b"456789"
    for size in (7, 100):
        with pytest.raises(DumpError, match=r"after byte 10 .*became shorter"):
            BlockPlace(path, 0, 4, size).read()


def test_the_place_of_a_dump_is_that_of_the_file_and_not_of_the_way_to_it(tmp_path):
    path = tmp_path / "Posts.xml"
    path.write_bytes(b"<posts>" + QUESTION + b"</posts>")
    (tmp_path / "link").symlink_to(path)
    with path.open("rb") as file:
        for way in (tmp_path / "link", f"/dev/fd/{file.fileno()}", f"/proc/self/fd/{file.fileno()}"):
            with open_dump(str(way)) as stream:
                assert stream.file == path.resolve()


@pytest.mark.parametrize("between", [b"", b"<!-- x -->"])
def test_a_block_of_tiny_rows_ends_after_so_many(between: bytes):
    rows = MAX_BLOCK_ROWS * 2 + 5
    data = b"<posts>" + b"<row />" * 3 + between + b"<row />" * (rows - 3) + b"</posts>"
    blocks = blocks_of(data)
    assert [block.data.count(b"<row") for block in blocks] == [MAX_BLOCK_ROWS, MAX_BLOCK_ROWS, 5]
    assert [block.index for block in blocks] == [0, 1, 2]
    assert [block.offset + len(block.data) for block in blocks[:-1]] == [block.offset for block in blocks[1:]]
