"""How a query is answered, and how an index is served."""

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from procqa.config.common import require


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchConfig:
    """How a query is answered."""

    k: int = field(default=10, metadata={"help": "hits returned, 1 to 1000"})
    mode: Literal["hybrid", "dense", "lexical"] = field(
        default="hybrid", metadata={"help": "words, vectors, or both as one score"}
    )
    language: str | None = field(default=None, metadata={"help": "answer in one language only"})
    explain: bool = field(default=False, metadata={"help": "say why each hit stands where it does"})

    def __post_init__(self) -> None:
        """Check every range."""
        require(1 <= self.k <= 1_000, f"k must lie between 1 and 1000, got {self.k}")
        modes = ("hybrid", "dense", "lexical")
        require(self.mode in modes, f"mode must be one of {', '.join(modes)}, got {self.mode!r}")


LogForm = Literal["auto", "json", "text"]
"""How the lines of a log look; auto is text on a terminal and JSON anywhere else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeConfig:
    """How an index is served over HTTP."""

    host: str = field(default="127.0.0.1", metadata={"help": "address to listen on"})
    port: int = field(default=8000, metadata={"help": "port to listen on; 0 takes a free one"})
    concurrency: int = field(default=8, metadata={"help": "searches at once"})
    waiting: int = field(default=128, metadata={"help": "searches that wait for a place; more are told to come back"})
    timeout_s: float = field(default=10.0, metadata={"help": "seconds a search may take, its wait included"})
    token_file: str | None = field(
        default=None, metadata={"help": "file with a token that every request but those of a supervisor must show"}
    )
    hosts: tuple[str, ...] = field(
        default=(), metadata={"help": "names of a proxy under which a server on the loopback may be asked"}
    )
    cors_origins: tuple[str, ...] = field(
        default=(), metadata={"help": "origins whose pages may read the answers in a browser; none by default"}
    )
    log: LogForm = field(
        default="auto", metadata={"help": "form of the log on standard error; auto: text on a terminal, else JSON"}
    )

    def __post_init__(self) -> None:
        """Check every range."""
        require(0 <= self.port <= 65_535, f"port must lie between 0 and 65535, got {self.port}")
        require(self.concurrency >= 1, f"concurrency must be at least 1, got {self.concurrency}")
        require(self.waiting >= 0, f"waiting must be at least 0, got {self.waiting}")
        require(0 < self.timeout_s < float("inf"), f"timeout must be > 0 seconds and finite, got {self.timeout_s}")
        for origin in self.cors_origins:
            parts = urlsplit(origin)
            is_origin = parts.scheme in ("http", "https") and origin == f"{parts.scheme}://{parts.netloc}"
            require(is_origin, f"cors_origins must be like https://example.org, without a path, got {origin!r}")
        for host in self.hosts:
            is_name = re.fullmatch(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]", host) is not None
            require(is_name, f"hosts must be names without scheme, port and path, got {host!r}")
