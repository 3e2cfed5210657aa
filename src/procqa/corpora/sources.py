"""A corpus as the input of an artifact: which of its bytes count, so that caches beside the code do not."""

from collections.abc import Sequence
from pathlib import Path

from procqa import chain
from procqa.artifact import digest_input, digest_tree
from procqa.config import LANGUAGES
from procqa.corpora import codesearchnet, project, query_pairs, release, source_tree
from procqa.files import sha256_file
from procqa.manifest import Input, Manifest, is_artifact


def digest_source(source: Path, languages: Sequence[str] = LANGUAGES, skip_folders: Sequence[str] = ()) -> Input:
    """A source as an input: of a folder of source code, or of files of known names, only the files that are read.

    Of any other every byte counts.
    """
    if is_artifact(source):
        return digest_input(source)
    named = release.release_inputs(source, languages) or [file.path for file in query_pairs.query_files(source)]
    if source.is_dir() and named:
        return digest_tree(source, named)
    if not source.is_dir() or codesearchnet.holds_functions(source):
        return digest_input(source)
    skipped = source_tree.SKIPPED_FOLDERS | set(skip_folders)
    return digest_tree(source, source_tree.source_files(source, languages, skipped))


def digest_project(folder: Path) -> Input:
    """A folder of one's own code as an input: of its files those that are searched in."""
    files = project.deciding_files(folder, project.open_project(folder))
    return project.project_input(folder, {place: (path.stat().st_size, sha256_file(path)) for place, path in files})


def is_input(manifest: Manifest, path: Path, entry: Input, digest: chain.Digest = digest_input) -> bool:
    """Whether a path is an input of an artifact; a folder of source code is digested as it was read."""
    if chain.is_input(manifest, path, entry, digest):
        return True
    if not path.is_dir() or is_artifact(path):
        return False
    if manifest.kind == "index":
        return digest_project(path).sha256 == entry.sha256
    if "skip_folders" not in manifest.recipe:
        return False
    recipe = manifest.recipe
    source = digest_source(path, recipe.get("languages", LANGUAGES), recipe.get("skip_folders", ()))
    return source.sha256 == entry.sha256
