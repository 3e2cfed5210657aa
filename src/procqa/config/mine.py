"""Which documents are taken as hard negatives."""

from dataclasses import dataclass, field
from typing import Literal

from procqa.config.common import require


@dataclass(frozen=True, slots=True, kw_only=True)
class MineConfig:
    """Which documents are taken as hard negatives of a pair.

    Source: Moreira et al. 2024 (NV-Retriever, positive-aware mining) for the share of the positive's score; ours,
    docs/decisions/0020, for the rest.
    """

    query: Literal["title", "title+question", "question"] | None = field(
        default=None, metadata={"help": "what asks [default: title+question; of functions question, the docstring]"}
    )
    languages: tuple[str, ...] = field(default=(), metadata={"help": "languages to mine [default: all there are]"})
    negatives: int = field(default=7, metadata={"help": "documents taken for a pair, at most"})
    share: float = field(
        default=0.95, metadata={"help": "a negative's cosine lies below this share of the right answer's"}
    )
    skip: int = field(default=0, metadata={"help": "best documents of a query that are passed over"})
    depth: int = field(default=100, metadata={"help": "best documents of a query that are looked at"})
    max_tokens: int = field(default=128, metadata={"help": "tokens the teacher reads of each text"})

    def __post_init__(self) -> None:
        """Check every range."""
        require(1 <= self.negatives <= 1_000, f"negatives must lie between 1 and 1000, got {self.negatives}")
        require(0 < self.share <= 1, f"share must lie in (0, 1], got {self.share}")
        require(self.skip >= 0, f"skip must be at least 0, got {self.skip}")
        require(
            self.skip + self.negatives <= self.depth <= 10_000,
            f"depth must lie between skip + negatives ({self.skip + self.negatives}) and 10000, got {self.depth}",
        )
        require(8 <= self.max_tokens <= 32_768, f"max_tokens must lie between 8 and 32768, got {self.max_tokens}")
