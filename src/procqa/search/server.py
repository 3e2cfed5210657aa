"""Listens on an address and serves the app of ``web.py`` until it is told to stop."""

import errno
import logging
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import uvicorn

from procqa.config import ServeConfig
from procqa.errors import ConfigError, ProcqaError
from procqa.index.staleness import tell_staleness
from procqa.search.connection import MAX_HEAD_BYTES, Connection
from procqa.search.web.app import make_app
from procqa.search.web.gate import is_loopback

logger = logging.getLogger(__name__)

SHUTDOWN_S = 5
"""Seconds that requests under way have to end. Source: ours, docs/decisions/0001."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that already takes connections.

    Raises:
        ConfigError: the host is none of this machine.
        ProcqaError: the port is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        opened = socket.socket(family, kind, protocol)
    except (OSError, ValueError) as error:  # ValueError: a name that no address can have
        raise _wrong_host(host, error) from error
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(128)
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise _wrong_host(host, error) from error
        raise ProcqaError(
            f"port {port} on {host} must be free, but it cannot be had: {error.strerror}; give another --port"
        ) from error
    return opened


def _wrong_host(host: str, error: Exception) -> ConfigError:
    reason = getattr(error, "strerror", None) or "it is no host name"
    return ConfigError(f"host must be an address of this machine, got {host!r} ({reason}): give another --host")


def _as_heard(config: ServeConfig, address: str) -> ServeConfig:
    """The config with the address that a host name stands for: 127.1 and a name in /etc/hosts are the loopback too."""
    names = config.hosts if ":" in config.host else (*config.hosts, config.host)
    return replace(config, host=address, hosts=names)


def serve(index: Path, config: ServeConfig, *, announce: Callable[[str], object]) -> None:
    """Serve an index until SIGTERM or Ctrl-C; SIGTERM ends the process with status 0.

    Args:
        announce: is told the address as soon as connections are taken.

    Raises:
        ArtifactError: the folder is no index.
        ConfigError: the host is none of this machine.
        ProcqaError: the port is taken.
    """
    # uvicorn raises the signal again once it has ended in good order: then this ends the process.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        _run(index, config, announce)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


def _run(index: Path, config: ServeConfig, announce: Callable[[str], object]) -> None:
    # The port first: an index takes a while to open, and who asks meanwhile waits.
    with listen(config.host, config.port) as opened:
        address, port = opened.getsockname()[:2]
        app = make_app(index, _as_heard(config, address))
        host = f"[{config.host}]" if ":" in config.host else config.host
        url = f"http://{host}:{port}/"
        logger.info("serving %s", url, extra={"facts": {"url": url, "index": str(index)}})
        if config.token_file is None and not is_loopback(address):
            logger.warning("whoever reaches this address can read the index: give a --token-file")
        if behind := tell_staleness(index):
            logger.warning("%s", behind)
        announce(url)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                access_log=False,
                log_config=None,
                log_level="warning",
                server_header=False,
                h11_max_incomplete_event_size=MAX_HEAD_BYTES,
                timeout_graceful_shutdown=SHUTDOWN_S,
            )
        )
        server.run(sockets=[opened])
