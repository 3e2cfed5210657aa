"""The routes: a page for people, JSON for programs, one error format.

Every answer is the one of ``Searcher.search``. The page is rendered here, works without its script and loads
nothing from elsewhere. Errors are problem JSON (RFC 9457) with one sentence. Needs the extra ``serve``.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi import Path as PathParameter
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from procqa import __version__
from procqa.config import MAX_QUERY_CHARS, SearchConfig, ServeConfig
from procqa.errors import ConfigError, ProcqaError, QueryError
from procqa.search.desk import Desk, Refused
from procqa.search.forms import document_json, result_json
from procqa.search.live import LiveSearcher
from procqa.search.pages import render
from procqa.search.problems import NO_JSON, PROBLEMS, quote, shorten, to_sentence
from procqa.search.searcher import Searcher, SearchResult
from procqa.search.web.agents import Agents
from procqa.search.web.answers import problem_response, request_id
from procqa.search.web.figures import Figures
from procqa.search.web.gate import Gate, load_token
from procqa.search.web.rim import Rim
from procqa.search.web.schema import (
    DEFAULTS,
    CodeDocument,
    Health,
    KParameter,
    LanguageParameter,
    ModeParameter,
    PageQueryParameter,
    PostDocument,
    QueryParameter,
    Readiness,
    SearchAnswer,
    SearchRequest,
    describe,
)

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

FAILED = "the server failed on this request, and its log says why"
RETRY_AFTER_S = 1
OF_FRAMEWORK = {
    "Not Found": "there is nothing at this address: see /docs",
    "There was an error parsing the body": NO_JSON,
}
"""What is said instead of what Starlette and FastAPI say."""

PAGE_PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {"description": "The page, with one sentence of what is wrong.", "content": {"text/html": {}}}
}


@dataclass(frozen=True, slots=True)
class Service:
    """What the routes share."""

    live: LiveSearcher
    desk: Desk
    figures: Figures

    async def run(self, task: Callable[[Searcher], Answer]) -> Answer:
        """What a task makes of the index as it stands now.

        Raises:
            Refused: no place, or no time.
        """
        return await self.desk.run(lambda: task(self.live.current()))

    async def search(
        self,
        query: str,
        config: SearchConfig,
        view: Callable[[Searcher, SearchResult], Answer],
        *,
        is_code: bool = False,
    ) -> Answer:
        """What a view makes of the hits for a query.

        Raises:
            HTTPException: 413 where the query is too long.
            Refused: no place, or no time.
            QueryError: the query cannot be answered.
        """
        if len(query) > MAX_QUERY_CHARS:
            raise HTTPException(413, f"a query must have at most {MAX_QUERY_CHARS:,} characters, got {len(query):,}")

        def task(searcher: Searcher) -> Answer:
            result = searcher.search(query, config, is_code=is_code)
            self.figures.search_seconds.labels(result.mode).observe(result.seconds)
            return view(searcher, result)

        return await self.run(task)


def make_app(index: Path, config: ServeConfig) -> ASGIApp:
    """The application that serves an index.

    Raises:
        ArtifactError: the folder is no index, or its encoder cannot be loaded.
    """
    live, desk = LiveSearcher(index), Desk(config)
    service = Service(live, desk, Figures(live, lambda: desk.taken))
    token = None if config.token_file is None else load_token(Path(config.token_file))

    agents = Agents(service.run)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with agents.running():
            yield
        service.desk.close()

    app = FastAPI(
        title="procqa", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan, responses=PROBLEMS
    )
    _add_errors(app, service)
    _add_page(app, service)
    _add_api(app, service)
    _add_probes(app, service)
    # Its messages are described by the protocol, not by OpenAPI.
    app.router.routes.append(Route(agents.path, agents, methods=["POST"], include_in_schema=False))
    _add_descriptions(app, service, has_token=token is not None)
    gated: ASGIApp = Gate(app, config, token)
    if config.cors_origins:
        # Around the gate: a browser asks whether it may ask before it shows a token.
        gated = CORSMiddleware(
            gated,
            allow_origins=config.cors_origins,
            allow_methods=("GET", "POST"),
            allow_headers=("authorization", "content-type", "mcp-protocol-version", "x-request-id"),
            expose_headers=("x-request-id", "retry-after"),
        )
    return Rim(gated, service.figures)


def _add_errors(app: FastAPI, service: Service) -> None:
    """One shape for everything that goes wrong: problem JSON, or the page where a person looks."""

    def answer(request: Request, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
        if request.url.path == "/" and request.method == "GET":
            page = render.search_page(service.live.latest, render.Form.of(request.query_params), error=sentence)
            return HTMLResponse(page, status, headers)
        return problem_response(request.scope, status, sentence, headers)

    @app.exception_handler(StarletteHTTPException)
    async def wrong(request: Request, error: StarletteHTTPException) -> Response:
        if error.status_code == 405:
            methods = _methods(app, request)
            sentence = f"this address must be asked with {' or '.join(methods)}, got {shorten(request.method)}"
            return answer(request, 405, f"{sentence}: see /docs", {"allow": ", ".join(methods)})
        sentence = OF_FRAMEWORK.get(str(error.detail), str(error.detail))
        return answer(request, error.status_code, sentence, error.headers)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        service.figures.refused.labels(error.status).inc()
        headers = {"retry-after": str(RETRY_AFTER_S)} if error.status == 503 else None
        return answer(request, error.status, str(error), headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return answer(request, 400, to_sentence(error.errors()[0]))

    @app.exception_handler(QueryError)
    @app.exception_handler(ConfigError)
    async def unanswerable(request: Request, error: ProcqaError) -> Response:
        return answer(request, 400, str(error))

    @app.exception_handler(ProcqaError)
    async def failed(request: Request, error: ProcqaError) -> Response:
        logger.error("%s", error, extra={"facts": {"request_id": request_id(request.scope)}})
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

    @app.get(
        "/",
        response_class=HTMLResponse,
        responses=PAGE_PROBLEMS,
        summary="The page: a search box, and the hits of a query.",
    )
    async def page(
        request: Request,
        q: PageQueryParameter = "",
        k: KParameter = DEFAULTS.k,
        language: LanguageParameter = "",
        mode: ModeParameter = DEFAULTS.mode,
    ) -> Response:
        form = render.Form.of(request.query_params)
        config = SearchConfig(k=k, language=language or None, mode=mode)
        if not q.strip():
            # No search, so it takes no place of one.
            searcher = await run_in_threadpool(service.live.current)
            searcher.known_language(config.language)
            return HTMLResponse(render.search_page(searcher, form))
        return HTMLResponse(
            await service.search(q, config, lambda searcher, result: render.search_page(searcher, form, result=result))
        )


def _add_api(app: FastAPI, service: Service) -> None:
    """The same hits for programs."""

    def as_json(_: Searcher, result: SearchResult) -> Response:
        return JSONResponse(result_json(result))

    hits: dict[int | str, dict[str, Any]] = {200: {"model": SearchAnswer}}

    @app.get("/api/search", responses=hits, summary="The hits for a query: the object of procqa search --json.")
    async def ask(
        q: QueryParameter,
        k: KParameter = DEFAULTS.k,
        language: LanguageParameter = "",
        mode: ModeParameter = DEFAULTS.mode,
    ) -> Response:
        return await service.search(q, SearchConfig(k=k, language=language or None, mode=mode), as_json)

    @app.post("/api/search", responses=hits, summary="The same, for queries in a body: long ones, and code.")
    async def ask_in_body(body: SearchRequest) -> Response:
        if (body.query is None) == (body.code is None):
            raise QueryError("a search takes one query: give either query or code")
        query = body.code if body.query is None else body.query
        assert query is not None
        config = SearchConfig(k=body.k, language=body.language or None, mode=body.mode)
        return await service.search(query, config, as_json, is_code=body.code is not None)

    @app.get(
        "/api/documents/{id:path}",
        responses={200: {"model": PostDocument | CodeDocument}},
        summary="One document with its question, tags and attribution.",
    )
    async def document(id: Annotated[str, PathParameter(description="the id of a hit")]) -> Response:  # noqa: A002
        found = await service.run(lambda searcher: searcher.document(id))
        if found is None:
            raise HTTPException(404, f"no document of this index has the id {quote(id)}: take the id of a hit")
        return JSONResponse(document_json(found))


def _add_probes(app: FastAPI, service: Service) -> None:
    """What a supervisor asks."""

    @app.get("/healthz", responses={200: {"model": Health}}, summary="Whether the server runs.")
    async def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    @app.get(
        "/readyz",
        responses={200: {"model": Readiness}},
        summary="Whether the server can answer, and from how many documents.",
    )
    async def readyz() -> Response:
        searcher = await run_in_threadpool(service.live.current)
        index = {"documents": len(searcher), "sha256": searcher.sha256, "stale": service.live.is_stale}
        return JSONResponse({"status": "ready", **index})

    @app.get("/metrics", response_class=PlainTextResponse, summary="Figures for Prometheus.")
    async def figures() -> Response:
        await run_in_threadpool(service.live.current)
        return Response(service.figures.text(), media_type=CONTENT_TYPE_LATEST)


def _add_descriptions(app: FastAPI, service: Service, *, has_token: bool) -> None:
    """The server about itself."""
    of_framework = app.openapi
    app.openapi = lambda: describe(  # type: ignore[method-assign]  # FastAPI's own way
        of_framework(), service.live.latest.languages, has_token=has_token
    )

    @app.get("/style.css", include_in_schema=False)
    async def style() -> Response:
        return Response(render.style_sheet(), media_type="text/css", headers={"cache-control": "max-age=3600"})

    @app.get("/script.js", include_in_schema=False)
    async def script() -> Response:
        return Response(render.script(), media_type="text/javascript", headers={"cache-control": "max-age=3600"})

    @app.get("/docs", response_class=HTMLResponse, summary="This interface, for readers.")
    async def docs() -> Response:
        return HTMLResponse(render.docs_page(app.openapi()))
