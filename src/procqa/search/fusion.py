"""Two rankings as one: how much of the query's words a document has, and how near its vector is.

The score of a document is (1 - w) · b / u + w · max(cosine, 0): b is its BM25 and u what no document can score more
than for the query, however often it has the words. So both parts lie in [0, 1], and where no document has most of the
words, words say little. The weight w belongs to the encoder, is chosen on validation data and stands in its manifest.
Source: a convex combination, Bruch, Gai and Ingber 2023; ours, docs/decisions/0007, for the rest.
"""

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Scores = NDArray[np.floating]


def fuse(
    words: tuple[Positions, Scores], vectors: tuple[Positions, Scores], *, limit: float, weight: float, depth: int
) -> tuple[Positions, NDArray[np.float64]]:
    """The documents of two lists with their fused scores, in the order of their positions.

    A document that a list lacks scores there what the last one scores, which is the most that it can; but where a list
    of words is shorter than ``depth`` no further document has any of the words.

    Args:
        words: positions (n,) and BM25 scores (n,) above 0, best first, of at most ``depth`` documents.
        vectors: positions (m,) and cosines (m,), best first, of at most ``depth`` documents.
        limit: u, what no document scores more than by words; above 0 where there are any words.
        weight: w in [0, 1].
        depth: documents that were asked of each list.

    Returns:
        (u,) ascending positions and their scores (u,) in [0, 1].
    """
    positions = np.union1d(words[0], vectors[0]).astype(np.int64)
    by_words = np.zeros(len(positions))
    if len(words[0]):
        # Scores may lie above the limit: by rounding, or where a document that holds a line to the letter was raised.
        shares = np.minimum(np.asarray(words[1], np.float64) / limit, 1)
        by_words += shares[-1] if len(shares) == depth else 0
        by_words[np.searchsorted(positions, words[0])] = shares
    by_vectors = np.zeros(len(positions))
    if len(vectors[0]):
        cosines = np.clip(np.asarray(vectors[1], np.float64), 0, 1)
        by_vectors += cosines[-1]
        by_vectors[np.searchsorted(positions, vectors[0])] = cosines
    return positions, (1 - weight) * by_words + weight * by_vectors
