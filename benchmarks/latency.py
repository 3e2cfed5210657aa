"""How long answers take: percentiles over queries, and queries a second. Needs numpy alone, so any peer can use it."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

WARM_QUERIES = 20
CUTS = (50, 95, 99)

Asked = dict[str, str]
"""A query: its kind and its text."""


def latencies(answer: Callable[[Asked], object], queries: Sequence[Asked], *, repeats: int) -> dict[str, Any]:
    """Percentiles in ms over all queries and over those of each kind, and queries a second.

    Each number is that of the pass over all queries where it was best.
    """
    for query in queries[:WARM_QUERIES]:
        answer(query)
    seconds = np.zeros((repeats, len(queries)))
    for of_pass in seconds:
        for place, query in enumerate(queries):
            started = time.perf_counter()
            answer(query)
            of_pass[place] = time.perf_counter() - started
    kinds = np.array([query["kind"] for query in queries])
    return {
        **_percentiles(seconds),
        "per_second": round(float(len(queries) / seconds.sum(axis=1).min()), 1),
        "kinds": {kind: _percentiles(seconds[:, kinds == kind]) for kind in dict.fromkeys(kinds.tolist())},
    }


def _percentiles(seconds: Any) -> dict[str, float]:  # Any: (passes, n) float64
    lowest = np.percentile(seconds, CUTS, axis=1).min(axis=1) * 1e3
    return {f"p{cut}": round(float(value), 3) for cut, value in zip(CUTS, lowest, strict=True)}
