"""The names of authors whom a dump's rows name by id alone, from the Users table beside it.

Only the users who own a post of a kept pair are remembered: their ids and names in files that every task
maps. Memory while they are gathered: some 30 bytes a user. Source: ours, docs/decisions/0011.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from procqa.dataset.columnar import strings
from procqa.files import loaded_once

_USERS_AT_ONCE = 1 << 16

OWNER = np.dtype([("site", "<u2"), ("id", "<i8")])
"""A user of a site, by the index of the site."""


def join_owners(paths: Sequence[Path]) -> NDArray[np.void]:
    """The users of several files of OWNER, each once, sorted.

    Args:
        paths: .npy files, each sorted and without repeats.
    """
    owners = np.empty(0, dtype=OWNER)
    waiting: list[NDArray[np.void]] = []
    for number, path in enumerate(paths, start=1):
        waiting.append(np.load(path))
        if number == len(paths) or sum(map(len, waiting)) > max(len(owners), 1 << 16):
            owners = np.unique(np.concatenate([owners, *waiting]))
            waiting.clear()
    return owners


def keep_names(folder: Path, owners: NDArray[np.void], users: Iterable[tuple[int, Iterable[tuple[int, str]]]]) -> int:
    """Write the names of some users for ``fill_names``; returns how many of them are known.

    Args:
        owners: (n,) OWNER, sorted, as ``join_owners`` gives them.
        users: for each site that has a Users table its index, and the ids and names of its users.
    """
    names, ends = bytearray(), [np.zeros(1, dtype=np.int64)]
    rows = [np.empty(0, dtype=np.int64)]
    for site, of_site in users:
        first, last = np.searchsorted(owners["site"], [site, site + 1]).tolist()
        ids = owners["id"][first:last].copy()
        users_left = iter(of_site)
        while chunk := list(islice(users_left, _USERS_AT_ONCE)):
            numbers = np.array([number for number, _ in chunk], dtype=np.int64)
            place = np.searchsorted(ids, numbers)
            found = np.flatnonzero(ids[np.minimum(place, len(ids) - 1)] == numbers) if len(ids) else place[:0]
            encoded = [chunk[row][1].encode() for row in found.tolist()]
            ends.append(len(names) + np.cumsum([len(name) for name in encoded], dtype=np.int64))
            names += b"".join(encoded)
            rows.append(first + place[found])
    # Of a user who came twice the last name stands.
    known, last_of = np.unique(np.concatenate(rows)[::-1], return_index=True)
    stops = np.concatenate(ends)
    chosen = len(stops) - 2 - last_of
    spans = np.stack((stops[chosen], stops[chosen + 1]), axis=1)
    np.save(folder / "owners.npy", owners[known])
    np.save(folder / "spans.npy", spans)
    (folder / "names.bin").write_bytes(names)
    return len(known)


@loaded_once("owners.npy")
def _open(folder: Path) -> tuple[NDArray[np.void], NDArray[np.int64], NDArray[np.uint8]]:
    owners = np.load(folder / "owners.npy", mmap_mode="r")
    names = folder / "names.bin"
    blob = np.memmap(names, dtype=np.uint8, mode="r") if names.stat().st_size else np.empty(0, dtype=np.uint8)
    return owners, np.load(folder / "spans.npy", mmap_mode="r"), blob


def fill_names(folder: Path, names: pa.ChunkedArray, sites: NDArray[np.int64], ids: pa.ChunkedArray) -> pa.Array:
    """The names of authors, where the Users table has them in place of their ids.

    Args:
        names: (n,) what the rows say.
        sites: (n,) index of each row's site.
        ids: (n,) users whose names the rows do not say; null where they do.
    """
    owners, spans, blob = _open(folder)
    wanted = np.zeros(len(sites), dtype=OWNER)
    wanted["site"] = sites
    wanted["id"] = np.array([-1 if number is None else number for number in ids.to_pylist()], dtype=np.int64)
    is_asked = np.array([number is not None for number in ids.to_pylist()], dtype=bool)
    place = np.searchsorted(owners, wanted)
    inside = place < len(owners)
    inside[inside] = owners[place[inside]] == wanted[inside]
    filled: list[str | None] = names.to_pylist()
    for row in np.flatnonzero(inside & is_asked).tolist():
        low, high = spans[place[row]].tolist()
        filled[row] = blob[low:high].tobytes().decode()
    return strings(filled)
