"""The four points of Stack Overflow's rules on every surface: origin, link to the question, authors, their profiles."""

import asyncio
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("mcp")

from click.testing import CliRunner
from starlette.testclient import TestClient

from procqa.cli import main
from procqa.config import ServeConfig
from procqa.index.build import build_index
from procqa.search.mcp import _call
from procqa.search.searcher import Searcher
from procqa.search.web.app import make_app
from tests.index.small import HOST, to_row, write_dataset

IN_CODE = {"site": "lib", "question_id": 40, "answer_url": "src/a.py#L7", "question_url": "src/a.py#L7"}
DELETED = {"answer_author": "deleted user", "answer_author_url": None}
NO_PAGES = dict.fromkeys(("question_url", "answer_url", "question_author_url", "answer_author_url"))
AT_HOME = f"{HOST}/users/2"
ROWS = (
    to_row(10, "python", "posted", "a post"),
    to_row(20, "python", "deleted", "a post whose author is gone", **DELETED),
    to_row(30, "python", "kept", "a post without pages", site="local", answer_author="Team wiki", **NO_PAGES),
    to_row(40, "python", "double", "return x", **IN_CODE),
)
SAID = {
    "posted": ("stackoverflow.com", f"{HOST}/questions/9", "Ann", "Bob", f"{HOST}/users/1", AT_HOME, "CC BY-SA 4.0"),
    "deleted": ("stackoverflow.com", f"{HOST}/questions/19", "Ann", "deleted user", f"{HOST}/users/1", "CC BY-SA 3.0"),
    "kept": ("Ann", "Team wiki", "CC BY-SA 3.0", "CC BY-SA 4.0"),
    "double": ("lib", "src/a.py", "7", "Ann", "Bob", "CC BY-SA 3.0", "CC BY-SA 4.0"),
}
"""What a hit must say, by its title."""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attribution")
    build_index([write_dataset(folder / "d", ROWS)], folder / "i", encoder=None)
    return folder / "i"


def on_command_line(index: Path, *arguments: str) -> str:
    result = CliRunner().invoke(main, ["search", str(index), *arguments, "-k", "1"])
    assert result.exit_code == 0
    return result.stdout


def over_http(index: Path, path: str) -> str:
    with TestClient(make_app(index, ServeConfig()), base_url="http://localhost") as client:
        answer = client.get(path)
    assert answer.status_code == 200
    return answer.text


def for_agents(index: Path, name: str, arguments: dict[str, Any]) -> str:
    searcher = Searcher.open(index)

    async def run(task: Callable[[Searcher], str]) -> str:
        return task(searcher)

    text, is_error = asyncio.run(_call(run, name, arguments))
    assert not is_error
    return text


def id_of(index: Path, title: str) -> str:
    identifier: str = json.loads(on_command_line(index, title, "--json"))["hits"][0]["id"]
    return identifier


SURFACES: dict[str, Callable[[Path, str], str]] = {
    "command line": lambda index, title: on_command_line(index, title),
    "command line, JSON": lambda index, title: on_command_line(index, title, "--json"),
    "command line, JSON lines": lambda index, title: on_command_line(index, title, "--jsonl"),
    "page": lambda index, title: html.unescape(over_http(index, f"/?q={title}&k=1")),
    "HTTP": lambda index, title: over_http(index, f"/api/search?q={title}&k=1"),
    "HTTP, one document": lambda index, title: over_http(index, f"/api/documents/{id_of(index, title)}"),
    "MCP": lambda index, title: for_agents(index, "search", {"query": title, "k": 1}),
    "MCP, code": lambda index, title: for_agents(index, "find_similar_code", {"code": title, "k": 1}),
    "MCP, one document": lambda index, title: for_agents(index, "get_document", {"id": id_of(index, title)}),
}


@pytest.mark.parametrize("title", SAID)
@pytest.mark.parametrize("surface", SURFACES)
def test_a_hit_says_where_it_is_from_and_who_wrote_it(index: Path, surface: str, title: str):
    shown = SURFACES[surface](index, title)
    assert title in shown
    assert [point for point in SAID[title] if point not in shown] == []


@pytest.mark.parametrize("surface", ["command line", "page", "MCP", "MCP, one document"])
def test_of_posts_without_pages_the_authors_name_is_the_origin(index: Path, surface: str):
    shown = SURFACES[surface](index, "kept")
    assert re.search(r"\blocal\b", re.sub(r'id "local:30"', "", shown)) is None
    assert "/30" not in shown
