"""What Prometheus reads of one server."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from procqa.search.live import LiveSearcher

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Borders of the histograms, in seconds; 0.05 is what a search owes."""


class Figures:
    """Counters, gauges and histograms of a server; the process's own memory, time and open files are among them.

    Args:
        live: the index that is served.
        taken: how many searches run or wait.
    """

    def __init__(self, live: LiveSearcher, taken: Callable[[], int]) -> None:
        self._live = live
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "procqa_requests", "Answered requests", ("route", "method", "status"), registry=registry
        )
        self.request_seconds = Histogram(
            "procqa_request_seconds", "Wall time of requests", ("route",), buckets=SECONDS, registry=registry
        )
        self.search_seconds = Histogram(
            "procqa_search_seconds", "Wall time of searches", ("mode",), buckets=SECONDS, registry=registry
        )
        self.refused = Counter(
            "procqa_searches_refused", "Searches without a place (503) or without an end (504)", ("status",),
            registry=registry,
        )  # fmt: skip
        Gauge("procqa_searches", "Searches that run or wait", registry=registry).set_function(taken)
        Gauge("procqa_documents", "Documents in the served index", registry=registry).set_function(
            lambda: len(live.latest)
        )
        Gauge(
            "procqa_index_stale", "1 while the folder holds no index that can be served, and an older one answers",
            registry=registry,
        ).set_function(lambda: float(live.is_stale))  # fmt: skip
        self._opened = Gauge("procqa_index_opened", "Indexes opened since the start", registry=registry)

    def text(self) -> bytes:
        """The figures in the text format of Prometheus."""
        self._opened.set(self._live.opened)
        return generate_latest(self._registry)
