"""Tables of a study as grids of text: scores of arms by task."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from procqa.studies.report.dots import exam_of, shown_scores
from procqa.studies.report.words import Line, interval, score
from procqa.studies.results import WORDS, Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table of text.

    Args:
        head: names of columns; the first ``left`` of them hold words, the others numbers.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int


def tell_scores(found: Found, *, only_shown: bool = False) -> list[Grid]:
    """For each exam and base a table: a row for each task, a column for each arm, BM25 last.

    Args:
        only_shown: the tasks and families that the plots show, in place of all.
    """
    grids = []
    for exam in dict.fromkeys(exam_of(one["on"]) for one in found.scores):
        shown = shown_scores(found, exam) if only_shown else [one for one in found.scores if exam_of(one["on"]) == exam]
        for base in dict.fromkeys(one["base"] for one in shown if one["base"] != WORDS):
            grids.append(_grid(found, exam, base, [one for one in shown if one["base"] == base]))
    return grids


def _grid(found: Found, exam: str, base: str, scores: Sequence[Line]) -> Grid:
    arms = list(dict.fromkeys(one["arm"] for one in scores))
    rows = []
    for on in dict.fromkeys(one["on"] for one in scores):
        of_task = {one["arm"]: one for one in scores if one["on"] == on}
        first = next(iter(of_task.values()))
        cells = [_cell(of_task[arm]) if arm in of_task else "" for arm in arms]
        name = f"{on.partition('/')[2]}{', all' if first['is_family'] else ''}"
        sizes = [f"{first['queries']:,}", f"{first['documents']:,}"]
        rows.append([name, first["measure"], *sizes, *cells, _words(found, on, first)])
    head = ["task", "measure", "queries", "documents", *arms, "bm25"]
    return Grid(title=f"{exam}, {base}", head=head, rows=rows, left=2)


def _cell(found: Line) -> str:
    seen = f", {found['seen']:,} seen in training" if found["seen"] else ""
    return f"{score(found['mean'])} {interval(found['ci95'], score)}{seen}"


def _words(found: Found, on: str, first: Line) -> str:
    """BM25 on the same queries."""
    same = (one for one in found.scores if (one["base"], one["on"]) == (WORDS, on))
    known = next((one for one in same if one["queries"] == first["queries"]), None)
    return "" if known is None else f"{score(known['mean'])} {interval(known['ci95'], score)}"


def tell_table(table: Line) -> Grid:
    """Slices or causes: shares of causes in per cent, measures as they are."""
    is_shares = table["look"] == "traces"
    left = 2
    rows = [[*map(str, row[:left]), *(_number(value, is_shares) for value in row[left:])] for row in table["rows"]]
    return Grid(title=table["title"], head=table["head"], rows=rows, left=left)


def _number(value: Any, is_share: bool) -> str:  # Any: what a cell of a table holds
    if isinstance(value, int):
        return f"{value:,}"
    return f"{100 * value:.1f} %" if is_share and value is not None else score(value)
