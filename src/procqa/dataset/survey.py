"""Rows that look as if they did not belong: ids far out of range, dates outside the site's life, owner -1.

Nothing is dropped for it. Each block notes what could stand out; only the whole dump says what does. The
bounds follow from the dump and not from the clock. Source: ours, docs/decisions/0011.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from procqa.dump.posts import ABSENT
from procqa.pairs.rules import COMMUNITY_USER_ID, FABRICATED_IDS

if TYPE_CHECKING:
    from procqa.dump.columns import BlockRows

SHOWN = 20
"""Rows named for each suspicion; all are counted. Source: ours, docs/decisions/0011."""

ID_FACTOR = 10
"""An id is far out of range beyond so many times the id below which 99 % lie. Source: ours, docs/decisions/0011."""

FIRST_MONTH = "2008-07"
"""The month in which the first site of Stack Exchange opened. Source: ours, docs/decisions/0011."""

QUIET_MONTHS = 12
"""A date so many months after the one up to which 99.9 % of the rows were written lies outside the site's life."""


@dataclass(slots=True)
class Survey:
    """What blocks held; surveys of blocks add up to that of the dump.

    Args:
        id_sizes: posts by the binary logarithm of their id, in eighths.
        months: posts by month of creation, as ``2018-02``.
        largest: (id, month) of the posts with the largest ids, at most SHOWN.
        extremes: (id, month) of the oldest and newest posts, at most SHOWN of each.
        unowned: ids of posts of the community user, at most SHOWN.
        n_unowned: how many there are.
    """

    id_sizes: Counter[int] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)
    largest: list[tuple[int, str]] = field(default_factory=list)
    extremes: list[tuple[int, str]] = field(default_factory=list)
    unowned: list[int] = field(default_factory=list)
    n_unowned: int = 0

    def add(self, other: "Survey") -> None:
        """Add another survey to this one."""
        self.id_sizes.update(other.id_sizes)
        self.months.update(other.months)
        self.largest = sorted([*self.largest, *other.largest], reverse=True)[:SHOWN]
        by_month = sorted([*self.extremes, *other.extremes], key=lambda post: (post[1], post[0]))
        self.extremes = by_month if len(by_month) <= 2 * SHOWN else by_month[:SHOWN] + by_month[-SHOWN:]
        self.unowned = sorted([*self.unowned, *other.unowned])[:SHOWN]
        self.n_unowned += other.n_unowned

    def to_dict(self) -> dict[str, Any]:
        """The survey as JSON; ``from_dict`` takes it back."""
        return {
            "id_sizes": {str(size): n for size, n in sorted(self.id_sizes.items())},
            "months": dict(sorted(self.months.items())),
            "largest": self.largest,
            "extremes": self.extremes,
            "unowned": self.unowned,
            "n_unowned": self.n_unowned,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Survey":
        """The survey that ``to_dict`` wrote."""
        return cls(
            Counter({int(size): n for size, n in values["id_sizes"].items()}),
            Counter(values["months"]),
            [(number, month) for number, month in values["largest"]],
            [(number, month) for number, month in values["extremes"]],
            list(values["unowned"]),
            values["n_unowned"],
        )

    def warnings(self) -> list[str]:
        """One sentence for each suspicion that holds, with the rows it is about."""
        return [sentence for sentence in self._suspicions() if sentence]

    def _suspicions(self) -> Iterator[str]:
        usual = self._usual_id()
        far = [number for number, _ in self.largest if number > ID_FACTOR * usual]
        yield _sentence("ids far out of range", far, f"99 % of the ids lie below {usual:,}", len(far) == SHOWN)
        last = self._last_month()
        early = [number for number, month in self.extremes if month < FIRST_MONTH]
        late = [number for number, month in self.extremes if month > last]
        n_early = sum(n for month, n in self.months.items() if month < FIRST_MONTH)
        n_late = sum(n for month, n in self.months.items() if month > last)
        yield _sentence("dates before the site's first day", early, f"before {FIRST_MONTH}", n_early > len(early))
        yield _sentence("dates after the site's last day", late, f"after {last}", n_late > len(late))
        yield _sentence("owner -1", self.unowned, f"{self.n_unowned:,} posts", self.n_unowned > len(self.unowned))

    def _usual_id(self) -> int:
        total, held = self.id_sizes.total(), 0
        for size in sorted(self.id_sizes):
            held += self.id_sizes[size]
            if held >= 0.99 * total:
                return int(2 ** ((size + 1) / 8))
        return 0

    def _last_month(self) -> str:
        total, held, month = self.months.total(), 0, FIRST_MONTH
        for month in sorted(self.months):
            held += self.months[month]
            if held >= 0.999 * total:
                break
        months = int(month[:4]) * 12 + int(month[5:]) - 1 + QUIET_MONTHS
        return f"{months // 12:04d}-{months % 12 + 1:02d}"


def _sentence(what: str, ids: list[int], why: str, has_more: bool) -> str:
    if not ids:
        return ""
    shown = ", ".join(map(str, sorted(set(ids)))) + (" and more" if has_more else "")
    return f"suspicious rows with {what} ({why}), kept: {shown}"


def survey_block(block: "BlockRows") -> Survey:
    """What could stand out among the posts of a block."""
    posts = block.posts
    is_known = np.isin(posts["id"], list(FABRICATED_IDS)) & np.isin(posts["owner"], [COMMUNITY_USER_ID, ABSENT])
    posts = posts[~is_known]
    if not len(posts):
        return Survey()
    sizes, n_sizes = np.unique((np.log2(posts["id"].astype(np.float64)) * 8).astype(np.int64), return_counts=True)
    months = posts["created_ms"].astype("datetime64[ms]").astype("datetime64[M]")
    names, n_months = np.unique(months, return_counts=True)
    by_id, by_month = np.lexsort((months, posts["id"])), np.lexsort((posts["id"], months))
    unowned = np.sort(posts["id"][posts["owner"] == COMMUNITY_USER_ID])
    ends = dict.fromkeys([*by_month[:SHOWN].tolist(), *by_month[-SHOWN:].tolist()])

    def named(places: list[int]) -> list[tuple[int, str]]:
        return [(int(posts["id"][place]), str(months[place])) for place in places]

    return Survey(
        Counter(dict(zip(sizes.tolist(), n_sizes.tolist(), strict=True))),
        Counter(dict(zip(map(str, names), n_months.tolist(), strict=True))),
        sorted(named(by_id[-SHOWN:].tolist()), reverse=True),
        named(list(ends)),
        unowned[:SHOWN].tolist(),
        len(unowned),
    )
