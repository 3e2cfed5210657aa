"""Each different text of a batch encoded once."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Encode = Callable[[list[str]], NDArray[np.float32]]


def encode_distinct(encode: Encode, texts: Sequence[str]) -> NDArray[np.float32]:
    """(n, D) the vectors of texts, of which equal ones are encoded once."""
    places: dict[str, int] = {}
    rows = [places.setdefault(text, len(places)) for text in texts]
    vectors = encode(list(places))
    return vectors if len(places) == len(rows) else vectors[rows]
