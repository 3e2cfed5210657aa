"""Step → the features of its batch, with a tally of what was drawn."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from procqa.encoder.features import Features
from procqa.encoder.sampling import Sampler
from procqa.encoder.streams import Stream


class Batches:
    """The batches of a run as the model reads them; counts those that were drawn.

    Args:
        streams: those the sampler draws from.
        sampler: of the whole run.
        features: of the corpus's rows.
        rows: rows of the corpus.
    """

    def __init__(self, streams: Sequence[Stream], sampler: Sampler, features: Features, rows: int) -> None:
        self._streams = streams
        self._sampler = sampler
        self._features = features
        self.is_seen = np.zeros(rows, dtype=np.bool_)
        self.batches: Counter[str] = Counter()
        self.pairs: Counter[str] = Counter()

    def __len__(self) -> int:
        """Steps of the run."""
        return len(self._sampler)

    def __getitem__(self, step: int) -> dict[str, object]:
        """Draw a batch: the features of its queries and documents, told apart by their prefix."""
        stream, rows = self.draw(step)
        queries, documents = self._features.take(rows, stream.query), self._features.take(rows, stream.document)
        return {
            **{f"query_{name}": value for name, value in queries.items()},
            **{f"document_{name}": value for name, value in documents.items()},
        }

    def draw(self, step: int) -> "tuple[Stream, np.typing.NDArray[np.int32]]":
        """The stream and the corpus rows of a step's batch; counts them as seen."""
        batch = self._sampler.draw(step)
        stream = self._streams[batch.stream]
        rows = stream.rows[batch.positions]
        self.is_seen[rows] = True
        self.batches[stream.name] += 1
        self.pairs[stream.name] += len(rows)
        return stream, rows
