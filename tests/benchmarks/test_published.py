"""Numbers of another implementation, computed again."""

from pathlib import Path

from benchmarks.published import Case, measure_case, read_cases

from procqa.corpora.benchmarks import Collection


def test_a_case_is_scored_by_the_mean_of_its_samples_under_each_setting(tmp_path: Path):
    words = {"q": "sorting sorting list"}
    first = Collection(
        name="a", language=None, queries=words, documents={"d1": "sort list", "d2": "lists"}, qrels={"q": {"d1": 1}},
        source="", licence="",
    )  # fmt: skip
    second = Collection(
        name="b", language=None, queries=words, documents={"d1": "sort", "d2": "list x"}, qrels={"q": {"d1": 1}},
        source="", licence="",
    )  # fmt: skip

    found = measure_case(Case("a", "mrr@1000", 0.5, "made up", (first, second), first), tmp_path)

    assert found == {
        "case": "a",
        "measure": "mrr@1000",
        "protocol": "made up",
        "published": 0.5,
        "recomputed": 0.75,
        "recomputed, of each sample": [1.0, 0.5],
        "repeats counted": 0.75,
        "repeats counted, of each sample": [1.0, 0.5],
        "own words": 1.0,
        "own words, of each sample": [1.0, 1.0],
        "difference": 0.25,
        "the task of procqa": 1.0,
    }
    assert list(tmp_path.iterdir()) == []


def test_the_published_score_of_words_on_conala_is_met(shared_data: Path, tmp_path: Path):
    cases = read_cases(shared_data / "benchmarks")

    assert [case.name for case in cases] == [
        *("cosqa", "conala", "codenn:csharp", "codenn:csharp"),
        *("rosetta:ruby-python", "rosetta:python-java", "rosetta:lisp-python"),
    ]
    assert [len(sample.queries) for case in cases[:4] for sample in case.samples] == [500, 494, 2_000, 6_602]
    assert abs(measure_case(cases[1], tmp_path)["difference"]) < 0.001
