"""Every container by its bytes, to its end, and away without a trace."""

import bz2
import gzip
import io
import lzma
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import py7zr
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.dump.archive import SevenZipReader, dump_site, open_dump
from procqa.errors import ConfigError, DumpError

DUMPS = Path(__file__).parents[3] / "shared" / "data" / "dumps"
needs_dumps = pytest.mark.skipif(not DUMPS.is_dir(), reason="the real dumps of ../shared/data/dumps are not here")

HAS_PROGRAM = any(map(shutil.which, ("7zz", "7z", "7za")))
PROGRAM = pytest.param(
    "program", marks=pytest.mark.skipif(not HAS_PROGRAM, reason="neither 7zz nor 7z nor 7za is installed")
)
both_readers = pytest.mark.parametrize("reader", ["library", PROGRAM])

TABLE = b"<posts>\r\n" + b"".join(b'  <row Id="%d" Body="%x" />\r\n' % (n, n**9) for n in range(9_000)) + b"</posts>"
LZMA2 = [{"id": py7zr.FILTER_LZMA2, "preset": 1}]
BZIP2 = [{"id": py7zr.FILTER_BZIP2}]


def zstd(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return packed


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd,
}
compressed = pytest.mark.parametrize("container", [name for name in COMPRESSORS if name != "plain"])


def pack(path: Path, members: dict[str, bytes], *, filters: list[dict[str, int]] | None = None) -> str:
    with py7zr.SevenZipFile(path, "w", filters=filters or LZMA2) as archive:
        for name, data in members.items():
            archive.writestr(data, name)
    return str(path)


def content(path: str, reader: SevenZipReader = "auto", *, size: int = 1 << 20) -> bytes:
    pieces = []
    with open_dump(path, seven_zip=reader) as stream:
        while piece := stream.read(size):
            assert len(piece) <= size
            pieces.append(piece)
        assert stream.read(size) == b""
    return b"".join(pieces)


def failure(path: str, reader: SevenZipReader = "auto") -> DumpError:
    with pytest.raises(DumpError) as caught:
        content(path, reader)
    assert "\n" not in str(caught.value)
    assert caught.value.path == path
    return caught.value


def children() -> str:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")


# Containers of one stream.


@pytest.mark.parametrize("container", COMPRESSORS)
@pytest.mark.parametrize("size", [1_000, 1 << 20])
def test_a_container_is_told_by_its_bytes_not_by_its_name(tmp_path: Path, container: str, size: int):
    path = tmp_path / "Posts.7z"
    path.write_bytes(COMPRESSORS[container](TABLE))
    assert content(str(path), size=size) == TABLE


@compressed
def test_all_members_of_a_container_are_read(tmp_path: Path, container: str):
    path = tmp_path / "dump"
    compress = COMPRESSORS[container]
    path.write_bytes(compress(TABLE[:7]) + compress(b"") + compress(TABLE[7:90_000]) + compress(TABLE[90_000:]))
    assert content(str(path)) == TABLE


def test_zeros_between_the_streams_of_an_xz_file_are_padding(tmp_path: Path):
    path = tmp_path / "dump.xz"
    path.write_bytes(lzma.compress(TABLE[:99]) + bytes(8) + lzma.compress(TABLE[99:]) + bytes(4))
    assert content(str(path)) == TABLE


def test_zstandard_frames_that_hold_no_data_are_skipped(tmp_path: Path):
    path = tmp_path / "dump.zst"
    skipped = b"\x50\x2a\x4d\x18\x04\x00\x00\x00size"
    path.write_bytes(skipped + zstd(TABLE[:99]) + skipped + zstd(TABLE[99:]))
    assert content(str(path)) == TABLE


@compressed
@pytest.mark.parametrize("kept", [0.3, 0.9, -1])
def test_a_cut_off_container_is_refused_with_the_place(tmp_path: Path, container: str, kept: float):
    path = tmp_path / "dump.xml"
    packed = COMPRESSORS[container](TABLE[:9]) + COMPRESSORS[container](TABLE[9:])
    path.write_bytes(packed[: int(kept) if kept < 0 else int(kept * len(packed))])
    error = failure(str(path))
    assert error.offset is not None
    assert 0 <= error.offset <= len(TABLE)
    assert f"{path} is cut off or corrupt after byte {error.offset:,} of its decompressed data" in str(error)


@compressed
def test_bytes_that_are_no_further_member_are_refused(tmp_path: Path, container: str):
    path = tmp_path / "dump"
    path.write_bytes(COMPRESSORS[container](TABLE) + b"and more")
    assert failure(str(path)).offset in {0, len(TABLE)}


@pytest.mark.parametrize("container", ["gz", "bz2", "xz"])
def test_a_changed_byte_is_refused_at_the_latest_at_the_end(tmp_path: Path, container: str):
    path = tmp_path / "dump"
    packed = bytearray(COMPRESSORS[container](TABLE))
    packed[len(packed) // 2] ^= 0x55
    path.write_bytes(packed)
    assert "is cut off or corrupt" in str(failure(str(path)))


@pytest.mark.parametrize("container", COMPRESSORS)
def test_standard_input_is_any_container_of_one_stream(tmp_path: Path, container: str):
    code = (
        "import hashlib\n"
        "from procqa.dump.archive import open_dump\n"
        "digest = hashlib.sha256()\n"
        "with open_dump('-') as stream:\n"
        "    while piece := stream.read(99_999):\n"
        "        digest.update(piece)\n"
        "print(digest.hexdigest())\n"
    )
    packed = COMPRESSORS[container](TABLE)
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        # The first bytes come late and one by one, as from a slow pipe.
        for place in range(4):
            process.stdin.write(packed[place : place + 1])
            process.stdin.flush()
        out, _ = process.communicate(packed[4:])
    import hashlib

    assert out.decode().strip() == hashlib.sha256(TABLE).hexdigest()


def test_an_archive_on_standard_input_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data = Path(pack(tmp_path / "a.7z", {"Posts.xml": TABLE})).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    with pytest.raises(DumpError, match="cannot be read from a pipe: give the file"):
        content("-")


def test_an_archive_in_a_named_pipe_is_refused(tmp_path: Path):
    data = Path(pack(tmp_path / "a.7z", {"Posts.xml": TABLE})).read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(data[:100]))
    writer.start()
    assert "cannot be read from a pipe" in str(failure(str(pipe)))
    writer.join()


def test_standard_input_stays_open(monkeypatch: pytest.MonkeyPatch):
    stdin = io.TextIOWrapper(io.BytesIO(gzip.compress(TABLE)))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert content("-") == TABLE
    assert not stdin.buffer.closed


# 7z archives.


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
    before = threading.active_count()
    with open_dump(path, seven_zip=reader) as stream:
        for _ in range(n_reads):
            assert stream.read(1_000)
    assert threading.active_count() == before
    assert children() == ""


@both_readers
def test_an_error_inside_the_block_is_not_held_up(tmp_path: Path, reader: SevenZipReader):
    path = pack(tmp_path / "a.7z", {"Posts.xml": TABLE * 60})
    with pytest.raises(ZeroDivisionError), open_dump(path, seven_zip=reader) as stream:
        stream.read(10)
        raise ZeroDivisionError
    assert children() == ""


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


# Files and folders.


@pytest.mark.parametrize(
    "names",
    [
        ["Posts.xml", "Users.xml", "stackoverflow.com-Posts.7z"],
        ["posts.xml", "Comments.xml.gz"],
        ["Posts.xml.gz"],
        ["Posts.xml.zst", "Votes.xml"],
        ["POSTS.XML.7z"],
    ],
)
def test_a_folder_stands_for_the_posts_table_in_it(tmp_path: Path, names: list[str]):
    for name in names:
        (tmp_path / name).write_bytes(b"<other/>")
    (tmp_path / names[0]).write_bytes(gzip.compress(TABLE))
    assert content(str(tmp_path)) == TABLE


def test_a_folder_of_archives_stands_for_the_one_with_posts(tmp_path: Path):
    pack(tmp_path / "ai.stackexchange.com-Comments.7z", {"Comments.xml": b"c"})
    (tmp_path / "Posts.txt").write_bytes(b"no table")
    (tmp_path / "Posts.xml").mkdir()
    with pytest.raises(DumpError, match="but none was found"):
        content(str(tmp_path))
    pack(tmp_path / "ai.stackexchange.com.7z", {"Users.xml": b"u", "Posts.xml": TABLE})
    assert content(str(tmp_path)) == TABLE
    pack(tmp_path / "ai.stackexchange.com-Posts.7z", {"Posts.xml": TABLE[:9]})
    assert content(str(tmp_path)) == TABLE[:9]
    pack(tmp_path / "stackoverflow.com-Posts.7z", {"Posts.xml": TABLE})
    with pytest.raises(DumpError, match=r"ai.stackexchange.com-Posts.7z, stackoverflow.com-Posts.7z was found"):
        content(str(tmp_path))


def test_what_cannot_be_opened_is_refused_in_one_sentence(tmp_path: Path):
    missing = str(tmp_path / "none" / "Posts.xml")
    assert str(failure(missing)) == f"{missing} must be a readable dump: No such file or directory"
    zipped = tmp_path / "Posts.xml"
    zipped.write_bytes(b"PK\x03\x04 and so on")
    assert "is a zip archive, which is not read" in str(failure(str(zipped)))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_and_a_folder_without_permission_are_refused(tmp_path: Path):
    for path in (tmp_path / "Posts.xml", tmp_path / "folder"):
        path.mkdir() if path.name == "folder" else path.write_bytes(TABLE)
        path.chmod(0)
        assert "must be a readable dump: Permission denied" in str(failure(str(path)))
        path.chmod(0o700)


def test_an_empty_file_is_an_empty_stream(tmp_path: Path):
    path = tmp_path / "Posts.xml"
    path.touch()
    assert content(str(path)) == b""


@pytest.mark.parametrize(
    ("path", "site"),
    [
        ("-", "stackoverflow.com"),
        ("Posts.xml", "stackoverflow.com"),
        ("/d/programming-qa.7z", "stackoverflow.com"),
        ("/d/stackoverflow.com-Posts.7z", "stackoverflow.com"),
        ("/d/pt.stackoverflow.com.7z", "pt.stackoverflow.com"),
        ("/d/ai.stackexchange.com", "ai.stackexchange.com"),
        ("/d/ai.stackexchange.com/", "ai.stackexchange.com"),
        ("/d/ai.stackexchange.com/Posts.xml", "ai.stackexchange.com"),
        ("/d/AI.StackExchange.com/posts.xml.gz", "ai.stackexchange.com"),
        ("/d/codereview.meta.stackexchange.com.7z", "codereview.meta.stackexchange.com"),
        ("/d/ai.stackexchange.com-Posts.xml.zst", "ai.stackexchange.com"),
        ("/d/ai.stackexchange.com/other.xml", "stackoverflow.com"),
        ("/d/ai.stackexchange-2016.xml", "stackoverflow.com"),
        ("/d/stackexchange.com.7z", "stackoverflow.com"),
        ("/d/notsuperuser.com.7z", "stackoverflow.com"),
        ("/d/superuser.com.7z", "superuser.com"),
        ("/d/serverfault.com-posts.xml.bz2", "serverfault.com"),
        ("/d/askubuntu.com.xml.xz", "askubuntu.com"),
        ("/d/mathoverflow.net", "mathoverflow.net"),
        ("/d/stackapps.com/Posts.xml.7z", "stackapps.com"),
        ("/d/example.org", "stackoverflow.com"),
    ],
)
def test_a_site_is_read_from_the_name_only_where_it_is_one(path: str, site: str):
    assert dump_site(path) == site


def test_the_parent_of_a_relative_path_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "ai.stackexchange.com"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert dump_site("Posts.xml") == "ai.stackexchange.com"
    assert dump_site(".") == "ai.stackexchange.com"
