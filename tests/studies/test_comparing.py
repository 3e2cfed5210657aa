"""Differences of arms, against numbers worked out by hand and against scipy's tests."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from procqa.studies.comparing import contrast_arms, describe_arm, describe_scores
from procqa.studies.statement import Contrast, Part, compare
from tests.studies.scores import make_scores


def contrast(*parts: Part) -> Contrast:
    return Contrast(name="c", sentence="treatment minus control", parts=parts or compare("new", "old", "exam/cosqa"))


def test_a_difference_is_the_mean_over_seeds_and_queries() -> None:
    arms = {
        "new": {1: [make_scores([1.0, 0.5])], 2: [make_scores([0.5, 0.5])]},
        "old": {1: [make_scores([0.5, 0.0])], 2: [make_scores([0.25, 0.25])]},
    }
    found = contrast_arms(contrast(), arms)
    assert found is not None
    assert found.by_seed == (0.5, 0.25)
    assert found.delta == 0.375
    assert found.queries == 2


def test_every_part_weighs_the_same_whatever_its_queries() -> None:
    new = [make_scores([1.0]), make_scores([0.0, 0.0, 0.0], task="exam/conala")]
    old = [make_scores([0.0]), make_scores([0.0, 0.0, 0.0], task="exam/conala")]
    found = contrast_arms(
        contrast(*compare("new", "old", "exam/cosqa", "exam/conala")),
        {"new": {1: new, 2: new}, "old": {1: old, 2: old}},
    )
    assert found is not None
    assert found.delta == 0.5


def test_a_family_pools_the_queries_of_its_tasks() -> None:
    by_seed = {
        seed: [make_scores([1.0], task="exam/codenn:python"), make_scores([0.0, 0.0], task="exam/codenn:csharp")]
        for seed in (1, 2)
    }
    found = describe_arm("exam/codenn", by_seed)
    assert found is not None
    assert found.delta == pytest.approx(1 / 3)
    assert describe_arm("exam/codenn:python", by_seed).delta == 1.0  # type: ignore[union-attr]  # it was measured
    assert describe_arm("other/codenn", by_seed) is None


def test_where_queries_do_not_vary_the_interval_is_that_of_a_t_test_over_seeds() -> None:
    differences = [0.1, 0.2, 0.4]
    arms = {
        "new": {seed: [make_scores([value] * 50)] for seed, value in enumerate(differences)},
        "old": {seed: [make_scores([0.0] * 50)] for seed in range(3)},
    }
    found = contrast_arms(contrast(), arms)
    assert found is not None
    expected = stats.ttest_1samp(differences, 0)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.ci95 == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_where_seeds_do_not_vary_the_interval_is_that_of_a_t_test_over_queries() -> None:
    values = np.random.default_rng(0).normal(0.1, 0.3, 40)
    arms = {
        "new": {seed: [make_scores(values)] for seed in range(4)},
        "old": {seed: [make_scores(np.zeros(40))] for seed in range(4)},
    }
    found = contrast_arms(contrast(), arms)
    assert found is not None
    expected = stats.ttest_1samp(values, 0)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.ci95 == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_queries_that_repeat_one_another_count_as_one() -> None:
    single = describe_scores([[make_scores([0.0, 1.0, 0.5])]])
    repeated = describe_scores([[make_scores([0.0, 0.0, 1.0, 1.0, 0.5, 0.5], groups=list("aabbcc"))]])
    assert single is not None
    assert repeated is not None
    assert repeated.ci95 == pytest.approx(single.ci95)


def test_one_seed_has_an_interval_without_end() -> None:
    arms = {"new": {1: [make_scores([1.0, 0.9])]}, "old": {1: [make_scores([0.0, 0.0])]}}
    found = contrast_arms(contrast(), arms)
    assert found is not None
    assert found.ci95 == (float("-inf"), float("inf"))
    assert found.p == 1.0
    assert found.smallest() == float("inf")


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    chance = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        of_queries, of_seeds = chance.normal(0, 0.2, 60), chance.normal(0, 0.02, 5)
        arms = {
            "new": {seed: [make_scores(of_queries + of_seeds[seed] + chance.normal(0, 0.1, 60))] for seed in range(5)},
            "old": {seed: [make_scores(np.zeros(60))] for seed in range(5)},
        }
        found = contrast_arms(contrast(), arms)
        assert found is not None
        held += found.ci95[0] <= 0 <= found.ci95[1]
    assert 0.93 <= held / 400 <= 0.995


def test_the_smallest_difference_is_found_in_four_of_five_repetitions() -> None:
    chance = np.random.default_rng(2)
    values = chance.normal(0, 0.2, 100)
    flat = {seed: [make_scores(np.zeros(100))] for seed in range(3)}
    found = contrast_arms(contrast(), {"new": {seed: [make_scores(values)] for seed in range(3)}, "old": flat})
    assert found is not None
    shown = 0
    for _ in range(400):
        again = [make_scores(chance.normal(found.smallest(), 0.2, 100))]
        repeated = contrast_arms(contrast(), {"new": dict.fromkeys(range(3), again), "old": flat})
        assert repeated is not None
        shown += repeated.p < 0.05
    assert 0.72 <= shown / 400 <= 0.88


def test_an_arm_that_was_not_measured_gives_no_difference() -> None:
    scores = {1: [make_scores([1.0])], 2: [make_scores([1.0])]}
    assert contrast_arms(contrast(), {"new": scores}) is None
    other = {1: [make_scores([1.0], task="exam/conala")], 2: [make_scores([1.0], task="exam/conala")]}
    assert contrast_arms(contrast(), {"new": scores, "old": other}) is None


def test_arms_that_were_measured_on_other_queries_are_a_mistake() -> None:
    arms = {"new": {1: [make_scores([1.0])]}, "old": {1: [make_scores([1.0, 1.0])]}}
    with pytest.raises(RuntimeError, match="other queries of exam/cosqa"):
        contrast_arms(contrast(), arms)


def test_arms_that_do_not_differ_at_all_differ_by_nothing() -> None:
    same = {1: [make_scores([0.5, 0.5])], 2: [make_scores([0.5, 0.5])]}
    found = contrast_arms(contrast(), {"new": same, "old": same})
    assert found is not None
    assert (found.delta, found.ci95, found.p, found.smallest()) == (0.0, (0.0, 0.0), 1.0, 0.0)


def test_queries_that_either_arm_saw_are_left_out_of_both() -> None:
    seen = replace(make_scores([1.0, 0.0, 0.5]), seen=(True, False, False))
    unseen = replace(make_scores([0.0, 0.0, 0.0]), seen=(False, False, False))
    also = replace(make_scores([0.0, 0.0, 0.0]), seen=(False, True, False))
    arms = {"new": {1: [seen], 2: [seen]}, "old": {1: [unseen], 2: [also]}}
    found = contrast_arms(replace(contrast(), leaves_out_seen=True), arms)
    assert found is not None
    assert (found.delta, found.queries) == (0.5, 1)
    whole = contrast_arms(contrast(), arms)
    assert whole is not None
    assert (whole.delta, whole.queries) == (0.5, 3)


def test_an_interval_of_another_confidence_is_that_of_a_t_test() -> None:
    values = np.random.default_rng(3).normal(0.1, 0.3, 40)
    found = describe_scores([[make_scores(values)]])
    assert found is not None
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.99)
    assert found.interval(0.99) == pytest.approx(tuple(expected))


def test_a_question_that_is_asked_by_its_title_too_is_one_draw() -> None:
    values = [0.0, 1.0, 0.5, 0.25, 0.75]

    def found_on(*tasks: str, names: str = "abcde") -> float:
        scores = [make_scores(values, task=task, groups=[f"{task} {name}" for name in names]) for task in tasks]
        found = describe_scores([scores])
        assert found is not None
        return found.error

    alone = found_on("exam/procqa:go")
    assert found_on("exam/procqa:go", "exam/procqa-title:go") == pytest.approx(alone)
    assert found_on("exam/procqa:go", "exam/cosqa") < 0.8 * alone
    # Two questions of one title share it, so their bodies are one draw too.
    assert found_on("exam/procqa:go", "exam/procqa-title:go", names="abcdb") > alone
