import json

from click.testing import CliRunner

from procqa.cli import main


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_folder_of_code_becomes_a_dataset(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code/a.rb").write_text("# Adds two numbers together.\ndef add(a, b)\n  total = a + b\n  total\nend\n")
    arguments = ["corpus", tmp_path / "code", "--out", tmp_path / "out", "--licence", "MIT"]
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    summary = json.loads(result.stdout)
    assert (summary["rows"], summary["kept"], summary["languages"]["ruby"]["train"]) == (1, 1, 1)
    assert json.loads(run(*arguments, "--json").stdout) == summary
    assert "1 pairs" in run(*arguments).stdout


def test_a_missing_folder_and_an_unknown_language_are_one_sentence(tmp_path):
    missing = run("corpus", tmp_path / "absent", "--out", tmp_path / "out")
    assert (missing.exit_code, "absent" in missing.stderr) == (1, True)
    (tmp_path / "code").mkdir()
    unknown = run("corpus", tmp_path / "code", "--out", tmp_path / "out", "--languages", "klingon")
    assert (unknown.exit_code, "klingon" in unknown.stderr) == (2, True)
    tokens = run("corpus", tmp_path / "code", "--out", tmp_path / "out", "--text", "tokens")
    assert (tokens.exit_code, "text tokens needs CodeSearchNet's rows" in tokens.stderr) == (2, True)
    (tmp_path / "cosqa-train.json").write_text("[]")
    empty = run("corpus", tmp_path / "cosqa-train.json", "--out", tmp_path / "out")
    assert (empty.exit_code, len(empty.stderr.strip().splitlines())) == (1, 1)
    assert "cosqa-train.json must hold rows, as published, but is empty" in empty.stderr
    assert not (tmp_path / "out").exists()
