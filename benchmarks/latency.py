"""How long answers take: percentiles over queries, and queries a second. Needs numpy alone, so any peer can use it."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

WARM_QUERIES = 20
CUTS = (50, 95, 99)

Asked = dict[str, str]
"""A query: its kind and its text."""

Settings = dict[str, Any]
"""What a peer is told: among others a file of queries, where its index stands, and how often to ask."""

Index = TypeVar("Index")


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


def read_queries(settings: Settings) -> list[Asked]:
    """The queries that every peer is asked."""
    queries: list[Asked] = json.loads(Path(settings["queries"]).read_text(encoding="utf-8"))
    return queries


def ask_peer(
    settings: Settings, open_index: Callable[[], Index], use: Callable[[Index], Callable[[Asked], object]]
) -> dict[str, Any]:
    """How long a peer takes to open its index and to answer.

    Args:
        open_index: opens it; this alone counts as opening.
        use: gives what answers a query from it.
    """
    started = time.perf_counter()
    index = open_index()
    open_s = time.perf_counter() - started
    latency = latencies(use(index), read_queries(settings), repeats=settings["repeats"])
    return {"open_s": round(open_s, 4), "latency_ms": latency}


def run_step(**steps: Callable[[Settings], dict[str, Any]]) -> None:
    """Run the step of a peer that the command line names, on a file of settings, and print what it tells as JSON."""
    step, settings_file = sys.argv[1:]
    settings = json.loads(Path(settings_file).read_text(encoding="utf-8"))
    print(json.dumps(steps[step](settings)))
