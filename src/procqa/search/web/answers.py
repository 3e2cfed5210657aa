"""The shapes of answers that several layers send."""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Scope

from procqa.search.problems import problem_bytes


def request_id(scope: Scope) -> str | None:
    """The id that the rim gave a request; None for one that did not pass it."""
    found: str | None = scope.get("state", {}).get("request_id")
    return found


def problem_response(scope: Scope, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error as problem JSON."""
    body = problem_bytes(status, sentence, request_id(scope))
    return Response(body, status, headers, media_type="application/problem+json")
