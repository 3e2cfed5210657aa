"""The second stage of a build: what only the whole dump can tell of an id.

An id that came in two threads belongs to the copy with the latest activity; an accepted id that is not
an answer of its question is looked for everywhere. One task a bucket of keys, bounded by its size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from procqa.dataset import shuffle
from procqa.pairs import rules


@dataclass(frozen=True, slots=True)
class ResolveTask:
    """One bucket of keys to look into; spills are listed by site, for ids are unique within a site."""

    bucket: int
    spills: tuple[tuple[int, tuple[Path, ...]], ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was found.

    Args:
        moved: (site, id, thread) of rows whose id has a later row in another thread.
        misplaced: reason by (site, question, accepted id) where that id is no answer of the question.
    """

    moved: frozenset[tuple[int, int, int]]
    misplaced: dict[tuple[int, int, int], str]


def resolve_ids(task: ResolveTask) -> Resolved:
    """Find moved rows and misplaced accepted ids among the keys of one bucket."""
    moved: set[tuple[int, int, int]] = set()
    misplaced: dict[tuple[int, int, int], str] = {}
    for site, spills in task.spills:
        keys = shuffle.read_bucket_keys(spills, task.bucket)
        posts = keys[keys["kind"] != shuffle.WANTED]
        posts = posts[np.lexsort((posts["digest"], posts["activity_ms"], posts["id"]))]
        is_last = np.append(posts["id"][1:] != posts["id"][:-1], True)[: len(posts)]
        winners = posts[is_last]
        place = np.searchsorted(winners["id"], posts["id"])
        gone = posts[posts["thread"] != winners["thread"][place]]
        moved.update((site, int(row["id"]), int(row["thread"])) for row in gone)
        for question, accepted, reason in _misplaced(winners, keys[keys["kind"] == shuffle.WANTED]):
            misplaced[site, question, accepted] = reason
    return Resolved(frozenset(moved), misplaced)


def _misplaced(winners: NDArray[np.void], wanted: NDArray[np.void]) -> Iterator[tuple[int, int, str]]:
    """Questions whose accepted id is a question, or an answer of another thread."""
    place = np.searchsorted(winners["id"], wanted["id"])
    inside = place < len(winners)
    place, wanted = place[inside], wanted[inside]
    exists = winners["id"][place] == wanted["id"]
    place, wanted = place[exists], wanted[exists]
    is_question = winners["kind"][place] == shuffle.QUESTION
    is_elsewhere = winners["thread"][place] != wanted["thread"]
    for row in wanted[is_question]:
        yield int(row["thread"]), int(row["id"]), rules.IS_A_QUESTION
    for row in wanted[~is_question & is_elsewhere]:
        yield int(row["thread"]), int(row["id"]), rules.OF_ANOTHER


def merge(parts: Iterator[Resolved]) -> Resolved:
    """Everything that the buckets found."""
    moved: set[tuple[int, int, int]] = set()
    misplaced: dict[tuple[int, int, int], str] = {}
    for part in parts:
        moved |= part.moved
        misplaced |= part.misplaced
    return Resolved(frozenset(moved), misplaced)
