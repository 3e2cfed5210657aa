"""Who may ask: the name by which a server on the loopback is asked, and the token.

A page of a stranger can make a browser ask a server of its visitor's own machine, under a name that leads there
(DNS rebinding). So without a token such a server answers to its own names only. Source: ours, docs/decisions/0026.
"""

import base64
import hmac
import ipaddress
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from procqa.config import ServeConfig
from procqa.errors import ConfigError
from procqa.search.problems import quote
from procqa.search.web.answers import problem_response

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
LEAST_TOKEN_CHARS = 16
MAX_TOKEN_CHARS = 1_000
OPEN_PATHS = ("/healthz", "/readyz")
"""What a supervisor asks without a token."""

CHALLENGE = 'Bearer realm="procqa", Basic realm="procqa", charset="UTF-8"'


def load_token(path: Path) -> str:
    """The token that a file holds.

    Raises:
        ConfigError: the file cannot be read, or holds no line of 16 to 1,000 visible ASCII characters.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_TOKEN_CHARS + 2).decode("ascii", "replace").strip()
    except OSError as error:
        raise ConfigError(f"token_file must name a file that can be read: {path}: {error.strerror}") from error
    is_token = text.isascii() and text.isprintable() and " " not in text
    if not is_token or not LEAST_TOKEN_CHARS <= len(text) <= MAX_TOKEN_CHARS:
        raise ConfigError(
            f"{path} must hold one line of {LEAST_TOKEN_CHARS} to {MAX_TOKEN_CHARS:,} visible ASCII characters, but "
            "it does not: make one with openssl rand -hex 32"
        )
    return text


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address to listen on."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


class Gate:
    """Lets through the requests that may be answered.

    Args:
        token: what each request must show; None lets everybody in.
    """

    def __init__(self, app: ASGIApp, config: ServeConfig, token: str | None) -> None:
        self._app = app
        self._token = token
        self._names = None
        if token is None and is_loopback(config.host):
            self._names = {name.lower() for name in (*LOOPBACK_NAMES, *config.hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say why not."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            name = _without_port(headers.get("host", ""))
            if self._names is not None and name and name not in self._names:
                sentence = f"this server must be asked by its own name, got {quote(name)}: see procqa serve --hosts"
                await problem_response(scope, 421, sentence)(scope, receive, send)
                return
            if self._token is not None and scope["path"] not in OPEN_PATHS and not self._shows(headers):
                sentence = "a request must show the server's token, but this one does not: send Authorization: Bearer"
                challenge = {"www-authenticate": CHALLENGE}
                await problem_response(scope, 401, sentence, challenge)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _shows(self, headers: Headers) -> bool:
        """Whether a request shows the token: as a bearer, or as the password that a browser asks for."""
        assert self._token is not None
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                shown = base64.b64decode(shown, validate=True).decode("utf-8", "replace").partition(":")[2]
            except ValueError:  # no base64, or no ASCII
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(shown.strip().encode(), self._token.encode())


def _without_port(host: str) -> str:
    name = host.lower()
    return name if name.endswith("]") else name.rpartition(":")[0] or name
