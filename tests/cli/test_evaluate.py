"""``procqa evaluate`` as a user types it."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from procqa.cli import main
from procqa.encoder.model import SHIPPED
from tests.evaluation.small import PYTHON, RUBY, write_beir, write_dataset


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Arguments that name a dataset and a root of benchmarks."""
    root = tmp_path_factory.mktemp("cli-evaluate")
    write_beir(root / "benchmarks" / "fruit")
    dataset = write_dataset(root / "dataset", {"python": PYTHON, "ruby": RUBY})
    return ["--data", str(dataset), "--data", str(root / "benchmarks")]


def procqa(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["evaluate", *arguments])


def test_json_is_one_object_a_line(data: list[str]):
    result = procqa("bm25", "--task", "beir:fruit", "--task", "procqa", *data, "--json")

    assert result.exit_code == 0
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["task"] for row in rows] == ["beir:fruit", "procqa:python", "procqa:ruby"]
    fruit = rows[0]
    assert (fruit["ranker"], fruit["language"], fruit["queries"], fruit["documents"]) == ("bm25", None, 3, 3)
    assert fruit["metrics"]["mrr@1000"] == pytest.approx(2 / 3)
    assert list(fruit["metrics"])[:4] == ["mrr@1000", "ndcg@10", "recall@10", "map"]
    assert list(fruit["ci95"]) == list(fruit["metrics"])
    assert all(len(interval) == 2 for interval in fruit["ci95"].values())


def test_json_has_a_comparison_only_where_there_is_a_baseline(data: list[str]):
    plain = procqa("bm25", "--task", "beir:fruit", *data, "--json")
    compared = procqa("bm25", "default", "--task", "beir:fruit", *data, "--baseline", "bm25", "--json")

    assert "against" not in json.loads(plain.stdout)
    rows = [json.loads(line) for line in compared.stdout.splitlines()]
    assert "against" not in rows[0]
    assert list(rows[1]["against"]) == [
        "baseline", "metric", "delta", "ci95", "p", "p_holm", "effect", "better", "worse", "permutations", "seed",
    ]  # fmt: skip


def test_a_table_shows_the_difference_to_the_baseline(data: list[str]):
    result = procqa("bm25", "default", "--task", "beir:fruit", *data, "--baseline", "bm25")

    assert "- baseline" in result.stdout
    assert "MRR@1000 " in result.stdout


def test_a_table_shows_the_numbers_with_their_interval(data: list[str]):
    result = procqa("bm25", "--task", "beir:fruit", *data, "--bootstrap", "100")

    assert result.exit_code == 0
    for part in ("beir:fruit", "bm25", "MRR@1000", "NDCG@10", "RECALL@10", "0.667 [0.500, 0.750]", "1.000"):
        assert part in result.stdout


def test_progress_stands_on_standard_error(data: list[str]):
    result = procqa("bm25", "--task", "beir:fruit", *data, "--json")

    assert "bm25 ranks for 3 queries" in result.stderr
    assert len(result.stdout.splitlines()) == 1


def test_a_run_and_its_qrels_are_written(data: list[str], tmp_path: Path):
    run = tmp_path / "run.txt"

    result = procqa("bm25", "--task", "beir:fruit", *data, "--run", str(run), "--json")

    assert result.exit_code == 0
    assert [line.split()[:4] for line in run.read_text().splitlines()][3:6] == [
        ["q2", "Q0", "d1", "1"],
        ["q2", "Q0", "d3", "2"],
        ["q2", "Q0", "d2", "3"],
    ]
    assert (tmp_path / "run.txt.qrels").read_text() == "q1 0 d1 1\nq2 0 d2 1\nq2 0 d3 2\nq3 0 d2 1\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--task", "cosqa"], "Missing argument 'RANKER...'"),
        (["bm25"], "Missing option '--task'"),
        (["bm25", "--task", "klingon"], "a task must be one of procqa:LANG"),
        (["hybrid", "--task", "cosqa"], "hybrid:MODEL"),
        (["bm25", "--task", "cosqa", "--k1", "-1"], "k1 must be > 0"),
        (["bm25", "--task", "cosqa", "--bootstrap", "1"], "bootstrap must be at least 100"),
        (
            ["bm25", "--task", "cosqa", "--report", "no/such/folder/x"],
            "--report must name a file in a folder that exists",
        ),
        (["bm25", "--task", "cosqa", "--results", "."], "--results must name a file"),
        (["bm25", "--task", "cosqa", "--seeds", "x"], "--seeds must be NAME=RANKER,RANKER"),
        (["bm25", "--task", "cosqa", "--seeds", "a=b,c", "--seeds", "a=b,c"], "--seeds must give each name once"),
        (["bm25", "--task", "cosqa", "--results", "x", "--report", "x"], "must be files of their own"),
        (["bm25", "--task", "cosqa", "--run", "x", "--results", "x.qrels"], "must be files of their own"),
        (["bm25", "--task", "cosqa", "--run", "no/x"], "--run must name a file in a folder that exists"),
        (["--compare", "a", "b", "--report", "x"], "--compare takes two result files and measures nothing"),
        (["bm25", "--compare", "a", "b"], "--compare takes two result files and measures nothing"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_2(arguments: list[str], sentence: str):
    result = procqa(*arguments)

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["bm25", "--task", "cosqa"], "cosqa needs"),
        (["bm25", "--task", "procqa"], "must have a dataset"),
        (["bm25", "--task", "cosqa", "--data", "nowhere"], "no such folder"),
        (["./no-model", "--task", "beir:fruit"], "no-model"),
    ],
)
def test_what_is_absent_is_one_sentence_and_exit_1(arguments: list[str], sentence: str, data: list[str]):
    result = procqa(*arguments, *(data if "beir:fruit" in arguments else []))

    assert result.exit_code == 1
    assert sentence in result.stderr
    assert result.stderr.count("procqa: ") == 1
    assert result.stdout == ""


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_what_was_measured_before_a_failure_is_shown(data: list[str], form: list[str]):
    result = procqa("bm25", "--task", "beir:fruit", "--task", "cosqa", *data, *form)

    assert result.exit_code == 1
    assert "beir:fruit" in result.stdout
    assert "cosqa needs" in result.stderr


def test_a_report_and_results_are_written_and_two_results_compared(data: list[str], tmp_path: Path):
    page, before, after = (tmp_path / name for name in ("report.html", "before.jsonl", "after.jsonl"))

    first = procqa("bm25", "--task", "beir:fruit", *data, "--report", str(page), "--results", str(before), "--json")
    second = procqa("default", "--task", "beir:fruit", *data, "--results", str(after), "--json")
    compared = procqa("--compare", str(before), str(after))
    as_json = procqa("--compare", str(before), str(after), "--json")

    assert [first.exit_code, second.exit_code, compared.exit_code, as_json.exit_code] == [0, 0, 0, 0]
    assert page.read_text().startswith("<!doctype html>")
    assert "beir:fruit: bm25 → default" in compared.stdout
    assert "revision of the ranker: " in compared.stdout
    assert "3 common queries, first 1,000 ranks: " in compared.stdout
    (difference,) = [json.loads(line) for line in as_json.stdout.splitlines()]
    assert difference["rankers"] == ["bm25", "default"]
    assert difference["metrics"]["mrr@1000"][0] == pytest.approx(2 / 3)


def test_what_stands_in_one_file_alone_is_said_on_standard_error(data: list[str], tmp_path: Path):
    for name, tasks in (("a", ["beir:fruit"]), ("b", ["beir:fruit", "procqa:ruby"])):
        arguments = [part for task in tasks for part in ("--task", task)]
        assert procqa("bm25", *arguments, *data, "--results", str(tmp_path / name)).exit_code == 0

    result = procqa("--compare", str(tmp_path / "a"), str(tmp_path / "b"))

    assert "what both tell of data, protocol and ranker is the same" in result.stdout
    assert f"procqa:ruby by bm25 stands in {tmp_path / 'b'} alone" in result.stderr


def test_seeds_are_one_more_ranker(data: list[str], tmp_path: Path):
    copies = [str(shutil.copytree(SHIPPED, tmp_path / name)) for name in ("s1", "s2")]

    result = procqa(
        *copies, "bm25", "--task", "beir:fruit", *data, "--seeds", f"ours={','.join(copies)}", "--baseline", "bm25",
        "--json",
    )  # fmt: skip

    rows = {row["ranker"]: row for row in map(json.loads, result.stdout.splitlines())}
    assert list(rows) == ["bm25", *copies, "ours"]
    assert rows["ours"]["seeds"]["deviation"]["mrr@1000"] == 0
    assert rows["ours"]["metrics"] == rows[copies[0]]["metrics"]
    assert rows["ours"]["against"]["p_holm"] == pytest.approx(min(1, 3 * rows["ours"]["against"]["p"]))


def test_a_table_says_what_is_known_of_leaks(data: list[str]):
    result = procqa("bm25", "default", "--task", "beir:fruit", *data)

    assert "nothing trained" in result.stdout
    assert "leak not checked" in result.stdout


def test_what_was_measured_before_a_failure_is_written_too(data: list[str], tmp_path: Path):
    results, page = tmp_path / "results.jsonl", tmp_path / "page.html"

    result = procqa(
        "bm25", "--task", "beir:fruit", "--task", "cosqa", *data, "--results", str(results), "--report", str(page)
    )

    assert result.exit_code == 1
    assert [json.loads(line)["task"] for line in results.read_text().splitlines()] == ["beir:fruit"]
    assert "beir:fruit" in page.read_text()


def test_names_with_markup_and_control_characters_are_shown_as_text(tmp_path: Path):
    write_beir(tmp_path / "x[bold]")
    result = procqa("bm25", "--task", "beir:x[bold]", "--data", str(tmp_path))
    assert result.exit_code == 0
    assert "beir:x[bold]: bm25 ranks" in result.stderr.replace("\n", "")

    missing = procqa("bm25", "--task", "beir:x[/y]", "--data", str(tmp_path))
    assert (missing.exit_code, missing.stderr.count("procqa: ")) == (1, 1)

    told = {"task": "t\u001b[31m", "ranker": "r\u001b]0;owned\u0007", "revision": "1", "metrics": {}, "queries": 1}
    for name, rank in (("a", 1), ("b", 2)):
        row = told | {"documents": 1, "ranks": {"q\u001b[31m": rank}}
        (tmp_path / name).write_text(json.dumps(row) + "\n")
    compared = procqa("--compare", str(tmp_path / "a"), str(tmp_path / "b"))
    assert compared.exit_code == 0
    assert "\u001b" not in compared.stdout + compared.stderr


def test_more_comparisons_than_permutations_can_tell_apart_are_said(data: list[str]):
    result = procqa(
        "bm25", "default", "hybrid:default", "--task", "procqa", "--task", "beir:fruit", *data, "--baseline", "bm25",
        "--permutations", "100",
    )  # fmt: skip

    assert result.exit_code == 0
    assert "no p-value of 100 permutations can be below 0.05: raise --permutations" in result.stderr
