"""Dump → answer through the command line, on the sample, without network."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from procqa.cli import main


def run(*arguments) -> list[dict]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def way(sample_dump: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything from dataset to index, made by the commands."""
    folder = tmp_path_factory.mktemp("way")
    run("build", sample_dump, "--site", "local", "--out", folder / "dataset", "--jobs", 1, "--json")
    (folder / "code").mkdir()
    (folder / "code/tools.py").write_text(
        "def flatten(nested):\n"
        '    """Flatten a list of lists into one list."""\n'
        "    return [x for y in nested for x in y]\n"
    )
    run("corpus", folder / "code", "--licence", "MIT", "--out", folder / "corpus", "--json")
    small = ["--steps", 30, "--batch-size", 64, "--dimensions", 32, "--vocabulary", 1_000]
    datasets = [folder / "dataset", folder / "corpus"]
    run("train", *datasets, "--preset", "static", *small, "--out", folder / "encoder", "--json")
    run("index", *datasets, "--encoder", folder / "encoder", "--out", folder / "index", "--json")
    return folder


def test_a_question_is_answered_with_author_and_licence(way):
    (result,) = run("search", way / "index", "cannot borrow as mutable because also borrowed as immutable", "--json")
    hit = result["hits"][0]
    assert hit["language"] == "rust"
    assert hit["rank"] == 1
    assert hit["answer_author"]
    assert hit["answer_licence"] == "Apache-2.0"


def test_a_function_is_found_with_its_path_and_line(way):
    hits = run("search", way / "index", "flatten a list of lists", "--language", "python", "--jsonl")
    code = next(hit for hit in hits if "path" in hit)
    assert (code["path"], code["line"], code["symbol"], code["answer_licence"]) == ("tools.py", 1, "flatten", "MIT")


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_every_mode_answers(way, mode):
    (result,) = run("search", way / "index", "read a file line by line", "--mode", mode, "-k", 3, "--json")
    assert (result["mode"], len(result["hits"])) == (mode, 3)


def test_scores_have_intervals_and_a_protocol(way):
    encoder = way / "encoder"
    results = run(
        "evaluate", "bm25", encoder, f"hybrid:{encoder}", "--task", "procqa", "--data", way / "dataset", "--json"
    )
    assert {result["ranker"].split(":")[0] for result in results} >= {"bm25", "hybrid"}
    assert len({result["task"] for result in results}) == 11
    for result in results:
        low, high = result["ci95"]["mrr@1000"]
        assert 0 <= low <= result["metrics"]["mrr@1000"] <= high <= 1
        assert result["protocol"]


def test_the_whole_chain_verifies_down_to_the_dump(way, sample_dump):
    inputs = [way / "dataset", way / "corpus", way / "encoder", sample_dump]
    arguments = [argument for path in inputs for argument in ("--input", path)]
    (report,) = run("verify", way / "index", *arguments, "--json")
    assert report["ok"]
    subjects = {check["subject"] for check in report["checks"] if check["outcome"] == "ok"}
    assert "dataset: input Posts.xml" in subjects


@pytest.mark.parametrize("kind", ["dataset", "corpus", "encoder", "index"])
def test_show_looks_into_every_artifact(way, kind):
    (shown,) = run("show", way / kind, "--json")
    assert shown["kind"] == ("dataset" if kind == "corpus" else kind)
    assert shown["sha256"]


def test_no_stage_needs_the_network(sample_dump, tmp_path, socket_disabled):
    run("build", sample_dump, "--site", "local", "--out", tmp_path / "dataset", "--jobs", 1, "--json")
    run("index", tmp_path / "dataset", "--out", tmp_path / "index", "--json")
    (result,) = run("search", tmp_path / "index", "sort a list of dictionaries", "--json")
    assert result["hits"]
    arguments = ["evaluate", str(tmp_path / "no-model"), "--task", "procqa:go", "--data", str(tmp_path / "dataset")]
    failed = CliRunner().invoke(main, arguments)
    assert failed.exit_code == 1
    assert "no-model" in failed.stderr
