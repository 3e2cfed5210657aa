"""How an index is made."""

from dataclasses import dataclass, field

from procqa.config.common import require


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexConfig:
    """How an index is made. Source: ours, docs/decisions/0025."""

    chunks: int = field(
        default=4,
        metadata={"help": "vectors of a document that is longer than the encoder reads, at most; 1 cuts none"},
    )

    def __post_init__(self) -> None:
        """Check every range."""
        require(1 <= self.chunks <= 1_000, f"chunks must lie between 1 and 1000, got {self.chunks}")
