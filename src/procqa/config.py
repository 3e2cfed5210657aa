"""Every number of every recipe, with its unit and its source.

One frozen dataclass a stage; a config that exists is valid. The defaults are the recipe of the paper
(docs/paper.md), or an assumption of ours that the help text names as such. Flags of the command line
come from these fields, and a manifest holds the resolved config, so a run repeats from its output.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

from procqa.errors import ConfigError

LANGUAGES = ("c", "cpp", "csharp", "go", "java", "javascript", "lisp", "php", "python", "ruby", "rust")
"""The eleven languages of the paper, by the names used everywhere. Source: docs/paper.md#languages."""

MAX_QUERY_CHARS = 20_000
"""The longest query that is answered, in characters. Source: ours, docs/decisions/0001."""

MEMORY_UNITS = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
PROCESS_BYTES = 260 << 20
"""What one process of a build needs at the least, libraries included. Source: ours, docs/decisions/0003."""

LEAST_MEMORY_BYTES = 320 << 20
"""What a build needs that does all in one process. Source: ours, docs/decisions/0003."""


def require(condition: bool, sentence: str) -> None:
    """Raise ConfigError with the sentence unless the condition holds."""
    if not condition:
        raise ConfigError(sentence)


def parse_memory(text: str) -> int:
    """The bytes in a size such as ``1GB`` or ``512MB``.

    Raises:
        ConfigError: the text is no size with one of the units KB, MB, GB.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(KB|MB|GB)", text.strip().upper())
    if match is None:
        raise ConfigError(f"a memory size must be a number with KB, MB or GB, such as 1GB, got {text!r}")
    require(len(match[1]) <= 12, f"a memory size must be less than a million GB, got {text[:20]}…")
    return int(float(match[1]) * MEMORY_UNITS[match[2]])


Keep = Literal["keep", "drop"]
Backend = Literal["auto", "torch", "openvino"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildConfig:
    """How a dump becomes a dataset; the defaults are the preset ``paper`` (see BUILD_PRESETS).

    What the paper does not say is our assumption and named so. Source: docs/paper.md#lengths.
    """

    preset: Literal["paper", "strict"] = field(default="paper", metadata={"help": "the rules that pairs must pass"})
    languages: tuple[str, ...] = field(
        default=LANGUAGES, metadata={"help": "languages to keep, comma-separated; NAME=TAG+TAG adds one"}
    )
    answers: Literal["accepted", "best"] = field(
        default="accepted", metadata={"help": "the answer of a pair: the accepted one, or the one with the best score"}
    )
    split: Literal["time", "author", "hash"] = field(
        default="time", metadata={"help": "cut train, validation and test by time, by asker, or by a hash of the id"}
    )
    min_question_chars: int = field(
        default=20, metadata={"help": "shortest title + question kept, characters (our assumption)"}
    )
    min_answer_chars: int = field(default=10, metadata={"help": "shortest answer kept, characters (our assumption)"})
    max_question_chars: int = field(
        default=30_000, metadata={"help": "longest title + question kept, characters (our assumption)"}
    )
    max_answer_chars: int = field(default=30_000, metadata={"help": "longest answer kept, characters (our assumption)"})
    code: Literal["any", "either", "question", "answer", "both"] = field(
        default="any", metadata={"help": "where a pair must hold a code block; any asks for none (our assumption)"}
    )
    non_english: Keep = field(default="keep", metadata={"help": "pairs whose prose is not English (our assumption)"})
    closed: Keep = field(default="keep", metadata={"help": "questions that were closed (our assumption)"})
    min_question_score: int | None = field(
        default=None, metadata={"help": "lowest score of a question kept [default: any, our assumption]"}
    )
    min_answer_score: int | None = field(
        default=None, metadata={"help": "lowest score of an answer kept [default: any, our assumption]"}
    )
    duplicate_links: Keep = field(
        default="drop", metadata={"help": "questions that a PostLinks.xml beside the dump marks as duplicates"}
    )
    near_duplicates: Literal["ignore", "cluster"] = field(
        default="ignore", metadata={"help": "cluster near-duplicate pairs and keep each cluster in one split"}
    )
    similarity: float = field(
        default=0.8, metadata={"help": "Jaccard similarity of word 3-grams from which pairs are near-duplicates"}
    )
    redact: bool = field(default=False, metadata={"help": "replace e-mail addresses, keys and tokens"})
    site: str | None = field(
        default=None, metadata={"help": "host the posts come from, or 'local' for none [default: by file name]"}
    )

    def __post_init__(self) -> None:
        """Check every range."""
        require(len(self.languages) > 0, "languages must name at least one language, got none")
        for low, high in (("min_question_chars", "max_question_chars"), ("min_answer_chars", "max_answer_chars")):
            least, most = getattr(self, low), getattr(self, high)
            require(0 <= least <= most, f"{low} must lie between 0 and {high} ({most}), got {least}")
        require(0.5 <= self.similarity <= 1, f"similarity must lie in [0.5, 1], got {self.similarity}")
        if self.site is not None:
            host = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
            require(
                re.fullmatch(host, self.site) is not None,
                f"site must be a host name such as stackoverflow.com, or 'local', got {self.site!r}",
            )


BUILD_PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    "strict": {
        "preset": "strict",
        "code": "either",
        "non_english": "drop",
        "closed": "drop",
        "min_question_score": 0,
        "min_answer_score": 0,
        "near_duplicates": "cluster",
    },
}
"""What each preset changes of BuildConfig's defaults. Source: ours, docs/decisions/0011."""


def build_config(given: Mapping[str, Any]) -> BuildConfig:
    """The recipe of a preset with the settings that were given; what is given wins.

    Args:
        given: fields of BuildConfig, ``preset`` among them; None counts as not given.

    Raises:
        ConfigError: a value is out of range.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    return BuildConfig(**{**BUILD_PRESETS[chosen.get("preset", "paper")], **chosen})


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """How a stage uses the machine; it never changes a byte of the result."""

    jobs: int | None = field(
        default=None, metadata={"help": "worker processes, fewer where --memory has no room for them [default: cores]"}
    )
    executor: Literal["auto", "inline", "process", "ray"] = field(
        default="auto", metadata={"help": "inline for one job, else process, unless named"}
    )
    memory: str | None = field(
        default=None,
        metadata={"help": "memory of all processes together [default: 1GB, or 260MB a process for the jobs asked for]"},
    )

    def __post_init__(self) -> None:
        """Check every range."""
        require(self.jobs is None or self.jobs >= 1, f"jobs must be at least 1, got {self.jobs}")
        least = LEAST_MEMORY_BYTES
        require(
            self.memory_bytes >= least, f"memory must be at least {least >> 20}MB, got {self.memory}: raise --memory"
        )

    @property
    def n_jobs(self) -> int:
        """Tasks at once: as asked, or as many as there are cores, but no more than memory allows.

        One process reads and the others work. On a Ray cluster memory is that of its nodes, and as asked it is.
        """
        wanted = self.jobs if self.jobs is not None else os.cpu_count() or 1
        if self.executor == "ray":
            return wanted
        return max(1, min(wanted, self.memory_bytes // PROCESS_BYTES - 1))

    @property
    def memory_bytes(self) -> int:
        """The memory setting in bytes."""
        if self.memory is not None:
            return parse_memory(self.memory)
        return max(MEMORY_UNITS["GB"], (1 + (self.jobs or 0)) * PROCESS_BYTES)


PAIRS = ("title-question", "title-answer", "question-answer", "docstring-function")
"""The pair types of MACP. Source: docs/paper.md#sampling."""

MAX_STEPS = 10_000_000
LENGTHS = {"steps": (0, MAX_STEPS), "epochs": (1, 10_000), "tokens": (1, 10**15)}
"""In what the length of a run can be said, one of them: the least and the most of each."""

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
        metadata={"help": "minilm (packaged), static or tiny (from scratch), a hub name, or a folder"},
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
        default=None, metadata={"help": "instead of steps: how often each pair is seen, on average [default: steps]"}
    )
    tokens: int | None = field(
        default=None,
        metadata={"help": "instead of steps: end with the batch that completes so many tokens read [default: steps]"},
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
        metadata={
            "help": "a negative by more than this nearer than the positive, in cosine, is masked [default: none]"
        },
    )
    negatives: int = field(
        default=0, metadata={"help": "further documents of each pair, random ones unless some were mined"}
    )
    hard_negatives: tuple[str, ...] = field(
        default=(), metadata={"help": "folders of procqa mine, comma-separated, one a dataset [default: none]"}
    )
    consistent_at: int | None = field(
        default=None,
        metadata={"help": "keep pairs whose answer is among the first so many of who mined [default: keep all]"},
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
    patience: int = field(
        default=3, metadata={"help": "validations without a gain after which a run with --validate-every stops"}
    )
    alpha: float = field(default=0.5, metadata={"help": "streams are drawn with p proportional to n^alpha"})
    max_tokens: int = field(default=128, metadata={"help": "tokens kept of each text"})
    dimensions: int = field(default=256, metadata={"help": "vector size of an encoder from scratch"})
    layers: int = field(default=4, metadata={"help": "layers of the base tiny"})
    vocabulary: int = field(default=30_000, metadata={"help": "tokens of the tokenizer of an encoder from scratch"})
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


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateConfig:
    """How a ranker is measured."""

    depth: int = field(default=1_000, metadata={"help": "documents ranked a query; MRR is cut there"})
    k1: float = field(default=1.2, metadata={"help": "BM25 term saturation"})
    b: float = field(default=0.75, metadata={"help": "BM25 length normalisation"})
    dense_weight: float | None = field(
        default=None,
        metadata={"help": "hybrid: weight of cosines; that of bm25 is the rest of 1 [default: the encoder's own]"},
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
        require(
            self.dense_weight is None or 0 < self.dense_weight < 1,
            f"dense_weight must lie between 0 and 1, got {self.dense_weight}",
        )
        for name in ("bootstrap", "permutations"):
            require(getattr(self, name) >= 100, f"{name} must be at least 100, got {getattr(self, name)}")
        require(self.max_tokens >= 8, f"max_tokens must be at least 8, got {self.max_tokens}")
        require(self.seed >= 0, f"seed must be at least 0, got {self.seed}")
