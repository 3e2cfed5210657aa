"""The pages and files for teams and their agents: what they say of commands, logs, metrics and answers holds."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("mcp")

from procqa.cli import main
from procqa.index.build import build_index
from tests.index.small import write_dataset
from tests.search.served import Served
from tests.search.test_briefing import document, result, unmarked

ROOT = Path(__file__).resolve().parent.parent
UNIT = ROOT / "deploy/procqa.service"
CONTAINER = ROOT / "deploy/Containerfile"


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def section(text: str, heading: str) -> str:
    return text.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def takes(words: list[str]) -> bool:
    """Whether procqa takes a command line."""
    command = main.get_command(click.Context(main), words[0])
    assert command is not None
    command.make_context(words[0], words[1:], parent=click.Context(main, info_name="procqa"))
    return True


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deploy")
    build_index([write_dataset(folder / "d")], folder / "index", encoder=None)
    return folder / "index"


def test_the_unit_is_one_of_systemd_and_its_command_one_of_procqa(tmp_path: Path):
    command = re.search(r"^ExecStart=(.*)$", UNIT.read_text(), re.MULTILINE)[1]
    program, *words = shlex.split(command)
    assert program == "/opt/procqa/bin/procqa"
    assert takes(words)
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace(program, sys.executable))
    verify = ["systemd-analyze", "verify", "--man=no", str(copy)]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def instructions(text: str) -> dict[str, list[str]]:
    """What a container file says, by its keywords."""
    joined = text.replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for line in joined.splitlines():
        if line.strip() and not line.startswith("#"):
            keyword, _, rest = line.partition(" ")
            found.setdefault(keyword, []).append(rest.strip())
    return found


def test_the_container_runs_a_command_of_procqa_as_a_user_without_rights():
    said = instructions(CONTAINER.read_text())
    assert set(said) == {"FROM", "COPY", "RUN", "USER", "ENV", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT"}
    program, *words = json.loads(said["ENTRYPOINT"][0])
    assert program == "/opt/procqa/bin/procqa"
    assert takes(words)
    assert said["USER"] == ["procqa"]
    assert said["EXPOSE"] == [words[words.index("--port") + 1]]
    assert "-c /src/constraints.txt" in said["RUN"][0]
    health = json.loads(said["HEALTHCHECK"][0].partition("CMD ")[2])
    assert health[1] == "-c"
    compile(health[2], "health check", "exec")


def test_the_health_check_of_the_container_passes_on_a_server_and_fails_without(index: Path):
    check = json.loads(instructions(CONTAINER.read_text())["HEALTHCHECK"][0].partition("CMD ")[2])[2]
    with Served(index) as served:
        program = check.replace(":8000", f":{served.port}")
        assert subprocess.run([sys.executable, "-c", program], check=False, timeout=30).returncode == 0
        served.stop()
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=30, capture_output=True)
    assert done.returncode == 1


def test_the_page_names_every_key_of_the_log_and_every_metric(index: Path):
    with Served(index) as served:
        served.get("/api/search", q="list")
        figures = served.get("/metrics").text
        _, log = served.stop()
    keys = re.findall(r"`(\w+)`(?=[^|]*\|)", section(page("serve.md"), "Logs").partition("|---|---|")[2])
    assert [key for key in keys if key != "request"] == list(log[0])
    told = re.findall(r"^\| `(procqa_\w+)` \|", section(page("serve.md"), "Metrics"), re.MULTILINE)
    shown = {line.split()[2]: line.split()[3] for line in figures.splitlines() if line.startswith("# TYPE procqa_")}
    assert sorted(told) == sorted(name for name in shown if not name.endswith("_created"))


def test_the_entries_of_the_page_for_agents_are_those_that_procqa_prints(index: Path):
    of_stdio, of_http = (json.loads(block)["mcpServers"]["procqa"] for block in blocks(page("agents.md"), "json"))
    assert of_stdio["args"][:2] == ["-m", "procqa"]
    assert takes(of_stdio["args"][2:])
    command = [sys.executable, "-m", "procqa", "mcp", str(index), "--json"]
    printed = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert printed["mcpServers"]["procqa"].keys() == of_stdio.keys()
    assert of_http["url"].endswith("/mcp")


def test_the_answer_on_the_page_for_agents_is_one_of_procqa():
    from procqa.search.briefing import brief_result

    (shown,) = blocks(page("agents.md"), "text")
    answer = brief_result(result(document(answer="Use a dict.")), 4_000)
    assert unmarked(shown) == f"{unmarked(answer)}\n"


def test_the_program_of_the_page_for_agents_runs(index: Path, tmp_path: Path):
    import procqa

    (program,) = blocks(page("agents.md"), "python")
    # The client starts its servers with hardly a variable.
    source = str(Path(procqa.__file__).parents[1])
    program = program.replace('"mcp", index])', f'"mcp", index], env={{"PYTHONPATH": {source!r}}})')
    (tmp_path / "index").symlink_to(index)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "Remove duplicates from a list" in done.stdout
