"""What a build remembers of every thread, in ``NAME.state`` beside its dataset, for the next dump.

A newer dump repeats most of an older one. A thread whose texts are the same has the same outcome and the
same Markdown, so ``--since`` takes both from the older dataset and converts only what changed. Threads lie
in the order of their buckets, so that a task reads no more than its own. Source: ours, docs/decisions/0014.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa import __version__
from procqa.dataset import shuffle
from procqa.dataset.spill import ROW_BUCKETS
from procqa.errors import ArtifactError
from procqa.files import loaded_once, sha256_file
from procqa.manifest import Input, Manifest, as_json
from procqa.pairs.rules import FUNNEL

STATE = np.dtype([("site", "<u2"), ("outcome", "u1"), ("thread", "<i8"), ("digest", "<u8"), ("content", "<u8", (2,))])
"""A thread: its outcome (KEPT, else the place of its reason in FUNNEL), a hash of all its rows, and of the texts
that a pair is made from, 0 where there was no answer to make one with."""

KEPT = 255
_WITHOUT = "build without --since"

_THREADS, _SIGNATURES, _ABOUT, _REDACTIONS = "threads.npy", "signatures.npy", "state.json", "redactions.jsonl"


def outcome_of(reason: str | None) -> int:
    """The outcome of a reason; KEPT of None."""
    return KEPT if reason is None else FUNNEL.index(reason)


def reason_of(outcome: int) -> str | None:
    """The reason of an outcome; None of KEPT."""
    return None if outcome == KEPT else FUNNEL[outcome]


def content_digest(*texts: bytes) -> tuple[int, int]:
    """128 bits that tell the texts of a pair, never (0, 0)."""
    hashed = hashlib.blake2b(digest_size=16)
    for text in texts:
        hashed.update(len(text).to_bytes(8, "little"))
        hashed.update(text)
    digest = hashed.digest()
    return int.from_bytes(digest[:8], "little") | 1, int.from_bytes(digest[8:], "little")


def sort_threads(states: NDArray[np.void]) -> NDArray[np.int64]:
    """The order in which threads are remembered: bucket, site, id."""
    return np.lexsort((states["thread"], states["site"], shuffle.bucket_of(states["thread"], ROW_BUCKETS)))


def write_state(
    folder: Path,
    states: Sequence[Path],
    signatures: Sequence[Path],
    about: dict[str, Any],
    redactions: Path | None = None,
) -> None:
    """Join what the tasks of a build remember, in the order of their buckets.

    Args:
        states: .npy files of STATE, sorted.
        signatures: .npy files of the signatures of kept threads, in the same order; none where none were made.
        about: what the state belongs to, as ``describe`` says.
        redactions: the redaction map beside the dataset, where there is one; its digest is kept.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    _join(states, folder / _THREADS)
    if signatures:
        _join(signatures, folder / _SIGNATURES)
    files = {path.name: sha256_file(path) for path in sorted(folder.iterdir())}
    if redactions is not None:
        files[_REDACTIONS] = sha256_file(redactions)
    (folder / _ABOUT).write_text(json.dumps({"about": about, "files": files}), encoding="utf-8")


def _join(paths: Sequence[Path], out: Path) -> None:
    """One .npy file with the rows of several."""
    parts = [np.load(path, mmap_mode="r") for path in paths]
    shape = (sum(len(part) for part in parts), *parts[0].shape[1:])
    with out.open("wb") as stream:
        header = {"descr": np.lib.format.dtype_to_descr(parts[0].dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        for part in parts:
            stream.write(part.tobytes())


def describe(recipe: dict[str, Any], inputs: Iterable[Input], benchmarks: Iterable[Input]) -> dict[str, Any]:
    """What a state belongs to: the recipe and inputs of its dataset, and the code that made it.

    Args:
        benchmarks: those of the inputs that no pair may hold a text of.
    """
    names = {"inputs": inputs, "benchmarks": benchmarks}
    described = {name: [asdict(entry) for entry in entries] for name, entries in names.items()}
    return dict(as_json({"procqa": __version__, "recipe": recipe, **described}))


@dataclass(frozen=True, slots=True)
class OldThreads:
    """The threads of some buckets as an older build left them.

    Args:
        states: (n,) STATE.
        place: row of each thread by (site, id), sites numbered as in the new build.
        signatures: (kept, permutations) of the kept ones in their order; None where none were made.
    """

    states: NDArray[np.void]
    place: dict[tuple[int, int], int]
    signatures: NDArray[np.uint32] | None
    _kept_before: NDArray[np.int64]

    def signature(self, row: int) -> NDArray[np.uint32] | None:
        """The signature of a kept thread."""
        return None if self.signatures is None else self.signatures[int(self._kept_before[row])]


@dataclass(frozen=True, slots=True)
class OldState:
    """The state beside an older dataset.

    Args:
        hosts: the sites of the old build.
        sites: the index in the new build of each of them; below 0 where it is not there any more.
    """

    folder: Path
    hosts: tuple[str, ...]
    sites: tuple[int, ...]

    def read(self, share: shuffle.Share) -> OldThreads:
        """The threads of a share of the row buckets."""
        threads, starts, kept = _open(self.folder)
        low, high = int(starts[share.buckets.start]), int(starts[share.buckets.stop])
        states = np.array(threads[low:high])
        is_ours = share.holds(states["thread"])
        is_kept = states["outcome"] == KEPT
        signatures, path = None, self.folder / _SIGNATURES
        if path.exists():
            first = int(kept[share.buckets.start])
            stored = np.load(path, mmap_mode="r")[first : first + int(is_kept.sum())]
            signatures = np.array(stored[is_ours[is_kept]])
        states, is_kept = states[is_ours], is_kept[is_ours]
        site_of = np.array(self.sites, dtype=np.int64)[states["site"].astype(np.int64)]
        place = {key: row for row, key in enumerate(zip(site_of.tolist(), states["thread"].tolist(), strict=True))}
        return OldThreads(states, place, signatures, np.cumsum(is_kept) - is_kept)


@loaded_once(_THREADS)
def _open(folder: Path) -> tuple[NDArray[np.void], NDArray[np.int64], NDArray[np.int64]]:
    """The threads, and for each bucket where its threads, and its kept threads, begin."""
    threads = np.load(folder / _THREADS, mmap_mode="r")
    n_threads = np.zeros(ROW_BUCKETS + 1, dtype=np.int64)
    n_kept = np.zeros(ROW_BUCKETS + 1, dtype=np.int64)
    for low in range(0, len(threads), 1 << 20):
        part = np.array(threads[low : low + (1 << 20)])
        buckets = shuffle.bucket_of(part["thread"], ROW_BUCKETS)
        n_threads[1:] += np.bincount(buckets, minlength=ROW_BUCKETS)
        n_kept[1:] += np.bincount(buckets[part["outcome"] == KEPT], minlength=ROW_BUCKETS)
    return threads, np.cumsum(n_threads), np.cumsum(n_kept)


def state_folder(dataset: Path) -> Path:
    """Where the state of a dataset lies."""
    place = Path(os.path.realpath(dataset))
    return place.with_name(f"{place.name}.state")


def redactions_of(dataset: Path) -> Path:
    """Where the redaction map of a dataset lies, if it has one."""
    return dataset.with_name(f"{dataset.name}.{_REDACTIONS}")


def require_bytes(path: Path, sha256: str) -> None:
    """Refuse to build since a dataset of which a file is not as it was made.

    Raises:
        ArtifactError: the file is missing, or its bytes differ.
    """
    try:
        found = sha256_file(path)
    except OSError as error:
        raise ArtifactError(f"{path} must be there to build since its dataset, but is not: {_WITHOUT}") from error
    if found != sha256:
        raise ArtifactError(f"{path} must be as it was made, but its bytes were changed: {_WITHOUT}")


def open_old_state(
    dataset: Path, manifest: Manifest, recipe: dict[str, Any], sites: Sequence[str], benchmarks: Sequence[Input]
) -> OldState:
    """The state beside an older dataset, if a build of this recipe can go on from it.

    Args:
        recipe: of the new build; the dumps' sites may differ.
        benchmarks: those of the new build.

    Raises:
        ArtifactError: there is no state, it was changed, it belongs to another dataset, or to another recipe,
            other benchmarks or another version.
    """
    folder = state_folder(dataset)
    try:
        kept = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        about, files = kept["about"], kept["files"]
        of_old = about["benchmarks"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ArtifactError(
            f"{dataset} must have its state beside it, {folder.name}, to build since it, but there is none: {_WITHOUT}"
        ) from error
    if about != describe(manifest.recipe, manifest.inputs, ()) | {"benchmarks": of_old}:
        raise ArtifactError(f"{folder} must belong to {dataset} and to this version of procqa: {_WITHOUT}")
    wanted = {name: value for name, value in as_json(recipe).items() if name != "sites"}
    if {name: value for name, value in manifest.recipe.items() if name != "sites"} != wanted:
        raise ArtifactError(f"{dataset} must be of the same recipe to build since it: {_WITHOUT}")
    if of_old != [asdict(entry) for entry in benchmarks]:
        raise ArtifactError(f"{dataset} must be checked against the same benchmarks to build since it: {_WITHOUT}")
    for name, sha256 in files.items():
        require_bytes(redactions_of(dataset) if name == _REDACTIONS else folder / name, sha256)
    hosts = tuple(sorted(set(manifest.recipe["sites"])))
    # Below 0 each its own, so that threads of two lost sites do not become one.
    return OldState(
        folder, hosts, tuple(sites.index(host) if host in sites else -1 - n for n, host in enumerate(hosts))
    )
