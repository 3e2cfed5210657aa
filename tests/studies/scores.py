"""Scores made by hand."""

from collections.abc import Sequence

import numpy as np

from procqa.studies.measuring import Scores


def make_scores(values: Sequence[float], *, task: str = "exam/cosqa", groups: Sequence[str] = ()) -> Scores:
    """Scores of one task whose queries are q0, q1 and so on, each alone where no groups are given."""
    queries = tuple(f"q{place}" for place in range(len(values)))
    return Scores(
        task=task,
        family=task.partition(":")[0],
        measure="mrr@1000",
        documents=10,
        revision="r",
        queries=queries,
        groups=tuple(groups) or queries,
        values=np.asarray(values, np.float64),
    )
