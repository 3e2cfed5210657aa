"""A corpus as the input of an artifact: which of its bytes count, so that caches beside the code do not."""

from collections.abc import Sequence
from pathlib import Path

from procqa.artifact import Input, Manifest, digest_input, digest_tree, is_artifact
from procqa.config import LANGUAGES
from procqa.corpora import codesearchnet, source_tree


def digest_source(source: Path, languages: Sequence[str] = LANGUAGES, skip_folders: Sequence[str] = ()) -> Input:
    """A source as an input: of a folder of source code only the files that are read, of others every byte."""
    if not source.is_dir() or is_artifact(source) or codesearchnet.holds_functions(source):
        return digest_input(source)
    skipped = source_tree.SKIPPED_FOLDERS | set(skip_folders)
    return digest_tree(source, source_tree.source_files(source, languages, skipped))


def digest_input_of(manifest: Manifest, path: Path) -> Input:
    """An input as the artifact with this manifest digested it, to be compared with what it states."""
    if not path.is_dir():
        return digest_input(path)
    recipe = manifest.recipe
    return digest_source(path, recipe.get("languages", LANGUAGES), recipe.get("skip_folders", ()))
