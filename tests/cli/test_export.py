import json

import pytest
from click.testing import CliRunner

from procqa.cli import main
from tests.dataset.small import twelve_rows, write_dataset


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", twelve_rows())


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


def test_wrong_use_and_a_missing_dataset_have_their_statuses(dataset, tmp_path):
    assert run("export", dataset, "--as", "csv", "--out", tmp_path / "out").exit_code == 2
    assert run("export", dataset, "--out", tmp_path / "out").exit_code == 2
    missing = run("export", tmp_path / "absent", "--as", "beir", "--out", tmp_path / "out")
    assert (missing.exit_code, "absent" in missing.stderr) == (1, True)
    taken = run("export", dataset, "--as", "beir", "--out", dataset)
    assert (taken.exit_code, (tmp_path / "out").exists()) == (1, False)
