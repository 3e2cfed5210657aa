"""An ASGI app on the loopback, in a thread of the test: for what depends on clocks that the test sets."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from procqa.search.connection import MAX_HEAD_BYTES, Connection


@contextmanager
def running(app: ASGIApp, protocol: type[Connection] = Connection, *, keep_alive_s: int = 5) -> Iterator[int]:
    """The port of a server that runs as long as the context."""
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_keep_alive=keep_alive_s,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as opened:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
        thread.start()
        try:
            yield opened.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(timeout=10)


def exchange(port: int, sent: bytes, *, timeout_s: float = 10) -> tuple[bytes, float]:
    """All that comes back for what is sent until the server closes, and the seconds that took."""
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as client:
        client.sendall(sent)
        received = b""
        try:
            while part := client.recv(1 << 16):
                received += part
        except ConnectionResetError:
            pass
    return received, time.perf_counter() - started
