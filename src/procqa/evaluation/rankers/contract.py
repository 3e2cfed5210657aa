"""What a ranker is, and what it is given: documents sorted by id, and queries in blocks."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

QUERIES_AT_ONCE = 256
DOCUMENTS_AT_ONCE = 4_096

Report = Callable[[str, int], None]
"""Told what is being done and how much of it is done."""

Ranking = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Scores (Q, k) and positions of documents (Q, k), best first, for one block of queries."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The documents that a task ranks, sorted by id.

    Args:
        ids: sorted, each once.
        texts: what stands under each id.
        digest: sha256 of both; equal pools are indexed once.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Digest ids and texts."""
        sha256 = hashlib.sha256()
        for part in (*self.ids, *self.texts):
            encoded = part.encode("utf-8", "surrogatepass")
            sha256.update(b"%d:" % len(encoded))
            sha256.update(encoded)
        object.__setattr__(self, "digest", sha256.hexdigest())


@runtime_checkable
class Ranker(Protocol):
    """What ``evaluate`` measures.

    ``name`` is what the user called it, ``revision`` the exact version of what decides the order, and
    ``protocol`` the words about it that belong beside every number.
    """

    @property
    def name(self) -> str:
        """As the user called it."""
        ...

    @property
    def revision(self) -> str:
        """The version or the sha256 of what decides the order."""
        ...

    @property
    def protocol(self) -> str:
        """Its settings in words."""
        ...

    def index(self, pool: Pool) -> None:
        """Take the documents to rank; a pool that is already taken costs nothing."""
        ...

    def rank(self, queries: Sequence[str], k: int) -> Iterator[Ranking]:
        """The min(k, N) best documents of each query, in blocks of QUERIES_AT_ONCE queries.

        Documents that match nothing stand last with score 0; equal scores by lower position.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What decides a number besides the ranker's name, as far as it applies.

    Args:
        models: names of the models that have a say, as ``open_encoder`` takes them.
        max_tokens: tokens that they read of a text.
        arithmetic: what computes their vectors and in which numbers.
        weight: of cosines beside words.
    """

    models: tuple[str, ...] = ()
    max_tokens: int | None = None
    arithmetic: str | None = None
    weight: float | None = None


@runtime_checkable
class Detailed(Protocol):
    """A ranker that tells its details; one that does not has none."""

    @property
    def details(self) -> Details:
        """Its details."""
        ...


def details_of(ranker: Ranker) -> Details:
    """The details of a ranker."""
    return ranker.details if isinstance(ranker, Detailed) else Details()


def query_blocks(queries: Sequence[str]) -> Iterator[Sequence[str]]:
    """The queries in blocks of QUERIES_AT_ONCE."""
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        yield queries[start : start + QUERIES_AT_ONCE]
