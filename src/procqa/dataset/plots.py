"""Draws the two pictures of a dataset's card: its funnel, and the lengths of its texts.

Source: ours, docs/decisions/0013.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from procqa.dataset.statistics import MOST_WORDS, TEXTS, PartStats, median_words, merge_stats
from procqa.figure import GREY, INK, figure

BIN_WORDS = 20
"""Width of a bar of the picture of lengths, in words. Source: ours, docs/decisions/0013."""

MOST_LANGUAGES = 15
"""Languages with a bar of their own; smaller ones share one. Source: ours, docs/decisions/0013."""

LETTER_INCHES, MOST_LEFT_INCHES = 0.072, 3.6
"""Room for a letter of the names of rows, and the most that they get."""

DROPPED, KEPT = "#c8553d", "#3a7d44"
TEXT_COLOURS = {"title": "#f2a541", "question": "#1f6f8b", "answer": "#3a7d44"}


def draw_funnel(path: Path, tally: Mapping[str, Any], order: Sequence[str] = ()) -> None:
    """Draw what became of every question: a bar for each reason they were dropped for, and those kept by language.

    Args:
        tally: as ``Tally.to_dict`` gives it: ``questions``, ``kept`` by language, ``dropped`` by reason and language.
        order: the reasons in the order in which they are tried; others follow.
    """
    reasons = sorted(tally["dropped"], key=lambda name: (order.index(name) if name in order else len(order), name))
    drops = {reason: sum(tally["dropped"][reason].values()) for reason in reasons}
    languages = _largest(tally["kept"])
    kept = sum(n for _, n in languages)
    letters = max(map(len, ["pairs kept", *drops, *(name for name, _ in languages)]))
    left_inches = min(0.2 + LETTER_INCHES * letters, MOST_LEFT_INCHES)
    with figure(path, [len(drops) + 2, max(len(languages), 1)], left_inches=left_inches) as drawn:
        _draw_drops(drawn.axes[0], int(tally["questions"]), drops)
        axes = drawn.axes[1]
        for row, (_, n) in enumerate(languages):
            axes.barh(row, n, color=KEPT)
            _label(axes, row, n, f"{n:,}  ({_percent(n, kept)})")
        _name_rows(axes, [name for name, _ in languages], most=max((n for _, n in languages), default=1))
        axes.set_title("Pairs kept, by language", loc="left", fontsize=11, color=INK)


def _draw_drops(axes: Any, questions: int, drops: Mapping[str, int]) -> None:  # Any: matplotlib has no types here
    """What is left after each reason, in grey, and what went for it."""
    axes.barh(0, questions, color=GREY)
    _label(axes, 0, questions, f"{questions:,}")
    left = questions
    for row, n in enumerate(drops.values(), start=1):
        axes.barh(row, left - n, color=GREY)
        axes.barh(row, n, left=left - n, color=DROPPED)
        _label(axes, row, left, f"−{n:,}  ({_percent(n, questions)})")
        left -= n
    axes.barh(len(drops) + 1, left, color=KEPT)
    _label(axes, len(drops) + 1, left, f"{left:,}  ({_percent(left, questions)})")
    _name_rows(axes, ["questions", *drops, "pairs kept"], most=questions)
    axes.set_title("From questions to pairs", loc="left", fontsize=11, color=INK)


def _name_rows(axes: Any, names: Sequence[str], *, most: int) -> None:  # Any: matplotlib has no types here
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, max(most, 1) * 1.3)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


def draw_lengths(path: Path, stats: Iterable[PartStats]) -> None:
    """Draw how many words titles, questions and answers have, longer ones than MOST_WORDS at the end."""
    total = merge_stats(stats)
    # Room for counts of eight digits with their commas, and the name of the axis.
    with figure(path, [6] * len(TEXTS), left_inches=1.1, below_inches=0.5) as drawn:
        for place, (axes, name) in enumerate(zip(drawn.axes, TEXTS, strict=True)):
            histogram = getattr(total, f"{name}_words")
            mean, middle = total.words[place] / max(total.rows, 1), median_words(histogram)
            longer = f", {histogram[MOST_WORDS]:,} of {MOST_WORDS:,} or more" if histogram[MOST_WORDS] else ""
            axes.set_title(f"{name}: median {middle:,}, mean {mean:,.1f}{longer}", loc="left", fontsize=10, color=INK)
            _draw_histogram(axes, name, histogram)
            axes.axvline(middle, color=INK, linewidth=1, linestyle="--")
        drawn.axes[-1].set_xlabel("words (split at white space)", fontsize=9)


def _draw_histogram(axes: Any, name: str, histogram: Sequence[int]) -> None:  # Any: matplotlib has no types here
    """The bars of one text: one a word for titles, BIN_WORDS wide for the others, the last for all longer ones."""
    if name == "title":
        words = range(_last_word(histogram))
        axes.bar(words, histogram[: len(words)], width=0.9, color=TEXT_COLOURS[name])
    else:
        starts = np.arange(0, MOST_WORDS + 1, BIN_WORDS)
        counts = np.add.reduceat(histogram, starts)
        axes.bar(starts, counts, width=0.9 * BIN_WORDS, align="edge", color=TEXT_COLOURS[name])[-1].set_color(INK)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_ylabel("pairs", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.margins(x=0.01)


def _last_word(histogram: Sequence[int]) -> int:
    """One more than the number of words of the longest text, and at least 10."""
    filled = np.flatnonzero(histogram)
    return max(int(filled[-1]) + 1 if len(filled) else 0, 10)


def _largest(kept: Mapping[str, int]) -> list[tuple[str, int]]:
    """The languages by their pairs, the smallest summed up where there are more than MOST_LANGUAGES."""
    ranked = sorted(kept.items(), key=lambda entry: (-entry[1], entry[0]))
    rest = sum(n for _, n in ranked[MOST_LANGUAGES:])
    return ranked[:MOST_LANGUAGES] + ([("others", rest)] if rest else [])


def _percent(part: int, whole: int) -> str:
    share = 100 * part / max(whole, 1)
    return f"{share:.1f} %" if share >= 0.1 or part == 0 else "< 0.1 %"


def _label(axes: Any, row: int, place: float, text: str) -> None:  # Any: matplotlib has no types here
    axes.annotate(text, (place, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8, color=INK)
