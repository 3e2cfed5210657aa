"""Which files hold the tables of a dump: Posts, and the Users and PostLinks that may stand beside it.

Before ``archive``, which opens a table. Posts stands in a file of its own, in a folder, or in an archive
with other tables. Users and PostLinks belong to it where they stand in the same archive, where their file
is named like that of Posts (``X-Posts.7z`` and ``X-Users.7z``, ``Posts.xml`` and ``Users.xml.gz``), or
where the dump is a folder that holds them. Source: ours, docs/decisions/0011.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from procqa.dump.seven_zip import holds_table, is_seven_zip
from procqa.errors import DumpError

CONTAINER_SUFFIXES = (".xml", ".7z", ".gz", ".bz2", ".xz", ".zst")
"""The ends of file names that tell a container, in the order in which they are preferred."""

TableName = Literal["Posts", "Users", "PostLinks"]
"""The tables that are read."""

_POSTS_NAMES = ("posts.xml", *(f"posts.xml{suffix}" for suffix in CONTAINER_SUFFIXES[1:]))


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a dump.

    Args:
        path: the file to open, plain or any container, or ``-`` for standard input.
        member: which table it is, and so which file of a 7z archive.
    """

    path: str
    member: TableName


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a dump that were found."""

    posts: Table
    users: Table | None = None
    post_links: Table | None = None


def find_tables(dump: str) -> Tables:
    """The tables of a dump: Posts, and those beside it that are there.

    A file that is not there is found too: opening it says so.

    Args:
        dump: a file, a folder, or ``-`` for standard input, which has nothing beside it.

    Raises:
        DumpError: a folder holds no Posts table or several, or a 7z archive's header is broken.
    """
    posts = find_posts(dump)
    if posts.path == "-":
        return Tables(posts)
    try:
        return Tables(posts, _find_beside(dump, posts, "Users"), _find_beside(dump, posts, "PostLinks"))
    except OSError as error:
        raise _unreadable(dump, error) from error


def find_posts(dump: str) -> Table:
    """The Posts table of a dump: the path itself, or the one inside a folder.

    Raises:
        DumpError: a folder holds no Posts table or several, or cannot be read.
    """
    path = Path(dump)
    try:
        return Table(str(_posts_in(path)) if dump != "-" and path.is_dir() else dump, "Posts")
    except OSError as error:
        raise _unreadable(dump, error) from error


def bare_name(name: str) -> str:
    """A file name in lower case, without the suffixes of its containers."""
    name = name.lower()
    while name.endswith(CONTAINER_SUFFIXES):
        name = name[: name.rindex(".")]
    return name


def is_posts_name(name: str) -> bool:
    """Whether a file is called Posts.xml, in any case and container."""
    return name.lower() in _POSTS_NAMES


def _posts_in(folder: Path) -> Path:
    files = _files_in(folder)
    for wanted in _POSTS_NAMES:
        found = [entry for entry in files if entry.name.lower() == wanted]
        if found:
            return found[0]
    archives = [entry for entry in files if entry.suffix.lower() == ".7z"]
    by_name = [entry for entry in archives if bare_name(entry.name).endswith("-posts")]
    found = by_name or [entry for entry in archives if holds_table(str(entry), "Posts")]
    if len(found) != 1:
        what = ", ".join(entry.name for entry in found) or "none"
        raise DumpError(
            f"{folder} must hold one Posts.xml, Posts.xml.gz or the like, or one 7z archive of Posts,"
            f" but {what} was found: give the file itself",
            path=str(folder),
        )
    return found[0]


def _find_beside(dump: str, posts: Table, table: TableName) -> Table | None:
    """Another table of the same dump, where there is one."""
    path = Path(posts.path)
    if is_seven_zip(path) and holds_table(posts.path, table):
        return Table(posts.path, table)
    name, wanted = bare_name(path.name), []
    if name == "posts" or name.endswith("-posts"):
        wanted.append(name.removesuffix("posts") + table.lower())
    if Path(dump).is_dir():
        wanted.append(table.lower())
    files = _files_in(path.parent) if wanted and path.exists() else []
    found = next((file for name in wanted if (file := _named(files, name)) is not None), None)
    return None if found is None else Table(str(found), table)


def _named(files: Iterable[Path], name: str) -> Path | None:
    """The file of that bare name; of several the one that is preferred."""
    found = [file for file in files if file.suffix.lower() in CONTAINER_SUFFIXES and bare_name(file.name) == name]
    return min(found, key=lambda file: (CONTAINER_SUFFIXES.index(file.suffix.lower()), file.name), default=None)


def _files_in(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_file())


def _unreadable(dump: str, error: OSError) -> DumpError:
    return DumpError(f"{dump} must be a readable dump: {error.strerror or error}", path=dump)
