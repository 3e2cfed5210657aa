"""How a dataset is made, and how a stage uses the machine."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from procqa.config.common import LANGUAGES, LEAST_MEMORY_BYTES, MEMORY_UNITS, PROCESS_BYTES, parse_memory, require

Keep = Literal["keep", "drop"]


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
        default=None, metadata={"help": "worker processes [default: as many as cores and --memory allow, two with 1GB]"}
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
