"""How an encoder is trained."""

from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

from procqa.config.common import require

PAIRS = ("title-question", "title-answer", "question-answer", "docstring-function")
"""The pair types of MACP. Source: docs/paper.md#sampling."""

MAX_STEPS = 10_000_000
LENGTHS = {"steps": (0, MAX_STEPS), "epochs": (1, 10_000), "tokens": (1, 10**15)}
"""In what the length of a run can be said, one of them: the least and the most of each."""

DEFAULT_PATIENCE = 3
"""Validations without a gain that end a run which validates. Source: ours, docs/decisions/0023."""

DEFAULT_STEPS = 1_000
"""Steps of a run whose length is not said. Source: ours, docs/paper.md#macp."""

KNOWN_PAIRS = (*PAIRS, "both-answer", "prose-code", "prose-prose", "first-code-others", "code-code")
"""Every pair type that ``encoder.views`` makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How one encoder is trained. The defaults are MACP (docs/paper.md#macp) sized for the machine."""

    preset: Literal["macp", "gte", "bimodal", "unimodal", "query-document-towers", "modality-towers", "fine-tune"] = (
        field(default="macp", metadata={"help": "the recipe"})
    )
    base: str = field(
        default="minilm",
        metadata={
            "help": "minilm (packaged), default (shipped), static or tiny (from scratch), a hub name, or a folder"
        },
    )
    towers: Literal["shared", "query-document", "modality"] = field(
        default="shared",
        metadata={"help": "one encoder for all, or one for queries and one for documents, or for prose and for code"},
    )
    pairs: tuple[str, ...] = field(
        default=PAIRS,
        metadata={"help": f"pair types to train on, comma-separated, of {', '.join(KNOWN_PAIRS)} [default: macp's]"},
    )
    languages: tuple[str, ...] = field(default=(), metadata={"help": "languages to train on [default: all there are]"})
    shared_rows: bool = field(
        default=False,
        metadata={"help": "take only rows that make a pair in macp, bimodal and unimodal alike, to compare these"},
    )
    batches: Literal["stream", "mixed", "round-robin"] = field(
        default="stream",
        metadata={"help": "a batch is of one drawn stream, of pairs of all streams, or of one stream after the other"},
    )
    steps: int | None = field(
        default=None,
        metadata={"help": "optimiser steps; 0 writes the base untrained [default: 1000, or as epochs or tokens say]"},
    )
    epochs: int | None = field(
        default=None, metadata={"help": "instead of steps: how often each pair is seen, on average [default: not used]"}
    )
    tokens: int | None = field(
        default=None,
        metadata={
            "help": "instead of steps: end with the batch that completes so many tokens read [default: not used]"
        },
    )
    batch_size: int = field(default=64, metadata={"help": "pairs a step, each with the others as negatives"})
    rows_at_once: int | None = field(
        default=None,
        metadata={"help": "texts encoded at a time: flat memory, the same loss [default: the whole batch]"},
    )
    learning_rate: float = field(default=2e-4, metadata={"help": "peak learning rate"})
    warmup_ratio: float = field(default=0.1, metadata={"help": "share of the steps with a rising rate"})
    loss: Literal["one-way", "symmetric", "four-way"] = field(
        default="one-way",
        metadata={"help": "InfoNCE query to document, both ways, or with all similarities as the authors' code has it"},
    )
    temperature: float = field(default=0.01, metadata={"help": "softmax temperature, dimensionless"})
    margin: float | None = field(
        default=None,
        metadata={"help": "leave out a negative whose cosine exceeds the positive's by more than this [default: none]"},
    )
    negatives: int = field(
        default=0, metadata={"help": "further documents of each pair, random ones unless some were mined"}
    )
    hard_negatives: tuple[str, ...] = field(
        default=(), metadata={"help": "folders of procqa mine, comma-separated, one a dataset [default: none]"}
    )
    consistent_at: int | None = field(
        default=None,
        metadata={
            "help": "keep only pairs whose answer the mining encoder ranks among its first N [default: keep all]"
        },
    )
    matryoshka: tuple[str, ...] = field(
        default=(), metadata={"help": "sizes to which vectors may be cut later, comma-separated [default: none]"}
    )
    keep_base: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "share of the base's weights in the result, 0 to 1; of several, comma-separated, the one with the"
            " best validation is taken [default: none]"
        },
    )
    validate_every: int | None = field(
        default=None, metadata={"help": "steps from one validation to the next [default: at the end alone]"}
    )
    patience: int | None = field(
        default=None,
        metadata={"help": "validations without a gain after which a run with --validate-every stops [default: 3]"},
    )
    alpha: float = field(default=0.5, metadata={"help": "streams are drawn with p proportional to n^alpha"})
    max_tokens: int = field(default=128, metadata={"help": "tokens kept of each text"})
    dimensions: int = field(default=256, metadata={"help": "vector size of an encoder from scratch"})
    layers: int = field(default=4, metadata={"help": "layers of the base tiny"})
    vocabulary: int = field(default=30_000, metadata={"help": "tokens of the tokenizer of an encoder from scratch"})
    embeddings: Literal["random", "latent"] = field(
        default="random",
        metadata={"help": "what the base static begins with: random numbers, or latent semantic analysis of the texts"},
    )
    seed: int = field(default=42, metadata={"help": "seed of every draw"})
    precision: Literal["fp32", "bf16"] = field(default="fp32", metadata={"help": "arithmetic of the forward pass"})

    def __post_init__(self) -> None:
        """Check every range."""
        require(len(self.pairs) > 0, "pairs must name at least one pair type, got none")
        for name in self.pairs:
            require(name in KNOWN_PAIRS, f"a pair type must be one of {', '.join(KNOWN_PAIRS)}, got {name!r}")
        require(len(set(self.pairs)) == len(self.pairs), f"pairs must name each type once, got {', '.join(self.pairs)}")
        self._check_length()
        require(
            2 <= self.batch_size <= 1_000_000,
            f"batch_size must lie between 2, or a pair has no negative, and 1000000, got {self.batch_size}",
        )
        require(
            self.rows_at_once is None or self.rows_at_once >= 1,
            f"rows_at_once must be at least 1, got {self.rows_at_once}",
        )
        for name in ("learning_rate", "temperature"):
            value = getattr(self, name)
            require(isfinite(value), f"{name} must be finite, got {value}")
            require(value > 0, f"{name} must be > 0, got {value}")
        require(
            self.margin is None or -2 <= self.margin <= 2,
            f"margin must lie in [-2, 2], as differences of cosines do, got {self.margin}",
        )
        require(0 <= self.negatives <= 100, f"negatives must lie between 0 and 100, got {self.negatives}")
        require(
            not self.hard_negatives or self.negatives > 0 or self.consistent_at is not None,
            "hard_negatives must be used: say how many with negatives, or consistent_at",
        )
        if self.consistent_at is not None:
            require(self.consistent_at >= 1, f"consistent_at must be at least 1, got {self.consistent_at}")
            require(len(self.hard_negatives) > 0, "consistent_at must have hard_negatives, the folder that tells ranks")
        for size in self.matryoshka:
            is_number = size.isascii() and size.isdigit() and len(size) <= 5 and int(size) >= 1
            require(is_number, f"a matryoshka size must be a number, got {size[:20]!r}")
        sizes = ", ".join(self.matryoshka)
        require(len(set(self.cut_sizes)) == len(self.cut_sizes), f"matryoshka must name each size once, got {sizes}")
        for share in self.keep_base:
            require(_is_share(share), f"a share of the base must be a number from 0 to 1, got {share[:20]!r}")
        require(
            not self.keep_base or self.base not in ("static", "tiny"),
            f"keep_base must have a base with weights of its own, got {self.base}, which is from scratch",
        )
        require(
            self.patience is None or self.validate_every is not None,
            "patience must go with validate_every, which says after how many steps to validate",
        )
        for name in ("validate_every", "patience"):
            value = getattr(self, name)
            require(value is None or value >= 1, f"{name} must be at least 1, got {value}")
        require(0 <= self.warmup_ratio < 1, f"warmup_ratio must lie in [0, 1), got {self.warmup_ratio}")
        require(0 <= self.alpha <= 1, f"alpha must lie in [0, 1], got {self.alpha}")
        for name, least, most in (
            ("max_tokens", 8, 32_768),
            ("dimensions", 8, 8_192),
            ("layers", 1, 48),
            ("vocabulary", 300, 1_000_000),
        ):
            value = getattr(self, name)
            require(least <= value <= most, f"{name} must lie between {least} and {most}, got {value}")
        require(0 <= self.seed < 1 << 31, f"seed must lie between 0 and {(1 << 31) - 1}, got {self.seed}")
        require(
            self.embeddings == "random" or self.base == "static",
            f"embeddings must be random but for the base static, got {self.embeddings} with {self.base}",
        )
        require(
            self.base != "tiny" or self.dimensions % 64 == 0,
            f"dimensions of the base tiny must be a multiple of 64, a head of attention, got {self.dimensions}",
        )

    def _check_length(self) -> None:
        given = {name: value for name in LENGTHS if (value := getattr(self, name)) is not None}
        if not given:
            object.__setattr__(self, "steps", DEFAULT_STEPS)
            return
        told = " and ".join(f"{name} {value}" for name, value in given.items())
        require(len(given) == 1, f"a run must be told its length once, in steps, epochs or tokens, got {told}")
        (name, value), *_ = given.items()
        least, most = LENGTHS[name]
        require(least <= value <= most, f"{name} must lie between {least} and {most}, got {value}")

    @property
    def cut_sizes(self) -> tuple[int, ...]:
        """The sizes of ``matryoshka``, largest first."""
        return tuple(sorted(map(int, self.matryoshka), reverse=True))

    @property
    def base_shares(self) -> tuple[float, ...]:
        """The numbers of ``keep_base``."""
        return tuple(map(float, self.keep_base))

    @property
    def needs_validation(self) -> bool:
        """Whether the weights depend on validation splits."""
        return self.validate_every is not None or len(self.keep_base) > 1


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False
