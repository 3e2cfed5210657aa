"""procqa mcp from a shell's point of view."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("mcp")

from procqa.cli import main
from procqa.index.build import build_index
from tests.index.small import write_dataset


def test_json_is_the_entry_of_a_configuration_and_its_command_runs(tmp_path: Path):
    build_index([write_dataset(tmp_path / "d")], tmp_path / "an index", encoder=None)
    result = CliRunner().invoke(main, ["mcp", str(tmp_path / "an index"), "--json"])
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)
    entry = json.loads(result.stdout)["mcpServers"]["procqa"]
    assert entry["args"][-1] == str(tmp_path / "an index")
    done = subprocess.run([entry["command"], *entry["args"]], input=b"", capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_folder_that_is_no_index_is_one_sentence_and_status_1(tmp_path: Path, options: list[str]):
    result = CliRunner().invoke(main, ["mcp", str(tmp_path / "nowhere"), *options])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no such folder" in result.stderr
    assert result.stderr.count("\n") == 1
