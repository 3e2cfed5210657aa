"""What every config needs: the check of a range, and the limits that several stages share."""

import re
from typing import Literal

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


Backend = Literal["auto", "torch", "openvino"]
"""What computes the vectors of a transformer. Source: ours, docs/decisions/0022."""


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
