"""The count of everything that was read: nothing vanishes.

rows = questions + answers + other + unreadable + repeated, and questions = kept + Σ dropped.
Source: ours, docs/dataset.md#funnel.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from procqa.pairs.rules import FUNNEL, NOT_JOINED

NO_LANGUAGE_KEY = "none"


@dataclass(slots=True)
class Tally:
    """What became of rows and questions; tallies of parts add up to that of the whole."""

    rows: int = 0
    questions: int = 0
    answers: int = 0
    other: int = 0
    repeated: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    dropped: dict[str, Counter[str]] = field(default_factory=dict)

    def drop(self, reason: str, language: str | None, count: int = 1) -> None:
        """Count questions that are no pairs."""
        self.dropped.setdefault(reason, Counter())[language or NO_LANGUAGE_KEY] += count

    def add(self, other: "Tally") -> None:
        """Add another tally to this one."""
        for name in ("rows", "questions", "answers", "other", "repeated"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.unreadable.update(other.unreadable)
        self.kept.update(other.kept)
        for reason, languages in other.dropped.items():
            self.dropped.setdefault(reason, Counter()).update(languages)

    def to_dict(self) -> dict[str, Any]:
        """The tally as JSON; ``from_dict`` takes it back."""
        return {
            "rows": self.rows,
            "questions": self.questions,
            "answers": self.answers,
            "other": self.other,
            "repeated": self.repeated,
            "unreadable": dict(sorted(self.unreadable.items())),
            "kept": dict(sorted(self.kept.items())),
            "dropped": {reason: dict(sorted(by.items())) for reason, by in sorted(self.dropped.items())},
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Tally":
        """The tally that ``to_dict`` wrote."""
        counts = {name: values[name] for name in ("rows", "questions", "answers", "other", "repeated")}
        return cls(
            **counts,
            unreadable=Counter(values["unreadable"]),
            kept=Counter(values["kept"]),
            dropped={reason: Counter(by) for reason, by in values["dropped"].items()},
        )

    @property
    def dropped_by_reason(self) -> dict[str, int]:
        """Dropped questions by reason, over all languages, in the order in which reasons are tried."""
        order = {reason: place for place, reason in enumerate(FUNNEL)}
        reasons = sorted(self.dropped, key=lambda reason: (order.get(reason, len(order)), reason))
        return {reason: self.dropped[reason].total() for reason in reasons}

    @property
    def pairs_read(self) -> int:
        """Questions whose accepted answer was found."""
        return self.questions - sum(n for reason, n in self.dropped_by_reason.items() if reason in NOT_JOINED)
