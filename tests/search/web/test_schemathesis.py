"""What schemathesis, which reads the server's own description, finds against a running server: nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("schemathesis")

from tests.search.served import Served, worse_than_info, write_index

SETTINGS = """
[checks]
negative_data_rejection.expected-statuses = [400, 404, 405, 413]
not_a_server_error.enabled = true
"""
"""Its list of refusals lacks the status of a query that is too long."""


def test_schemathesis_finds_nothing(tmp_path: Path):
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    index = write_index(tmp_path)
    with Served(index) as served:
        run = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(tmp_path / "schemathesis.toml")),
                *("run", f"{served.url}openapi.json", "--phases", "coverage,fuzzing", "--max-examples", "30"),
                *("--generation-deterministic", "--no-color", "--continue-on-failure"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        status, log = served.stop()
    assert run.returncode == 0, run.stdout[-5_000:]
    assert "8 selected / 8 total" in run.stdout
    # It sends what is no HTTP, too.
    assert {line["message"] for line in worse_than_info(log)} <= {"Invalid HTTP request received."}
    assert status == 0
