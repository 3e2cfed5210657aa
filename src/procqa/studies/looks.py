"""What a study describes beside its scores: slices of the queries, and how failures between languages come."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from procqa.evaluation.labels import RISING
from procqa.studies.comparing import describe_scores
from procqa.studies.measuring import Scores
from procqa.studies.running import Run

LEAST_QUERIES = 20
"""Queries of a slice that is told. Source: ours, docs/decisions/0029-studies.md."""

SLICES_OF_A_KIND = 12
"""Slices told of one dimension, those with most queries."""

DIMENSIONS = ("language", "language resources", "tag", "query length", "share of code", "words the answer has")
FOUND = "found"


def tell_slices(runs: Sequence[Run], words: Run) -> Iterator[dict[str, Any]]:
    """For each base, arm and family of tasks a table of slices: mean with interval, beside that of BM25."""
    for base, arm, family in dict.fromkeys(
        (run.base, run.arm, scores.family) for run in runs for scores in run.scores if scores.labels
    ):
        ours = [
            [one for one in run.scores if one.family == family] for run in runs if (run.base, run.arm) == (base, arm)
        ]
        theirs = [one for one in words.scores if one.family == family]
        rows = []
        for dimension in DIMENSIONS:
            counts = Counter(
                value for scores in theirs for values in (scores.labels or {}).get(dimension, ()) for value in values
            )
            largest = counts.most_common(SLICES_OF_A_KIND)
            for value, queries in sorted(largest, key=lambda one: (RISING.get(one[0], 0), one[0])):
                if queries < LEAST_QUERIES:
                    continue
                mine = describe_scores([[_slice(one, dimension, value) for one in of_seed] for of_seed in ours])
                bm25 = describe_scores([[_slice(one, dimension, value) for one in theirs]])
                if mine is not None and bm25 is not None:
                    rows.append([dimension, value, mine.queries, bm25.delta, mine.delta, *mine.ci95])
        yield {
            "look": "slices",
            "base": base,
            "arm": arm,
            "family": family,
            "title": f"{family}: slices, {arm} on {base}",
            "head": ["of", "slice", "queries", "bm25", "mean", "from", "to"],
            "rows": rows,
        }


def _slice(scores: Scores, dimension: str, value: str) -> Scores:
    """The queries of one value."""
    labels = (scores.labels or {}).get(dimension, [()] * len(scores.queries))
    places = [place for place, values in enumerate(labels) if value in values]
    return Scores(
        task=scores.task,
        family=scores.family,
        measure=scores.measure,
        documents=scores.documents,
        revision=scores.revision,
        queries=tuple(scores.queries[place] for place in places),
        groups=tuple(scores.groups[place] for place in places),
        values=np.asarray(scores.values[places], np.float64),
    )


def tell_traces(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    """For each base a table: of the right documents in each language, how many are found and why the others are not.

    Counts are means over the seeds.
    """
    for base in dict.fromkeys(run.base for run in runs):
        rows = []
        heads = _causes(_sum_traces([run for run in runs if run.base == base]))
        for arm in dict.fromkeys(run.arm for run in runs if run.base == base):
            of_arm = [run for run in runs if (run.base, run.arm) == (base, arm)]
            total = _sum_traces(of_arm)
            for language, causes in sorted(total.items()):
                n = sum(causes.values())
                shares = [causes.get(cause, 0) / n for cause in heads]
                rows.append([arm, language, round(n / len(of_arm)), *shares])
        if rows:
            yield {
                "look": "traces",
                "base": base,
                "title": f"why programs are not found in another language, {base}",
                "head": ["arm", "language of the right program", "right programs", *heads],
                "rows": rows,
            }


def _causes(total: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Found first, then the causes."""
    named = {cause for of_language in total.values() for cause in of_language}
    return sorted(named, key=lambda cause: (cause != FOUND, cause))


def _sum_traces(runs: Sequence[Run]) -> dict[str, Counter[str]]:
    total: dict[str, Counter[str]] = {}
    for run in runs:
        for scores in run.scores:
            for language, causes in (scores.traced or {}).items():
                total.setdefault(language, Counter()).update(causes)
    return total


def tell_examples(runs: Sequence[Run]) -> Iterator[dict[str, Any]]:
    """Failures with their texts, of the first seed of each arm."""
    told = set()
    for run in runs:
        if (run.base, run.arm) in told:
            continue
        told.add((run.base, run.arm))
        for scores in run.scores:
            for example in scores.examples:
                yield {"base": run.base, "arm": run.arm, "task": scores.task, **example}
