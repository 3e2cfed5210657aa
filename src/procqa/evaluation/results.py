"""The records of an evaluation: what one ranker scored on one task, beside whom, how sure, and how clean."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

SETTING = ("metrics", "pool", "query", "document", "relevant", "data", "ranker", "intervals")
"""The parts of a protocol, in the order in which they are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A ranker beside the baseline on the same queries.

    Args:
        baseline: the ranker it is compared with.
        metric: by which: that of the benchmark's publisher.
        delta: mean difference, above 0 where the ranker is better.
        ci95: of the difference, by a bootstrap over queries.
        p: two-sided, not corrected for several comparisons: of a paired randomisation test, or, where a side is the
            mean of several seeds, of a bootstrap over seeds and queries.
        p_holm: the same, corrected by Holm's method for every comparison of the evaluation.
        effect: the mean difference over the standard deviation of differences (Cohen's d_z).
        better: queries on which the ranker is better than the baseline.
        worse: queries on which it is worse; on all others both are equal.
        permutations: drawn for ``p``.
        seed: of these, and of the bootstrap.
    """

    baseline: str
    metric: str
    delta: float
    ci95: tuple[float, float]
    p: float
    p_holm: float
    effect: float
    better: int
    worse: int
    permutations: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Whether what is asked, or its answer, was among what a ranker was trained on.

    Args:
        checked: whether the ranker's folder says what it was trained on (``seen.bin``); else nothing else is known.
        queries: queries of which 13 words in a row stood in a training text, or that are shorter and the whole of one.
        documents: queries of which that is true of a relevant document.
        suspect: queries of either kind.
        same_dataset: trained on other splits of the very dataset that the task is made of.
        metrics: means over the queries that are not suspect; None where every query is, or none was checked.
    """

    checked: bool
    queries: int = 0
    documents: int = 0
    suspect: int = 0
    same_dataset: bool = False
    metrics: dict[str, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """A result that is the mean of several, of encoders that differ in their seed alone.

    Args:
        rankers: whose mean it is.
        deviation: standard deviation of each metric between them (n − 1).
    """

    rankers: tuple[str, ...]
    deviation: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one ranker scored on one task; its fields are the JSON of ``procqa evaluate --json``.

    Args:
        language: of the documents; None where they have several or none.
        revision: version or sha256 of the ranker.
        measure: the metric by which the publisher of the benchmark ranks systems, and by which it is compared.
        setting: everything a reader needs to get the same number again, by ``SETTING``; ``ranker`` has settings of its
            own.
        queries: measured: those with a relevant document.
        metrics: means over the queries, in [0, 1].
        ci95: lower and upper end of each mean's bootstrap interval.
        seeds: what it is the mean of; None for one ranker.
        leak: None for a ranker that is not trained.
        against: the ranker compared with the baseline; None where none was asked for, and for the baseline itself.
    """

    task: str
    language: str | None
    ranker: str
    revision: str
    measure: str
    setting: Mapping[str, Any]
    queries: int
    documents: int
    metrics: dict[str, float]
    ci95: dict[str, tuple[float, float]]
    seeds: Seeds | None = None
    leak: Leak | None = None
    against: Comparison | None = None

    @property
    def protocol(self) -> str:
        """Metrics, cut-offs, pool, text format, data, model and revision, in one line of words."""
        told = []
        for name in SETTING:
            value = self.setting[name]
            words = value["protocol"] if name == "ranker" else value
            told.append(words if name == "metrics" else f"{name}: {words}")
        return "; ".join(told)


def to_json(result: Result) -> dict[str, Any]:
    """The object of one line; what is not told of a result is left out."""
    told = asdict(result)
    for name in ("seeds", "leak", "against"):
        if told[name] is None:
            del told[name]
    order = ("task", "language", "ranker", "revision", "protocol")
    return {name: result.protocol if name == "protocol" else told.pop(name) for name in order} | told
