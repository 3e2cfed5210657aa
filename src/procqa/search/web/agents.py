"""The tools for agents at an address of the server: MCP over streamable HTTP, without sessions.

Each POST is a whole conversation, so nothing is kept between two of them, and any number of agents may come and go.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import Receive, Scope, Send

from procqa.search.mcp import Run, make_server


class Agents:
    """An ASGI app; runs only within ``running``."""

    path = "/mcp"

    def __init__(self, run: Run) -> None:
        self._manager = StreamableHTTPSessionManager(
            make_server(run),
            stateless=True,
            json_response=True,
            max_request_body_size=sys.maxsize,  # the rim refuses a large one before, as problem JSON
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take calls; those under way are cancelled at the end."""
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one message."""
        scope["route"] = self  # what the log and the figures call it by
        await self._manager.handle_request(scope, receive, send)
