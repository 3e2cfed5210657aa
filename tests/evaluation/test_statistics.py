"""Bootstrap intervals and randomisation tests against scipy, and where the answer is known."""

import numpy as np
import pytest

from procqa.evaluation.statistics import DRAWS_AT_ONCE, bootstrap_intervals, paired_randomisation


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


def p_value(differences: list[float], *, permutations: int = 20_000, seed: int = 0) -> float:
    generator = np.random.default_rng(seed)
    return paired_randomisation(np.array(differences), permutations=permutations, generator=generator)


def test_a_p_value_is_that_of_all_assignments_of_signs_by_scipy():
    stats = pytest.importorskip("scipy.stats")
    differences = np.random.default_rng(5).normal(0.3, 1, 12)

    exact = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue

    assert p_value(differences.tolist()) == pytest.approx(exact, abs=0.01)


def test_a_p_value_counts_sums_that_are_equal_but_for_rounding():
    # Of the 8 assignments of signs 2 have a sum of .3 in absolute value or more.
    assert p_value([0.1, 0.1, 0.1]) == pytest.approx(2 / 8, abs=0.01)


def test_no_difference_has_a_p_value_of_1_and_none_has_0():
    assert p_value([0.0, 0.0]) == 1.0
    assert p_value([1.0] * 200, permutations=100) == 1 / 101


def test_a_p_value_is_two_sided_and_of_its_seed_alone():
    differences = np.random.default_rng(5).normal(0.2, 1, 30)

    assert p_value(differences.tolist()) == p_value((-differences).tolist())
    assert p_value(differences.tolist(), seed=1) == p_value(differences.tolist(), seed=1)
    assert p_value(differences.tolist(), seed=1) != p_value(differences.tolist(), seed=2)
