import gzip
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.dump import sample
from procqa.dump.blocks import Block, rows_in
from procqa.dump.sample import sample_table
from procqa.dump.tables import Table
from procqa.errors import ConfigError, DumpError
from tests.dumps import CONTAINERS, PLAIN, answer, threads, to_bytes, write_container, write_dump

N_BIG = 9_000
PADDING = "x" * 500


@pytest.fixture(scope="module")
def big_dump():
    """Some 5 MB of rows of different lengths, ids 1 to N_BIG."""
    rows = [answer(number, 1, Body=f"<p>{PADDING * (number % 3)}{number}</p>") for number in range(1, N_BIG + 1)]
    data = to_bytes(rows, PLAIN)
    assert len(data) > 2 * sample.LEAST_BYTES
    return data


def rows_of(found):
    return [raw for data in found.slices for _, raw in rows_in(Block(0, 0, data))]


def ids_of(rows):
    return [int(re.search(rb' Id="(\d+)"', raw)[1]) for raw in rows]


@pytest.mark.parametrize("container", [container for container in CONTAINERS if container != "folder"])
def test_a_small_table_is_read_whole_from_any_container(tmp_path, container):
    path = write_container(tmp_path, to_bytes(threads(40)), container)
    found = sample_table(Table(str(path), "Posts"))
    assert (found.kind, found.factor) == ("whole", 1.0)
    assert found.total_bytes == len(to_bytes(threads(40)))
    assert len(rows_of(found)) == 80


@pytest.mark.parametrize("container", ["xml", "gz", "bz2", "7z"])
def test_a_larger_table_gives_whole_rows_from_all_over_it(tmp_path, big_dump, container):
    path = write_container(tmp_path, big_dump, container)
    found = sample_table(Table(str(path), "Posts"))
    rows = rows_of(found)
    ids = ids_of(rows)
    assert (found.kind, found.total_bytes) == ("spread", len(big_dump))
    assert all(raw.endswith(b"/>") and raw in big_dump for raw in rows)
    assert len(set(ids)) == len(ids)
    assert min(ids) < 0.1 * N_BIG
    assert max(ids) > 0.8 * N_BIG
    assert found.size_bytes < 0.7 * len(big_dump)
    assert N_BIG * 0.95 < len(rows) * found.factor < N_BIG * 1.05


def test_a_plain_file_is_sampled_in_two_megabytes_at_the_least(tmp_path, big_dump):
    path = write_container(tmp_path, big_dump, "xml")
    found = sample_table(Table(str(path), "Posts"))
    assert len(found.slices) == 16
    assert found.width_bytes == 2 << 20
    assert found.read_bytes_per_s is None


def test_of_a_long_stream_only_the_head_is_passed_through(tmp_path, big_dump, monkeypatch):
    monkeypatch.setattr(sample, "PASSED_BYTES", 3 << 20)
    path = write_container(tmp_path, big_dump, "7z")
    found = sample_table(Table(str(path), "Posts"))
    assert (found.kind, found.total_bytes) == ("head", len(big_dump))
    assert max(ids_of(rows_of(found))) < 0.8 * N_BIG


def test_how_large_a_long_gz_is_follows_from_its_first_bytes(tmp_path, monkeypatch):
    rows = [answer(number, 1, Body=f"<p>{number**40:x}{PADDING * 2}</p>") for number in range(1, 8_000)]
    data = to_bytes(rows)
    path = tmp_path / "Posts.xml.gz"
    path.write_bytes(gzip.compress(data))
    monkeypatch.setattr(sample, "PASSED_BYTES", path.stat().st_size * 8 * 2 // 3)
    found = sample_table(Table(str(path), "Posts"))
    assert found.kind == "head"
    assert 0.8 * len(data) < found.total_bytes < 1.25 * len(data)
    assert len(data) * 0.1 < found.size_bytes < len(data) * 0.7


def test_standard_input_is_refused_in_one_sentence():
    with pytest.raises(ConfigError, match="standard input passes by only once"):
        sample_table(Table("-", "Posts"))


@pytest.mark.parametrize("content", [b"dear diary\n" * 10, b"dear diary\n" * 400_000, b"<posts>\n<row Id='1' />", b""])
def test_what_is_no_dump_is_told_as_a_build_tells_it(tmp_path, content):
    (tmp_path / "notes.xml").write_bytes(content)
    with pytest.raises(DumpError, match=r"notes\.xml"):
        sample_table(Table(str(tmp_path / "notes.xml"), "Posts"))


def test_an_absent_file_is_one_sentence(tmp_path):
    with pytest.raises(DumpError, match="must be a readable dump"):
        sample_table(Table(str(tmp_path / "absent.7z"), "Posts"))


def test_a_dump_without_rows_gives_no_slices(tmp_path):
    path = write_dump(tmp_path / "Posts.xml", [])
    assert sample_table(Table(str(path), "Posts")).slices == ()


class Stream:
    """Bytes, handed out in pieces of some size."""

    def __init__(self, data, piece):
        self.data, self.piece = data, piece

    def read(self, size, /):
        size = min(size, self.piece)
        data, self.data = self.data[:size], self.data[size:]
        return data


@given(
    sizes=st.lists(st.integers(0, 300), min_size=1, max_size=200),
    width=st.integers(20, 2_000),
    piece=st.integers(1, 5_000),
)
def test_slices_hold_whole_rows_each_once_and_in_order(sizes, width, piece):
    data = b"<posts>\n" + b"".join(b'<row Id="%d" B="%s" />\n' % (n, b"x" * s) for n, s in enumerate(sizes))
    taken = sample._take_slices(Stream(data + b"</posts>", piece), width, None)
    ids = [number for piece_ in taken.slices for number in ids_of(raw for _, raw in rows_in(Block(0, 0, piece_)))]
    assert ids == sorted(set(ids))
    assert all(b'<row Id="%d" B="%s" />' % (n, b"x" * sizes[n]) in data for n in ids)
    assert len(taken.slices) < sample.N_SLICES
