"""A stage's output folder: complete or absent, and able to prove what it was made from.

Work lies in ``.NAME.partial`` beside the folder and is renamed at the end, the manifest last. A reasoned
failure removes the partial; a kill and Ctrl-C keep it, so that the same command resumes. The manifest
holds inputs, recipe, counts and the sha256 of every file, and no clock, host or path: those go to
``NAME.log.jsonl`` beside the folder. Source: ours, docs/decisions/0002.
"""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from procqa import __version__
from procqa.errors import ArtifactError, ProcqaError
from procqa.files import (
    is_hollow,
    place_of_output,
    remove_folder,
    sha256_file,
    sync_folder,
    sync_tree,
    unfinished_of,
    write_durably,
)
from procqa.journal import append_log, read_lines, write_lines
from procqa.lock import lock
from procqa.manifest import (
    FORMAT_VERSION,
    MANIFEST,
    Input,
    Manifest,
    as_json,
    describe_files,
    digest_data,
    digest_files,
    is_artifact,
    load_manifest,
)

_ORIGIN = "scratch/origin.json"  # what tells, in a partial, whose work it is


@dataclass(slots=True)
class Workspace:
    """A folder in the making: write results under ``path`` and throw-away files under ``scratch``.

    Args:
        out: where the folder will stand.
        log: lines for the log beside the folder, written when it is published.
        beside: what is published with the folder and is no part of it: the ending of its name, and where it lies
            in ``scratch``; a file or a folder.
        is_kept: whether a reasoned failure keeps the work so far, to be taken up by the same command.
    """

    out: Path
    path: Path
    scratch: Path
    log: list[dict[str, Any]] = field(default_factory=list)
    beside: dict[str, Path] = field(default_factory=dict)
    is_kept: bool = False
    _finished: dict[str, Any] | None = None

    @property
    def notes(self) -> Path:
        """What this run and those before it that were killed have noted."""
        return self.scratch / "notes.jsonl"

    def note(self, entry: dict[str, Any]) -> None:
        """Note a line for the log now; a kill loses none of them."""
        write_lines(self.notes, [entry])

    def finish(
        self,
        counts: dict[str, Any],
        *,
        inputs: Iterable[Input] | None = None,
    ) -> None:
        """Name the counts of the manifest; the folder is published when the ``with`` block ends.

        Args:
            inputs: the inputs, where the work was begun before their digests were known.
        """
        self._finished = {"counts": as_json(counts)}
        if inputs is not None:
            self._finished["inputs"] = [asdict(entry) for entry in inputs]


def digest_input(path: Path) -> Input:
    """The name, size and sha256 of a file, of an artifact, or of all files below a folder.

    The sha256 of an artifact is the one that its manifest states.

    Raises:
        ArtifactError: the path does not exist or cannot be read.
    """
    try:
        if path.is_dir():
            if is_artifact(path):
                manifest = load_manifest(path)
                size = sum(entry["size"] for entry in manifest.files.values())
                return Input(path.resolve().name, size, manifest.sha256)
            return digest_tree(path)
        return Input(path.name, path.stat().st_size, sha256_file(path))
    except OSError as error:
        raise ArtifactError(f"{path} must be a readable file or folder: {error.strerror}") from error


def digest_tree(folder: Path, paths: Iterable[Path] | None = None) -> Input:
    """A folder as an input; where paths are given, only those files count.

    Raises:
        ArtifactError: a file cannot be read.
    """
    try:
        described = describe_files(folder, paths)
    except OSError as error:
        raise ArtifactError(f"{error.filename or folder} must be a readable file: {error.strerror}") from error
    return Input(folder.resolve().name, sum(entry["size"] for entry in described.values()), digest_files(described))


def find_complete(
    out: Path,
    *,
    kind: str,
    recipe: dict[str, Any],
    inputs: Iterable[Input],
    force: bool = False,
    begun_with: Iterable[Input] | None = None,
) -> Manifest | None:
    """The manifest of ``out`` if it already is what is asked for; None if it is to be made.

    Args:
        begun_with: what ``workspace`` is told of the inputs, where it is begun before their digests are known.

    Raises:
        ArtifactError: ``out`` is not ours, or ours by another recipe or kind and not forced.
    """
    refuse_inside(out)
    if not out.exists() and not out.is_symlink():
        return None
    if not is_artifact(out):
        raise ArtifactError(f"{out} exists and is no procqa folder, so it is left alone: give another --out")
    try:
        manifest, inputs = load_manifest(out), list(inputs)
    except ArtifactError:
        if force:
            return None
        raise
    if manifest.same_origin(kind, recipe, inputs) and not (force and _find_damage(out, manifest)):
        if damaged := _find_damage(out, manifest):
            raise ArtifactError(f"{out / damaged} is not as it was made: make the folder again with --force")
        _tidy_up(out, _origin(kind, recipe, inputs if begun_with is None else begun_with))
        return manifest
    if not force:
        raise ArtifactError(
            f"{out} is there already, of kind {manifest.kind}, from other inputs or by another recipe:"
            " give another --out, or --force"
        )
    return None


def _tidy_up(out: Path, origin: dict[str, Any]) -> None:
    """Remove what a kill left that came after the folder was published."""
    out = place_of_output(out)
    partial, old = _partial_of(out), _old_of(out)
    has_partial = _is_partial_of(partial, origin, whatever_digests=True) or is_hollow(partial)
    has_old = is_artifact(old) or is_hollow(old)
    if has_partial or has_old:
        with lock(out):
            if has_old:
                remove_folder(old, last=MANIFEST)
            if has_partial:
                remove_folder(partial, last=_ORIGIN)


def _find_damage(out: Path, manifest: Manifest) -> str | None:
    """A file that is missing or of another size than it was; None where there is none."""
    sizes = {name: (out / name).stat().st_size if (out / name).is_file() else None for name in manifest.files}
    return next((name for name, entry in manifest.files.items() if sizes[name] != entry["size"]), None)


def refuse_overlap(out: Path, inputs: Iterable[Path]) -> None:
    """Refuse an ``out`` that is, holds, or lies in what it is made from.

    Raises:
        ArtifactError: making ``out`` would change an input.
    """
    place = _resolved(out)
    for path in inputs:
        source = _resolved(path)
        if place == source or place in source.parents or (source.is_dir() and source in place.parents):
            raise ArtifactError(f"{out} must lie apart from its inputs, but overlaps {path}: give another --out")


def refuse_inside(out: Path) -> None:
    """Refuse an ``out`` inside another artifact, which would no longer be as its manifest says.

    Raises:
        ArtifactError: it lies in one.
    """
    for folder in _resolved(out).parents:
        if is_artifact(folder):
            raise ArtifactError(f"{out} must not lie inside another procqa folder, {folder}: give another --out")


def _resolved(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _origin(kind: str, recipe: dict[str, Any], inputs: Iterable[Input]) -> dict[str, Any]:
    """What a partial must be the work of to be taken up."""
    described = [asdict(entry) for entry in inputs]
    return dict(as_json({"kind": kind, "recipe": recipe, "inputs": described, "procqa": __version__}))


@contextlib.contextmanager
def workspace(out: Path, *, kind: str, recipe: dict[str, Any], inputs: Iterable[Input]) -> Iterator[Workspace]:
    """A folder to work in, published as ``out`` when the block ends, which must call ``finish``.

    A partial of the same recipe and inputs is taken up again, any other is thrown away. An existing
    ``out`` is replaced: ask ``find_complete`` first.

    Raises:
        ArtifactError: another process writes ``out``, or puts something there meanwhile, which is left alone and the
            work kept; or the disk is full or refuses.
    """
    origin, started = _origin(kind, recipe, inputs), time.time()
    out = place_of_output(out)
    with lock(out):
        partial = _partial_of(out)
        work = Workspace(out, partial / "folder", partial / "scratch")
        marker = partial / _ORIGIN
        refuse_strangers(partial, is_ours=marker.is_file() or unfinished_of(marker).is_file())
        try:
            _open_partial(partial, origin)
            before = stamp_of(out)
            yield work
            if work._finished is None:
                raise RuntimeError("the stage ended without Workspace.finish")
            noted = list(read_lines(work.notes))
            if stamp_of(out) != before:
                work.is_kept = True
                raise ArtifactError(f"{out} was changed by others while it was made: move it and run again")
            _publish(work, origin, work._finished)
        except (ProcqaError, OSError) as error:
            if not work.is_kept:
                remove_folder(partial, last=_ORIGIN)
            if isinstance(error, ProcqaError):
                raise
            raise ArtifactError(f"{out} could not be written: {error.strerror or error}") from error
        append_log(
            out, *noted, {"started_s": started, "seconds": time.time() - started, "path": str(out.resolve())}, *work.log
        )


def find_unfinished(out: Path, *, kind: str, recipe: dict[str, Any], inputs: Iterable[Input]) -> Path | None:
    """The scratch folder of work that another recipe or other inputs began, which ``workspace`` would throw away."""
    partial = _partial_of(place_of_output(out))
    is_other = (partial / _ORIGIN).is_file() and not _is_partial_of(partial, _origin(kind, recipe, inputs))
    return partial / "scratch" if is_other else None


def _partial_of(out: Path) -> Path:
    return out.parent / f".{out.name}.partial"


def _old_of(out: Path) -> Path:
    """Where the folder that stood there before waits until the new one does."""
    return out.parent / f".{out.name}.old"


def _is_partial_of(partial: Path, origin: dict[str, Any], *, whatever_digests: bool = False) -> bool:
    """Whether work of the same recipe and inputs lies there, or of inputs of the same names and sizes."""
    try:
        found = json.loads((partial / _ORIGIN).read_text(encoding="utf-8"))
        if whatever_digests:
            found, origin = ({**of, "inputs": [(i["name"], i["size"]) for i in of["inputs"]]} for of in (found, origin))
        return bool(found == origin)
    except (OSError, ValueError, TypeError, KeyError):
        return False


def _open_partial(partial: Path, origin: dict[str, Any]) -> None:
    if not _is_partial_of(partial, origin):
        remove_folder(partial, last=_ORIGIN)
        (partial / _ORIGIN).parent.mkdir(parents=True)
        write_durably(partial / _ORIGIN, json.dumps(origin))
    (partial / "folder").mkdir(exist_ok=True)


def stamp_of(out: Path) -> bytes | None:
    """The manifest of the folder that stands there; None where nothing does."""
    if not os.path.lexists(out):
        return None
    return (out / MANIFEST).read_bytes() if (out / MANIFEST).is_file() else b""


def _publish(work: Workspace, origin: dict[str, Any], finished: dict[str, Any]) -> None:
    """Write the manifest, make every byte durable, and put the folder in its place, last of all."""
    folder, out = work.path, work.out
    unfinished_of(folder / MANIFEST).unlink(missing_ok=True)  # which a kill left here
    files = describe_files(folder)
    manifest = {
        "kind": origin["kind"],
        "format_version": FORMAT_VERSION,
        "sha256": digest_data(origin["kind"], files),
        "inputs": finished.get("inputs", origin["inputs"]),
        "recipe": origin["recipe"],
        "counts": finished["counts"],
        "files": files,
    }
    write_durably(folder / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    sync_tree(folder)
    for ending, path in work.beside.items():
        place = out.with_name(out.name + ending)
        if path.exists():  # else a killed run put it there already
            shutil.rmtree(place, ignore_errors=True)
            path.replace(place)
    old = _old_of(out)
    refuse_strangers(old, is_ours=is_artifact(old))
    remove_folder(old, last=MANIFEST)
    if out.exists():
        out.rename(old)
    folder.rename(out)
    sync_folder(out.parent)
    remove_folder(old, last=MANIFEST)
    remove_folder(folder.parent, last=_ORIGIN)


def refuse_strangers(folder: Path, *, is_ours: bool) -> None:
    """Refuse to work in, or to take away, a folder beside the output that something else has put there.

    Raises:
        ArtifactError: it holds a file and is not ours.
    """
    if folder.exists() and not is_ours and not is_hollow(folder):
        raise ArtifactError(f"{folder} is in the way and no work of ours: move it, or give another --out")
