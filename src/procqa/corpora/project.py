"""A folder of one's own code → what can be searched in it: functions, classes, and the sections of its documents.

Unlike ``source_tree``, whose pairs train an encoder, it keeps what has no documentation, and reads one file at a time,
so that a file that did not change need not be read again. Needs the extra ``code``.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from procqa.corpora.files import kind_of, mend
from procqa.corpora.functions import read_definitions
from procqa.corpora.grammars import LANGUAGE_BY_EXTENSION, Grammar, language_of, load_grammar
from procqa.corpora.ignored import walk_kept
from procqa.corpora.licences import find_licence, licence_files
from procqa.corpora.records import Origin, stable_id, to_pair
from procqa.corpora.sections import Section, markup_of, read_sections
from procqa.corpora.source_tree import SKIPPED_FOLDERS, load_source, to_site
from procqa.errors import DumpError
from procqa.manifest import Input, digest_files
from procqa.records import Pair

DOCUMENT_LANGUAGE = "text"
"""The language of a section, which is that of no code."""

OTHER_FILE = "file: neither code of the eleven languages nor a document"
LICENCE_FILE = "file: a licence"
NOTHING_IN_IT = "file: nothing to find in it"

HEADING_JOINT = " > "


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile:
    """A file that may be searched in.

    Args:
        place: its path in the project, parts joined by slashes.
        kind: source code, or a document.
    """

    path: Path
    place: str
    kind: Literal["code", "document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A folder of one's own code.

    Args:
        origin: who wrote it all: the folder's name, by the licence at its top.
        files: those that may be searched in, in the order of a walk.
        left_out: the reason for each other file, and for each folder that was not looked into.
    """

    origin: Origin
    files: tuple[ProjectFile, ...]
    left_out: tuple[str, ...]


def open_project(folder: Path) -> Project:
    """The files of a folder, none of them read but .gitignore and the licence.

    Raises:
        DumpError: there is no such folder, or a folder in it cannot be listed.
        MissingExtra: the extra ``code`` is not installed.
    """
    if kind_of(folder) != "folder":
        raise DumpError(f"{folder} must be a folder of source code, but there is no such folder", path=str(folder))
    licences = set(licence_files(folder))
    files, left_out = [], []
    for path, reason in walk_kept(folder, skip_folders=SKIPPED_FOLDERS):
        kind = _kind_of(path.name)
        reason = reason or (LICENCE_FILE if path in licences else OTHER_FILE if kind is None else None)
        if reason is None and kind is not None:
            files.append(ProjectFile(path=path, place=mend(path.relative_to(folder).as_posix()), kind=kind))
        else:
            left_out.append(str(reason))
    name = mend(folder.resolve().name)
    origin = Origin(site=to_site(name), author=name or "local", author_url=None, licence=find_licence(folder), url=None)
    return Project(origin=origin, files=tuple(files), left_out=tuple(left_out))


def deciding_files(folder: Path, project: Project) -> Iterator[tuple[str, Path]]:
    """What decides which documents a project gives: the files that can be read, and the licences at its top."""
    for place, path in [
        *((path.name, path) for path in licence_files(folder)),
        *((f.place, f.path) for f in project.files),
    ]:
        if kind_of(path) == "file" and not path.is_symlink() and os.access(path, os.R_OK):
            yield place, path


def project_input(folder: Path, digests: Mapping[str, tuple[int, str]]) -> Input:
    """A project as the input of an artifact.

    Args:
        digests: size and sha256 of each of its deciding files, by place.
    """
    files = {place: {"size": size, "sha256": sha256} for place, (size, sha256) in digests.items()}
    return Input(mend(folder.resolve().name), sum(size for size, _ in digests.values()), digest_files(files))


def _kind_of(name: str) -> Literal["code", "document"] | None:
    if f".{name.rpartition('.')[2].lower()}" in LANGUAGE_BY_EXTENSION and "." in name:
        return "code"
    return None if markup_of(name) is None else "document"


def read_project_file(file: ProjectFile, origin: Origin, on_skip: Callable[[str], object]) -> Iterator[Pair]:
    """What can be found in one file, in its order: title = qualified name or headings, answer = code or text.

    Args:
        on_skip: is told the reason where the file is left out.

    Raises:
        MissingExtra: the extra ``code`` is not installed.
    """
    source = load_source(file.path)
    if isinstance(source, str):
        on_skip(f"file: {source}")
        return
    found = False
    for pair in (_read_code if file.kind == "code" else _read_text)(source, file, origin):
        found = True
        yield pair
    if not found:
        on_skip(NOTHING_IN_IT)


_grammar_of: Callable[[str], Grammar] = lru_cache(maxsize=None)(load_grammar)


def _read_code(source: bytes, file: ProjectFile, origin: Origin) -> Iterator[Pair]:
    language = language_of(file.path.name, source)
    assert language is not None
    twins: dict[tuple[str, str], int] = {}
    for definition in read_definitions(source, _grammar_of(language)):
        yield to_pair(
            _id_of(file.place, (definition.name, definition.code), origin, twins),
            language,
            title=definition.name,
            docstring=definition.docstring,
            code=definition.code,
            origin=_at(origin, file.place, definition.line),
        )


def _read_text(source: bytes, file: ProjectFile, origin: Origin) -> Iterator[Pair]:
    markup = markup_of(file.path.name)
    assert markup is not None
    twins: dict[tuple[str, str], int] = {}
    for section in read_sections(source.decode("utf-8"), markup):
        title = _title_of(section, file.path.name)
        yield to_pair(
            _id_of(file.place, (title, section.text), origin, twins),
            DOCUMENT_LANGUAGE,
            title=title,
            docstring="",
            code=section.text,
            origin=_at(origin, file.place, section.line),
        )


def _title_of(section: Section, name: str) -> str:
    return HEADING_JOINT.join(section.headings) or name


def _id_of(place: str, key: tuple[str, str], origin: Origin, twins: dict[tuple[str, str], int]) -> int:
    """A digest of path, name and text; equal things in one file keep ids of their own."""
    twins[key] = twins.get(key, 0) + 1
    twin = (str(twins[key]),) if twins[key] > 1 else ()
    return stable_id(origin.author, place, *key, *twin)


def _at(origin: Origin, place: str, line: int) -> Origin:
    return Origin(
        site=origin.site, author=origin.author, author_url=None, licence=origin.licence, url=f"{place}#L{line}"
    )
