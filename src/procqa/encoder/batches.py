"""Step → the features of its batch, with a tally of what was drawn."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.features import Features, count_tokens
from procqa.encoder.further import FurtherDocuments
from procqa.encoder.ranks import ALONE, Ranks
from procqa.encoder.sampling import Batch, Sampler
from procqa.encoder.streams import EMPTY, Stream
from procqa.encoder.towers import ROUTES

if TYPE_CHECKING:
    from torch import Tensor


class Batches:
    """The batches of a run as the model reads them; counts those that were drawn.

    Args:
        streams: those the sampler draws from.
        sampler: of the whole run.
        features: of the corpus's rows.
        rows: rows of the corpus.
        cuts_modalities: whether the prose and the code of each view are columns of their own.
        further: draws further documents for each pair; None for none.
        ranks: this process among those that train: it reads its part of each batch, and counts all of it.
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        sampler: Sampler,
        features: Features,
        rows: int,
        *,
        cuts_modalities: bool = False,
        further: FurtherDocuments | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        self._further = further
        self._ranks = ranks
        self._parts = ROUTES["modality"] if cuts_modalities else ("",)
        self._streams = streams
        self._sampler = sampler
        self._features = features
        self._views = np.array([(stream.query, stream.document) for stream in streams], dtype=np.int64)
        self.is_seen = np.zeros(rows, dtype=np.bool_)
        self.batches: Counter[str] = Counter()
        self.pairs: Counter[str] = Counter()
        self.tokens_seen = 0

    def __len__(self) -> int:
        """Steps of the run."""
        return len(self._sampler)

    def __getitem__(self, step: int) -> dict[str, object]:
        """Draw a batch: the features of its queries and documents, or of their parts, and its keys.

        Features are told apart by their prefix: ``query_``, or ``query_text_`` and ``query_code_``. Those of further
        documents, ``negative_``, are B · n, the n of the first pair first.

        The keys (B, k), or (B + B · n, k), stand under ``label``: what no two pairs may share to be negatives of each
        other, and behind them those of the further documents. Zeros mark what only fills up the part of a rank.
        The tokens of all texts of the whole batch are counted as seen.
        """
        import torch

        whole = self.draw(step)
        batch = whole.part(self._ranks.rank, self._ranks.count)
        keys = self._look_up(batch)[1]
        keys[len(batch) - batch.fillers :] = EMPTY
        if self._further is not None:
            of_further = self._keys_of(batch, self._further.draw(batch, step))
            of_further[len(of_further) - batch.fillers * self._further.count :] = EMPTY
            keys = np.concatenate([keys, of_further])
        drawn: dict[str, object] = {"label": torch.from_numpy(keys.view(np.int64))}
        tokens = 0
        for prefix, features in self._read(batch, step):
            drawn |= {f"{prefix}{feature}": value for feature, value in features.items()}
            tokens += count_tokens(features)
        if len(batch) < len(whole) and self._ranks.is_first:  # it tells of all of them
            tokens = sum(count_tokens(features) for _, features in self._read(whole, step))
        self.tokens_seen += tokens
        return drawn

    def _read(self, batch: Batch, step: int) -> Iterator[tuple[str, dict[str, "Tensor"]]]:
        """The features of each side of a batch, or of its parts, and how their names begin."""
        rows, views = self._look_up(batch)[0], self._views[batch.streams]
        sides = {"query": (rows, views[:, 0]), "document": (rows, views[:, 1])}
        if self._further is not None:
            further = self._further.draw(batch, step)
            sides["negative"] = further.ravel(), np.repeat(views[:, 1], further.shape[1])
        for name, (of_side, view) in sides.items():
            for number, part in enumerate(self._parts):
                features = self._features.take(of_side, len(self._parts) * view + number)
                yield f"{name}_{part}_" if part else f"{name}_", features

    def _keys_of(self, batch: Batch, further: NDArray[np.int32]) -> NDArray[np.uint64]:
        """(B · n, k) the keys of the further documents (B, n), each as one of the stream of its pair."""
        keys = np.empty((*further.shape, 3), dtype=np.uint64)
        for number in np.unique(batch.streams).tolist():
            places = batch.streams == number
            keys[places] = self._streams[number].keys_of(further[places])
        return keys.reshape(-1, 3)

    def draw(self, step: int) -> Batch:
        """The pairs of a step's batch; counts their rows, and those of their further documents, as seen."""
        batch = self._sampler.draw(step)
        self.is_seen[self._look_up(batch)[0]] = True
        if self._further is not None:
            self.is_seen[self._further.draw(batch, step)] = True
        numbers, counts = np.unique(batch.streams, return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            name = self._streams[number].name
            self.batches[name] += 1
            self.pairs[name] += count
        return batch

    def _look_up(self, batch: Batch) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
        """(B,) the corpus row of each pair, and (B, k) its keys."""
        rows, keys = np.empty(len(batch), dtype=np.int32), np.empty((len(batch), 3), dtype=np.uint64)
        for number in np.unique(batch.streams).tolist():
            places = batch.streams == number
            stream, positions = self._streams[number], batch.positions[places]
            rows[places], keys[places] = stream.rows[positions], stream.keys(positions)
        return rows, keys
