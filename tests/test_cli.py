import os
import signal
import subprocess
import sys
import time

import click
import pytest
from click.testing import CliRunner

from procqa import __version__
from procqa.cli import COMMANDS, StageGroup, main
from procqa.errors import ArtifactError, ConfigError, DumpError, MissingExtra, QueryError
from tests.dumps import threads, write_dump


def procqa(*arguments, **options):
    command = [sys.executable, "-m", "procqa", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def test_help_lists_every_command_in_the_order_of_the_flow():
    result = procqa("--help")
    assert result.returncode == 0
    listed = [line.split()[0] for line in result.stdout.split("Commands:")[1].splitlines() if line.strip()]
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


def test_the_version_is_printed():
    assert procqa("--version").stdout == f"procqa, version {__version__}\n"


@pytest.mark.parametrize("arguments", [["frobnicate"], ["build"], ["build", "x", "--frobnicate"], ["search"]])
def test_wrong_use_exits_2_with_one_sentence(arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    (sentence,) = result.stderr.splitlines()
    assert sentence.startswith("procqa: ")
    assert sentence.endswith("--help")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigError("k must be at least 1, got 0"), 2),
        (QueryError("a query must not be empty"), 2),
        (DumpError("the dump ends too early"), 1),
        (ArtifactError("no such folder"), 1),
        (MissingExtra("train", "training"), 1),
        (OSError(28, "No space left on device"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_is_one_sentence_and_an_exit_status(error, status):
    @click.group(cls=StageGroup)
    def group():
        raise error

    result = CliRunner().invoke(group, ["build", "--help"])
    assert result.exit_code == status
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("procqa: ")


def test_an_interrupted_command_promises_no_more_than_every_command_holds():
    @click.group(cls=StageGroup)
    def group():
        raise KeyboardInterrupt

    sentence = "procqa: interrupted; it is safe to give the same command again\n"
    assert CliRunner().invoke(group, ["search", "--help"]).stderr == sentence


def test_ctrl_c_while_workers_start_is_one_sentence(tmp_path):
    dump = write_dump(tmp_path / "Posts.xml", threads(20))
    arguments = [sys.executable, "-m", "procqa", "build", str(dump), "--out", str(tmp_path / "out"), "--jobs", "2"]
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / ".out.partial").is_dir() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode in (0, 130)
    sentences = "" if process.returncode == 0 else "procqa: interrupted; it is safe to give the same command again\n"
    assert stderr.endswith(sentences)
    assert "Traceback" not in stderr


def test_a_closed_standard_output_is_wrong_use_and_no_traceback():
    command = [sys.executable, "-m", "procqa", "completion", "bash"]
    closed = subprocess.run(command, stderr=subprocess.PIPE, text=True, preexec_fn=lambda: os.close(1), check=False)
    assert closed.returncode == 2
    assert closed.stderr == "procqa: standard output must be open: point it to a file, or to /dev/null\n"


def test_a_bug_keeps_its_traceback():
    @click.group(cls=StageGroup)
    def group():
        raise ZeroDivisionError

    assert isinstance(CliRunner().invoke(group, ["build", "--help"]).exception, ZeroDivisionError)


def test_every_command_has_json():
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert any("--json" in parameter.opts for parameter in command.params), name


def test_an_interrupted_build_exits_130_and_the_same_command_resumes(tmp_path):
    dump = write_dump(tmp_path / "dump.xml", threads(20_000))
    arguments = [sys.executable, "-m", "procqa", "build", str(dump), "--out", str(tmp_path / "out"), "--jobs", "2"]
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, start_new_session=True)
    partial = tmp_path / ".out.partial/scratch/scan"
    deadline = time.monotonic() + 60
    while not partial.is_dir() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert partial.is_dir()
    assert not (tmp_path / "out").exists()
    result = procqa(*arguments[3:])
    assert result.returncode == 0
    assert not (tmp_path / ".out.partial").exists()
