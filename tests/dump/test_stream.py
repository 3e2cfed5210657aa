"""A stream says in one sentence where it cannot go on."""

import io
import lzma

import pytest

from procqa.dump.stream import UNREADABLE, ByteStream, Checked, broken
from procqa.errors import DumpError


class Breaking:
    """A stream of six bytes that fails behind them."""

    def __init__(self, error: Exception) -> None:
        self._data = io.BytesIO(b"abcdef")
        self._error = error

    def read(self, size: int, /) -> bytes:
        data = self._data.read(size)
        if not data:
            raise self._error
        return data


def read_all(stream: ByteStream) -> list[bytes]:
    return list(iter(lambda: stream.read(4), b""))


def test_a_whole_stream_is_handed_on_as_it_is():
    assert read_all(Checked(io.BytesIO(b"abcdef"), "d.xml")) == [b"abcd", b"ef"]


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_stream_that_breaks_tells_the_place_and_the_cause(kind: type[Exception]):
    error = kind("no more\n of it.")
    with pytest.raises(DumpError) as caught:
        read_all(Checked(Breaking(error), "d.xml"))
    assert str(caught.value) == (
        "d.xml is cut off or corrupt after byte 6 of its decompressed data (no more of it): fetch it again"
    )
    assert (caught.value.path, caught.value.offset, caught.value.__cause__) == ("d.xml", 6, error)


def test_a_bug_is_not_taken_for_a_broken_stream():
    with pytest.raises(ZeroDivisionError):
        read_all(Checked(Breaking(ZeroDivisionError()), "d.xml"))


def test_an_error_without_words_is_named_by_its_kind():
    assert str(broken("d.7z", 1_234_567, lzma.LZMAError())) == (
        "d.7z is cut off or corrupt after byte 1,234,567 of its decompressed data (LZMAError): fetch it again"
    )
