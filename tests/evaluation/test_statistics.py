"""Bootstrap intervals against scipy, and where the answer is known."""

import numpy as np
import pytest

from procqa.evaluation.statistics import DRAWS_AT_ONCE, bootstrap_intervals


def test_the_intervals_are_those_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(5).random((37, 2)) ** 2

    ours = bootstrap_intervals(values[:, :1], resamples=400, generator=np.random.default_rng(11))
    theirs = stats.bootstrap(
        (values[:, 0],), np.mean, n_resamples=400, method="percentile", rng=np.random.default_rng(11)
    ).confidence_interval

    assert ours[0] == pytest.approx([theirs.low, theirs.high], abs=1e-12)


def test_every_metric_is_drawn_with_the_same_queries():
    values = np.random.default_rng(5).random((20, 1))
    both = np.hstack([values, 1 - values])

    first, second = bootstrap_intervals(both, resamples=200, generator=np.random.default_rng(0))

    assert second == pytest.approx(1 - first[::-1], abs=1e-12)


def test_one_seed_gives_one_interval():
    values = np.random.default_rng(5).random((20, 2))

    def run(seed: int) -> list[list[float]]:
        return bootstrap_intervals(values, resamples=100, generator=np.random.default_rng(seed)).tolist()

    assert run(3) == run(3)
    assert run(3) != run(4)


def test_drawing_in_portions_changes_nothing():
    values = (np.arange(30_000) % 7 == 0).astype(float)[:, None]  # 30,000 queries: 66 resamples at once
    assert DRAWS_AT_ONCE // len(values) < 80

    in_portions = bootstrap_intervals(values, resamples=80, generator=np.random.default_rng(1))
    at_once = values[np.random.default_rng(1).integers(0, 30_000, (80, 30_000)), 0].mean(axis=1)

    assert in_portions[0].tolist() == np.quantile(at_once, [0.025, 0.975]).tolist()


def test_values_that_are_all_equal_have_an_interval_without_width():
    assert bootstrap_intervals(np.full((5, 1), 0.25), resamples=100, generator=np.random.default_rng(0)).tolist() == [
        [0.25, 0.25]
    ]
