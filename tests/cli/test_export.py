import json

import pytest
from click.testing import CliRunner

from procqa.cli import main
from procqa.encoder.training import train
from tests.dataset.small import twelve_rows, write_dataset
from tests.encoder.small import small_dataset, tiny_config


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", twelve_rows())


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("export")
    train([small_dataset(scratch / "Q")], scratch / "m", tiny_config(steps=2))
    return scratch / "m"


def test_a_dataset_is_exported_and_told_in_one_object(dataset, tmp_path):
    arguments = ["export", dataset, "--as", "paper", "--out", tmp_path / "out"]
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    (line,) = result.stdout.splitlines()
    summary = json.loads(line)
    assert (summary["layout"], summary["rows"], summary["out"]) == ("paper", 12, str(tmp_path / "out"))
    assert summary["languages"] == {"python": {"train": 10, "validation": 1, "test": 1}}
    assert json.loads(run(*arguments, "--json").stdout) == summary
    assert "12 pairs in 1 languages as paper" in run(*arguments).stdout


def test_the_exported_files_make_a_dataset_on_the_command_line(dataset, tmp_path):
    run("export", dataset, "--as", "paper", "--out", tmp_path / "out")
    result = run("corpus", tmp_path / "out" / "qa.en.python.json", "--out", tmp_path / "back", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["languages"] == {"python": {"train": 10, "validation": 1, "test": 1}}
    assert run("verify", tmp_path / "back", "--input", tmp_path / "out" / "qa.en.python.json").exit_code == 0


def test_an_encoder_is_exported_and_told_in_one_object(encoder, dataset, tmp_path):
    arguments = ["export", encoder, "--as", "int8", "--out", tmp_path / "out"]
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    (line,) = result.stdout.splitlines()
    summary = json.loads(line)
    assert (summary["form"], summary["dimensions"], summary["out"]) == ("int8", 16, str(tmp_path / "out"))
    assert "the cosine of a text's vector to that of the source is" in run(*arguments).stdout
    assert run("verify", tmp_path / "out").exit_code == 0


def test_each_kind_of_folder_has_its_forms(encoder, dataset, tmp_path):
    for source, form, sentence in (
        (encoder, "beir", "is an encoder, which --as must make static, int8, openvino, onnx of, got beir"),
        (dataset, "onnx", "is a dataset, which --as must make paper, beir, jsonl of, got onnx"),
    ):
        result = run("export", source, "--as", form, "--out", tmp_path / "out")
        assert (result.exit_code, sentence in result.stderr, result.stderr.count("\n")) == (2, True, 1)
    misused = run("export", dataset, "--as", "beir", "--dimensions", "8", "--out", tmp_path / "out")
    assert (misused.exit_code, "--dimensions must go with an encoder" in misused.stderr) == (2, True)


def test_wrong_use_and_a_missing_dataset_have_their_statuses(dataset, tmp_path):
    assert run("export", dataset, "--as", "csv", "--out", tmp_path / "out").exit_code == 2
    assert run("export", dataset, "--out", tmp_path / "out").exit_code == 2
    missing = run("export", tmp_path / "absent", "--as", "beir", "--out", tmp_path / "out")
    assert (missing.exit_code, "absent" in missing.stderr) == (1, True)
    taken = run("export", dataset, "--as", "beir", "--out", dataset)
    assert (taken.exit_code, (tmp_path / "out").exists()) == (1, False)
