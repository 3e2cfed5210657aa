"""The whole way from names to numbers, on collections where every number is known by hand."""

import gzip
import json
from math import log2
from pathlib import Path

import pytest
import pytrec_eval

from procqa.config import EvaluateConfig
from procqa.errors import ArtifactError, BenchmarkError, ConfigError
from procqa.evaluation.evaluate import evaluate
from procqa.evaluation.rankers import Details
from procqa.evaluation.results import Leak, Result, to_json
from tests.evaluation.exams import ByHand
from tests.evaluation.small import GO, PYTHON, RUBY, write_beir, write_dataset, write_lines
from tests.index.small import write_encoder

CONFIG = EvaluateConfig()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A dataset and a root of benchmarks."""
    root = tmp_path_factory.mktemp("evaluate")
    write_beir(root / "benchmarks" / "fruit")
    write_programs(root / "benchmarks" / "rosetta")
    return [write_dataset(root / "dataset", {"go": GO, "python": PYTHON, "ruby": RUBY}), root / "benchmarks"]


def write_programs(folder: Path) -> None:
    """Two Python solutions of one task and one each of another, in Rosetta's layout."""
    programs = [
        ("sum", "python", "1.py", "total numbers add"),
        ("sum", "python", "2.py", "total numbers reduce"),
        ("sum", "c", "1.c", "total numbers loop"),
        ("sort", "python", "3.py", "order swap numbers total"),
        ("sort", "c", "2.c", "order swap"),
    ]
    keys = ("task", "language", "file", "code")
    folder.mkdir()
    text = "".join(json.dumps(dict(zip(keys, program, strict=True))) + "\n" for program in programs)
    with gzip.open(folder / "programs.jsonl.gz", "wt") as stream:
        stream.write(text)


def measure(tasks: list[str], roots: list[Path], config: EvaluateConfig = CONFIG) -> list[Result]:
    return list(evaluate(["bm25"], tasks, roots, config))


def test_every_metric_of_a_graded_collection_is_known_by_hand(data: list[Path]):
    # q1 finds its document first; q2 ranks d1 and d3 equally and d2 last, by id; q3 finds its document second.
    (result,) = measure(["beir:fruit"], data)

    assert (result.task, result.language, result.ranker) == ("beir:fruit", None, "bm25")
    assert (result.queries, result.documents) == (3, 3)
    q2 = (2 / log2(3) + 1 / 2) / (2 + 1 / log2(3))
    assert result.metrics == pytest.approx(
        {
            "mrr@1000": (1 + 1 / 2 + 1 / 2) / 3,
            "ndcg@10": (1 + q2 + 1 / log2(3)) / 3,
            "recall@10": 1,
            "map": (1 + (1 / 2 + 2 / 3) / 2 + 1 / 2) / 3,
            "map@r": (1 + 1 / 4 + 0) / 3,
            "precision@10": (1 / 10 + 2 / 10 + 1 / 10) / 3,
            "success@1": 1 / 3,
            "success@5": 1,
            "success@10": 1,
        }
    )
    assert result.ci95["recall@10"] == (1, 1)
    # q1 and q3 ask the same, so they are drawn together: the mean lies between theirs, .75, and that of q2.
    assert result.ci95["mrr@1000"] == pytest.approx((0.5, 0.75))


def test_a_procqa_task_is_measured_over_all_answers(data: list[Path]):
    # The answer of "merge two dictionaries" comes first; that of "plot" shares no word: the last of 5, by id.
    (result,) = measure(["procqa:python"], data)

    assert (result.language, result.queries, result.documents) == ("python", 2, 5)
    assert result.metrics["mrr@1000"] == pytest.approx((1 + 1 / 5) / 2)
    assert result.metrics["recall@10"] == 1


def test_a_program_is_not_among_its_own_answers(data: list[Path]):
    (result,) = measure(["rosetta:python-python"], data)

    # sum/1.py: sum/2.py before sort/3.py (two shared words, shorter); sum/2.py the same: both found first.
    assert (result.queries, result.documents) == (2, 3)
    assert {name: result.metrics[name] for name in ("mrr@1000", "ndcg@10", "recall@10", "map", "map@r")} == {
        "mrr@1000": 1, "ndcg@10": 1, "recall@10": 1, "map": 1, "map@r": 1,
    }  # fmt: skip
    assert "but the query itself" in result.protocol


def test_a_family_is_measured_part_by_part_for_every_ranker(data: list[Path]):
    results = list(evaluate(["bm25", "bm25"], ["rosetta", "procqa"], data, CONFIG))

    tasks = ["rosetta:c-python", "rosetta:python-python", "rosetta:python-c", "procqa:python", "procqa:ruby"]
    assert [result.task for result in results] == tasks


def test_the_protocol_stands_beside_the_number(data: list[Path]):
    (result,) = measure(["procqa-title:ruby"], data, EvaluateConfig(bootstrap=200, seed=7))

    for part in (
        "mrr@1000, ndcg@10, recall@10, map over 1000 ranks",
        "pool: all 2 documents",
        "query: title; document: accepted answer in Markdown, of every split",
        "relevant: the accepted answer alone; an answer of the same text counts as another",
        "data: test split of the dataset with sha256 ",
        "ranker: bm25s",
        "k1=1.2 b=0.9",
        "200 resamples, seed 7",
    ):
        assert part in result.protocol
    assert "\n" not in result.protocol


def test_a_result_is_json_and_the_same_again(data: list[Path]):
    first, second = (json.dumps([to_json(result) for result in measure(["beir:fruit", "procqa"], data)]) for _ in "ab")

    assert first == second
    assert set(json.loads(first)[0]) == {
        "task", "language", "ranker", "revision", "protocol", "measure", "setting", "queries", "documents", "metrics",
        "ci95",
    }  # fmt: skip


def test_the_order_of_rows_changes_nothing(tmp_path: Path, data: list[Path]):
    turned = write_dataset(tmp_path / "turned", {"python": {split: rows[::-1] for split, rows in PYTHON.items()}})
    (first,), (second,) = measure(["procqa:python"], data), measure(["procqa:python"], [turned])

    assert (first.metrics, first.ci95) == (second.metrics, second.ci95)


def test_depth_cuts_mrr_and_map(tmp_path: Path):
    write_beir(tmp_path / "many")
    names = [f"d{number:02}" for number in range(30)]
    write_lines(tmp_path / "many" / "corpus.jsonl", [{"_id": name, "title": "", "text": "same"} for name in names])
    (tmp_path / "many" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td09\t1\nq2\td10\t1\n")

    (result,) = measure(["beir:many"], [tmp_path], EvaluateConfig(depth=10))

    assert {name: result.metrics[name] for name in ("mrr@10", "ndcg@10", "recall@10", "map")} == {
        "mrr@10": pytest.approx(0.05),
        "ndcg@10": pytest.approx(0.5 / log2(11)),
        "recall@10": 0.5,
        "map": pytest.approx(0.05),
    }


def test_a_run_gives_the_same_numbers_to_pytrec_eval(tmp_path: Path, data: list[Path]):
    run = tmp_path / "run.txt"

    (result,) = evaluate(["bm25"], ["procqa:python"], data, CONFIG, run=run)

    lines = [line.split() for line in run.read_text().splitlines()]
    assert [line[0] for line in lines] == ["local:4"] * 5 + ["local:5"] * 5
    assert [line[2] for line in lines[5:]] == [f"local:{number}" for number in range(101, 106)]
    assert [line[4] for line in lines[5:]] == ["0"] * 5
    assert {line[5] for line in lines} == {"bm25"}
    ranking: dict[str, dict[str, float]] = {}
    for query, _, document, rank, _, _ in lines:
        ranking.setdefault(query, {})[document] = -float(rank)
    with (tmp_path / "run.txt.qrels").open() as read_qrels:
        qrels = pytrec_eval.parse_qrel(read_qrels)
    measured = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank", "ndcg_cut.10", "recall.10", "map"}).evaluate(
        ranking
    )
    for ours, theirs in (
        ("mrr@1000", "recip_rank"),
        ("ndcg@10", "ndcg_cut_10"),
        ("recall@10", "recall_10"),
        ("map", "map"),
    ):
        mean = sum(values[theirs] for values in measured.values()) / len(measured)
        assert result.metrics[ours] == pytest.approx(mean, abs=1e-9)


def test_a_run_of_few_documents_is_refused(tmp_path: Path, data: list[Path]):
    with pytest.raises(ConfigError, match="must have 1,000 documents a query, got --depth 10"):
        list(evaluate(["bm25"], ["procqa:ruby"], data, EvaluateConfig(depth=10), run=tmp_path / "run"))


def test_a_run_of_more_than_one_thing_is_refused(tmp_path: Path, data: list[Path]):
    for rankers, tasks in ((["bm25", "minilm"], ["procqa:ruby"]), (["bm25"], ["procqa"])):
        with pytest.raises(ConfigError, match="one ranker and one task"):
            evaluate(rankers, tasks, data, CONFIG, run=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_names_are_checked_before_anything_is_opened(data: list[Path]):
    with pytest.raises(ConfigError, match="klingon"):
        evaluate(["./nowhere/model"], ["klingon"], data, CONFIG)


@pytest.mark.usefixtures("socket_disabled")
def test_a_missing_model_is_named_without_any_network(data: list[Path], tmp_path: Path):
    for ranker in (f"{tmp_path}/nowhere", f"hybrid:{tmp_path}/nowhere"):
        with pytest.raises(ArtifactError, match="nowhere"):
            list(evaluate(["bm25", ranker], ["procqa:ruby"], data, CONFIG))


def test_a_collection_without_documents_is_refused(tmp_path: Path):
    write_beir(tmp_path / "empty")
    (tmp_path / "empty" / "corpus.jsonl").write_text("")

    with pytest.raises(BenchmarkError, match="must have documents"):
        measure(["beir:empty"], [tmp_path])


def test_progress_is_reported(data: list[Path]):
    stages: list[tuple[str, int]] = []

    list(evaluate(["bm25"], ["beir:fruit"], data, CONFIG, report=lambda stage, done: stages.append((stage, done))))

    assert stages == [("bm25: reading 3 documents", 1), ("beir:fruit: bm25 ranks for 3 queries", 3)]


def compare(tasks: list[str], roots: list[Path], encoder: Path, **options: object) -> list[Result]:
    config = EvaluateConfig(permutations=200)
    return list(evaluate([str(encoder), "bm25"], tasks, roots, config, baseline="bm25", **options))  # type: ignore[arg-type]


def test_rankers_are_compared_with_a_baseline_query_by_query(data: list[Path], tmp_path: Path):
    encoder = write_encoder(tmp_path / "model")
    words, model = compare(["beir:fruit"], data, encoder)

    assert (words.ranker, words.against) == ("bm25", None)
    assert model.against is not None
    assert (model.against.baseline, model.against.metric) == ("bm25", "ndcg@10")
    assert model.against.delta == pytest.approx(model.metrics["ndcg@10"] - words.metrics["ndcg@10"])
    low, high = model.against.ci95
    assert low <= model.against.delta <= high
    assert 0 < model.against.p <= 1


def test_the_parts_of_a_family_are_pooled_by_their_queries(data: list[Path], tmp_path: Path):
    results = compare(["procqa", "beir:fruit"], data, write_encoder(tmp_path / "model"))

    parts = [result for result in results if result.task.startswith("procqa:") and result.ranker == "bm25"]
    pooled = [result for result in results if result.task == "procqa"]
    assert [result.ranker for result in pooled] == ["bm25", str(tmp_path / "model")]
    queries = sum(part.queries for part in parts)
    assert (pooled[0].queries, pooled[0].documents) == (queries, sum(part.documents for part in parts))
    mean = sum(part.queries * part.metrics["mrr@1000"] for part in parts) / queries
    assert pooled[0].metrics["mrr@1000"] == pytest.approx(mean)
    assert pooled[1].against is not None
    assert "beir" not in {result.task for result in results}


def test_a_baseline_is_one_of_the_rankers(data: list[Path]):
    with pytest.raises(ConfigError, match="--baseline must be one of the rankers bm25, got 'minilm'"):
        evaluate(["bm25"], ["beir:fruit"], data, CONFIG, baseline="minilm")


def test_with_a_cache_the_numbers_are_the_same_and_vectors_are_kept(data: list[Path], tmp_path: Path):
    encoder = write_encoder(tmp_path / "model")
    plain = compare(["beir:fruit"], data, encoder)
    first = compare(["beir:fruit"], data, encoder, cache=tmp_path / "cache")
    kept = sorted(path.stat().st_size for path in tmp_path.glob("cache/*/*.vectors"))
    second = compare(["beir:fruit"], data, encoder, cache=tmp_path / "cache")

    assert plain == first == second
    assert all(kept)
    assert sorted(path.stat().st_size for path in tmp_path.glob("cache/*/*.vectors")) == kept


@pytest.mark.usefixtures("socket_disabled")
def test_a_model_of_a_users_ranker_that_is_not_here_is_not_fetched_for_a_leak_check(data: list[Path]):
    ranker = ByHand({"apple": ["d1"], "apple cherry": ["d3"]})
    ranker.details = Details(models=("nobody/nowhere",))

    (result,) = evaluate([ranker], ["beir:fruit"], data, CONFIG)

    assert result.leak == Leak(checked=False)
