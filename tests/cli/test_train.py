import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.numpy import save_file
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

from procqa.cli import main
from procqa.cli.train import top_shares
from procqa.encoder.log import Progress
from procqa.encoder.training import TOO_SMALL, train
from tests.encoder.small import make_dataset, questions_about, small_dataset, tiny_config

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
        "base_share",
        "validation",
        "seconds",
        "loss",
        "streams",
        "left_out",
    ]
    assert (told["out"], told["preset"], told["base"]) == (str(tmp_path / "m"), "macp", "static")
    assert (told["steps"], told["pairs_seen"]) == (3, 24)
    assert told["sha256"] == json.loads((tmp_path / "m" / "manifest.json").read_text())["sha256"]
    assert re.search(r"step 3/3  loss \d+\.\d{3}  [\d,]+ pairs/s  (python|go) 100 %  0 s left", first.stderr)
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


def test_a_language_with_one_row_a_long_text_and_a_large_batch_are_no_obstacle(tmp_path: Path):
    rows = questions_about(["list"], "python")
    long = [("a long one", "why is it so long", "x = 1; " * 150_000)]
    dataset = make_dataset(tmp_path / "Q", {"python": rows + long, "lisp": [("one", "two words", "three")]})
    result = run(dataset, "--out", tmp_path / "m", "--preset", "static", *TINY, "--batch-size", "999", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert {name.split("/")[1] for name in told["streams"]} == {"python"}
    assert told["pairs_seen"] == 3 * 16
    assert told["left_out"]["title-answer"][TOO_SMALL] == 1


def fails_with(result: Result, sentence: str, out: Path) -> None:
    assert result.exit_code == 1
    assert sentence in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert not out.exists()


def test_streams_without_a_pair_are_one_sentence(dataset: Path, tmp_path: Path):
    result = run(dataset, "--out", tmp_path / "m", "--preset", "static", *TINY, "--pairs", "code-code")
    fails_with(result, "must hold two pairs to tell apart, but their 165 rows do not", tmp_path / "m")
    assert len(result.stderr.splitlines()) == 1


def test_a_loss_that_is_no_number_is_one_sentence(dataset: Path, tmp_path: Path):
    result = run(dataset, "--out", tmp_path / "m", "--preset", "static", *TINY, "--learning-rate", "1e38")
    fails_with(result, "the loss must stay a number, but it is nan at step", tmp_path / "m")


@pytest.mark.parametrize("config", ["{}", "no JSON", '{"model_type": "none-such"}'])
def test_a_base_that_is_no_encoder_is_one_sentence(config: str, dataset: Path, tmp_path: Path):
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text(config)
    save_file({"weight": np.zeros(3, dtype=np.float32)}, base / "model.safetensors")
    result = run(dataset, "--out", tmp_path / "m", "--base", base, *TINY)
    fails_with(result, "must be an encoder that sentence-transformers can read", tmp_path / "m")
    assert len(result.stderr.splitlines()) == 1


def test_a_run_of_another_recipe_is_not_thrown_away_unless_it_is_forced(dataset: Path, tmp_path: Path):
    def kill(progress: Progress) -> None:
        if progress.step == 3:
            raise KeyboardInterrupt

    out = tmp_path / "m"
    with pytest.raises(KeyboardInterrupt):
        train([dataset], out, tiny_config(steps=5), report=kill, checkpoint_s=0)
    other = [dataset, "--out", out, "--preset", "static", *TINY]
    fails_with(run(*other), "by another recipe or version, and 2 steps of it are kept: give that command again", out)
    steps: list[int] = []
    train([dataset], out, tiny_config(steps=5), report=lambda progress: steps.append(progress.step))
    assert steps == [3, 4, 5]
    with pytest.raises(KeyboardInterrupt):
        train([dataset], tmp_path / "n", tiny_config(steps=5), report=kill, checkpoint_s=0)
    other[2] = tmp_path / "n"
    assert run(*other, "--force").exit_code == 0
    assert json.loads((tmp_path / "n" / "manifest.json").read_text())["counts"]["steps"] == 3


def test_ctrl_c_exits_with_130_and_says_how_to_go_on(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("procqa.encoder.log.StepLog.write", interrupt)
    result = run(dataset, "--out", tmp_path / "m", "--preset", "static", *TINY)
    assert result.exit_code == 130
    assert result.stderr == "procqa: interrupted; it is safe to give the same command again\n"
    assert (tmp_path / ".m.partial").is_dir()


def test_where_memory_is_short_one_line_says_what_came_of_it(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    forward = StaticEmbedding.forward

    def checked(self: Any, features: dict[str, Any], **others: Any) -> Any:
        if len(features["offsets"]) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, features, **others)

    monkeypatch.setattr(StaticEmbedding, "forward", checked)
    result = run(dataset, "--out", tmp_path / "m", "--preset", "static", *TINY)
    assert result.exit_code == 0, result.output
    line = "memory is short: 4 texts are encoded at a time from here on, with the same loss"
    assert result.stderr.splitlines().count(line) == 1


def test_a_line_of_progress_names_the_three_largest_languages():
    shares = {"python": 0.5, "go": 0.25, "c": 0.125, "rust": 0.0625, "lisp": 0.0625}
    assert top_shares(shares) == "python 50 %, go 25 %, c 12 %, others 12 %"
    assert top_shares({"go": 0.6667, "c": 0.3333}) == "go 67 %, c 33 %"


def test_a_missing_dataset_exits_with_1(tmp_path: Path):
    result = run(tmp_path / "none", "--out", tmp_path / "m")
    assert result.exit_code == 1
    assert "there is no such folder" in result.stderr


def test_without_torch_the_extra_is_named(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run(dataset, "--out", tmp_path / "m", "--preset", "static")
    assert result.exit_code == 1
    assert "pip install 'procqa[train]'" in result.stderr
