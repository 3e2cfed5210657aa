"""How a ranker is measured."""

from dataclasses import dataclass, field
from typing import Literal

from procqa.config.common import Backend, require


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateConfig:
    """How a ranker is measured."""

    depth: int = field(default=1_000, metadata={"help": "documents ranked a query; MRR is cut there"})
    k1: float = field(default=1.2, metadata={"help": "BM25 term saturation"})
    b: float = field(default=0.9, metadata={"help": "BM25 length normalisation"})
    words: Literal["stemmed", "plain"] = field(
        default="stemmed", metadata={"help": "BM25: words and parts of identifiers, stemmed or as they are"}
    )
    distinct_words: bool = field(default=False, metadata={"help": "BM25: a word that a query repeats counts once"})
    dense_weight: float | None = field(
        default=None,
        metadata={"help": "hybrid: weight of cosines; that of bm25 is the rest of 1 [default: the encoder's own]"},
    )
    rerank_depth: int = field(
        default=100, metadata={"help": "rerank: first documents of the other ranker that the cross-encoder reads"}
    )
    mode: Literal["hybrid", "dense", "lexical"] = field(
        default="hybrid", metadata={"help": "index: how it is searched, by words, vectors, or both"}
    )
    bootstrap: int = field(default=1_000, metadata={"help": "bootstrap resamples behind each interval"})
    permutations: int = field(default=10_000, metadata={"help": "permutations behind each p-value of --baseline"})
    max_tokens: int = field(default=128, metadata={"help": "tokens a model reads of each text"})
    precision: Literal["auto", "fp32", "bf16"] = field(
        default="auto", metadata={"help": "arithmetic of transformers; auto is bf16 where the processor has it"}
    )
    backend: Backend = field(
        default="auto", metadata={"help": "what computes transformers; auto is openvino where it is installed"}
    )
    seed: int = field(default=42, metadata={"help": "seed of the bootstrap"})

    def __post_init__(self) -> None:
        """Check every range."""
        require(self.depth >= 10, f"depth must be at least 10, got {self.depth}")
        require(0 < self.k1 < float("inf"), f"k1 must be > 0 and finite, got {self.k1}")
        require(0 <= self.b <= 1, f"b must lie in [0, 1], got {self.b}")
        require(self.words in ("stemmed", "plain"), f"words must be stemmed or plain, got {self.words!r}")
        require(
            self.dense_weight is None or 0 < self.dense_weight < 1,
            f"dense_weight must lie between 0 and 1, got {self.dense_weight}",
        )
        require(self.rerank_depth >= 1, f"rerank_depth must be at least 1, got {self.rerank_depth}")
        modes = ("hybrid", "dense", "lexical")
        require(self.mode in modes, f"mode must be one of {', '.join(modes)}, got {self.mode!r}")
        for name in ("bootstrap", "permutations"):
            drawn = getattr(self, name)
            require(drawn >= 100, f"{name} must be at least 100, got {drawn}")
            require(drawn <= 10_000_000, f"{name} must be at most 10,000,000, got {drawn}")
        require(self.max_tokens >= 8, f"max_tokens must be at least 8, got {self.max_tokens}")
        require(self.seed >= 0, f"seed must be at least 0, got {self.seed}")
