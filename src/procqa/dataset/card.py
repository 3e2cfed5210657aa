"""The card of a dataset and its NOTICE: what it is, how it was made, under which terms it may be used."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from procqa.dataset.runs import PartStats
from procqa.dataset.schema import SPLITS

NOTICE = """\
Every row of this dataset names its two authors, their licences and, where there are pages, its addresses:
question_author, question_author_url, question_licence, question_url, and the same of the answer.
Posts of Stack Exchange sites are licensed CC BY-SA (2.5, 3.0 or 4.0 by date). Whoever shows or passes on
a row must show where it comes from, link to the question, name and link both authors, and pass it on
under the same licence. Other rows are under the licence that their columns name.
"""


def write_card(title: str, stats: Iterable[PartStats], counts: dict[str, Any], sources: str) -> str:
    """The README.md of a dataset: YAML for ``datasets.load_dataset``, then statistics and the funnel.

    Args:
        counts: ``languages`` (rows by language and split), ``kept``, and ``dropped`` by reason.
        sources: one sentence on what it was made from.
    """
    languages: dict[str, dict[str, int]] = counts["languages"]
    return "\n".join(
        [
            "---",
            *_configs(languages),
            "---",
            "",
            f"# {title}",
            "",
            f"{sources} Made by procqa; `procqa verify` checks every byte against manifest.json.",
            "",
            "```python",
            'datasets.load_dataset("path/of/this/folder", "python")  # or "all", the default',
            "```",
            "",
            "## Pairs",
            "",
            *_statistics(list(stats)),
            "",
            "Lengths are mean characters. The share of code is that of characters in fenced blocks.",
            "",
            "## What was left out",
            "",
            "| reason | questions |",
            "|---|---:|",
            *(f"| {reason} | {n:,} |" for reason, n in counts["dropped"].items()),
            f"| **kept** | **{counts['kept']:,}** |",
            "",
            "funnel.json has these counts by language, leakage.json the proof of each contaminated pair.",
            "",
            "## Licence",
            "",
            "Each row carries its own licence and authors: see NOTICE.",
            "",
        ]
    )


def _configs(languages: dict[str, dict[str, int]]) -> list[str]:
    """The YAML that names the files of each configuration; a split without rows has none."""
    lines = ["configs:", "- config_name: all", "  default: true", "  data_files:"]
    for split in SPLITS:
        if any(splits[split] for splits in languages.values()):
            lines += [f"  - split: {split}", f"    path: data/*/{split}-*.parquet"]
    for language, splits in languages.items():
        lines += [f"- config_name: {language}", "  data_files:"]
        for split in SPLITS:
            if splits[split]:
                lines += [f"  - split: {split}", f"    path: data/{language}/{split}-*.parquet"]
    return lines


def _statistics(stats: list[PartStats]) -> list[str]:
    """A table row for each language and one for all."""
    by_language: dict[str, list[PartStats]] = defaultdict(list)
    for part in stats:
        by_language[part.language].append(part)
    header = ["language", *SPLITS, "title", "question", "answer", "code in questions", "code in answers"]
    lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    lines += [_statistics_row(language, by_language[language]) for language in sorted(by_language)]
    return [*lines, _statistics_row("**all**", stats)]


def _statistics_row(name: str, parts: list[PartStats]) -> str:
    rows = sum(part.rows for part in parts)
    question, answer = sum(part.question_chars for part in parts), sum(part.answer_chars for part in parts)
    cells = [f"{sum(part.rows for part in parts if part.split == split):,}" for split in SPLITS]
    cells += [f"{total / rows:,.0f}" for total in (sum(part.title_chars for part in parts), question, answer)]
    cells += [
        f"{100 * sum(part.question_code_chars for part in parts) / max(question, 1):.0f} %",
        f"{100 * sum(part.answer_code_chars for part in parts) / max(answer, 1):.0f} %",
    ]
    return f"| {name} | " + " | ".join(cells) + " |"
