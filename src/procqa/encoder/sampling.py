"""Which pairs make the batch of a step: of one stream, as the paper draws them, or mixed.

Everything is a function of (seed, step): a batch can be drawn again at any time, in any order and in any process,
so a run that is taken up, and one on several ranks or with loader workers, draws what a plain one would have. The
generators are private; the library's samplers share the trainer's, which skews the shares.
Source: docs/paper.md#sampling.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

_STREAMS, _PERMUTATIONS, _FILLERS, _ORDERS = range(4)
"""Second part of each private generator's seed."""

Batches = Literal["stream", "mixed", "round-robin"]
"""What makes a batch: one stream, drawn; all streams, each pair's drawn; or one stream after the other."""


class PairStream(Protocol):
    """What the sampler must know of a stream."""

    def __len__(self) -> int:
        """Pairs."""
        ...

    def keys(self, positions: NDArray[np.int64]) -> NDArray[np.uint64]:
        """(len(positions), k) what no two pairs of a batch may share: hashes of their texts, and their groups."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """The pairs of one step: the stream (B,) of each and its position (B,) there.

    The last ``fillers`` of them only fill up the part of a rank and count for nothing.
    """

    streams: NDArray[np.int64]
    positions: NDArray[np.int64]
    fillers: int = 0

    def __len__(self) -> int:
        """Pairs."""
        return len(self.streams)

    def part(self, rank: int, ranks: int) -> "Batch":
        """What one of several ranks takes: parts are of one size, the last ones filled up with pairs of the first."""
        size = -(-len(self) // ranks)
        places = np.arange(rank * size, (rank + 1) * size)
        chosen = places % len(self)
        return Batch(self.streams[chosen], self.positions[chosen], int((places >= len(self)).sum()))


def stream_shares(sizes: Sequence[int], alpha: float) -> NDArray[np.float64]:
    """(streams,) the probability of each stream: n^alpha over their sum.

    Source: docs/paper.md#sampling.
    """
    weights = np.asarray(sizes, dtype=np.float64) ** alpha
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def has_negatives(stream: PairStream) -> bool:
    """Whether a stream holds two pairs that share nothing, the least that makes a batch."""
    keys = np.unique(stream.keys(np.arange(len(stream))), axis=0)
    if any(len(np.unique(column)) == 1 for column in keys.T):
        return False  # for all pairs one by one this would take long
    return any(bool((~np.isin(keys, pair).any(axis=1)).any()) for pair in keys)


class Sampler:
    """Draws the batch of any step of a run.

    A batch takes the next pairs of its stream's permutation, a new one each epoch; a mixed one takes as many of each
    stream as were drawn for it. A pair that shares a text or a group with one that the batch already holds would be
    a false negative: others stand in for it, and where there are none the batch is smaller. A batch of one stream is
    never larger than that.

    Args:
        streams: each with two pairs that share nothing (see ``has_negatives``).
        batch_size: pairs of a batch.
        alpha: 0 draws streams evenly, 1 in proportion to their pairs.
        steps: batches of the run.
        seed: of every draw.
        batches: what makes a batch; ``alpha`` plays no part in ``round-robin``.
    """

    def __init__(
        self,
        streams: Sequence[PairStream],
        *,
        batch_size: int,
        alpha: float,
        steps: int,
        seed: int,
        batches: Batches = "stream",
    ) -> None:
        self._streams = streams
        self._batch_size = batch_size
        self._seed = seed
        self._steps = steps
        self._is_mixed = batches == "mixed"
        self._shares = stream_shares([len(stream) for stream in streams], alpha)
        self._drawn = np.empty(0, dtype=np.int32)  # (steps,) the stream of each batch, where it has one
        self._counts = np.empty((0, 0), dtype=np.int32)  # (steps, streams) pairs of each, where a batch is mixed
        if batches == "mixed":
            self._counts = self._draw_counts()
            self._visits = np.cumsum(self._counts, axis=0, dtype=np.int64) - self._counts
        else:
            self._drawn = self._draw_streams(batches)
            self._visits = np.empty(steps, dtype=np.int64)
            for number in range(len(streams)):
                visited = np.flatnonzero(self._drawn == number)
                self._visits[visited] = np.arange(len(visited))
        self._permutations: dict[int, tuple[int, NDArray[np.int32]]] = {}

    def _draw_counts(self) -> NDArray[np.int32]:
        drawn = self._generator(_STREAMS).multinomial(self._batch_size, self._shares, size=self._steps)
        return np.asarray(drawn, dtype=np.int32)

    def _draw_streams(self, batches: Batches) -> NDArray[np.int32]:
        if batches == "round-robin":
            return np.asarray(np.arange(self._steps) % len(self._streams), dtype=np.int32)
        bounds = np.cumsum(self._shares)
        numbers = np.searchsorted(bounds, self._generator(_STREAMS).random(self._steps), side="right")
        return np.asarray(np.minimum(numbers, len(self._streams) - 1), dtype=np.int32)

    def __len__(self) -> int:
        """Steps of the run."""
        return self._steps

    def draw(self, step: int) -> Batch:
        """The batch of a step, counted from 0; at least 2 pairs."""
        if self._is_mixed:
            numbers, wanted = np.flatnonzero(self._counts[step]).tolist(), self._batch_size
            taken = [self._next(number, int(self._counts[step, number]), step) for number in numbers]
        else:
            numbers = [int(self._drawn[step])]
            wanted = min(self._batch_size, len(self._streams[numbers[0]]))
            taken = [self._whole(numbers[0], wanted, step)]
        streams = np.repeat(numbers, list(map(len, taken)))
        positions = np.concatenate(taken)
        if self._is_mixed:
            # In any order: of two pairs that share a text the first stays, whichever stream it is of.
            order = self._generator(_ORDERS, step).permutation(len(streams))
            streams, positions = streams[order], positions[order]
        kept = self._distinct(streams, positions, wanted)
        if len(kept) < wanted:
            fillers = self._fillers(numbers, 4 * wanted, step)
            streams, positions = np.concatenate([streams, fillers[0]]), np.concatenate([positions, fillers[1]])
            kept = self._distinct(streams, positions, wanted)
        if len(kept) < 2:
            streams, positions, kept = next(self._turned(numbers[0], wanted))
        return Batch(streams[kept], positions[kept])

    def _whole(self, number: int, wanted: int, step: int) -> NDArray[np.int64]:
        """The next whole batch of a stream's epoch."""
        epoch, index = divmod(int(self._visits[step]), len(self._streams[number]) // wanted)
        return self._permutation(number, epoch)[index * wanted : (index + 1) * wanted].astype(np.int64)

    def _next(self, number: int, wanted: int, step: int) -> NDArray[np.int64]:
        """The next pairs of a stream, which may lie in several epochs."""
        size, at = len(self._streams[number]), int(self._visits[step, number])
        parts = []
        while wanted:
            epoch, start = divmod(at, size)
            part = self._permutation(number, epoch)[start : start + wanted].astype(np.int64)
            parts.append(part)
            at, wanted = at + len(part), wanted - len(part)
        return np.concatenate(parts)

    def _fillers(self, numbers: Sequence[int], size: int, step: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Streams and positions of any pairs: of the one stream, or of all as they are drawn."""
        generator = self._generator(_FILLERS, step)
        if self._is_mixed:
            streams = generator.choice(len(self._streams), size=size, p=self._shares)
        else:
            streams = np.full(size, numbers[0])
        sizes = np.array([len(stream) for stream in self._streams])[streams]
        return streams, np.minimum((generator.random(size) * sizes).astype(np.int64), sizes - 1)

    def _turned(
        self, number: int, wanted: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
        """The pairs of a stream from another one on each time, of which at least two share nothing."""
        size = len(self._streams[number])
        streams = np.full(size, number)
        for start in range(size):
            positions = np.roll(np.arange(size), -start)
            kept = self._distinct(streams, positions, wanted)
            if len(kept) >= 2:
                yield streams, positions, kept

    def _distinct(self, streams: NDArray[np.int64], positions: NDArray[np.int64], wanted: int) -> NDArray[np.int64]:
        """The places of the first pairs, at most ``wanted``, of which no two share anything."""
        taken: list[int] = []
        used: set[int] = set()
        for place, keys in enumerate(self._keys(streams, positions)):
            if used.isdisjoint(keys):
                used.update(keys)
                taken.append(place)
                if len(taken) == wanted:
                    break
        return np.array(taken, dtype=np.int64)

    def _keys(self, streams: NDArray[np.int64], positions: NDArray[np.int64]) -> Iterable[list[int]]:
        keys: list[list[int]] = [[]] * len(streams)
        for number in np.unique(streams).tolist():
            places = np.flatnonzero(streams == number)
            of_stream = self._streams[number].keys(positions[places]).tolist()
            for place, of_pair in zip(places.tolist(), of_stream, strict=True):
                keys[place] = of_pair
        return keys

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
