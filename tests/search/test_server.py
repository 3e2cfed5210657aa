"""A server as its surroundings treat it: signals, many clients, rude ones, and a taken port."""

import concurrent.futures
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx

from procqa.config import ServeConfig
from procqa.errors import ConfigError, ProcqaError
from procqa.search.server import listen, serve
from tests.search.served import Served, worse_than_info, write_index

TOKEN = "0123456789abcdef"
POST = b"POST /api/search HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_index(tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="module")
def server(index: Path) -> Iterator[Served]:
    with Served(index) as served:
        yield served
        status, log = served.stop()
        # An address of a megabyte is none to uvicorn, which says so.
        assert {line["message"] for line in worse_than_info(log)} <= {"Invalid HTTP request received."}
        assert status == 0


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [hit["id"] for hit in answer.json()["hits"]]


@pytest.mark.parametrize(
    "query",
    [
        "duplicates \x00 \x1b[2J \x7f \x9b",
        "\u202eduplicates\u2066 \u200b\ufeff",
        "duplicates \U000e0041 \ud83d\udc68 \u0301\u0301\u0301",
        "duplicates' OR 1=1 -- \" ) ] } * ? ~ ^ : AND NOT",
        "duplicates %00 %ff ${jndi:ldap://x} {{7*7}} <script>",
        "duplicates\n\tat java.lang.Thread.run(Thread.java:748)\r\n",
    ],
)
def test_a_query_of_any_characters_is_answered(server: Served, query: str):
    query = query.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    assert "stackoverflow.com:10" in ids(server.client.post("/api/search", json={"query": query}))
    assert "stackoverflow.com:10" in ids(server.get("/api/search", q=query))
    assert server.get("/", q=query).status_code == 200


@pytest.mark.parametrize("size", [1_000_000, 10_000_000])
def test_a_query_of_a_megabyte_is_refused_and_the_server_lives(server: Served, size: int):
    posted = server.client.post("/api/search", json={"query": "x" * size})
    assert (posted.status_code, posted.json()["detail"]) == (413, "a request's body must have at most 262,144 bytes")
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", f"/api/search?q={'x' * size}")
    asked = connection.getresponse()
    assert (asked.status, asked.headers["content-type"]) == (431, "application/problem+json")
    connection.close()
    assert ids(server.get("/api/search", q="duplicates", mode="lexical")) == ["stackoverflow.com:10"]


@pytest.mark.parametrize("k", ["0", "-1", "1000000000", "1e3", "NaN", ""])
def test_a_number_of_hits_that_cannot_be_is_refused(server: Served, k: str):
    answer = server.get("/api/search", q="list", k=k)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("k must ")


def test_a_client_that_hangs_up_leaves_the_server_alive(server: Served):
    head = (
        b"POST /api/search HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 21\r\n\r\n"
    )
    for sent in (b"", b"GET /api/se", head, head + b'{"query"', head + b'{"query":"read file"}'):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(sent)
    assert ids(server.get("/api/search", q="duplicates", mode="lexical")) == ["stackoverflow.com:10"]


def test_64_clients_at_once_are_all_answered(server: Served):
    def ask(_: int) -> int:
        with httpx.Client(base_url=server.url, timeout=30) as client:
            return sum(client.get("/api/search", params={"q": "read a file"}).status_code == 200 for _ in range(5))

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(ask, range(64))) == 320


def test_a_request_under_way_is_answered_before_the_server_ends(index: Path):
    body = b'{"query":"duplicates","mode":"lexical"}'
    with Served(index) as served, socket.create_connection(("127.0.0.1", served.port)) as client:
        client.sendall(POST % len(body) + body[:5])
        time.sleep(0.3)
        served.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", served.port)).close()
        client.sendall(body[5:])
        received = b""
        while part := client.recv(1 << 16):
            received += part
        assert served.process.wait(timeout=10) == 0
    assert received.startswith(b"HTTP/1.1 200")
    assert json.loads(received.partition(b"\r\n\r\n")[2])["hits"][0]["id"] == "stackoverflow.com:10"


def test_a_server_with_a_token_answers_who_shows_it(index: Path, tmp_path: Path):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with Served(index, "--token-file", str(tmp_path / "token"), "--host", "0.0.0.0") as served:
        served.client.base_url = f"http://127.0.0.1:{served.port}"
        refused = served.get("/api/search", q="list")
        assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
        assert "default-src 'none'" in refused.headers["content-security-policy"]
        assert served.get("/healthz").status_code == 200
        served.client.headers["authorization"] = f"Bearer {TOKEN}"
        assert ids(served.get("/api/search", q="duplicates", mode="lexical")) == ["stackoverflow.com:10"]
        assert served.get("/openapi.json").json()["security"] == [{"token": []}]
        status, log = served.stop()
    assert status == 0
    assert TOKEN not in json.dumps(log)
    assert worse_than_info(log) == []


def test_a_server_that_anybody_reaches_without_a_token_says_so(index: Path):
    with Served(index, "--host", "0.0.0.0") as served:
        _, log = served.stop()
    assert [line["message"] for line in worse_than_info(log)] == [
        "whoever reaches this address can read the index: give a --token-file"
    ]


def test_a_short_form_of_the_loopback_is_the_loopback(index: Path):
    with Served(index, "--host", "127.1") as served:
        names = ("evil.example", "127.1", "localhost")
        answers = [served.client.get("/healthz", headers={"host": name}).status_code for name in names]
        _, log = served.stop()
    assert answers == [421, 200, 200]
    assert worse_than_info(log) == []


def test_a_browser_may_read_answers_only_where_it_is_allowed(server: Served, index: Path):
    page = {"origin": "https://page.example"}
    ask = {**page, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    assert "access-control-allow-origin" not in server.client.get("/api/search?q=list", headers=page).headers
    assert server.client.options("/api/search", headers=ask).status_code == 405
    with Served(index, "--cors-origins", "https://page.example") as served:
        allowed = served.client.get("/api/search?q=list", headers=page)
        assert allowed.headers["access-control-allow-origin"] == "https://page.example"
        assert served.client.options("/api/search", headers=ask).status_code == 200
        other = served.client.get("/api/search?q=list", headers={"origin": "https://other.example"})
        assert other.headers.get("access-control-allow-origin") != "https://other.example"


def test_the_log_can_be_text_for_people(index: Path, tmp_path: Path):
    with (tmp_path / "log").open("w") as log:
        command = [sys.executable, "-m", "procqa", "serve", str(index), "--port", "0", "--log", "text"]
        process = subprocess.Popen(command, stderr=log)
        while "serving" not in (tmp_path / "log").read_text():
            assert process.poll() is None
            time.sleep(0.05)
        process.terminate()
        assert process.wait(timeout=10) == 0
    assert " info: serving http://127.0.0.1:" in (tmp_path / "log").read_text()


def test_ctrl_c_ends_a_server_with_130(index: Path):
    with Served(index) as served:
        status, _ = served.stop(signal.SIGINT)
        assert (status, served.said()[-1]) == (130, "procqa: interrupted; it is safe to give the same command again")


def test_a_taken_port_and_a_host_of_elsewhere_are_one_sentence():
    with listen("127.0.0.1", 0) as taken, pytest.raises(ProcqaError, match="must be free"):
        listen("127.0.0.1", taken.getsockname()[1])
    for host in ("not an address", "192.0.2.1", "a..b"):
        with pytest.raises(ConfigError, match=f"must be an address of this machine, got '{host}' .*another --host"):
            listen(host, 0)


def test_a_server_that_ends_gives_the_process_its_signal_back(index: Path):
    class Stopped(Exception):
        pass

    def stop(_: str) -> None:
        assert signal.getsignal(signal.SIGTERM) != before
        raise Stopped

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped):
        serve(index, ServeConfig(port=0), announce=stop)
    assert signal.getsignal(signal.SIGTERM) == before
