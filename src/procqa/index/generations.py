"""The generations of an index on disk: one is live, the next is made beside it, and a rename puts it in its place.

INDEX/manifest.json names the live INDEX/SHA12/, the head of its sha256. Readers keep the generation that they
opened; the old one goes when the new one stands. Source: ours, docs/decisions/0007.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from procqa.artifact import refuse_strangers, stamp_of
from procqa.errors import ArtifactError, ProcqaError
from procqa.files import is_hollow, remove_folder, sync_folder, sync_tree, unfinished_of, write_durably
from procqa.manifest import MANIFEST, Input, Manifest, as_json, describe_files, digest_files, is_artifact, load_manifest

ORIGIN = "origin.json"
"""What tells, in the folder of an unfinished run, what it makes."""

GENERATION = re.compile(r"[0-9a-f]{12}")

Report = Callable[[str, int], None]
"""Told of the progress: a stage's name, and how many documents it has done; 0 when it begins."""


def generation_folder(index: Path, manifest: Manifest) -> Path:
    """The live generation that an index's manifest names."""
    return index / manifest.sha256[:12]


def live_manifest(out: Path, *, force: bool) -> Manifest | None:
    """The manifest of the index that stands at ``out``; None if there is none, or a forced one to replace.

    Raises:
        ArtifactError: ``out`` is not ours, or ours but no index of this version and not forced.
    """
    if not out.exists() and not out.is_symlink():
        return None
    if not is_artifact(out) and not any(out.glob("*/lexical/meta.json")):
        raise ArtifactError(f"{out} exists and is no procqa folder, so it is left alone: give another --out")
    try:
        return load_manifest(out, kind="index")
    except ArtifactError as error:
        if force:
            return None
        raise ArtifactError(f"{error}; to replace it, give --force") from error


def is_whole(out: Path, manifest: Manifest) -> bool:
    """Whether every file that the manifest names is there with its size."""
    for name, entry in manifest.files.items():
        path = out / name
        if not path.is_file() or path.stat().st_size != entry["size"]:
            return False
    return True


def _partial_of(out: Path) -> Path:
    return out.parent / f".{out.name}.partial"


def _origin_text(recipe: dict[str, Any], inputs: tuple[Input, ...]) -> bytes:
    return json.dumps(as_json({"recipe": recipe, "inputs": [asdict(entry) for entry in inputs]})).encode()


def _is_work_of(partial: Path, origin: bytes) -> bool:
    marker = partial / ORIGIN
    return marker.is_file() and marker.read_bytes() == origin


def _is_ours(partial: Path) -> bool:
    return (partial / ORIGIN).is_file() or unfinished_of(partial / ORIGIN).is_file()


class _ChangedMeanwhile(ArtifactError):
    """Others changed what stands in the index's place; the work is whole, and kept."""


@contextmanager
def partial_folder(out: Path, recipe: dict[str, Any], inputs: tuple[Input, ...]) -> Iterator[Path]:
    """The folder to work in: removed at the end and after a reasoned failure, kept after a kill.

    Only the vectors of a killed run of the same origin are taken up; the rest is quick.

    Raises:
        ArtifactError: a folder of that name is none of ours, or the disk refuses.
    """
    partial = _partial_of(out)
    origin = _origin_text(recipe, inputs)
    refuse_strangers(partial, is_ours=_is_ours(partial))
    try:
        if not _is_work_of(partial, origin):
            remove_folder(partial, last=ORIGIN)
            partial.mkdir()
            write_durably(partial / ORIGIN, origin.decode())
        for name in ("generation", "index", "old"):
            if (partial / name).exists():
                shutil.rmtree(partial / name)
        yield partial
    except _ChangedMeanwhile:
        raise
    except ProcqaError:
        remove_folder(partial, last=ORIGIN)
        raise
    except OSError as error:
        remove_folder(partial, last=ORIGIN)
        raise ArtifactError(f"{out} could not be written: {error.strerror or error}") from error
    remove_folder(partial, last=ORIGIN)


def publish(
    folder: Path,
    out: Path,
    origin: tuple[dict[str, Any], tuple[Input, ...]],
    counts: dict[str, Any],
    *,
    before: bytes | None,
    in_place: bool,
) -> Manifest:
    """Describe a new generation and make it the live one; its manifest.

    Args:
        origin: recipe and inputs.
        before: what ``stamp_of`` said of ``out`` when the work began.
        in_place: whether an index stands at ``out`` and goes on; else what stands there was forced away.

    Raises:
        ArtifactError: something else was put there meanwhile, which is left alone; the work is kept.
    """
    files = describe_files(folder)
    sha256 = digest_files(files)  # as digest_data has it of the manifest's names
    recipe, inputs = origin
    manifest = Manifest(
        kind="index",
        sha256=sha256,
        inputs=inputs,
        recipe=recipe,
        counts=as_json(counts),
        files={f"{sha256[:12]}/{name}": entry for name, entry in files.items()},
    )
    sync_tree(folder)
    if stamp_of(out) != before:
        raise _ChangedMeanwhile(f"{out} was changed by others while it was made: move it and run again")
    (_swap_generation if in_place else _place_index)(folder, out, manifest)
    return manifest


def _manifest_text(manifest: Manifest) -> str:
    return json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n"


def _place_index(folder: Path, out: Path, manifest: Manifest) -> None:
    """Put a whole new index in its place; a folder of ours that stands there was forced away."""
    new = folder.parent / "index"
    new.mkdir()
    folder.rename(generation_folder(new, manifest))
    write_durably(new / MANIFEST, _manifest_text(manifest))
    old = folder.parent / "old"
    if out.exists():
        out.rename(old)
    new.rename(out)
    sync_folder(out.parent)


def _swap_generation(folder: Path, out: Path, manifest: Manifest) -> None:
    """Add a generation to an index, and make the manifest name it."""
    folder.rename(generation_folder(out, manifest))
    sync_folder(out)
    write_durably(out / MANIFEST, _manifest_text(manifest))


def find_strays(out: Path, manifest: Manifest) -> list[Path]:
    """What a killed run left: other generations, a manifest that was never renamed, and what it made this index in.

    Unfinished work for other sources stays, to be taken up.
    """
    live = generation_folder(out, manifest).name
    others = [path for path in out.iterdir() if GENERATION.fullmatch(path.name) and path.name != live]
    partial = _partial_of(out)
    is_over = _is_work_of(partial, _origin_text(manifest.recipe, manifest.inputs)) or is_hollow(partial)
    is_over = is_over or (_is_ours(partial) and not (partial / ORIGIN).is_file())
    return [*others, *out.glob(f".{MANIFEST}.new"), *([partial] if is_over else [])]


def remove_strays(out: Path, manifest: Manifest) -> None:
    """Remove what a killed run left, and the generation that was live before."""
    for path in find_strays(out, manifest):
        if path.is_dir():
            remove_folder(path, last=ORIGIN)
        else:
            path.unlink(missing_ok=True)
