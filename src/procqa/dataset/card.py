"""The card of a dataset: what it is, how it was made, what it holds, and under which terms it may be used.

The YAML at its head is what ``datasets.load_dataset`` and the hub read. All numbers come from the caller,
so equal facts give an equal card. Source: ours, docs/decisions/0013.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from procqa.dataset.croissant import MEANINGS
from procqa.dataset.funnel import Tally
from procqa.dataset.hub import Kind, front_matter
from procqa.dataset.plots import draw_funnel, draw_lengths
from procqa.dataset.schema import SCHEMA, SPLITS
from procqa.dataset.statistics import MOST_WORDS, TEXTS, PartStats, median_words, merge_stats

CARD, NOTICE_FILE, FUNNEL_PLOT, LENGTHS_PLOT = "README.md", "NOTICE", "funnel.png", "lengths.png"

NOTICE = """\
Every row of this dataset names its two authors, their licences and, where there are pages, its addresses:
question_author, question_author_url, question_licence, question_url, and the same of the answer.
Posts of Stack Exchange sites are licensed CC BY-SA (2.5, 3.0 or 4.0 by date):
https://creativecommons.org/licenses/by-sa/2.5/ https://creativecommons.org/licenses/by-sa/3.0/
https://creativecommons.org/licenses/by-sa/4.0/
Whoever shows or passes on a row must show where it comes from, link to the question, name and link both
authors, say what was changed (HTML became Markdown; code is unchanged but for redactions that the card
names), and pass it on under the same licence. Other rows are under the licence that their columns name.
"""

SHOWN_LICENCES = 12
ONE = {"questions": "A question", "queries": "A query", "functions": "A function"}
USE = {
    "questions": "Made for retrieving answers to programming questions that mix text and code, for contrastive training"
    " of text and code encoders, and for answer generation.",
    "queries": "Made for retrieving code by what people ask for, and for fine-tuning encoders.",
    "functions": "Made for retrieving functions by their documentation, and for contrastive training of encoders.",
}
FIELDS = {
    "questions": "`title` and `question` are the asker's, `answer` is the {answers} answer, all in Markdown: code in"
    " fences, inline code in back-ticks.",
    "queries": "`title` is what is asked, `question` is empty, `answer` is the code in a fence.",
    "functions": "`title` is the name of a function, `question` its documentation, `answer` the function without it.",
}
LIMITS = {
    "questions": (
        "An accepted answer helped its asker; nobody checked that it is right, safe or still current.",
        "One answer counts for each question, so other good answers are counted as wrong in retrieval.",
        "The posts are those of the people who ask and answer there, in English and in a few languages and trades above"
        " all; they hold their mistakes and prejudices.",
    ),
    "queries": (
        "One code counts for each query, though others may answer it too; the labels are those of its publisher.",
        "Splits are the publisher's. They share no query, but one function may answer queries of several splits.",
        "Who wrote a text was not published; the pages that are linked name the authors.",
    ),
    "functions": (
        "Documentation describes a function and is seldom what people would search for.",
        "Nobody checked that documentation and code agree, or that the code runs.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What a card tells.

    Args:
        title: its heading.
        sources: one sentence on what the dataset was made from.
        kind: what its rows are.
        stats: of every part of data/.
        tally: what became of every question, or function.
        recipe: settings by name, as the manifest has them.
        split_proofs: a line for each thing that was proven of the splits; Markdown.
        leakage: the lines of the leakage certificate; Markdown.
        redacted: how many findings of each kind were replaced; None where nothing was to be.
    """

    title: str
    sources: str
    kind: Kind = "questions"
    stats: tuple[PartStats, ...]
    tally: Tally
    recipe: Mapping[str, Any]
    split_proofs: tuple[str, ...] = ()
    leakage: tuple[str, ...] = ()
    redacted: Mapping[str, int] | None = None


def draw_pictures(folder: Path, tally: Tally, stats: Sequence[PartStats]) -> None:
    """Draw the two pictures that the card shows."""
    draw_funnel(folder / FUNNEL_PLOT, tally.to_dict(), list(tally.dropped_by_reason))
    draw_lengths(folder / LENGTHS_PLOT, stats)


def write_card(folder: Path, facts: CardFacts) -> None:
    """Write README.md and NOTICE; ``draw_pictures`` draws what they show."""
    (folder / CARD).write_text(card_text(facts), encoding="utf-8")
    (folder / NOTICE_FILE).write_text(NOTICE, encoding="utf-8")


def card_text(facts: CardFacts) -> str:
    """The Markdown of a card, its YAML first."""
    total = merge_stats(facts.stats)
    sections = (
        front_matter(facts.title, facts.kind, facts.stats),
        _introduction(facts, total),
        _pairs(facts),
        _columns(),
        _lengths(facts),
        _code(facts),
        _funnel(facts),
        ["## Splits", "", *_bullets(facts.split_proofs, "Nothing was proven of the splits.")],
        ["## Leakage certificate", "", *_bullets(facts.leakage, "No benchmark was looked for.")],
        _findings(facts, total),
        _terms(total),
        ["## Limits", "", *(f"- {line}" for line in _limits(facts))],
        _recipe(facts),
    )
    return "\n".join(line for section in sections for line in (*section, ""))


def _introduction(facts: CardFacts, total: PartStats) -> Iterator[str]:
    languages = sorted({part.language for part in facts.stats})
    example = "python" if "python" in languages else languages[0] if languages else "all"
    yield f"# {facts.title}"
    yield ""
    yield f"{facts.sources} {total.rows:,} pairs in {len(languages)} languages: {', '.join(languages)}."
    yield ""
    answers = "best-scored" if facts.recipe.get("answers") == "best" else "accepted"
    yield f"{USE[facts.kind]} {FIELDS[facts.kind].format(answers=answers)}"
    yield ""
    yield "```python"
    yield "import datasets"
    yield ""
    yield f'pairs = datasets.load_dataset("path/of/this/folder", "{example}")  # or "all", the default'
    yield "```"
    yield ""
    yield (
        "Made by procqa after ProCQA (arXiv 2403.16702). `procqa verify` checks every byte against `manifest.json`,"
        " which names what it was made from; `croissant.json` describes every column to machines."
    )


def _pairs(facts: CardFacts) -> Iterator[str]:
    """Pairs by language and split."""
    yield "## Pairs"
    yield ""
    yield from _header("language", *SPLITS, "all")
    for name, parts in _languages(facts.stats):
        by_split = [sum(part.rows for part in parts if part.split == split) for split in SPLITS]
        yield _row(name, *(f"{n:,}" for n in (*by_split, sum(by_split))))


def _columns() -> Iterator[str]:
    """What each column means."""
    yield "## Columns"
    yield ""
    yield from _header("column", "type", "meaning", numbers=False)
    for field in SCHEMA:
        kind = "list of string" if pa.types.is_list(field.type) else str(field.type)
        yield _row(f"`{field.name}`", kind, MEANINGS[field.name])


def _lengths(facts: CardFacts) -> Iterator[str]:
    """Words and characters, on average and in the middle."""
    yield "## Lengths"
    yield ""
    yield f"![Words of titles, questions and answers]({LENGTHS_PLOT})"
    yield ""
    yield (
        "Words are what white space separates. Dashed: the median. The last, dark bar holds all texts of"
        f" {MOST_WORDS:,} words or more."
    )
    yield ""
    yield from _header(
        "language", *(f"{name}, words (mean)" for name in TEXTS), *(f"{name}, median" for name in TEXTS[1:]),
        *(f"{name}, characters (mean)" for name in TEXTS),
    )  # fmt: skip
    for name, parts in _languages(facts.stats):
        of_all = merge_stats(parts)
        rows = max(of_all.rows, 1)
        yield _row(
            name,
            *(f"{n / rows:,.1f}" for n in of_all.words),
            *(f"{median_words(histogram):,}" for histogram in (of_all.question_words, of_all.answer_words)),
            *(f"{n / rows:,.0f}" for n in (of_all.title_chars, of_all.question_chars, of_all.answer_chars)),
        )


def _code(facts: CardFacts) -> Iterator[str]:
    """How much of both sides is code."""
    yield "## Code"
    yield ""
    yield (
        "Code is what stands in fenced blocks; inline code counts as text."
        if facts.kind != "functions"
        else ("Code is what stands in fenced blocks; a function itself stands without a fence.")
    )
    yield ""
    yield from _header(
        "language", "code in questions (characters)", "code in answers (characters)",
        "questions with code", "answers with code", "pairs with code on both sides",
    )  # fmt: skip
    for name, parts in _languages(facts.stats):
        of_all = merge_stats(parts)
        yield _row(
            name,
            _percent(of_all.question_code_chars, of_all.question_chars),
            _percent(of_all.answer_code_chars, of_all.answer_chars),
            *(_percent(n, of_all.rows) for n in (of_all.code_in_question, of_all.code_in_answer, of_all.code_in_both)),
        )


def _funnel(facts: CardFacts) -> Iterator[str]:
    """What was left out, rule by rule."""
    questions, dropped = facts.tally.questions, facts.tally.dropped_by_reason
    yield "## What was left out"
    yield ""
    yield f"![The funnel from {facts.kind} to pairs]({FUNNEL_PLOT})"
    yield ""
    yield f"{ONE[facts.kind]} is kept, or dropped under the first reason that applies, in this order:"
    yield ""
    yield from _header("", facts.kind, "share")
    yield _row(f"**{facts.kind} read**", f"{questions:,}", _percent(questions, questions))
    for reason, n in dropped.items():
        yield _row(reason, f"{n:,}", _percent(n, questions))
    kept = facts.tally.kept.total()
    yield _row("**kept**", f"**{kept:,}**", _percent(kept, questions))
    yield ""
    yield "`funnel.json` has these counts by language, and those of all rows read."


def _findings(facts: CardFacts, total: PartStats) -> Iterator[str]:
    """E-mail addresses, keys and tokens."""
    yield "## Personal data and secrets"
    yield ""
    yield (
        "Titles, questions and answers were searched for e-mail addresses, private keys and tokens by their public"
        " formats; placeholders such as example.com do not count. Other personal data was not looked for."
    )
    yield ""
    if facts.redacted is not None:
        yield "What was found was replaced by `<EMAIL>`, `<KEY>` and `<TOKEN>`."
        yield ""
    counts = dict(total.findings) if facts.redacted is None else dict(sorted(facts.redacted.items()))
    if not counts:
        yield "Nothing was found."
        return
    yield from _header("kind", "replaced" if facts.redacted is not None else "found")
    for kind, n in counts.items():
        yield _row(kind.replace("_", " "), f"{n:,}")


def _terms(total: PartStats) -> Iterator[str]:
    """Licences, and what attribution asks for."""
    ranked = sorted(total.licences, key=lambda entry: (-entry[1], entry[0]))
    yield "## Licence and attribution"
    yield ""
    yield "Each row carries the licence, the author and, where there are pages, the addresses of both its texts:"
    yield ""
    yield from _header("licence", "texts")
    for name, n in ranked[:SHOWN_LICENCES]:
        yield _row(_harmless(name), f"{n:,}")
    rest = ranked[SHOWN_LICENCES:]
    if rest:
        yield _row(f"{len(rest)} others", f"{sum(n for _, n in rest):,}")
    yield ""
    yield (
        "Whoever shows or passes on a row of a Stack Exchange site names and links its two authors, links to the"
        " question, says what was changed, and keeps the licence: see NOTICE. The columns hold all that is needed."
    )
    yield ""
    yield (
        "To cite the dataset, name procqa, arXiv 2403.16702, and the `sha256` of `manifest.json`, which stands for the"
        " bytes of data/."
    )


def _limits(facts: CardFacts) -> Iterator[str]:
    yield from LIMITS[facts.kind]
    if facts.recipe.get("non_english") == "keep":
        yield "Posts that are not in English were not looked for."
    if facts.recipe.get("near_duplicates", "ignore") == "ignore":
        yield "Near-duplicates were not looked for: a question of the test split may repeat one of the training split."


def _recipe(facts: CardFacts) -> Iterator[str]:
    """The settings it was made with."""
    yield "## Recipe"
    yield ""
    yield from _header("setting", "value", numbers=False)
    for name, value in facts.recipe.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=list)
        yield _row(name, f"`{shown}`")


def _bullets(lines: Sequence[str], otherwise: str) -> list[str]:
    return [f"- {line}" for line in lines] or [otherwise]


def _languages(stats: Sequence[PartStats]) -> Iterator[tuple[str, list[PartStats]]]:
    """The parts of each language, and of all."""
    for language in sorted({part.language for part in stats}):
        yield language, [part for part in stats if part.language == language]
    yield "**all**", list(stats)


def _header(*names: str, numbers: bool = True) -> Iterator[str]:
    yield _row(*names)
    yield "|---" + ("|---:" if numbers else "|---") * (len(names) - 1) + "|"


_MARKUP = re.compile(r"[<>&`\[\]]")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _harmless(cell: str) -> str:
    """What a row says of itself, as text that is no HTML and no Markdown."""
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};", cell)


def _percent(part: int, whole: int) -> str:
    if not whole:
        return "–"
    return "< 0.1 %" if 0 < part < whole / 1_000 else f"{100 * part / whole:.1f} %"
