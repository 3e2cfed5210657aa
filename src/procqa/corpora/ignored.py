"""The files below a folder that git would keep: .gitignore files are read as git reads them, nested ones too.

Needs the extra ``code``. A pattern counts in its own folder and below, the last that matches decides, a nested file
goes before an outer one, and nothing comes back from a folder that is left out.
"""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from procqa.corpora.files import mend
from procqa.errors import DumpError, MissingExtra

GITIGNORE = ".gitignore"
IGNORED_FILE = "file: ignored by .gitignore"
IGNORED_FOLDER = "folder: ignored by .gitignore"
SKIPPED_FOLDER = "folder: other people's code, or made by a build"
HIDDEN_FILE, HIDDEN_FOLDER = "file: hidden", "folder: hidden"
LINKED_FOLDER = "folder: symbolic link"

Rules = tuple[tuple[str, Any], ...]
"""The patterns that count in a folder, of pathspec's own type, each with the path of the folder of its file."""


def walk_kept(folder: Path, *, skip_folders: Collection[str] = ()) -> Iterator[tuple[Path, str | None]]:
    """Every file below a folder, and None or why it is left out; of a folder left out only that folder.

    In the order of names, files before folders. Hidden names are left out, and links to folders are not followed.

    Args:
        skip_folders: names of folders that are left out.

    Raises:
        DumpError: a folder cannot be listed.
        MissingExtra: the extra ``code`` is not installed.
    """
    rules_of: dict[str, Rules] = {str(folder): ()}
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        rules = rules_of.pop(parent)
        if GITIGNORE in names and (own := _read_rules(Path(parent, GITIGNORE))) is not None:
            rules += ((parent, own),)
        for name in sorted(names):
            path = f"{parent}/{name}"
            is_ignored = not name.startswith(".") and _is_ignored(path, rules)
            yield Path(path), HIDDEN_FILE if name.startswith(".") else IGNORED_FILE if is_ignored else None
        kept = []
        for name in sorted(folders):
            path = f"{parent}/{name}"
            reason = _why_not_entered(path, name, rules, skip_folders)
            if reason is None:
                kept.append(name)
                rules_of[path] = rules
            else:
                yield Path(path), reason
        folders[:] = kept


def _why_not_entered(path: str, name: str, rules: Rules, skip_folders: Collection[str]) -> str | None:
    """Why a folder is left out, or None."""
    if name.startswith("."):
        return HIDDEN_FOLDER
    if name in skip_folders:
        return SKIPPED_FOLDER
    if _is_ignored(f"{path}/", rules):
        return IGNORED_FOLDER
    return LINKED_FOLDER if Path(path).is_symlink() else None


def _refuse(error: OSError) -> None:
    raise DumpError(f"{error.filename} must be readable, but: {error.strerror}; allow reading it") from error


def _read_rules(path: Path) -> Any:  # Any: pathspec.GitIgnoreSpec; None where it cannot be read
    try:
        from pathspec import GitIgnoreSpec
    except ImportError as error:
        raise MissingExtra("code", "reading .gitignore") from error
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # git too goes on without a file that it cannot read
        return None
    return GitIgnoreSpec.from_lines(line for line in lines if _is_pattern(line, GitIgnoreSpec))


def _is_pattern(line: str, spec: Any) -> bool:  # Any: the class pathspec.GitIgnoreSpec
    """Whether a line can be a pattern: git passes over one that cannot, such as ``!``, and reads the others."""
    try:
        spec.from_lines([line])
    except (ValueError, re.error):
        return False
    return True


def _is_ignored(path: str, rules: Rules) -> bool:
    """Whether the innermost file that says something of a path says that it is ignored."""
    for parent, spec in reversed(rules):
        decided = spec.check_file(mend(path[len(parent) + 1 :])).include
        if decided is not None:
            return bool(decided)
    return False
