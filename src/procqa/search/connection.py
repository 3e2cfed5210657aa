"""One connection of the server: what HTTP itself refuses is problem JSON too, and no client may dawdle.

uvicorn bounds neither how long a client takes over the head of a request, nor how long it reads an answer.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from procqa.search.problems import problem_bytes

MAX_HEAD_BYTES = 256 << 10
"""Largest request line with headers: a query of 20,000 characters in an address, percent-encoded."""

PATIENCE_S = 10.0
"""Seconds a client has for the head of a request, and to take an answer. Source: ours, docs/decisions/0001."""

MALFORMED = "a request must be HTTP/1.1, but this one cannot be read as such: see /docs"
TOO_LONG = f"the address and headers of a request must have at most {MAX_HEAD_BYTES:,} bytes: POST a long query"


class Connection(H11Protocol):
    """uvicorn's protocol over h11, with a clock and with problem JSON."""

    patience_s = PATIENCE_S

    # Any below: uvicorn's own arguments.
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clock: asyncio.TimerHandle | None = None
        self._unread = 0
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Start the clock."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came, unless the request is refused already: then the client has only to read why."""
        if not self._refused:
            super().data_received(data)
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        super().connection_lost(exc)
        self._stop()

    def on_response_complete(self) -> None:
        """Go on with the next request, whose head may be there in part."""
        super().on_response_complete()
        self._watch()

    def _watch(self) -> None:
        """Let the clock run while no request is being answered."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()
        elif self._clock is None:
            self._clock = self.loop.call_later(self.patience_s, self._give_up)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _give_up(self) -> None:
        self._clock = None
        before, self._unread = self._unread, self.transport.get_write_buffer_size()
        if self._unread and (before == 0 or self._unread < before):
            self._watch()  # a long answer over a slow line: what counts is that it moves
        else:
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's sentence says less
        """Refuse what is no request, or too long a one."""
        self._refused = True
        is_long = len(self.conn.trailing_data[0]) > MAX_HEAD_BYTES
        status = 431 if is_long else 400
        body = problem_bytes(status, TOO_LONG if is_long else MALFORMED)
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        # Closing now would reset the connection, and the client would not read the answer.
        self.transport.write_eof()
