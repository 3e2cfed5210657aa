"""The YAML at the head of a dataset's card, which ``datasets.load_dataset`` and the Hugging Face hub read.

Only what is true of the rows stands there: licences and sizes are counted, not chosen.
Source: ours, docs/decisions/0013.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from procqa.dataset.schema import SPLITS
from procqa.dataset.statistics import PartStats, merge_stats

Kind = Literal["questions", "queries", "functions"]
"""What the rows of a dataset are: questions with an answer, short ones with code alone, or documented functions."""

_HUB_LICENCES = (
    "apache-2.0 mit bsd-2-clause bsd-3-clause bsd cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0"
    " cc-by-sa-4.0 gpl-2.0 gpl-3.0 lgpl-2.1 lgpl-3.0 agpl-3.0 mpl-2.0 isc unlicense gfdl"
)
HUB_LICENCES = frozenset(_HUB_LICENCES.split())
"""Names of licences as the hub knows them; any other is ``other``. Source: ours, docs/decisions/0013."""

SIZES = (("n<1K", 10**3), ("1K<n<10K", 10**4), ("10K<n<100K", 10**5), ("100K<n<1M", 10**6), ("1M<n<10M", 10**7))
"""The hub's names for numbers of rows below a limit."""
LARGEST_SIZE = "10M<n<100M"

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_YAML_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])


def front_matter(title: str, kind: Kind, stats: Sequence[PartStats]) -> Iterator[str]:
    """The lines of the YAML, between lines of dashes.

    Args:
        title: the name that the hub shows.
        stats: of every part; a split without rows has no entry.
    """
    total = merge_stats(stats)
    is_questions = kind != "functions"
    licences = sorted({name if name in HUB_LICENCES else "other" for name in map(_hub_name, dict(total.licences))})
    languages = sorted({part.language for part in stats})
    yield "---"
    yield f"pretty_name: {json.dumps(title, ensure_ascii=False)}"
    yield f"language: {'en' if is_questions else 'code'}"
    yield from (
        [f"license: {licences[0]}"] if len(licences) == 1 else ["license:", *(f"- {name}" for name in licences)]
    )
    yield "task_categories:"
    yield "- text-retrieval"
    if is_questions:
        yield "- question-answering"
    yield "tags:"
    yield from (f"- {_yaml(tag)}" for tag in ("code", "code-search", "procqa", *languages))
    yield "size_categories:"
    yield f"- {next((name for name, limit in SIZES if total.rows < limit), LARGEST_SIZE)}"
    yield from _configs(stats)
    yield "---"


def _configs(stats: Iterable[PartStats]) -> Iterator[str]:
    """The files of each configuration; a split without rows has none."""
    splits: dict[str, set[str]] = defaultdict(set)
    for part in stats:
        if part.rows:
            splits[part.language].add(part.split)
    yield from ("configs:", "- config_name: all", "  default: true", "  data_files:")
    yield from _data_files("*", set().union(*splits.values()))
    for language in sorted(splits):
        yield from (f"- config_name: {_yaml(language)}", "  data_files:")
        yield from _data_files(language, splits[language])


def _data_files(language: str, splits: set[str]) -> Iterator[str]:
    for split in SPLITS:
        if split in splits:
            yield f"  - split: {split}"
            yield f"    path: {_yaml(f'data/{language}/{split}-*.parquet')}"


def _yaml(text: str) -> str:
    """A string as YAML reads it back."""
    is_plain = _PLAIN.fullmatch(text.replace("/", "").replace("*", "")) and text.lower() not in _YAML_WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _hub_name(licence: str) -> str:
    return "-".join(licence.lower().split())
