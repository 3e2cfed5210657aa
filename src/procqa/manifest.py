"""The manifest of an artifact: what it is, what it was made from and how, and the sha256 of each of its files.

It holds no clock, host or path. Source: ours, docs/decisions/0002.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from procqa.errors import ArtifactError
from procqa.files import sha256_file

FORMAT_VERSION = 1
MANIFEST = "manifest.json"

TRAINING_LOG, TRAINING_CURVE = "training.jsonl", "curve.png"
"""What an encoder's folder tells of the run that made it, which is no part of the encoder."""

_DATA = "data/"


@dataclass(frozen=True, slots=True)
class Input:
    """What went into an artifact: base name, size in bytes, sha256 of the bytes."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an artifact is, what made it, and what must be in it.

    Args:
        kind: ``dataset``, ``encoder``, ``negatives``, ``index``, ``export`` or ``study``.
        sha256: digest of the artifact's data (see ``digest_data``).
        files: size and sha256 of every file but the manifest, by relative path.
    """

    kind: str
    sha256: str
    inputs: tuple[Input, ...]
    recipe: dict[str, Any]
    counts: dict[str, Any]
    files: dict[str, dict[str, Any]]
    format_version: int = FORMAT_VERSION

    def same_origin(self, kind: str, recipe: dict[str, Any], inputs: Iterable[Input]) -> bool:
        """Whether this artifact is what that recipe makes of those inputs."""
        return (self.kind, self.recipe, self.inputs) == (kind, as_json(recipe), tuple(inputs))


def as_json(value: Any) -> Any:  # Any: whatever JSON can hold
    """The value as it comes back from a JSON file: tuples are lists, keys are strings."""
    return json.loads(json.dumps(value))


def describe_files(folder: Path, paths: Iterable[Path] | None = None) -> dict[str, dict[str, Any]]:
    """Size and sha256 of files below a folder, by relative path, sorted; None takes all but its manifest."""
    if paths is None:
        paths = (path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    return {
        path.relative_to(folder).as_posix(): {"size": path.stat().st_size, "sha256": sha256_file(path)}
        for path in sorted(paths)
    }


def digest_files(files: dict[str, dict[str, Any]]) -> str:
    """One sha256 for a set of files: that of their sorted ``path sha256`` lines."""
    lines = "".join(f"{path} {files[path]['sha256']}\n" for path in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def digest_data(kind: str, files: dict[str, dict[str, Any]]) -> str:
    """The sha256 of an artifact of a kind: that of its result, whatever else its folder tells.

    A dataset is its ``data/``, and so are negatives; an encoder is all but the log and the curve of its training. An
    index is its one generation, whose folder is named by the digest and so does not enter it. Of other kinds every
    file counts.
    """
    if kind in ("dataset", "negatives"):
        files = {path: entry for path, entry in files.items() if path.startswith(_DATA)}
    elif kind == "encoder":
        files = {path: entry for path, entry in files.items() if path not in (TRAINING_LOG, TRAINING_CURVE)}
    elif kind == "index":
        files = {path.partition("/")[2]: entry for path, entry in files.items()}
    return digest_files(files)


def load_manifest(folder: Path, *, kind: str | None = None) -> Manifest:
    """The manifest of an artifact.

    Args:
        kind: the kind that is wanted; None takes any.

    Raises:
        ArtifactError: no artifact there, a broken manifest, another kind, or another format version.
    """
    what = "a procqa artifact" if kind is None else f"a procqa {kind}"
    if not folder.is_dir():
        raise ArtifactError(f"{folder} must be {what}, but there is no such folder: make it first or mend the path")
    try:
        fields = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        version = fields["format_version"]
        if version != FORMAT_VERSION:
            raise ArtifactError(
                f"{folder} has format version {version}, but this procqa reads {FORMAT_VERSION}:"
                " make it again elsewhere, or with --force"
            )
        manifest = Manifest(**{**fields, "inputs": tuple(Input(**entry) for entry in fields["inputs"])})
        _check_types(manifest)
    except FileNotFoundError as error:
        raise ArtifactError(f"{folder} must be {what}, but it holds no {MANIFEST}") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ArtifactError(f"{folder / MANIFEST} is not a readable manifest: build the folder again") from error
    if kind is not None and manifest.kind != kind:
        raise ArtifactError(f"{folder} must be {what}, but it is a procqa {manifest.kind}")
    return manifest


def _check_types(manifest: Manifest) -> None:
    """Raise TypeError or KeyError where a field is not what its name says."""
    texts = [manifest.kind, manifest.sha256, *manifest.files, *(entry.name for entry in manifest.inputs)]
    texts += [entry.sha256 for entry in manifest.inputs] + [entry["sha256"] for entry in manifest.files.values()]
    sizes = [entry.size for entry in manifest.inputs] + [entry["size"] for entry in manifest.files.values()]
    objects = (manifest.recipe, manifest.counts)
    for values, kind in ((texts, str), (sizes, int), (objects, dict)):
        if not all(isinstance(value, kind) for value in values):
            raise TypeError(f"a manifest must hold {kind.__name__} where it does not")


def is_artifact(folder: Path) -> bool:
    """Whether a folder holds a manifest of ours; other programs have files of that name too."""
    try:
        fields = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return bool({"kind", "files", "inputs", "format_version"} <= fields.keys())
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
