"""7z archives by either reader: the right member, to its end, and away without a trace."""

import os
import shutil
import threading
from pathlib import Path

import py7zr
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.dump.archive import open_dump
from procqa.dump.seven_zip import SevenZipReader, holds_table, open_seven_zip
from procqa.errors import ConfigError, DumpError
from tests.dump.containers import LZMA2, TABLE, content, failure, pack

DUMPS = Path(__file__).parents[3] / "shared" / "data" / "dumps"
needs_dumps = pytest.mark.skipif(not DUMPS.is_dir(), reason="the real dumps of ../shared/data/dumps are not here")

HAS_PROGRAM = any(map(shutil.which, ("7zz", "7z", "7za")))
PROGRAM = pytest.param(
    "program", marks=pytest.mark.skipif(not HAS_PROGRAM, reason="neither 7zz nor 7z nor 7za is installed")
)
both_readers = pytest.mark.parametrize("reader", ["library", PROGRAM])

BZIP2 = [{"id": py7zr.FILTER_BZIP2}]


def children() -> str:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")


@both_readers
@pytest.mark.parametrize("filters", [LZMA2, BZIP2])
@pytest.mark.parametrize(
    "members",
    [
        {"Posts.xml": TABLE},
        {"stackoverflow.xml": TABLE},
        {"Badges.xml": b"<badges/>" * 9, "Comments.xml": b"x" * 99_999, "dump/a b/posts.XML": TABLE, "Users.xml": b"u"},
        {"[Posts]/*/Posts.xml": TABLE, "Tags.xml": b"t"},
        {"-x/Posts.xml": TABLE, "@y/Tags.xml": b"t"},
    ],
)
def test_the_posts_table_of_an_archive_is_found(
    tmp_path: Path, reader: SevenZipReader, filters: list[dict[str, int]], members: dict[str, bytes]
):
    path = pack(tmp_path / "dump.bin", members, filters=filters)
    has_plain_name = not any(name.startswith(("[", "-")) for name in members)
    assert content(path, reader if has_plain_name else "auto") == TABLE


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"Users.xml": b"u", "Tags.xml": b"t"}, "holds Users.xml, Tags.xml"),
        ({"a/Posts.xml": b"p", "b/Posts.xml": b"p"}, "holds a/Posts.xml, b/Posts.xml"),
        ({"Posts.csv": b"p"}, "holds Posts.csv"),
        ({}, "holds nothing"),
    ],
)
def test_an_archive_without_one_posts_table_is_refused(tmp_path: Path, members: dict[str, bytes], words: str):
    path = pack(tmp_path / "a.7z", members)
    assert f"{path} must hold one Posts.xml, but it {words}" in str(failure(path))


@both_readers
def test_an_empty_member_is_an_empty_stream(tmp_path: Path, reader: SevenZipReader):
    assert content(pack(tmp_path / "a.7z", {"Posts.xml": b"", "Users.xml": b"u"}), reader) == b""


def test_an_encrypted_archive_is_refused(tmp_path: Path):
    for name, header in (("body.7z", False), ("all.7z", True)):
        path = tmp_path / name
        with py7zr.SevenZipFile(path, "w", password="p", header_encryption=header) as archive:
            archive.writestr(TABLE, "Posts.xml")
        assert "is encrypted, which is not read" in str(failure(str(path)))


@both_readers
@pytest.mark.parametrize("kept", [8, 0.5, -1])
def test_a_cut_off_archive_is_refused(tmp_path: Path, reader: SevenZipReader, kept: float):
    path = tmp_path / "a.7z"
    whole = Path(pack(path, {"Posts.xml": TABLE})).read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if 0 < kept < 1 else int(kept)])
    assert "is cut off or corrupt after byte 0 of its decompressed data" in str(failure(str(path), reader))


@both_readers
@pytest.mark.parametrize("filters", [LZMA2, BZIP2])
@pytest.mark.parametrize("part", [0.01, 0.5, 0.9])
def test_a_changed_byte_in_an_archive_is_refused_at_the_latest_at_its_end(
    tmp_path: Path, reader: SevenZipReader, filters: list[dict[str, int]], part: float
):
    path = tmp_path / "a.7z"
    broken = bytearray(Path(pack(path, {"Tags.xml": b"t" * 999, "Posts.xml": TABLE}, filters=filters)).read_bytes())
    broken[32 + int(part * (len(broken) - 200))] ^= 0x55
    path.write_bytes(broken)
    error = failure(str(path), reader)
    assert error.offset is not None
    assert 0 <= error.offset <= len(TABLE)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fuzz") / "a.7z"
    return Path(pack(path, {"Tags.xml": b"t" * 99, "Posts.xml": TABLE[:2_000]}))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_an_archive_with_any_byte_changed_is_read_right_or_refused(archive: Path, data: st.DataObject):
    broken = bytearray(archive.read_bytes())
    broken[data.draw(st.integers(6, len(broken) - 1))] ^= data.draw(st.integers(1, 255))
    path = archive.with_name("broken.7z")
    path.write_bytes(broken)
    try:
        found = content(str(path), "library")
    except DumpError:
        return
    assert found == TABLE[:2_000]


@both_readers
@pytest.mark.parametrize("n_reads", [0, 1, 3])
def test_an_archive_left_early_leaves_no_thread_and_no_process(tmp_path: Path, reader: SevenZipReader, n_reads: int):
    path = pack(tmp_path / "a.7z", {"Users.xml": os.urandom(1 << 20), "Posts.xml": TABLE * 60})
    before = threading.active_count(), children()
    with open_dump(path, seven_zip=reader) as stream:
        for _ in range(n_reads):
            assert stream.read(1_000)
    assert (threading.active_count(), children()) == before


@both_readers
def test_an_error_inside_the_block_is_not_held_up(tmp_path: Path, reader: SevenZipReader):
    path = pack(tmp_path / "a.7z", {"Posts.xml": TABLE * 60})
    before = children()
    with pytest.raises(ZeroDivisionError), open_dump(path, seven_zip=reader) as stream:
        stream.read(10)
        raise ZeroDivisionError
    assert children() == before


def test_without_a_program_the_library_reads_and_asking_for_one_is_wrong_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = pack(tmp_path / "a.7z", {"Posts.xml": TABLE})
    monkeypatch.setenv("PATH", str(tmp_path))
    assert content(path) == TABLE
    with pytest.raises(ConfigError, match="none is on PATH"):
        content(path, "program")


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("head -c 1000 {table}; exit 0", "7z ended with status 0 and 1,000 of"),
        ("cat {table}; exit 2", "7z ended with status 2 and"),
        ("exit 1", "7z ended with status 1 and 0 of"),
    ],
)
def test_a_program_that_stops_early_or_fails_at_the_end_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
):
    path = pack(tmp_path / "a.7z", {"Posts.xml": TABLE})
    table = tmp_path / "table"
    table.write_bytes(TABLE)
    program = tmp_path / "bin" / "7z"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script.format(table=table)}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    assert words in str(failure(path, "program"))


@needs_dumps
@both_readers
def test_the_readers_agree_on_a_real_archive(reader: SevenZipReader):
    data = content(str(DUMPS / "mixed-qa.7z"), reader)
    assert len(data) == 13_939_454
    assert data.count(b"<row ") == 17_282


def test_an_archive_is_known_to_hold_a_table_by_its_header(tmp_path: Path):
    pack(tmp_path / "a.7z", {"Users.xml": b"u", "dump/posts.XML": b"p"})
    pack(tmp_path / "b.7z", {"Users.xml": b"u", "PostHistory.xml": b"h"})
    assert holds_table(str(tmp_path / "a.7z"), "Posts")
    assert holds_table(str(tmp_path / "a.7z"), "Users")
    assert not holds_table(str(tmp_path / "b.7z"), "Posts")


@both_readers
def test_a_member_is_a_stream_that_ends_once(tmp_path: Path, reader: SevenZipReader):
    with open_seven_zip(pack(tmp_path / "a.7z", {"Posts.xml": b"0123456789"}), reader) as stream:
        assert [stream.read(4), stream.read(4), stream.read(4), stream.read(4)] == [b"0123", b"4567", b"89", b""]
