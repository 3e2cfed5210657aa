"""Who may ask: names of the server, and tokens."""

import base64
from pathlib import Path

import pytest

pytest.importorskip("fastapi")

from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from procqa.config import ServeConfig
from procqa.errors import ConfigError
from procqa.search.web.gate import Gate, is_loopback, load_token

TOKEN = "0123456789abcdef"
inside = PlainTextResponse("inside")


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN} ", 200),
        (basic(f"anybody:{TOKEN}"), 200),
        (basic(f":{TOKEN}"), 200),
        ("", 401),
        ("Bearer", 401),
        ("Bearer " + TOKEN[:-1], 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Token {TOKEN}", 401),
        (basic(TOKEN), 401),
        ("Basic !!!", 401),
        ("Basic \xe9", 401),
        ("Bearer \xff\xfe", 401),
    ],
)
def test_a_request_must_show_the_token(shown: str, status: int):
    client = TestClient(Gate(inside, ServeConfig(), TOKEN))
    answer = client.get("/api/search", headers={"authorization": shown.encode("latin-1")})
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"] == 'Bearer realm="procqa", Basic realm="procqa", charset="UTF-8"'
        assert answer.json()["detail"] == (
            "a request must show the server's token, but this one does not: send Authorization: Bearer"
        )


@pytest.mark.parametrize(
    ("path", "status"),
    [("/healthz", 200), ("/readyz", 200), ("/metrics", 401), ("/", 401), ("/docs", 401), ("/healthz/..", 401)],
)
def test_only_a_supervisor_needs_no_token(path: str, status: int):
    assert TestClient(Gate(inside, ServeConfig(), TOKEN)).get(path).status_code == status


@pytest.mark.parametrize(
    ("host", "listens", "status"),
    [
        ("localhost:8000", "127.0.0.1", 200),
        ("LOCALHOST", "127.0.0.1", 200),
        ("127.0.0.1:1", "127.0.0.1", 200),
        ("[::1]:8000", "::1", 200),
        ("[::1]", "::1", 200),
        ("qa.example.org", "127.0.0.1", 200),
        ("", "127.0.0.1", 200),
        ("evil.example", "127.0.0.1", 421),
        ("localhost.evil.example:8000", "127.0.0.1", 421),
        ("evil.example", "0.0.0.0", 200),
    ],
)
def test_a_server_on_the_loopback_answers_to_its_own_names_only(host: str, listens: str, status: int):
    client = TestClient(Gate(inside, ServeConfig(host=listens, hosts=("qa.example.org",)), None))
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == status
    if status == 421:
        assert answer.json()["detail"].startswith("this server must be asked by its own name, got '")


def test_with_a_token_the_name_does_not_matter():
    client = TestClient(Gate(inside, ServeConfig(), TOKEN))
    assert client.get("/", headers={"host": "evil.example", "authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("a.b", False),
    ],
)
def test_what_only_this_machine_reaches_is_known(host: str, loopback: bool):
    assert is_loopback(host) is loopback


def test_a_token_is_one_line_of_a_file(tmp_path: Path):
    (tmp_path / "t").write_text(f"{TOKEN}\n")
    assert load_token(tmp_path / "t") == TOKEN


@pytest.mark.parametrize(
    "text",
    ["", "\n", "short", "two words of text here", "0123456789abcdef\nsecond", "é" * 20, "x" * 1_001, "\x00" * 20],
)
def test_what_is_no_token_is_refused(tmp_path: Path, text: str):
    (tmp_path / "t").write_text(text)
    with pytest.raises(ConfigError, match="must hold one line of 16 to 1,000 visible ASCII characters"):
        load_token(tmp_path / "t")


def test_a_token_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"must name a file that can be read: .*t: No such file"):
        load_token(tmp_path / "t")
