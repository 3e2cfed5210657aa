"""Finds clusters of near-duplicates among signed pairs, in bounded memory, with pure tasks that survive a kill.

Two pairs are near when their signatures agree in a share of entries of at least the similarity; clusters are the
connected components. First equal signatures are united and stand for each other from then on. Then signatures are
cut into bands: near ones agree in a whole band, so only rows with an equal band key are compared. Keys go to files,
sorted, so that a bucket of keys is one slice of each; a bucket is a task that compares and writes which rows are
near; this process only unites them. It needs numba: import it lazily.

Source: docs/paper.md#decontamination (the authors' near-duplicate script); the rest is ours, docs/decisions/0012.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, comb
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.config import require
from procqa.dataset.duplicates_files import SignatureFiles, load_whole, read_entries, write_atomically, write_entries
from procqa.dataset.duplicates_links import (
    band_keys,
    band_of,
    find_joined,
    join,
    link_groups,
    link_members,
    settle,
    to_labels,
)
from procqa.dataset.minhash import EMPTY, PERMUTATIONS
from procqa.errors import ArtifactError

Run = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
"""Runs a picklable task over picklable items, results in their order: ``Workers.run``."""

MOST_MISSED = 0.01
"""Chance that no band finds a pair at the threshold, where it cannot be none. Source: ours: docs/decisions/0012."""

LEAST_CERTAIN_ENTRIES = 4
"""Bands that miss nothing are used where each has so many entries. Source: ours: docs/decisions/0012."""

WINDOW = 1 << 14
"""Groups of so many distinct signatures are compared all with all. Source: ours: docs/decisions/0012."""

BLOCK_ROWS = 2 * WINDOW
"""Signatures in memory at once: 16 MB."""

ENTRY_BYTES = 64
"""What one band key of one row costs a task while it sorts."""

LEAST_TASKS = 16
"""Tasks of a step, at least, so that small inputs use all cores too."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Plan:
    """What all tasks of one round of comparisons share.

    Args:
        files: the signatures.
        bounds: where each band begins, then where the last ends, in entries.
        most_different: entries in which near signatures differ, at most.
        chunk_rows: rows of which one task makes the keys.
        n_buckets: tasks that compare.
        window: see ``find_clusters``.
        folder: where the files of this round stand; of another plan they would have another name.
        skipped: a .npy file of (n_rows,) bool, rows that another row stands for.
    """

    files: SignatureFiles
    bounds: tuple[int, ...]
    most_different: int
    chunk_rows: int
    n_buckets: int
    window: int
    folder: Path
    skipped: Path

    @property
    def chunks(self) -> list[Path]:
        """The files of band keys, one for each chunk of rows."""
        return [self.folder / f"keys-{number:05}" for number in range(-(-self.files.n_rows // self.chunk_rows))]

    @property
    def links(self) -> list[Path]:
        """The files of near rows, one for each bucket: (2, n) int64."""
        return [self.folder / f"links-{number:05}.npy" for number in range(self.n_buckets)]


@dataclass(frozen=True, slots=True)
class Task:
    """One chunk or one bucket of a plan, by its number."""

    plan: Plan
    number: int


def find_clusters(
    signatures: Sequence[Path], scratch: Path, run: Run, *, similarity: float, memory_bytes: int, window: int = WINDOW
) -> NDArray[np.int64]:
    """The cluster of each row: the number of its first row, or -1 for a row that is near no other.

    The result depends on the signatures, the similarity and the window only. Files of finished tasks in ``scratch``
    are used again, so it must not hold those of other signatures.

    Args:
        signatures: .npy files of (n, PERMUTATIONS) uint32; rows are numbered over all of them, in order.
        scratch: a folder for intermediate files, made where it is missing: some 12 bytes for each row and band.
        run: ``Workers.run``.
        similarity: share of equal entries from which two rows are near, in [0.5, 1].
        memory_bytes: what one task may use beside its libraries; 48 MB are used in any case, and 64 bytes for each
            row of the largest group with an equal key. This process uses 9 bytes a row and what one task wrote.
        window: groups of so many rows with an equal key are compared all with all; in larger ones each row is compared
            with so many before it, after a sort by the entry that follows the key's band.

    Returns:
        (N,) int64.

    Raises:
        ConfigError: the similarity is out of range.
        ArtifactError: a file cannot be read or written, or does not hold signatures.
    """
    require(0.5 <= similarity <= 1, f"similarity must lie in [0.5, 1], got {similarity}")
    try:
        files = SignatureFiles.open(signatures)
        parent = np.arange(files.n_rows)
        for threshold in sorted({1.0, similarity}, reverse=True) if files.n_rows else ():
            _unite(parent, _plan(files, scratch, threshold, memory_bytes=memory_bytes, window=window), run)
    except OSError as error:
        raise ArtifactError(
            f"near-duplicates need signatures that can be read and a {scratch.name} that can be written, got {error}"
        ) from error
    to_labels(parent)
    return parent


def least_equal(similarity: float) -> int:
    """The equal entries that make two signatures near."""
    return ceil(round(PERMUTATIONS * similarity, 9))


def choose_bands(similarity: float) -> tuple[int, ...]:
    """Where each band of a signature begins, then where the last ends.

    Signatures that differ in d entries agree in one of d + 1 bands for certain. Where such bands would be too short
    to tell anything apart, the longest are taken that miss a pair at the threshold with a chance of MOST_MISSED at
    most, and as few of them as do.
    """
    n_certain = PERMUTATIONS - least_equal(similarity) + 1
    if PERMUTATIONS // n_certain >= LEAST_CERTAIN_ENTRIES:
        return tuple(PERMUTATIONS * band // n_certain for band in range(n_certain + 1))
    return next(
        tuple(range(0, (n_bands + 1) * length, length))
        for length in range(PERMUTATIONS, 0, -1)
        for n_bands in range(1, PERMUTATIONS // length + 1)
        if miss_probability(least_equal(similarity), n_bands, length) <= MOST_MISSED
    )


def miss_probability(n_equal: int, n_bands: int, length: int) -> float:
    """The chance that no band agrees as a whole when so many entries do, wherever they stand.

    Source: inclusion and exclusion over the bands, exact in integers.
    """
    ways: int = sum(
        (-1) ** agreeing * comb(n_bands, agreeing) * comb(PERMUTATIONS - agreeing * length, n_equal - agreeing * length)
        for agreeing in range(min(n_bands, n_equal // length) + 1)
    )
    return float(Fraction(ways, comb(PERMUTATIONS, n_equal)))


def _plan(files: SignatureFiles, scratch: Path, similarity: float, *, memory_bytes: int, window: int) -> Plan:
    bounds = choose_bands(similarity)
    row_bytes = ENTRY_BYTES * (len(bounds) - 1)
    chunk_rows = max(1, min(memory_bytes // row_bytes, -(-files.n_rows // LEAST_TASKS)))
    n_buckets = max(LEAST_TASKS, -(-files.n_rows * row_bytes // memory_bytes))
    most_different = PERMUTATIONS - least_equal(similarity)
    names = [path.name for path in files.paths]
    identity = repr((names, files.starts, bounds, most_different, chunk_rows, n_buckets, window))
    folder = scratch / hashlib.sha256(identity.encode()).hexdigest()[:16]
    return Plan(files, bounds, most_different, chunk_rows, n_buckets, window, folder, folder / "skipped.npy")


def _unite(parent: Rows, plan: Plan, run: Run) -> None:
    """Unite the rows that are near by a plan; rows that are no root already are left to their root."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    if not all(path.exists() for path in plan.links):
        skipped = find_joined(parent)
        write_atomically(plan.skipped, lambda stream: np.save(stream, skipped))
        _run_missing(run, write_keys, plan, plan.chunks)
        _run_missing(run, write_links, plan, plan.links)
    for path in plan.chunks:
        path.unlink(missing_ok=True)
    for path in plan.links:
        near = load_whole(path)
        join(parent, near[0], near[1])


def _run_missing(run: Run, task: Callable[[Task], None], plan: Plan, outputs: list[Path]) -> None:
    for _ in run(task, [Task(plan, number) for number, path in enumerate(outputs) if not path.exists()]):
        pass


def write_keys(task: Task) -> None:
    """Write the band keys of one chunk of rows; see ``duplicates_files.write_entries``."""
    plan = task.plan
    start = task.number * plan.chunk_rows
    stop = min(start + plan.chunk_rows, plan.files.n_rows)
    wanted = ~np.load(plan.skipped, mmap_mode="r")[start:stop]
    n_bands = len(plan.bounds) - 1
    keys = np.empty((stop - start, n_bands), np.uint64)  # (n, B)
    for low in range(start, stop, BLOCK_ROWS):
        rows = np.arange(low, min(low + BLOCK_ROWS, stop))
        signatures = plan.files.read(rows)
        wanted[rows - start] &= (signatures != EMPTY).any(axis=1)
        band_keys(signatures, np.array(plan.bounds), keys[low - start :])
    numbers = np.flatnonzero(wanted)
    entries = keys[numbers].ravel()  # (n * B,)
    rows_of = np.repeat((start + numbers).astype(np.uint32), n_bands)
    write_entries(plan.chunks[task.number], entries, rows_of, plan.n_buckets)


def write_links(task: Task) -> None:
    """Compare the rows of one bucket that have a key in common, and write which are near: (2, n) int64."""
    plan = task.plan
    keys, rows = read_entries(plan.chunks, task.number)
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, np.int64)
    sizes = np.diff(np.append(starts, len(keys)))
    large = np.flatnonzero(sizes > plan.window)
    found = [_link_large(plan, keys[starts[group]], _group(rows, starts[group], sizes[group])) for group in large]
    small = (sizes > 1) & (sizes <= plan.window)
    members = rows[np.repeat(small, sizes)]
    del keys, rows
    found += _link_small(plan, members, sizes[small])
    near = np.concatenate([np.zeros((2, 0), np.int64), *found], axis=1)  # (2, n)
    write_atomically(plan.links[task.number], lambda stream: np.save(stream, near))


def _group(rows: NDArray[np.uint32], start: int, size: int) -> Rows:
    return rows[start : start + size].astype(np.int64)


def _link_small(plan: Plan, members: NDArray[np.uint32], sizes: Rows) -> list[Rows]:
    """Compare the members of each group all with all, as many groups at a time as fit into a block."""
    ends = np.cumsum(sizes)
    found = []
    first = 0
    while first < len(sizes):
        start = int(ends[first] - sizes[first])
        last = max(first + 1, int(np.searchsorted(ends, start + BLOCK_ROWS, side="right")))
        of_block = members[start : ends[last - 1]].astype(np.int64)
        signatures, place = _read(plan, of_block)
        starts = np.append(ends[first:last] - sizes[first:last], ends[last - 1]) - start
        found.append(_near(of_block, link_groups(signatures, place, starts, plan.window, plan.most_different)))
        first = last
    return found


def _link_large(plan: Plan, key: np.uint64, rows: Rows) -> Rows:
    """Compare each member of a group with the window before it, sorted by the entry behind their common band."""
    column = plan.bounds[band_of(key) + 1] % PERMUTATIONS
    behind = np.empty(len(rows), np.uint32)
    for low in range(0, len(rows), BLOCK_ROWS):
        behind[low : low + BLOCK_ROWS] = plan.files.read(rows[low : low + BLOCK_ROWS])[:, column]
    rows = rows[np.lexsort((rows, behind))]
    found = []
    roots = np.zeros(0, np.int64)
    for start in range(0, len(rows), plan.window):
        members = rows[max(0, start - plan.window) : start + plan.window]
        known = min(start, plan.window)
        _, first, which = np.unique(roots[len(roots) - known :], return_index=True, return_inverse=True)
        roots = np.arange(len(members))
        roots[:known] = first[which]
        signatures, place = _read(plan, members)
        signatures = signatures[place]  # in the order they are compared, which is three times as fast
        link_members(signatures, np.arange(len(members)), roots, known, plan.window, plan.most_different, len(first))
        settle(roots)
        found.append(_near(members, roots))
    return np.concatenate(found, axis=1)


def _read(plan: Plan, members: Rows) -> tuple[NDArray[np.uint32], Rows]:
    """The distinct signatures of members, and which is whose."""
    rows, place = np.unique(members, return_inverse=True)
    return plan.files.read(rows), place


def _near(members: Rows, roots: Rows) -> Rows:
    """The rows of members beside the rows of their roots: (2, n)."""
    moved = np.flatnonzero(roots != np.arange(len(roots)))
    return np.stack([members[moved], members[roots[moved]]])
