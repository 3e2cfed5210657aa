"""Which pairs make the batch of a step: one stream, drawn with p proportional to n^alpha.

Everything is a function of (seed, step): a batch can be drawn again at any time and in any order, so a
run that is taken up draws what the uninterrupted one would have. The generators are private; the
library's samplers share the trainer's, which skews the shares. Source: docs/paper.md#sampling.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_STREAMS, _PERMUTATIONS, _FILLERS = range(3)
"""Second part of each private generator's seed."""


class PairStream(Protocol):
    """What the sampler must know of a stream."""

    def __len__(self) -> int:
        """Pairs."""
        ...

    def keys(self, positions: NDArray[np.int64]) -> NDArray[np.uint64]:
        """(len(positions), 2) hashes of the two texts of some pairs."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """The pairs of one step: positions (B,) in the stream of that number."""

    stream: int
    positions: NDArray[np.int64]


def stream_shares(sizes: Sequence[int], alpha: float) -> NDArray[np.float64]:
    """(streams,) the probability of each stream: n^alpha over their sum.

    Source: docs/paper.md#sampling.
    """
    weights = np.asarray(sizes, dtype=np.float64) ** alpha
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def has_negatives(stream: PairStream) -> bool:
    """Whether a stream holds two pairs without a common text, the least that makes a batch."""
    keys = stream.keys(np.arange(len(stream)))
    if len(np.unique(keys)) < 4:
        return False
    return all(bool((keys != text).all(axis=1).any()) for text in keys[0])


class Sampler:
    """Draws the batch of any step of a run.

    A batch takes the next pairs of its stream's permutation, a new one each epoch. A pair with a text
    that the batch already holds would be a false negative: others from the stream stand in for it, and
    where there are none the batch is smaller. It is never larger than its stream.

    Args:
        streams: each with two pairs without a common text (see ``has_negatives``).
        batch_size: pairs of a batch.
        alpha: 0 draws streams evenly, 1 in proportion to their pairs.
        steps: batches of the run.
        seed: of every draw.
    """

    def __init__(self, streams: Sequence[PairStream], *, batch_size: int, alpha: float, steps: int, seed: int) -> None:
        self._streams = streams
        self._batch_size = batch_size
        self._seed = seed
        bounds = np.cumsum(stream_shares([len(stream) for stream in streams], alpha))
        drawn = np.searchsorted(bounds, self._generator(_STREAMS).random(steps), side="right")
        self._drawn = np.minimum(drawn, len(streams) - 1)
        self._visits = np.empty(steps, dtype=np.int64)
        for stream in range(len(streams)):
            visited = np.flatnonzero(self._drawn == stream)
            self._visits[visited] = np.arange(len(visited))
        self._permutations: dict[int, tuple[int, NDArray[np.int32]]] = {}

    def __len__(self) -> int:
        """Steps of the run."""
        return len(self._drawn)

    def draw(self, step: int) -> Batch:
        """The batch of a step, counted from 0; at least 2 pairs."""
        number = int(self._drawn[step])
        stream = self._streams[number]
        wanted = min(self._batch_size, len(stream))
        epoch, index = divmod(int(self._visits[step]), len(stream) // wanted)
        permutation = self._permutation(number, epoch)
        candidates = permutation[index * wanted : (index + 1) * wanted].astype(np.int64)
        positions = _distinct(stream, candidates, wanted)
        if len(positions) < wanted:
            fillers = self._generator(_FILLERS, step).integers(len(stream), size=4 * wanted)
            positions = _distinct(stream, np.concatenate([candidates, fillers]), wanted)
        if len(positions) < 2:
            turned = (np.roll(permutation, -start).astype(np.int64) for start in range(len(stream)))
            positions = _first_batch(stream, turned, wanted)
        return Batch(number, np.array(positions, dtype=np.int64))

    def _generator(self, *key: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, *key])

    def _permutation(self, stream: int, epoch: int) -> NDArray[np.int32]:
        """The order of a stream's pairs in an epoch; the last one of each stream is kept."""
        kept = self._permutations.get(stream)
        if kept is None or kept[0] != epoch:
            generator = self._generator(_PERMUTATIONS, stream, epoch)
            kept = epoch, generator.permutation(len(self._streams[stream])).astype(np.int32)
            self._permutations[stream] = kept
        return kept[1]


def _distinct(stream: PairStream, candidates: NDArray[np.int64], wanted: int) -> list[int]:
    """The first candidates, at most ``wanted``, of which no two share a text."""
    taken: list[int] = []
    used: set[int] = set()
    for position, (query, document) in zip(candidates.tolist(), stream.keys(candidates).tolist(), strict=True):
        if query not in used and document not in used:
            used.update((query, document))
            taken.append(position)
            if len(taken) == wanted:
                break
    return taken


def _first_batch(stream: PairStream, orders: Iterable[NDArray[np.int64]], wanted: int) -> list[int]:
    """The first order's pairs of which at least two share no text."""
    return next(taken for order in orders if len(taken := _distinct(stream, order, wanted)) >= 2)
