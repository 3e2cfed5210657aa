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
    exact_vectors: int = field(
        default=200_000,
        metadata={
            "help": "a language with more vectors is searched in a part of its lists, with a recall of .97 or more"
        },
    )

    def __post_init__(self) -> None:
        """Check every range."""
        require(1 <= self.chunks <= 1_000, f"chunks must lie between 1 and 1000, got {self.chunks}")
        require(self.exact_vectors >= 1_000, f"exact_vectors must be at least 1000, got {self.exact_vectors}")
