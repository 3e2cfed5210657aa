"""What holds for every request: its id, its body in time, its line in the log, its count."""

import logging

import pytest

pytest.importorskip("fastapi")

from fastapi import FastAPI, Request
from starlette.testclient import TestClient

from procqa.index.build import build_index
from procqa.search.live import LiveSearcher
from procqa.search.web.answers import request_id
from procqa.search.web.figures import Figures
from procqa.search.web.rim import Rim
from tests.index.small import write_dataset
from tests.search.running import exchange, running

app = FastAPI()


@app.post("/echo")
async def echo(request: Request) -> dict[str, object]:
    return {"size": len(await request.body()), "id": request_id(request.scope)}


@app.get("/fail")
async def fail() -> None:
    raise RuntimeError("a bug")


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    folder = tmp_path_factory.mktemp("rim")
    build_index([write_dataset(folder / "d")], folder / "i", encoder=None)
    return Figures(LiveSearcher(folder / "i"), lambda: 3)


def test_a_request_keeps_the_id_of_a_proxy_and_gets_one_where_it_has_none(figures: Figures):
    client = TestClient(Rim(app, figures))
    given = client.post("/echo", headers={"x-request-id": "proxy-1.2_3"})
    assert (given.headers["x-request-id"], given.json()["id"]) == ("proxy-1.2_3", "proxy-1.2_3")
    for wrong in ("", "two words", "x" * 65, 'a"b', "é"):
        made = client.post("/echo", headers={"x-request-id": wrong.encode("latin-1")})
        assert len(made.json()["id"]) == 16
        assert made.headers["x-request-id"] == made.json()["id"] != wrong


def test_a_method_that_there_is_not_is_counted_as_other(figures: Figures):
    TestClient(Rim(app, figures)).request("PURGE123", "/echo")
    told = figures.text()
    assert 'method="other"' in (told if isinstance(told, str) else told.decode())
    assert "PURGE123" not in str(told)


def test_a_request_is_a_line_in_the_log_without_its_query(figures: Figures, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO, logger="procqa"):
        TestClient(Rim(app, figures)).post("/echo?q=secret", content=b"secret", headers={"x-request-id": "a"})
    (line,) = [record.facts for record in caplog.records if record.name == "procqa.search.web.rim"]
    assert line.pop("milliseconds") >= 0
    assert line == {
        "request_id": "a",
        "client": "testclient",
        "method": "POST",
        "path": "/echo",
        "route": "/echo",
        "status": 200,
        "bytes": 19,
    }


def test_a_bug_is_counted_and_logged_too(figures: Figures, caplog: pytest.LogCaptureFixture):
    client = TestClient(Rim(app, figures), raise_server_exceptions=False)
    with caplog.at_level(logging.INFO, logger="procqa"):
        assert client.get("/fail").status_code == 500
    assert [record.facts["status"] for record in caplog.records if record.name == "procqa.search.web.rim"] == [500]
    assert b'procqa_requests_total{method="GET",route="/fail",status="500"} 1.0' in figures.text()


def test_a_body_that_does_not_arrive_in_time_is_told_so(figures: Figures):
    head = b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\nconnection: close\r\n\r\n"
    with running(Rim(app, figures, body_s=0.3)) as port:
        received, seconds = exchange(port, head + b"half")
        whole, _ = exchange(port, head + b"0123456789")
    assert received.startswith(b"HTTP/1.1 408")
    assert b"a request's body must arrive within 0.3 seconds: send it again" in received
    assert 0.2 < seconds < 3
    assert b'"size":10' in whole


def test_the_figures_name_the_process_the_index_and_the_searches(figures: Figures):
    text = figures.text().decode()
    for line in ("procqa_documents 5.0", "procqa_index_opened 1.0", "procqa_index_stale 0.0", "procqa_searches 3.0"):
        assert f"\n{line}\n" in text
    assert "process_resident_memory_bytes" in text
