import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from procqa.cli import main
from procqa.encoder.training import train
from tests.encoder.small import make_dataset, questions_about, small_dataset, tiny_config


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_dataset(tmp_path_factory.mktemp("cli") / "Q")


@pytest.fixture(scope="module")
def encoder(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("encoder") / "teacher"
    train([dataset], out, tiny_config(steps=2))
    return out


def run(command: str, *arguments: object):
    return CliRunner().invoke(main, [command, *map(str, arguments)])


def test_json_is_one_object_and_the_same_the_second_time(dataset: Path, encoder: Path, tmp_path: Path):
    arguments = [dataset, encoder, "--out", tmp_path / "N", "--negatives", 2, "--depth", 30, "--json"]
    first = run("mine", *arguments)
    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    assert list(told) == [
        *("out", "sha256", "teacher", "pairs", "left_out", "negatives", "short", "excluded", "consistent"),
        *("held_out", "languages"),
    ]
    assert (told["teacher"], told["pairs"], list(told["consistent"])) == ("teacher", 165, ["1", "10", "30"])
    assert told["sha256"] == json.loads((tmp_path / "N/manifest.json").read_text())["sha256"]
    assert "python: ranking 120 questions" in first.stderr
    second = run("mine", *arguments)
    assert (second.exit_code, second.stdout) == (0, first.stdout)


def test_without_json_a_table_has_a_line_a_language_and_one_for_all(dataset: Path, encoder: Path, tmp_path: Path):
    result = run("mine", dataset, encoder, "--out", tmp_path / "N", "--query", "title", "--cache", tmp_path / "cache")
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    for expected in ("│ python", "│ go", "│ all", "passed over: ", "none has the text of one of 0 validation"):
        assert expected in words
    assert list((tmp_path / "cache").rglob("*.vectors"))


def test_the_folder_is_shown_verified_and_trained_with(dataset: Path, encoder: Path, tmp_path: Path):
    run("mine", dataset, encoder, "--out", tmp_path / "N")
    shown = json.loads(run("show", tmp_path / "N", "--json").stdout)
    assert (shown["kind"], shown["recipe"]["share"], shown["counts"]["pairs"]) == ("negatives", 0.95, 165)
    assert "negatives" in run("show", tmp_path / "N").stdout
    verified = json.loads(run("verify", tmp_path / "N", "--input", dataset, "--json").stdout)
    assert verified["ok"]
    assert {"pool", "pool of go", "pool of python"} <= {check["subject"] for check in verified["checks"]}
    sizes = ["--steps", 2, "--batch-size", 8, "--dimensions", 16, "--vocabulary", 400]
    chosen = ["--negatives", 3, "--hard-negatives", tmp_path / "N", "--consistent-at", 10]
    result = run("train", dataset, "--out", tmp_path / "m", "--preset", "static", *sizes, *chosen, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["pairs_seen"] == 16


def test_a_changed_row_fails_the_check(dataset: Path, encoder: Path, tmp_path: Path):
    run("mine", dataset, encoder, "--out", tmp_path / "N")
    other = make_dataset(tmp_path / "Q", {"go": questions_about(["list"], "go")})
    result = run("verify", tmp_path / "N", "--input", other)
    assert result.exit_code == 1
    assert "differs from the manifest's sha256" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["--depth", "5"], 2, "depth must lie between skip + negatives (7) and 10000, got 5"),
        (["--share", "0"], 2, "share must lie in (0, 1], got 0.0"),
        (["--negatives", "0"], 2, "negatives must lie between 1 and 1000, got 0"),
        (["--skip", "-1"], 2, "skip must be at least 0, got -1"),
        (["--max-tokens", "7"], 2, "max_tokens must lie between 8 and 32768, got 7"),
        (["--languages", "lisp"], 1, "has none of lisp: it has go, python"),
    ],
)
def test_wrong_use_is_one_sentence(
    arguments: list[str], status: int, sentence: str, dataset: Path, encoder: Path, tmp_path: Path
):
    result = run("mine", dataset, encoder, "--out", tmp_path / "N", *arguments)
    assert result.exit_code == status
    assert sentence in result.stderr
    assert not (tmp_path / "N").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--negatives", "101"], "negatives must lie between 0 and 100, got 101"),
        (["--hard-negatives", "N"], "hard_negatives must be used"),
        (["--consistent-at", "5"], "consistent_at must have hard_negatives"),
        (["--consistent-at", "0", "--hard-negatives", "N"], "consistent_at must be at least 1, got 0"),
    ],
)
def test_settings_of_training_that_do_not_go_together_are_one_sentence(
    arguments: list[str], sentence: str, dataset: Path, tmp_path: Path
):
    result = run("train", dataset, "--out", tmp_path / "m", *arguments)
    assert (result.exit_code, sentence in result.stderr) == (2, True)


def test_a_missing_teacher_or_dataset_exits_with_1(dataset: Path, encoder: Path, tmp_path: Path):
    for arguments in ([dataset, "./none"], [tmp_path / "none", encoder]):
        result = run("mine", *arguments, "--out", tmp_path / "N")
        assert (result.exit_code, len(result.stderr.strip().splitlines())) == (1, 1)
        assert "there is no such folder" in result.stderr
