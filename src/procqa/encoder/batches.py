"""Step → the features of its batch, with a tally of what was drawn."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from procqa.encoder.features import Features, count_tokens
from procqa.encoder.sampling import Batch, Sampler
from procqa.encoder.streams import Stream
from procqa.encoder.towers import ROUTES


class Batches:
    """The batches of a run as the model reads them; counts those that were drawn.

    Args:
        streams: those the sampler draws from.
        sampler: of the whole run.
        features: of the corpus's rows.
        rows: rows of the corpus.
        cuts_modalities: whether the prose and the code of each view are columns of their own.
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        sampler: Sampler,
        features: Features,
        rows: int,
        *,
        cuts_modalities: bool = False,
    ) -> None:
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

        Features are told apart by their prefix: ``query_``, or ``query_text_`` and ``query_code_``.

        The keys (B, k) stand under ``label``: what no two pairs may share to be negatives of each other. The tokens of
        all texts are counted as seen.
        """
        import torch

        batch = self.draw(step)
        rows, keys = self._look_up(batch)
        views = self._views[batch.streams]
        drawn: dict[str, object] = {"label": torch.from_numpy(keys.view(np.int64))}
        for side, name in enumerate(("query", "document")):
            for number, part in enumerate(self._parts):
                features = self._features.take(rows, len(self._parts) * views[:, side] + number)
                prefix = f"{name}_{part}_" if part else f"{name}_"
                drawn |= {f"{prefix}{feature}": value for feature, value in features.items()}
                self.tokens_seen += count_tokens(features)
        return drawn

    def draw(self, step: int) -> Batch:
        """The pairs of a step's batch; counts their rows as seen."""
        batch = self._sampler.draw(step)
        self.is_seen[self._look_up(batch)[0]] = True
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
