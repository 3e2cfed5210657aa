"""Where Posts, Users and PostLinks of a dump are found, in real files and archives, and that they open."""

import os
from pathlib import Path

import py7zr
import pytest

from procqa.dump.archive import dump_site, open_dump, open_table
from procqa.dump.tables import Table, Tables, bare_name, find_posts, find_tables, is_posts_name
from procqa.errors import DumpError
from tests.dump.containers import LZMA2, pack

BZIP2 = [{"id": py7zr.FILTER_BZIP2}]
POSTS, USERS, LINKS = b"<posts>p</posts>", b"<users>u</users>", b"<postlinks>l</postlinks>"
OTHERS = {"Badges.xml": b"<badges/>" * 9_000, "Comments.xml": os.urandom(99_999)}
both_filters = pytest.mark.parametrize("filters", [LZMA2, BZIP2], ids=["lzma2", "bzip2"])


def content(table: Table | None) -> bytes | None:
    if table is None:
        return None
    pieces = []
    with open_table(table) as stream:
        while piece := stream.read(1 << 20):
            pieces.append(piece)
    return b"".join(pieces)


def contents(dump: Path) -> tuple[bytes | None, ...]:
    tables = find_tables(str(dump))
    with open_dump(str(dump)) as stream:
        assert stream.read(6) == b"<posts"
    return content(tables.posts), content(tables.users), content(tables.post_links)


@both_filters
@pytest.mark.parametrize(
    "members",
    [
        {**OTHERS, "PostLinks.xml": LINKS, "Posts.xml": POSTS, "Users.xml": USERS},
        {"users.xml": USERS, "posts.xml": POSTS, **OTHERS, "postlinks.xml": LINKS},
        {"a dump/POSTS.XML": POSTS, "a dump/Users.xml": USERS, "a dump/PostLinks.xml": LINKS, **OTHERS},
    ],
    ids=["others first", "lower case", "sub-folder"],
)
def test_an_archive_of_many_tables_gives_each(tmp_path: Path, filters: list[dict[str, int]], members: dict[str, bytes]):
    folder = tmp_path / "dumps"
    folder.mkdir()
    archive = folder / "stackoverflow.com.7z"
    pack(archive, members, filters=filters)
    for dump in (archive, folder):
        assert contents(dump) == (POSTS, USERS, LINKS)


def test_an_archive_without_the_other_tables_has_none(tmp_path: Path):
    archive = tmp_path / "stackoverflow.com.7z"
    pack(archive, {"Posts.xml": POSTS, "Tags.xml": b"<tags/>"})
    (tmp_path / "Users.xml").write_bytes(USERS)
    assert contents(archive) == (POSTS, None, None)
    assert contents(tmp_path) == (POSTS, USERS, None)


@both_filters
def test_split_archives_stand_beside_each_other(tmp_path: Path, filters: list[dict[str, int]]):
    for table, data in (("Posts", POSTS), ("Users", USERS), ("PostLinks", LINKS), ("Badges", b"<badges/>")):
        pack(tmp_path / f"stackoverflow.com-{table}.7z", {f"{table}.xml": data}, filters=filters)
    pack(tmp_path / "ai.stackexchange.com-Users.7z", {"Users.xml": b"<users>of another site</users>"})
    assert contents(tmp_path / "stackoverflow.com-Posts.7z") == (POSTS, USERS, LINKS)
    assert contents(tmp_path) == (POSTS, USERS, LINKS)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["Posts.xml", "Users.xml", "PostLinks.xml"], (USERS, LINKS)),
        (["posts.xml", "USERS.XML.7z", "postlinks.xml.gz"], (USERS, LINKS)),
        (["Posts.xml.zst", "users.7z"], (USERS, None)),
        (["Posts.xml", "Users", "PostLinks.csv"], (None, None)),
        (["Posts.xml", "Users.xml.bak", "x-PostLinks.xml"], (None, None)),
        (["ai.stackexchange.com-Posts.xml", "AI.StackExchange.com-users.xml.bz2"], (USERS, None)),
        (["ai.stackexchange.com-Posts.xml", "Users.xml"], (None, None)),
        (["excerpt.xml", "Users.xml", "PostLinks.xml"], (None, None)),
    ],
)
def test_a_file_of_posts_goes_with_the_files_that_are_named_like_it(
    tmp_path: Path, names: list[str], found: tuple[bytes | None, bytes | None]
):
    for name in names:
        data = POSTS if name == names[0] else USERS if "user" in name.lower() else LINKS
        (tmp_path / name).write_bytes(data)
    assert contents(tmp_path / names[0]) == (POSTS, *found)


def test_of_several_containers_of_a_table_the_plain_one_is_taken(tmp_path: Path):
    for name in ("Posts.xml", "Users.xml.gz", "Users.7z", "Users.xml"):
        (tmp_path / name).write_bytes(POSTS)
    assert find_tables(str(tmp_path)).users == Table(str(tmp_path / "Users.xml"), "Users")
    (tmp_path / "Users.xml").unlink()
    assert find_tables(str(tmp_path)).users == Table(str(tmp_path / "Users.7z"), "Users")


def test_standard_input_has_nothing_beside_it():
    assert find_tables("-") == Tables(Table("-", "Posts"), None, None)


def test_a_named_pipe_is_not_opened_to_look_for_tables(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert find_tables(str(pipe)) == Tables(Table(str(pipe), "Posts"), None, None)


def test_a_missing_file_is_left_to_who_opens_it(tmp_path: Path):
    missing = str(tmp_path / "no" / "Posts.xml")
    assert find_tables(missing) == Tables(Table(missing, "Posts"), None, None)
    with pytest.raises(DumpError, match="No such file"), open_table(Table(missing, "Posts")):
        pass


def test_a_broken_archive_is_refused_when_its_tables_are_looked_for(tmp_path: Path):
    path = tmp_path / "stackoverflow.com.7z"
    pack(path, {"Posts.xml": POSTS, "Users.xml": USERS})
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DumpError, match="is cut off or corrupt"):
        find_tables(str(path))


def test_a_sibling_that_does_not_hold_its_table_is_refused_when_it_is_opened(tmp_path: Path):
    pack(tmp_path / "x-Posts.7z", {"Posts.xml": POSTS})
    pack(tmp_path / "x-Users.7z", {"Tags.xml": b"t", "Badges.xml": b"b"})
    users = find_tables(str(tmp_path / "x-Posts.7z")).users
    assert users == Table(str(tmp_path / "x-Users.7z"), "Users")
    with pytest.raises(DumpError, match=r"must hold one Users.xml, but it holds Tags.xml, Badges.xml"):
        content(users)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_refused(tmp_path: Path):
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(0)
    with pytest.raises(DumpError, match="must be a readable dump: Permission denied"):
        find_posts(str(folder))
    folder.chmod(0o700)


@pytest.mark.parametrize(
    ("name", "bare"),
    [("Posts.xml", "posts"), ("X-Users.XML.GZ", "x-users"), ("stackoverflow.com.7z", "stackoverflow.com"), ("a", "a")],
)
def test_a_bare_name_is_without_its_containers(name: str, bare: str):
    assert bare_name(name) == bare


def test_a_posts_file_is_known_by_its_name():
    assert [is_posts_name(name) for name in ("Posts.xml", "POSTS.XML.zst", "x-Posts.xml", "Posts.csv")] == [
        *(True, True, False, False)
    ]


def test_a_folder_without_a_site_in_its_name_has_that_of_its_archive(tmp_path: Path):
    assert dump_site(str(tmp_path)) == "stackoverflow.com"
    pack(tmp_path / "ai.stackexchange.com.7z", {"Posts.xml": POSTS, "Users.xml": USERS})
    assert dump_site(str(tmp_path)) == "ai.stackexchange.com"
    named = tmp_path / "superuser.com"
    named.mkdir()
    pack(named / "ai.stackexchange.com-Posts.7z", {"Posts.xml": POSTS})
    assert dump_site(str(named)) == "superuser.com"
