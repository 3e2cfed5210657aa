"""The outermost layer: what holds for every request and every answer, whatever the route."""

import asyncio
import logging
import re
import secrets
import time
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from procqa.search.problems import shorten
from procqa.search.web.figures import Figures

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 << 10
"""Largest body of a request: a query of 20,000 characters, each escaped as twelve bytes, and some room."""

BODY_S = 10.0
"""Seconds a body may take to arrive, once its head has. Source: ours, docs/decisions/0001."""

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""On every answer. Source: ours, docs/decisions/0007."""

REQUEST_ID = b"x-request-id"
METHODS = ("GET", "HEAD", "POST", "OPTIONS")


@dataclass(slots=True)
class Passage:
    """One request on its way through the rim, and what has been seen of it; bytes and seconds."""

    method: str
    id: str
    started: float
    deadline: float
    received: int = 0
    sent: int = 0
    status: int = 0
    is_whole: bool = False


class Rim:
    """Gives each request an id and limits its body; gives each answer its headers, a count and a line in the log.

    HEAD is answered wherever GET is: with the same head, and no body.

    Args:
        body_s: seconds a body may take to arrive, once its head has.
    """

    def __init__(self, app: ASGIApp, figures: Figures, *, body_s: float = BODY_S) -> None:
        self._app = app
        self._figures = figures
        self._body_s = body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        passage = Passage(scope["method"], _id_of(scope), started, started + self._body_s)
        scope = {**scope, "state": {**scope.get("state", {}), "request_id": passage.id}}
        if passage.method == "HEAD":
            scope["method"] = "GET"

        async def limited() -> Message:
            return await _receive(receive, passage)

        async def headed(message: Message) -> None:
            await send(_dress(message, passage))

        try:
            await self._app(scope, limited, headed)
        finally:
            self._note(scope, passage)

    def _note(self, scope: Scope, passage: Passage) -> None:
        """Count a request, and say in the log what became of it; its query is nobody's business."""
        seconds = time.perf_counter() - passage.started
        route = getattr(scope.get("route"), "path", "none")
        method = passage.method if passage.method in METHODS else "other"
        self._figures.requests.labels(route, method, passage.status).inc()
        self._figures.request_seconds.labels(route).observe(seconds)
        facts = {
            "request_id": passage.id,
            "client": (scope.get("client") or ("",))[0],
            "method": shorten(passage.method),
            "path": shorten(scope["path"]),
            "route": route,
            "status": passage.status,
            "milliseconds": round(1_000 * seconds, 1),
            "bytes": passage.sent,
        }
        logger.info("request", extra={"facts": facts})


def _id_of(scope: Scope) -> str:
    """The id that a proxy gave a request, where it is one; else a new one."""
    given = dict(scope["headers"]).get(REQUEST_ID, b"").decode("latin-1")
    return given if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", given) else secrets.token_hex(8)


async def _receive(receive: Receive, passage: Passage) -> Message:
    """What comes next of a request, in time and within its size."""
    if passage.is_whole:
        return await receive()  # it says when the client goes away, and that may last
    left = max(0.0, passage.deadline - time.perf_counter())
    try:
        message = await asyncio.wait_for(receive(), left)
    except TimeoutError as error:
        allowed = passage.deadline - passage.started
        raise HTTPException(408, f"a request's body must arrive within {allowed:g} seconds: send it again") from error
    passage.received += len(message.get("body", b""))
    if passage.received > MAX_BODY_BYTES:
        raise HTTPException(413, f"a request's body must have at most {MAX_BODY_BYTES:,} bytes")
    passage.is_whole = not message.get("more_body", False)
    return message


def _dress(message: Message, passage: Passage) -> Message:
    """A part of an answer with the headers of every answer, and for HEAD without a body."""
    if message["type"] == "http.response.start":
        passage.status = message["status"]
        given = {name for name, _ in message["headers"]}
        extra = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in given]
        return {**message, "headers": [*message["headers"], *extra, (REQUEST_ID, passage.id.encode())]}
    if passage.method == "HEAD":
        return {**message, "body": b""}
    passage.sent += len(message.get("body", b""))
    return message
