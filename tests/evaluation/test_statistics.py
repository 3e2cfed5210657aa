"""Bootstrap intervals and randomisation tests against scipy, and where the answer is known."""

import numpy as np
import pytest

from procqa.evaluation.statistics import (
    DRAWS_AT_ONCE,
    adjust_holm,
    bootstrap_intervals,
    compare_seeds,
    paired_randomisation,
    seed_intervals,
    standardised_difference,
)


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


def test_groups_of_one_query_are_plain_queries():
    values = np.random.default_rng(5).random((20, 2))

    def run(groups: np.ndarray | None) -> list[list[float]]:
        return bootstrap_intervals(values, resamples=100, generator=np.random.default_rng(3), groups=groups).tolist()

    assert run(np.arange(20)) == run(None)


def test_groups_are_drawn_whole_and_the_mean_is_that_of_their_queries():
    values = np.random.default_rng(5).random((30, 1))
    groups = np.array([0] * 20 + [1] * 6 + [2] * 4)
    members = [values[groups == group, 0] for group in range(3)]
    drawn = np.random.default_rng(9).integers(0, 3, (500, 3))
    means = [np.concatenate([members[group] for group in draw]).mean() for draw in drawn]

    ours = bootstrap_intervals(values, resamples=500, generator=np.random.default_rng(9), groups=groups)

    assert ours[0] == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=1e-12)


def test_repeated_queries_do_not_make_a_mean_surer():
    values = np.random.default_rng(5).random((25, 1))
    repeated, groups = np.repeat(values, 8, axis=0), np.repeat(np.arange(25), 8)

    def width(rows: np.ndarray, of_groups: np.ndarray | None) -> float:
        generator = np.random.default_rng(1)
        ((low, high),) = bootstrap_intervals(rows, resamples=2_000, generator=generator, groups=of_groups)
        return float(high - low)

    assert width(repeated, groups) == pytest.approx(width(values, None), rel=1e-9)
    assert width(repeated, None) < width(values, None) / 2


def test_the_sign_of_a_whole_group_is_left_to_chance():
    # Two groups of sums 3 and 1: of the 4 assignments of signs 2 have a sum of 4 in absolute value.
    differences, groups = np.array([1.0, 1.0, 1.0, 1.0]), np.array([0, 0, 0, 1])

    p = paired_randomisation(differences, permutations=20_000, generator=np.random.default_rng(0), groups=groups)

    assert p == pytest.approx(1 / 2, abs=0.02)


def test_holm_by_hand():
    # .005 · 4, .01 · 3, .03 · 2, and .04 · 1 raised to the one before it.
    assert adjust_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust_holm([0.9, 0.8]) == [1.0, 1.0]
    assert adjust_holm([0.02]) == [0.02]
    assert adjust_holm([]) == []


def test_a_standardised_difference_is_the_t_statistic_of_scipy_over_the_root_of_n():
    stats = pytest.importorskip("scipy.stats")
    differences = np.random.default_rng(5).normal(0.3, 1, 40)

    expected = stats.ttest_1samp(differences, 0).statistic / np.sqrt(40)

    assert standardised_difference(differences) == pytest.approx(expected, abs=1e-12)
    assert standardised_difference(np.zeros(5)) == 0
    assert standardised_difference(np.ones(1)) == 0


def test_seeds_and_queries_are_both_drawn():
    # Three seeds that differ by more than the queries do: the interval spans from near the worst to near the best.
    queries = np.linspace(0.4, 0.6, 200)[:, None]
    seeds = [queries - 0.2, queries, queries + 0.2]

    ((low, high),) = seed_intervals(seeds, resamples=2_000, generator=np.random.default_rng(0))
    ((one_low, one_high),) = seed_intervals([queries], resamples=2_000, generator=np.random.default_rng(0))

    assert (low, high) == pytest.approx((0.3, 0.7), abs=0.03)
    plain = bootstrap_intervals(queries, resamples=2_000, generator=np.random.default_rng(1))[0]
    assert (one_low, one_high) == pytest.approx(plain, abs=0.002)


def test_a_difference_of_means_over_seeds_draws_seeds_of_both_sides():
    queries = np.linspace(0.4, 0.6, 200)[:, None]
    seeds = [queries - 0.2, queries + 0.2]

    (low, high), p = compare_seeds(seeds, [queries], resamples=2_000, generator=np.random.default_rng(0))
    both_ends, p_of_both = compare_seeds(seeds, seeds, resamples=2_000, generator=np.random.default_rng(0))

    assert (low, high) == pytest.approx((-0.2, 0.2), abs=1e-9)  # the same queries on both sides
    assert p > 0.4
    assert both_ends == pytest.approx((-0.4, 0.4), abs=1e-9)
    assert p_of_both == 1
