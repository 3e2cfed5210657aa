"""How a query is answered, and how an index is served."""

from dataclasses import dataclass, field
from typing import Literal

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeConfig:
    """How an index is served over HTTP."""

    host: str = field(default="127.0.0.1", metadata={"help": "address to listen on"})
    port: int = field(default=8000, metadata={"help": "port to listen on; 0 takes a free one"})
    concurrency: int = field(default=8, metadata={"help": "searches at once; more are told to come back"})
    timeout_s: float = field(default=10.0, metadata={"help": "seconds a search may take"})

    def __post_init__(self) -> None:
        """Check every range."""
        require(0 <= self.port <= 65_535, f"port must lie between 0 and 65535, got {self.port}")
        require(self.concurrency >= 1, f"concurrency must be at least 1, got {self.concurrency}")
        require(0 < self.timeout_s < float("inf"), f"timeout_s must be > 0 and finite, got {self.timeout_s}")
