"""The index over HTTP, asked through a real server on the loopback."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

from procqa.config import SearchConfig, ServeConfig
from procqa.index.build import build_index
from procqa.search.desk import Desk
from procqa.search.forms import result_json
from procqa.search.live import LiveSearcher
from procqa.search.searcher import Searcher
from procqa.search.web.app import Service, _add_page
from procqa.search.web.figures import Figures
from tests.index.small import to_row, write_dataset
from tests.search.served import Page, Served, worse_than_info, write_index


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_index(tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="module")
def server(index: Path) -> Iterator[Served]:
    with Served(index) as served:
        yield served
        status, log = served.stop()
        assert (status, worse_than_info(log)) == (0, [])


def without_time(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "seconds"}


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
@pytest.mark.parametrize("language", [None, "python"])
def test_python_api_and_page_give_the_same_hits(server: Served, index: Path, mode: str, language: str | None):
    expected = result_json(Searcher.open(index).search("read a file", SearchConfig(k=3, mode=mode, language=language)))
    options = {"k": 3, "mode": mode, "language": language or ""}
    of_get = server.get("/api/search", q="read a file", **options).json()
    of_post = server.client.post("/api/search", json={"query": "read a file", **options}).json()
    of_code = server.client.post("/api/search", json={"code": "read a file", **options}).json()
    page = Page(server.get("/", q="read a file", **options).text)
    assert without_time(of_get) == without_time(of_post) == without_time(of_code) == without_time(expected)
    assert page.titles == [hit["title"] for hit in expected["hits"]]


def test_every_hit_of_every_surface_says_who_and_under_which_licence(server: Served):
    (hit,) = server.get("/api/search", q="duplicates", mode="lexical").json()["hits"]
    document = server.get(f"/api/documents/{hit['id']}").json()
    for answer in (hit, document):
        assert (answer["question_author"], answer["answer_author"]) == ("Ann", "Bob")
        assert (answer["question_licence"], answer["answer_licence"]) == ("CC BY-SA 3.0", "CC BY-SA 4.0")
        assert answer["question_url"] == "https://stackoverflow.com/questions/9"
        assert answer["answer_author_url"] == "https://stackoverflow.com/users/2"
    page = Page(server.get("/", q="duplicates", mode="lexical").text)
    for part in ("Ann", "Bob", "CC BY-SA 3.0", "CC BY-SA 4.0", "stackoverflow.com"):
        assert part in page.text
    links = {attributes["href"]: attributes.get("rel") for tag, attributes in page.tags if tag == "a"}
    for url in ("questions/9", "a/10", "users/1", "users/2"):
        assert links[f"https://stackoverflow.com/{url}"] == "noopener nofollow ugc"


OURS = {"src": "/script.js", "defer": None}
"""The one script of a page."""


def scripts_of(page: Page) -> list[dict[str, str | None]]:
    return [attributes for tag, attributes in page.tags if tag == "script"]


def test_a_hostile_document_is_inert_on_the_page(server: Served):
    page = Page(server.get("/", q="map", mode="lexical", language="rust").text)
    names = {tag for tag, _ in page.tags}
    assert not names & {"img", "svg", "iframe", "object", "embed", "style", "base", "b"}
    assert scripts_of(page) == [OURS]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert all(
        (attributes.get("href") or "/").startswith(("http", "/", "data:,", "#hit-")) for _, attributes in page.tags
    )
    assert page.titles == ["</title><script>alert('title')</script> map"]
    assert "<b>Mallory</b>" in page.text


@pytest.mark.parametrize("query", ["</textarea><script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_a_hostile_query_is_inert_on_the_page(server: Served, query: str):
    for parameters in ({"q": query}, {"q": query, "language": query}, {"q": query, "k": query}, {"mode": query}):
        page = Page(server.get("/", **parameters).text)
        assert "img" not in {tag for tag, _ in page.tags}
        assert scripts_of(page) == [OURS]


def test_the_page_loads_nothing_from_elsewhere(server: Served):
    answer = server.get("/", q="read")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
    assert "unsafe" not in policy
    page = Page(answer.text)
    assert [attributes["href"] for tag, attributes in page.tags if tag == "link"] == ["data:,", "/style.css"]
    assert scripts_of(page) == [OURS]
    script = server.get("/script.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "eval(" not in script.text
    assert "innerHTML" not in script.text
    style = server.get("/style.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text
    assert "@import" not in style.text


@pytest.mark.parametrize("path", ["/", "/api/search?q=list", "/api/search", "/nowhere", "/docs", "/style.css"])
def test_every_answer_carries_the_headers_of_safety(server: Served, path: str):
    headers = server.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/api/search", 400, "q must be given, got nothing: add ?q=WORDS to the address"),
        ("/api/search?q=", 400, "at least one character"),
        ("/api/search?q=%20%09", 400, "at least one character"),
        ("/api/search?q=x&k=0", 400, "k must lie between 1 and 1000, got 0"),
        ("/api/search?q=x&k=1001", 400, "k must lie between 1 and 1000, got 1001"),
        ("/api/search?q=x&k=many", 400, "k must be a whole number from 1 to 1000, got 'many'"),
        ("/api/search?q=x&k=" + "9" * 5_000, 400, f"from 1 to 1000, got '{'9' * 40}…'"),
        ("/api/search?q=x&k=%0A%1b", 400, r"got '\n\x1b'"),
        ("/api/search?q=x&mode=guess", 400, "mode must be one of hybrid, dense, lexical, got 'guess'"),
        ("/api/search?q=x&language=cobol", 400, "language must be one of the index"),
        ("/api/search?q=" + "x" * 20_001, 413, "at most 20,000 characters, got 20,001"),
        ("/api/documents/nobody:1", 404, "the id 'nobody:1': take the id of a hit"),
        ("/api/documents/%ff%00", 404, "no document"),
        ("/nowhere", 404, "nothing at this address"),
        ("/../../etc/passwd", 404, "nothing at this address"),
    ],
)
def test_what_cannot_be_answered_is_problem_json(server: Served, path: str, status: int, sentence: str):
    answer = server.client.get(path)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"]) == (status, status)
    assert sentence in problem["detail"]
    assert "\n" not in problem["detail"]


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"", 400, "the body must be a JSON object, got nothing: send"),
        (b"{", 400, "must be JSON, but it cannot be read as such: send"),
        (b"\xff\xfe{", 400, "must be JSON, but it cannot be read as such: send"),
        (b"[" * 100_000, 400, "must be JSON, but it cannot be read as such: send"),
        (b"[]", 400, "the body must be a JSON object, got []: send"),
        (b"{}", 400, "give either query or code"),
        (b'{"query": "a", "code": "b"}', 400, "give either query or code"),
        (b'{"query": 1}', 400, "query must be text, got 1: put it in quotation marks"),
        (b'{"query": "a", "k": 1.5}', 400, "k must be a whole number from 1 to 1000, got 1.5"),
        (
            b'{"query": "a", "depth": 1}',
            400,
            "the body may hold query, code, k, language and mode, got 'depth': leave it out",
        ),
        (b"\xff\xfe", 400, "must be JSON"),
        (json.dumps({"code": "x" * 20_001}).encode(), 413, "at most 20,000 characters"),
        (b" " * 300_000, 413, "at most 262,144 bytes"),
    ],
)
def test_a_body_that_cannot_be_taken_is_problem_json(server: Served, body: bytes, status: int, sentence: str):
    answer = server.client.post("/api/search", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert sentence in answer.json()["detail"]


def test_a_form_in_a_body_is_told_to_be_json(server: Served):
    answer = server.client.post("/api/search", data={"query": "x"})
    assert answer.status_code == 400
    assert "must be a JSON object, got 'query=x': send {" in answer.json()["detail"]
    assert answer.json()["detail"].endswith("as application/json")


@pytest.mark.parametrize("path", ["/", "/?q=list", "/api/search?q=list", "/healthz", "/readyz", "/docs", "/nowhere"])
def test_head_is_answered_as_get_without_the_body(server: Served, path: str):
    of_get, of_head = server.client.get(path), server.client.head(path)
    assert (of_head.status_code, of_head.content) == (of_get.status_code, b"")
    for name in ("content-type", "content-security-policy"):
        assert of_head.headers[name] == of_get.headers[name]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/search", "GET, HEAD, POST"),
        ("POST", "/", "GET, HEAD"),
        ("PUT", "/api/documents/x", "GET, HEAD"),
        ("BREW", "/healthz", "GET, HEAD"),
    ],
)
def test_another_method_is_told_which_ones_there_are(server: Served, method: str, path: str, allowed: str):
    answer = server.client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    sentence = f"this address must be asked with {allowed.replace(', ', ' or ')}, got {method}: see /docs"
    assert answer.json()["detail"] == sentence


def test_a_body_without_a_length_is_limited_too(server: Served):
    def chunks() -> Iterator[bytes]:
        for _ in range(300):
            yield b" " * 1_000

    answer = server.client.post("/api/search", content=chunks(), headers={"content-type": "application/json"})
    assert answer.status_code == 413


def test_a_query_of_20000_characters_is_answered_by_get_and_post(server: Served):
    for letter in ("x", "é"):
        query = letter * 19_990 + " read file"
        assert server.client.post("/api/search", json={"query": query, "mode": "lexical"}).json()["hits"]
    query = "é" * 9_000 + "x" * 10_990 + " read file"
    assert server.get("/api/search", q=query, mode="lexical").json()["hits"]


def test_half_a_surrogate_pair_is_answered(server: Served):
    body = b'{"query": "\\ud800 duplicates", "mode": "lexical"}'
    answer = server.client.post("/api/search", content=body, headers={"content-type": "application/json"})
    assert [hit["id"] for hit in answer.json()["hits"]] == ["stackoverflow.com:10"]


def test_the_page_says_what_is_wrong_and_keeps_the_query(server: Served):
    answer = server.get("/", q="my query", k="0")
    assert answer.status_code == 400
    assert "k must lie between 1 and 1000, got 0" in answer.text
    assert "my query</textarea>" in answer.text


def test_the_page_without_a_query_is_the_form(server: Served):
    page = Page(server.get("/").text)
    assert page.titles == []
    assert {"textarea", "select", "button"} <= {tag for tag, _ in page.tags}
    assert "6 answers, posts up to 2020-09-13" in page.text


def test_supervisors_are_answered(server: Served):
    assert server.get("/healthz").json() == {"status": "ok"}
    assert server.get("/readyz").json()["documents"] == 6
    server.get("/api/search", q="list", mode="lexical")
    figures = server.get("/metrics").text
    assert "procqa_documents 6.0" in figures
    assert 'procqa_requests_total{method="GET",route="/healthz",status="200"}' in figures
    assert 'procqa_search_seconds_count{mode="lexical"}' in figures


def test_the_interface_is_described_for_readers_and_for_programs(server: Served):
    described = server.get("/openapi.json").json()
    assert {"/", "/api/search", "/api/documents/{id}", "/healthz", "/readyz", "/metrics", "/docs"} <= set(
        described["paths"]
    )
    assert "422" not in json.dumps(described["paths"])
    fields = described["components"]["schemas"]["SearchRequest"]["properties"]
    assert [name for name, field in fields.items() if not field.get("description")] == []
    page = Page(server.get("/docs").text)
    assert "POST /api/search" in page.text
    assert "img" not in {tag for tag, _ in page.tags}
    assert scripts_of(page) == [OURS]


def test_an_update_of_the_index_is_served_without_a_restart(tmp_path: Path):
    dataset = write_dataset(tmp_path / "d")
    build_index([dataset], tmp_path / "i", encoder=None)
    with Served(tmp_path / "i") as served:
        assert served.get("/api/search", q="vector").json()["hits"] == []
        more = write_dataset(tmp_path / "more", [to_row(90, "rust", "Sort a vector", "v.sort()")])
        build_index([dataset, more], tmp_path / "i", encoder=None)
        assert [hit["id"] for hit in served.get("/api/search", q="vector").json()["hits"]] == ["stackoverflow.com:90"]
        (tmp_path / "i/manifest.json").write_text("{")
        assert [hit["id"] for hit in served.get("/api/search", q="vector").json()["hits"]] == ["stackoverflow.com:90"]
        status, log = served.stop()
        assert status == 0
        assert ["the old one stays" in line["message"] for line in worse_than_info(log)] == [True]


def test_a_failure_inside_is_told_without_internals(tmp_path: Path):
    build_index([write_dataset(tmp_path / "d")], tmp_path / "i", encoder=None)
    with Served(tmp_path / "i") as served:
        (rows,) = (tmp_path / "i").glob("*/documents/rows.arrow")
        size = rows.stat().st_size
        with rows.open("r+b") as stream:
            stream.seek(size // 3)
            stream.write(b"\xff" * (size // 3))
        for path, kind in (("/api/search", "application/problem+json"), ("/", "text/html; charset=utf-8")):
            answer = served.get(path, q="read a file")
            assert (answer.status_code, answer.headers["content-type"]) == (500, kind)
            assert "the server failed on this request" in answer.text
            assert str(tmp_path) not in answer.text
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert served.get("/healthz").status_code == 200
        status, log = served.stop()
        assert status == 0
        assert all("rows.arrow is broken" in line["message"] for line in worse_than_info(log))
        assert len(worse_than_info(log)) == 2


def test_the_empty_page_takes_no_place_of_a_search(index: Path):
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    app, live, desk = FastAPI(), LiveSearcher(index), Desk(ServeConfig())
    service = Service(live, desk, Figures(live, lambda: desk.taken))
    _add_page(app, service)
    service.desk.close()
    with TestClient(app) as client:
        assert client.get("/").status_code == 200
        with pytest.raises(RuntimeError, match="shutdown"):
            client.get("/?q=list")
