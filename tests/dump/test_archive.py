"""Every container by its bytes, to its end; files, folders and the sites that they name."""

import bz2
import gzip
import hashlib
import io
import lzma
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from procqa.dump.archive import dump_site
from procqa.errors import DumpError
from tests.dump.containers import TABLE, content, failure, pack


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


@pytest.mark.parametrize(
    "host", ["superuser.com", "serverfault.com", "askubuntu.com", "mathoverflow.net", "stackapps.com"]
)
def test_a_site_of_its_own_domain_has_no_sub_domain_not_even_its_meta_site(host: str):
    assert dump_site(f"/d/{host}.7z") == host
    assert dump_site(f"/d/meta.{host}.7z") == "stackoverflow.com"
    assert dump_site(f"/d/www.{host}/Posts.xml") == "stackoverflow.com"


def test_the_parent_of_a_relative_path_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "ai.stackexchange.com"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert dump_site("Posts.xml") == "ai.stackexchange.com"
    assert dump_site(".") == "ai.stackexchange.com"
