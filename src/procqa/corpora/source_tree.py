"""A folder of source code → documented functions: title = name, question = docstring, answer = the code.

Needs the extra ``code``. Files are taken in the order of their paths, functions in the order they start. A
function without documentation is dropped with a reason; a file that cannot be read is skipped with one.
"""

import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from procqa.config import LANGUAGES, require
from procqa.corpora.files import kind_of, mend, walk_files
from procqa.corpora.functions import Function, read_functions
from procqa.corpora.grammars import LANGUAGE_BY_EXTENSION, Grammar, language_of, load_grammar
from procqa.corpora.licences import find_licence, licence_files
from procqa.corpora.records import MIN_DOCSTRING_CHARS, CorpusPair, Origin, SkippedFile, stable_id, to_pair
from procqa.errors import DumpError
from procqa.records import Dropped

SKIPPED_FOLDERS = frozenset(
    {"__pycache__", "node_modules", "bower_components", "vendor", "third_party", "site-packages", "dist-packages"}
    | {"build", "dist", "target", "venv"}
)
"""Folders of other people's code and of build results, by name. Source: ours, docs/decisions/0008."""

TEST_FOLDERS = frozenset({"test", "tests", "testing", "spec", "specs", "__tests__", "testdata", "idle_test"})
"""Folders of tests, by name; skipped only where the caller adds them."""

MAX_FILE_BYTES = 1 << 20
MIN_BODY_CHARS = 10
"""The largest file that is read, and the shortest body that is kept, without white space. Source: ours,
docs/decisions/0008."""

NO_DOCSTRING = "no docstring"
SHORT_DOCSTRING = "docstring too short"
SHORT_FUNCTION = "function too short"


def read_pairs(
    folder: Path,
    languages: Sequence[str] = LANGUAGES,
    *,
    skip_folders: Collection[str] = SKIPPED_FOLDERS,
    author: str | None = None,
    licence: str | None = None,
    on_skip: Callable[[SkippedFile], object] | None = None,
) -> Iterator[CorpusPair | Dropped]:
    """The documented functions below a folder, lazily, and the other functions with the reason against them.

    Args:
        languages: which of the eleven to read.
        skip_folders: names of folders that are passed over, beside hidden ones.
        author: who wrote it all; None means the folder's own name.
        licence: the terms of it all; None means what the licence files at the top of the folder say.
        on_skip: is told of every file of these languages that was not read.

    Raises:
        ConfigError: a language is none of the eleven.
        DumpError: there is no such folder, or a folder in it cannot be listed.
        MissingExtra: the extra ``code`` is not installed.
    """
    for language in languages:
        require(language in LANGUAGES, f"languages must be among {', '.join(LANGUAGES)}, got {language!r}")
    if kind_of(folder) != "folder":
        raise DumpError(f"{folder} must be a folder of source code, but there is no such folder", path=str(folder))
    for language in languages[:1]:
        load_grammar(language)  # a missing extra is told here and not at the first file
    name = mend(folder.resolve().name)
    origin = Origin(
        site=to_site(name),
        author=author or name or "local",
        author_url=None,
        licence=licence or find_licence(folder),
        url=None,
    )
    paths = _named_as_source(folder, languages, skip_folders)
    return _read_files(folder, paths, languages, origin, on_skip or _ignore)


def source_files(
    folder: Path, languages: Sequence[str] = LANGUAGES, skip_folders: Collection[str] = SKIPPED_FOLDERS
) -> list[Path]:
    """The files that decide what ``read_pairs`` yields: readable source, and the licence files at the top.

    Raises:
        DumpError: a folder cannot be listed.
    """
    source = [path for path in _named_as_source(folder, languages, skip_folders) if not path.is_symlink()]
    return [path for path in [*licence_files(folder), *source] if kind_of(path) == "file" and os.access(path, os.R_OK)]


def to_site(name: str) -> str:
    """The name of a folder in the form of a host name: lower case letters, digits, hyphens and full stops."""
    labels = [re.sub(r"[^a-z0-9]+", "-", label).strip("-") for label in name.lower().split(".")]
    return ".".join(label for label in labels if label) or "local"


def _ignore(_: SkippedFile) -> None:
    """For a caller that does not ask."""


def _named_as_source(folder: Path, languages: Collection[str], skip_folders: Collection[str]) -> list[Path]:
    endings = tuple(ending for ending, language in LANGUAGE_BY_EXTENSION.items() if language in languages)
    if "cpp" in languages:
        endings += (".h",)
    found = walk_files(folder, DumpError, skip_folders=skip_folders)
    return [path for path in found if path.name.lower().endswith(endings)]


def _read_files(
    folder: Path,
    paths: list[Path],
    languages: Collection[str],
    origin: Origin,
    on_skip: Callable[[SkippedFile], object],
) -> Iterator[CorpusPair | Dropped]:
    grammars: dict[str, Grammar] = {}
    for path in paths:
        place = mend(path.relative_to(folder).as_posix())
        source = load_source(path)
        if isinstance(source, str):
            on_skip(SkippedFile(path=place, reason=source))
            continue
        language = language_of(path.name, source)
        if language is None or language not in languages:
            continue
        if language not in grammars:
            grammars[language] = load_grammar(language)
        yield from _read_file(source, grammars[language], place, origin)


def load_source(path: Path) -> bytes | str:
    """The bytes of a source file, or why it is not read."""
    try:
        if path.is_symlink():
            return "symbolic link"
        if not path.is_file():
            return "no regular file"
        if path.stat().st_size > MAX_FILE_BYTES:
            return f"larger than {MAX_FILE_BYTES >> 20} MiB"
        source = path.read_bytes()
    except OSError as error:
        return f"unreadable: {error.strerror}"
    if b"\0" in source:
        return "binary"
    try:
        source.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8"
    return source.removeprefix(b"\xef\xbb\xbf")


def _read_file(source: bytes, grammar: Grammar, place: str, origin: Origin) -> Iterator[CorpusPair | Dropped]:
    seen: dict[tuple[str, str], int] = {}
    for function in read_functions(source, grammar):
        # Equal functions in one file, such as twins in two branches, keep ids of their own.
        key = function.name, function.code
        seen[key] = seen.get(key, 0) + 1
        twin = (str(seen[key]),) if seen[key] > 1 else ()
        function_id = stable_id(origin.author, place, *key, *twin)
        reason = why_dropped(function)
        if reason is not None:
            yield Dropped(
                site=origin.site,
                question_id=function_id,
                language=grammar.language,
                reason=reason,
                detail=f"{place}#L{function.line} {function.name}",
            )
            continue
        pair = to_pair(
            function_id,
            grammar.language,
            title=function.name,
            docstring=function.docstring,
            code=function.code,
            origin=Origin(
                site=origin.site,
                author=origin.author,
                author_url=None,
                licence=origin.licence,
                url=f"{place}#L{function.line}",
            ),
        )
        yield CorpusPair(pair=pair, group=f"{origin.author}/{place}", partition=None)


def why_dropped(function: Function) -> str | None:
    """The first reason that keeps a function from being a pair, or None."""
    if not function.docstring:
        return NO_DOCSTRING
    if len(function.docstring) < MIN_DOCSTRING_CHARS:
        return SHORT_DOCSTRING
    if function.body_chars < MIN_BODY_CHARS:
        return SHORT_FUNCTION
    return None
