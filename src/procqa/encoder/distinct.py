"""Each different text of a batch encoded once."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Text = TypeVar("Text", bound=Hashable)
"""A text, or a pair of them."""


def encode_distinct(encode: Callable[[list[Text]], NDArray[np.float32]], texts: Sequence[Text]) -> NDArray[np.float32]:
    """(n, …) the vectors or scores of texts, of which equal ones are encoded once."""
    places: dict[Text, int] = {}
    rows = [places.setdefault(text, len(places)) for text in texts]
    vectors = encode(list(places))
    return vectors if len(places) == len(rows) else vectors[rows]
