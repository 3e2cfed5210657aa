"""The index over HTTP: a page for people, JSON for programs, one error format.

Every answer is the one of ``Searcher.search``. The page is rendered here, needs no script and loads
nothing from elsewhere. Errors are problem JSON (RFC 9457) with one sentence. Needs the extra ``serve``.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi import Path as PathParameter
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from procqa import __version__
from procqa.config import MAX_QUERY_CHARS, SearchConfig, ServeConfig
from procqa.errors import ConfigError, ProcqaError, QueryError
from procqa.search.live import LiveSearcher
from procqa.search.pages import render
from procqa.search.problems import PROBLEMS, quote, shorten, to_sentence
from procqa.search.searcher import Searcher, SearchResult, document_json, result_json

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

MAX_BODY_BYTES = 256 << 10
"""Largest body of a request: a query of 20,000 characters, each escaped as twelve bytes, and some room."""

FAILED = "the server failed on this request, and its log says why"
RETRY_AFTER_S = 1
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""On every answer. Source: ours, docs/decisions/0007."""

DEFAULTS = SearchConfig()
Mode = Literal["hybrid", "dense", "lexical"]
MEANS = {
    "q": "words or code, at most 20,000 characters",
    "k": "hits returned, 1 to 1000",
    "language": "answer in one language only; empty or all: any",
    "mode": "rank by words (lexical), vectors (dense), or both fused (hybrid)",
}
QueryParameter = Annotated[str, Query(description=MEANS["q"])]
KParameter = Annotated[int, Query(description=MEANS["k"])]
LanguageParameter = Annotated[str | None, Query(description=MEANS["language"])]
ModeParameter = Annotated[Mode, Query(description=MEANS["mode"])]


class SearchRequest(BaseModel):
    """The body of ``POST /api/search``: either a query or code, and how to answer it."""

    model_config = ConfigDict(extra="forbid")

    query: str | None = Field(None, description=f"{MEANS['q']}; give either query or code")
    code: str | None = Field(None, description="code as the query, at most 20,000 characters")
    k: int = Field(DEFAULTS.k, description=MEANS["k"])
    language: str | None = Field(None, description=MEANS["language"])
    mode: Mode = Field(DEFAULTS.mode, description=MEANS["mode"])


class Desk:
    """Runs searches on a bounded number of threads, each for a bounded time.

    Args:
        config: how many at once, and how long.
    """

    def __init__(self, config: ServeConfig) -> None:
        self._timeout_s = config.timeout_s
        self._pool = ThreadPoolExecutor(config.concurrency, thread_name_prefix="search")
        self._free = config.concurrency

    async def run(self, task: Callable[[], Answer]) -> Answer:
        """The task's result.

        Raises:
            HTTPException: 503 where all threads are busy, 504 where the time is over.
        """
        if self._free == 0:
            headers = {"retry-after": str(RETRY_AFTER_S)}
            raise HTTPException(503, "the server is busy with other searches: try again in a second", headers)
        self._free -= 1
        loop = asyncio.get_running_loop()
        future: Future[Answer] = self._pool.submit(task)
        # A search that ran out of time holds its thread until it ends, and so its place.
        future.add_done_callback(lambda _: _call_soon(loop, self._give_back))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._timeout_s)
        except TimeoutError as error:
            raise HTTPException(
                504, f"the search took longer than {self._timeout_s:g} seconds: ask for less"
            ) from error

    def _give_back(self) -> None:
        self._free += 1

    def close(self) -> None:
        """Let running searches end, and take no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)


class Metrics:
    """What Prometheus reads of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "procqa_requests", "Answered requests", ("route", "method", "status"), registry=self.registry
        )
        self.seconds = Histogram("procqa_search_seconds", "Wall time of searches", ("mode",), registry=self.registry)
        self.documents = Gauge("procqa_documents", "Documents in the served index", registry=self.registry)


class Rim:
    """The outermost layer: headers on every answer, a limit on every body, a count of every request.

    HEAD is answered wherever GET is: with the same head, and no body.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        if method == "HEAD":
            scope = {**scope, "method": "GET"}
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(413, f"a request's body must have at most {MAX_BODY_BYTES:,} bytes")
            return message

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                extra = [
                    (name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in given
                ]
                message["headers"] = [*message["headers"], *extra]
                route = getattr(scope.get("route"), "path", "none")
                label = method if method in ("GET", "HEAD", "POST") else "other"
                self._metrics.requests.labels(route, label, message["status"]).inc()
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        await self._app(scope, limited, headed)


@dataclass(frozen=True, slots=True)
class Service:
    """What the routes share."""

    live: LiveSearcher
    desk: Desk
    metrics: Metrics

    async def search(
        self, query: str, config: SearchConfig, view: Callable[[Searcher, SearchResult], Answer]
    ) -> Answer:
        """What a view makes of the hits for a query.

        Raises:
            HTTPException: 413 where the query is too long, 503 and 504 as ``Desk.run``.
            QueryError: the query cannot be answered.
        """
        if len(query) > MAX_QUERY_CHARS:
            raise HTTPException(413, f"a query must have at most {MAX_QUERY_CHARS:,} characters, got {len(query):,}")

        def task() -> Answer:
            searcher = self.live.current()
            result = searcher.search(query, config)
            self.metrics.seconds.labels(result.mode).observe(result.seconds)
            return view(searcher, result)

        return await self.desk.run(task)


def make_app(index: Path, config: ServeConfig) -> ASGIApp:
    """The application that serves an index.

    Raises:
        ArtifactError: the folder is no index, or its encoder cannot be loaded.
    """
    service = Service(LiveSearcher(index), Desk(config), Metrics())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.desk.close()

    app = FastAPI(
        title="procqa", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan, responses=PROBLEMS
    )
    _add_errors(app, service)
    _add_page(app, service)
    _add_api(app, service)
    _add_probes(app, service)
    _add_descriptions(app)
    return Rim(app, service.metrics)


def _add_errors(app: FastAPI, service: Service) -> None:
    """One shape for everything that goes wrong: problem JSON, or the page where a person looks."""

    def answer(request: Request, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
        if request.url.path == "/" and request.method == "GET":
            page = render.search_page(service.live.latest, render.Form.of(request.query_params), error=sentence)
            return HTMLResponse(page, status, headers)
        problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
        return JSONResponse(problem, status, headers, media_type="application/problem+json")

    @app.exception_handler(StarletteHTTPException)
    async def refused(request: Request, error: StarletteHTTPException) -> Response:
        if error.status_code == 405:
            methods = _methods(app, request)
            sentence = f"this address must be asked with {' or '.join(methods)}, got {shorten(request.method)}"
            return answer(request, 405, f"{sentence}: see /docs", {"allow": ", ".join(methods)})
        sentence = "there is nothing at this address: see /docs" if error.detail == "Not Found" else str(error.detail)
        return answer(request, error.status_code, sentence, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return answer(request, 400, to_sentence(error.errors()[0]))

    @app.exception_handler(QueryError)
    @app.exception_handler(ConfigError)
    async def unanswerable(request: Request, error: ProcqaError) -> Response:
        return answer(request, 400, str(error))

    @app.exception_handler(ProcqaError)
    async def failed(request: Request, error: ProcqaError) -> Response:
        logger.error("%s", error)
        return answer(request, 500, FAILED)

    @app.exception_handler(Exception)
    async def broken(request: Request, _: Exception) -> Response:
        # A bug: Starlette raises it again after this answer, and uvicorn logs it.
        return answer(request, 500, FAILED)


def _methods(app: FastAPI, request: Request) -> list[str]:
    """The methods that an address takes, of all its routes."""
    found: set[str] = set()
    for route in app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    if "GET" in found:
        found.add("HEAD")
    return sorted(found)


def _add_page(app: FastAPI, service: Service) -> None:
    """The page for people."""

    @app.get("/", response_class=HTMLResponse, summary="The page: a search box, and the hits of a query.")
    async def page(
        request: Request,
        q: QueryParameter = "",
        k: KParameter = DEFAULTS.k,
        language: LanguageParameter = None,
        mode: ModeParameter = DEFAULTS.mode,
    ) -> Response:
        form = render.Form.of(request.query_params)
        if not q.strip():
            # No search, so it takes no place of one.
            return HTMLResponse(render.search_page(await run_in_threadpool(service.live.current), form))
        config = SearchConfig(k=k, language=language or None, mode=mode)
        return HTMLResponse(
            await service.search(q, config, lambda searcher, result: render.search_page(searcher, form, result=result))
        )


def _add_api(app: FastAPI, service: Service) -> None:
    """The same hits for programs."""

    def as_json(_: Searcher, result: SearchResult) -> Response:
        return JSONResponse(result_json(result))

    @app.get("/api/search", summary="The hits for a query: the object of procqa search --json.")
    async def ask(
        q: QueryParameter,
        k: KParameter = DEFAULTS.k,
        language: LanguageParameter = None,
        mode: ModeParameter = DEFAULTS.mode,
    ) -> Response:
        return await service.search(q, SearchConfig(k=k, language=language or None, mode=mode), as_json)

    @app.post("/api/search", summary="The same, for queries in a body: long ones, and code.")
    async def ask_in_body(body: SearchRequest) -> Response:
        if (body.query is None) == (body.code is None):
            raise QueryError("a search takes one query: give either query or code")
        query = body.code if body.query is None else body.query
        assert query is not None
        config = SearchConfig(k=body.k, language=body.language or None, mode=body.mode)
        return await service.search(query, config, as_json)

    @app.get("/api/documents/{id:path}", summary="One document with its question, tags and attribution.")
    async def document(id: Annotated[str, PathParameter(description="the id of a hit")]) -> Response:  # noqa: A002
        found = await service.desk.run(lambda: service.live.current().document(id))
        if found is None:
            raise HTTPException(404, f"no document of this index has the id {quote(id)}: take the id of a hit")
        return JSONResponse(document_json(found))


def _add_probes(app: FastAPI, service: Service) -> None:
    """What a supervisor asks."""

    @app.get("/healthz", summary="Whether the server runs.")
    async def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", summary="Whether the server can answer, and from how many documents.")
    async def readyz() -> Response:
        searcher = await run_in_threadpool(service.live.current)
        return JSONResponse({"status": "ready", "documents": len(searcher), "sha256": searcher.sha256})

    @app.get("/metrics", summary="Figures for Prometheus.")
    async def figures() -> Response:
        service.metrics.documents.set(len(await run_in_threadpool(service.live.current)))
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _add_descriptions(app: FastAPI) -> None:
    """What does not depend on the index."""

    @app.get("/style.css", include_in_schema=False)
    async def style() -> Response:
        return Response(render.style_sheet(), media_type="text/css", headers={"cache-control": "max-age=3600"})

    @app.get("/docs", response_class=HTMLResponse, summary="This interface, for readers.")
    async def docs() -> Response:
        return HTMLResponse(render.docs_page(app.openapi()))
