"""Means, intervals, comparisons, pooled tasks and averaged seeds."""

from dataclasses import replace

import numpy as np
import pytest

from procqa.config import EvaluateConfig
from procqa.evaluation.results import to_json
from procqa.evaluation.summarise import Measured, average_seeds, compare, correct, pool, summarise
from tests.evaluation.exams import ByHand, make_exam, rank_by_hand

CONFIG = EvaluateConfig(bootstrap=200, permutations=200)
TEXTS = {f"p{number}": f"text {number}" for number in range(4)}


def measure(firsts: list[int], *, name: str = "by hand", part: str = "fruit", **fields: object) -> Measured:
    """A ranker that puts the right document of each query at a stated rank."""
    exam = make_exam(TEXTS, TEXTS, {key: {key: 1} for key in TEXTS}, part=part, **fields)
    orders = {}
    for (key, text), first in zip(TEXTS.items(), firsts, strict=True):
        others = [other for other in TEXTS if other != key]
        orders[text] = [*others[: first - 1], key, *others[first - 1 :]]
    ranker = ByHand(orders)
    ranker.name = name
    return summarise(ranker, exam, rank_by_hand(exam, orders), CONFIG)


def test_a_result_is_the_mean_over_queries():
    result = measure([1, 2, 4, 1]).result

    assert result.metrics["mrr@1000"] == pytest.approx((1 + 1 / 2 + 1 / 4 + 1) / 4)
    assert result.metrics["success@1"] == 1 / 2
    assert "mrr@1000/pool" not in result.metrics
    assert result.protocol.startswith("mrr@1000, ndcg@10, recall@10, map over 1000 ranks; pool: all 4 documents; query")


def test_the_second_protocol_has_a_key_and_an_interval_of_its_own():
    result = measure([1, 2, 4, 1], candidates=2).result

    assert result.metrics["mrr@1000/pool"] == pytest.approx((1 + 1 / 2 + 1 / 2 + 1) / 4)
    assert list(result.ci95)[-1] == "mrr@1000/pool"
    assert "mrr@1000/pool: 4 queries, each among the 2 documents of its block in the published order" in result.protocol


def test_intervals_say_that_they_draw_groups():
    result = measure([1, 2, 4, 1], groups={"p0": "sum", "p1": "sum"}).result

    assert "bootstrap over 3 groups of queries that repeat one another" in result.protocol


def test_a_comparison_counts_who_is_better_on_how_many_queries():
    comparison = compare(measure([1, 1, 1, 4]), measure([2, 2, 1, 1]), CONFIG)

    assert comparison.delta == pytest.approx((1 / 2 + 1 / 2 + 0 - 3 / 4) / 4)
    assert (comparison.better, comparison.worse) == (2, 1)
    differences = np.array([0.5, 0.5, 0, -0.75])
    assert comparison.effect == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert comparison.p == comparison.p_holm


def test_p_values_are_corrected_for_every_comparison():
    comparison = compare(measure([1, 1, 1, 4]), measure([2, 2, 1, 1]), CONFIG)
    result = measure([1, 1, 1, 4]).result
    results = [result, *(replace(result, against=replace(comparison, p=p)) for p in (0.02, 0.5))]

    corrected = correct(results)

    assert corrected[0].against is None
    assert [one.against.p_holm for one in corrected[1:] if one.against] == [0.04, 0.5]


def test_a_family_is_pooled_by_queries():
    pooled = pool([measure([1, 1, 1, 1], part="a"), measure([2, 2, 2, 2], part="b")], CONFIG)

    assert (pooled.result.task, pooled.result.queries, pooled.result.documents) == ("beir", 8, 8)
    assert pooled.result.metrics["mrr@1000"] == 0.75
    assert "the queries of beir:a, beir:b pooled" in pooled.result.protocol


def test_a_query_that_two_tasks_ask_is_one_group_of_queries():
    # The intervals are those of four queries, not of eight.
    once, twice = measure([1, 2, 4, 1]), pool([measure([1, 2, 4, 1], part=part) for part in "ab"], CONFIG)

    assert len(set(twice.groups)) == 4
    assert twice.result.ci95 == once.result.ci95
    assert "bootstrap over 4 groups of queries" in twice.result.protocol


def test_documents_of_all_languages_are_a_family_of_their_own():
    languages = dict.fromkeys(TEXTS, "go")

    assert measure([1, 1, 1, 1], document_languages=languages).family == "beir-all"
    assert measure([1, 1, 1, 1]).family == "beir"


def test_rankers_are_compared_by_the_metric_of_the_publisher():
    better, worse = (measure(firsts, measure="success@1") for firsts in ([1, 1, 1, 4], [1, 2, 1, 1]))

    comparison = compare(better, worse, CONFIG)

    assert (comparison.metric, comparison.delta) == ("success@1", 0)
    assert (comparison.better, comparison.worse) == (1, 1)


def test_a_metric_cut_elsewhere_is_not_the_publishers():
    assert measure([1, 1, 1, 1], measure="ndcg@10").result.measure == "ndcg@10"
    exam = make_exam(TEXTS, TEXTS, {key: {key: 1} for key in TEXTS})
    config = EvaluateConfig(bootstrap=100, depth=10)
    orders = {text: [key] for key, text in TEXTS.items()}
    measured = summarise(ByHand(orders), exam, rank_by_hand(exam, orders, depth=10), config)
    assert measured.result.measure == "mrr@10"


def test_documents_that_nobody_can_find_stand_in_the_protocol():
    exam = make_exam({"q": "Q"}, {"d": "D"}, {"q": {"d": 1, "gone": 1}})
    measured = summarise(ByHand({"Q": []}), exam, rank_by_hand(exam, {"Q": []}), CONFIG)

    assert "; 1 judged documents are not in the pool;" in measured.result.protocol


def test_seeds_are_one_result_with_their_spread():
    seeds = [measure([1, 1, 1, 1], name="s1"), measure([2, 2, 2, 2], name="s2")]

    mean = average_seeds("ours", seeds, CONFIG)

    assert (mean.result.ranker, mean.result.metrics["mrr@1000"]) == ("ours", 0.75)
    assert mean.result.seeds is not None
    assert mean.result.seeds.rankers == ("s1", "s2")
    assert mean.result.seeds.deviation["mrr@1000"] == pytest.approx(np.std([1, 0.5], ddof=1))
    assert mean.result.ci95["mrr@1000"] == (0.5, 1.0)
    assert "mean over 2 seeds" in mean.result.protocol
    assert to_json(mean.result)["seeds"]["rankers"] == ("s1", "s2")
    assert "seed 42, seeds drawn too" in mean.result.protocol


def test_seeds_keep_the_second_protocol():
    seeds = [measure([1, 1, 1, 1], name="s1", candidates=2), measure([2, 2, 2, 2], name="s2", candidates=2)]

    assert average_seeds("ours", seeds, CONFIG).result.metrics["mrr@1000/pool"] == pytest.approx(
        np.mean([seed.result.metrics["mrr@1000/pool"] for seed in seeds])
    )


def test_what_differs_from_seed_to_seed_is_not_taken_for_a_difference():
    # Half of the seeds are far better than the baseline and half far worse.
    baseline = measure([2, 2, 2, 2], name="base")
    seeds = average_seeds("ours", [measure([1] * 4, name="s1"), measure([4] * 4, name="s2")], CONFIG)
    steady = average_seeds("ours", [measure([1] * 4, name="s1"), measure([1] * 4, name="s2")], CONFIG)

    unsure, sure = compare(seeds, baseline, CONFIG), compare(steady, baseline, CONFIG)

    assert unsure.delta == pytest.approx((1 + 1 / 4) / 2 - 1 / 2)
    assert unsure.ci95 == pytest.approx((-1 / 4, 1 / 2))
    assert unsure.p > 0.4
    assert (sure.delta, sure.p) == (0.5, pytest.approx(2 / 201))


def test_seeds_are_pooled_over_tasks_too():
    def seeds(part: str) -> Measured:
        return average_seeds("ours", [measure([1] * 4, part=part), measure([2] * 4, part=part)], CONFIG)

    pooled = pool([seeds("a"), seeds("b")], CONFIG)

    assert pooled.result.seeds is not None
    assert pooled.result.seeds.deviation["mrr@1000"] == pytest.approx(np.std([1, 0.5], ddof=1))
    assert pooled.result.metrics["mrr@1000"] == 0.75
