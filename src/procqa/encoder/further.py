"""Further documents of the pairs of a batch: mined negatives, else documents of other pairs.

Which ones is a function of seed, step and pair alone, so a part of a batch, on whatever rank, has those that it has
in the whole, and a run that is taken up draws what it would have drawn. Source: docs/paper.md#fine-tuning for random
ones (the authors draw 7, of which one may be the positive); ours, docs/decisions/0020, for mined ones.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.sampling import Batch
from procqa.encoder.streams import Stream

TRIES = 4
"""Documents drawn for each that is wanted, since some share a key with the pair."""

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class FurtherDocuments:
    """Draws the further documents of any batch of a run.

    A pair's mined negatives come first, those of a random order; random documents of its stream fill up what is
    missing. A random one that shares a text or a group with the pair is drawn again; where a stream is so small that
    it comes again and again it is handed out, to be masked as all are that share a key with a query.

    Args:
        streams: those that batches are drawn from.
        count: documents of each pair.
        seed: of every draw.
    """

    def __init__(self, streams: Sequence[Stream], *, count: int, seed: int) -> None:
        self._streams = streams
        self.count = count
        self._seed = seed

    def draw(self, batch: Batch, step: int) -> NDArray[np.int32]:
        """(B, count) rows of the corpus, those of each pair in the order of the batch."""
        drawn = np.empty((len(batch), self.count), dtype=np.int32)
        for number in np.unique(batch.streams).tolist() if self.count else []:
            places = batch.streams == number
            drawn[places] = self._of_stream(number, batch.positions[places], step)
        return drawn

    def _of_stream(self, number: int, positions: NDArray[np.int64], step: int) -> NDArray[np.int32]:
        stream, count = self._streams[number], self.count
        n_mined = 0 if stream.mined is None else stream.mined.shape[1]
        numbers = random_numbers((self._seed, step, number), positions, TRIES * count + n_mined)
        chosen = self._draw_random(stream, positions, numbers[:, : TRIES * count])
        if stream.mined is not None:
            mined = stream.mined[stream.rows[positions]]  # (b, m)
            order = np.lexsort((numbers[:, TRIES * count :], mined < 0), axis=1)
            mined = np.take_along_axis(mined, order, axis=1)[:, :count]
            of_mined = chosen[:, : mined.shape[1]]
            of_mined[mined >= 0] = mined[mined >= 0]
        return chosen

    def _draw_random(
        self, stream: Stream, positions: NDArray[np.int64], numbers: NDArray[np.uint64]
    ) -> NDArray[np.int32]:
        """(b, count) documents of other pairs of a stream, those first that share nothing with the pair."""
        rows = stream.rows[(numbers % np.uint64(len(stream))).astype(np.int64)]
        shares = (stream.keys_of(rows) == stream.keys(positions)[:, None]).any(axis=2)
        order = np.argsort(shares, axis=1, kind="stable")[:, : self.count]
        return np.take_along_axis(rows, order, axis=1)


def random_numbers(key: Sequence[int], positions: NDArray[np.int64], size: int) -> NDArray[np.uint64]:
    """(b, size) numbers that depend on the key and the position alone, each as good as random.

    Source: Steele, Lea and Flood 2014 (SplitMix64), its mixing function over what they depend on.
    """
    mixed = np.zeros((1, 1), dtype=np.uint64)
    for part in (*key, positions.astype(np.uint64)[:, None], np.arange(size, dtype=np.uint64)):
        mixed = _mix(mixed + _STEP + _mix(np.atleast_1d(np.asarray(part, dtype=np.uint64))))
    return mixed


def _mix(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The numbers with their bits mixed, modulo 2^64."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * _FIRST
    numbers = (numbers ^ (numbers >> np.uint64(27))) * _SECOND
    mixed: NDArray[np.uint64] = numbers ^ (numbers >> np.uint64(31))
    return mixed
