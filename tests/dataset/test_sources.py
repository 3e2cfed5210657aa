"""The files that a build reads, each digested once, and standard input, which passes by once."""

import gzip
import hashlib
import io
import os
import sys

import pytest

from procqa.dataset.sources import Digests, HashedStream, digest_stdin, find_sources, open_posts
from procqa.dump.tables import Table, Tables
from procqa.errors import ArtifactError, DumpError
from procqa.manifest import Input

POSTS = b'<posts>\n<row Id="1" />\n</posts>\n'


def files(folder, **contents):
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / f"{name}.xml").write_bytes(content)
    return folder


def input_of(name, content):
    return Input(name, len(content), hashlib.sha256(content).hexdigest())


def test_a_folder_gives_its_tables_and_its_site(tmp_path):
    folder = files(
        tmp_path / "ai.stackexchange.com", Posts=POSTS, Users=b"<users/>", PostLinks=b"<postlinks/>", Tags=b"<a/>"
    )
    (source,) = find_sources([str(folder)], None)
    assert (source.dump, source.site) == (str(folder), "ai.stackexchange.com")
    tables = [Table(str(folder / f"{name}.xml"), name) for name in ("Posts", "Users", "PostLinks")]
    assert source.tables == Tables(*tables)
    assert list(source.wanted_tables()) == tables
    assert Digests([source]).wait() == [
        input_of("Posts.xml", POSTS),
        input_of("Users.xml", b"<users/>"),
        input_of("PostLinks.xml", b"<postlinks/>"),
    ]


def test_the_site_that_is_named_overrules_the_names_of_files(tmp_path):
    folder = files(tmp_path / "superuser.com", Posts=POSTS)
    assert [source.site for source in find_sources([str(folder), str(folder)], "local")] == ["local", "local"]
    assert [source.site for source in find_sources([str(folder), "x.xml"], None)] == [
        "superuser.com",
        "stackoverflow.com",
    ]


def test_each_file_is_digested_once_in_the_order_of_the_dumps(tmp_path):
    one, other = (
        files(tmp_path / name, Posts=name.encode()) for name in ("a.stackexchange.com", "b.stackexchange.com")
    )
    sources = find_sources([str(other), str(one), str(other)], None)
    assert [entry.name for entry in Digests(sources).wait()] == ["Posts.xml", "Posts.xml"]
    assert Digests(sources).wait()[0] == input_of("Posts.xml", b"b.stackexchange.com")


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    sources = find_sources([str(tmp_path / "absent.xml")], None)
    with pytest.raises(ArtifactError, match=r"absent\.xml must be a readable file"):
        Digests(sources).wait()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DumpError, match="must hold one Posts"):
        find_sources([str(tmp_path / "empty")], None)


def test_posts_are_opened_through_their_container(tmp_path):
    path = tmp_path / "Posts.xml.gz"
    path.write_bytes(gzip.compress(POSTS, mtime=0))
    (source,) = find_sources([str(path)], None)
    with open_posts(source) as stream:
        assert stream.read(1 << 20) == POSTS
    assert not isinstance(stream, HashedStream)


def test_a_file_that_changes_while_it_is_read_is_one_sentence(tmp_path):
    path = tmp_path / "Posts.xml"
    path.write_bytes(POSTS)
    digests = Digests(find_sources([str(path)], None))
    assert [(entry.name, entry.size) for entry in digests.stamps] == [("Posts.xml", len(POSTS))]
    with path.open("ab") as stream:
        stream.write(b"\n")
    with pytest.raises(ArtifactError, match="must not change while it is read"):
        digests.wait()


def test_a_file_whose_owner_or_links_change_is_the_same(tmp_path):
    path = tmp_path / "Posts.xml"
    path.write_bytes(POSTS)
    digests = Digests(find_sources([str(path)], None))
    path.chmod(0o600)
    (tmp_path / "link").hardlink_to(path)
    assert digests.wait() == [input_of("Posts.xml", POSTS)]


def test_a_file_that_is_called_like_standard_input_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_bytes(POSTS)
    assert Digests(find_sources(["./-"], None)).wait(Input("-", 1, "of a pipe")) == [input_of("-", POSTS)]


def test_what_cannot_be_read_is_refused_before_any_work(tmp_path):
    os.mkfifo(tmp_path / "Posts.xml")
    with pytest.raises(ArtifactError, match=r"Posts\.xml must be a file, but it is a pipe or a device: give - and"):
        Digests(find_sources([str(tmp_path / "Posts.xml")], None))
    folder = files(tmp_path / "site", Posts=POSTS)
    (folder / "Users.xml").symlink_to("/proc/self/mem")
    with pytest.raises(ArtifactError, match=r"Users\.xml must be a readable file"):
        Digests(find_sources([str(folder)], None))


def test_digests_that_nobody_waits_for_are_taken_no_further(tmp_path):
    path = tmp_path / "Posts.xml"
    with path.open("wb") as stream:
        stream.truncate(1 << 36)  # a hole that would take a minute to read
    with Digests(find_sources([str(path)], None)) as digests:
        thread = digests._thread
    thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.fixture
def piped(monkeypatch):
    """A way to give bytes to standard input."""

    def give(content):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return give


@pytest.mark.parametrize("content", [POSTS, gzip.compress(POSTS, mtime=0)])
def test_standard_input_is_hashed_as_it_passes_by(piped, content):
    piped(content)
    (source,) = find_sources(["-"], None)
    assert Digests([source]).wait() == [Input("-", 0, "")]
    read = b""
    with open_posts(source) as stream:
        assert isinstance(stream, HashedStream)
        while piece := stream.read(7):
            read += piece
    assert read == POSTS
    passed = stream.input()
    piped(content)
    assert digest_stdin() == passed
    assert Digests([source]).wait(passed) == [passed]
    assert passed == input_of("-", POSTS)
