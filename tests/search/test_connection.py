"""Connections, with clients that dawdle, hang up, or speak no HTTP."""

import json
import socket
import time

import pytest

pytest.importorskip("uvicorn")

from starlette.responses import PlainTextResponse

from procqa.search.connection import Connection
from tests.search.running import exchange, running

CLOSE = b"connection: close\r\n\r\n"
hello = PlainTextResponse("hello")
much = PlainTextResponse("x" * 30_000_000)


class Hasty(Connection):
    """A connection that soon gives up."""

    patience_s = 0.3


def problem_of(received: bytes) -> tuple[bytes, dict[str, object]]:
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    return head.partition(b"\r\n")[0], json.loads(body)


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00 no HTTP\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_no_http_is_told_so_as_problem_json(sent: bytes):
    with running(hello) as port:
        line, problem = problem_of(exchange(port, sent)[0])
    assert line.startswith(b"HTTP/1.1 400")
    assert problem == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "a request must be HTTP/1.1, but this one cannot be read as such: see /docs",
    }


@pytest.mark.parametrize("size", [1_000_000, 10_000_000])
def test_an_address_that_is_too_long_is_answered_and_not_reset(size: int):
    with running(hello, Hasty) as port:
        line, problem = problem_of(exchange(port, b"GET /?q=" + b"x" * size + b" HTTP/1.1\r\nhost: a\r\n" + CLOSE)[0])
    assert line.startswith(b"HTTP/1.1 431")
    assert problem["detail"] == (
        "the address and headers of a request must have at most 262,144 bytes: POST a long query"
    )


@pytest.mark.parametrize("sent", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: "])
def test_a_client_that_never_ends_its_head_is_let_go(sent: bytes):
    with running(hello, Hasty) as port:
        received, seconds = exchange(port, sent)
    assert received == b""
    assert 0.2 < seconds < 3


def test_a_second_request_on_a_connection_is_bounded_too():
    with running(hello, Hasty) as port:
        received, seconds = exchange(port, b"GET / HTTP/1.1\r\nhost: a\r\n\r\nGET /ag")
    assert received.startswith(b"HTTP/1.1 200")
    assert received.endswith(b"hello")
    assert 0.2 < seconds < 3


def test_a_slow_reader_gets_all_and_one_that_stops_reading_is_let_go():
    ask = b"GET / HTTP/1.1\r\nhost: a\r\n" + CLOSE
    with running(much, Hasty, keep_alive_s=1) as port:
        with socket.create_connection(("127.0.0.1", port)) as slow:
            slow.sendall(ask)
            size = 0
            while part := slow.recv(4_000_000):
                size += len(part)
                time.sleep(0.02)
        assert size > 30_000_000
        with socket.create_connection(("127.0.0.1", port)) as idle:
            idle.sendall(ask)
            time.sleep(1.5)
            size = 0
            while part := idle.recv(4_000_000):
                size += len(part)
        assert size < 30_000_000


def test_a_client_that_hangs_up_in_the_middle_leaves_the_server_alive():
    with running(much) as port:
        for sent in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", b"POST / HTTP/1.1\r\nhost: a\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(sent)
        assert exchange(port, b"GET / HTTP/1.1\r\nhost: a\r\n" + CLOSE)[0].startswith(b"HTTP/1.1 200")
