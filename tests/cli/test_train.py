import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from procqa.cli import main
from tests.encoder.small import small_dataset

TINY = ["--steps", "3", "--batch-size", "8", "--dimensions", "16", "--vocabulary", "400"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_dataset(tmp_path_factory.mktemp("cli") / "Q")


def run(*arguments: object):
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def test_json_is_one_object_and_the_same_the_second_time(dataset: Path, tmp_path: Path):
    first = run(dataset, "--out", tmp_path / "m", "--preset", "static", *TINY, "--json")
    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    assert list(told) == [
        "out",
        "sha256",
        "preset",
        "base",
        "steps",
        "pairs_seen",
        "tokens_seen",
        "seconds",
        "loss",
        "streams",
        "left_out",
    ]
    assert (told["out"], told["preset"], told["base"]) == (str(tmp_path / "m"), "macp", "static")
    assert (told["steps"], told["pairs_seen"]) == (3, 24)
    assert told["sha256"] == json.loads((tmp_path / "m" / "manifest.json").read_text())["sha256"]
    assert "step 3/3" in first.stderr
    second = run(dataset, "--out", tmp_path / "m", "--preset", "static", *TINY, "--json")
    assert (second.exit_code, second.stdout) == (0, first.stdout)


def test_the_base_static_takes_the_numbers_of_its_preset(dataset: Path, tmp_path: Path):
    run(dataset, "--out", tmp_path / "one", "--preset", "static", *TINY)
    run(dataset, "--out", tmp_path / "two", "--base", "static", *TINY)
    recipes = [json.loads((tmp_path / name / "manifest.json").read_text())["recipe"] for name in ("one", "two")]
    assert recipes[0] == recipes[1]
    assert (recipes[0]["temperature"], recipes[0]["learning_rate"]) == (0.05, 0.02)


def test_without_json_a_table_names_each_stream(dataset: Path, tmp_path: Path):
    result = run(dataset, "--out", tmp_path / "m", "--preset", "static", *TINY)
    assert result.exit_code == 0
    assert "Q/python/title-answer" in result.stdout
    assert "left out" not in result.stdout


def test_pairs_and_batches_are_chosen_by_name(dataset: Path, tmp_path: Path):
    chosen = ["--pairs", "both-answer,title-answer", "--languages", "go", "--batches", "mixed", "--loss", "four-way"]
    result = run(dataset, "--out", tmp_path / "m", "--preset", "static", *TINY, *chosen, "--json")
    assert result.exit_code == 0, result.output
    assert list(json.loads(result.stdout)["streams"]) == ["Q/go/both-answer", "Q/go/title-answer"]
    lines = [json.loads(line) for line in (tmp_path / "m" / "training.jsonl").read_text().splitlines()]
    assert {tuple(line["streams"]) for line in lines} == {("Q/go/both-answer", "Q/go/title-answer")}
    wrong = run(dataset, "--out", tmp_path / "n", "--pairs", "title-code")
    assert (wrong.exit_code, "a pair type must be one of title-question" in wrong.stderr) == (2, True)


def test_a_modality_is_a_preset_on_any_base(dataset: Path, tmp_path: Path):
    result = run(dataset, "--out", tmp_path / "m", "--preset", "unimodal", "--base", "static", *TINY, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["preset"] == "unimodal"
    assert {name.rpartition("/")[2] for name in told["streams"]} == {"prose-prose"}
    recipe = json.loads((tmp_path / "m" / "manifest.json").read_text())["recipe"]
    assert "pairs" not in recipe["preset_changes"]


def test_fine_tuning_ends_after_its_epochs_whatever_the_base(dataset: Path, tmp_path: Path):
    sizes = ["--batch-size", "8", "--dimensions", "16", "--vocabulary", "400", "--max-tokens", "16"]
    result = run(dataset, "--out", tmp_path / "m", "--preset", "fine-tune", "--base", "static", *sizes, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["preset"], told["steps"]) == ("fine-tune", 62)  # 3 times 165 rows, 8 a step
    assert list(told["streams"]) == ["Q/go/both-answer", "Q/python/both-answer"]
    recipe = json.loads((tmp_path / "m" / "manifest.json").read_text())["recipe"]
    assert (recipe["epochs"], recipe["steps"], recipe["learning_rate"]) == (3, None, 2e-5)


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["--batch-size", "1"], 2, "batch_size must lie between 2"),
        (["--temperature", "0"], 2, "temperature must be > 0"),
        (["--epochs", "0"], 2, "epochs must lie between 1 and 10000, got 0"),
        (["--steps", "5", "--epochs", "2"], 2, "a run must be told its length once, in steps, epochs or tokens"),
        (["--preset", "static", "--base", "minilm"], 2, "preset static trains the base static"),
        (["--base", "./none"], 1, "there is no such folder"),
    ],
)
def test_wrong_use_is_one_sentence(arguments: list[str], status: int, sentence: str, dataset: Path, tmp_path: Path):
    result = run(dataset, "--out", tmp_path / "m", *arguments)
    assert result.exit_code == status
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "m").exists()


def test_a_missing_dataset_exits_with_1(tmp_path: Path):
    result = run(tmp_path / "none", "--out", tmp_path / "m")
    assert result.exit_code == 1
    assert "there is no such folder" in result.stderr


def test_without_torch_the_extra_is_named(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run(dataset, "--out", tmp_path / "m", "--preset", "static")
    assert result.exit_code == 1
    assert "pip install 'procqa[train]'" in result.stderr
