"""Question ⋈ accepted answer within a thread, in whatever order the rows came.

A thread is a question and the rows that name it as their parent. Of a repeated id the latest activity
wins. Source: docs/paper.md#accepted-answers; ours, docs/decisions/0003.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from procqa.pairs import rules


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A question or answer as the dump has it, with what joining needs.

    Args:
        raw: the row's bytes.
        accepted_answer_id: of a question that has accepted one.
    """

    kind: Literal["question", "answer"]
    id: int
    activity_ms: int
    accepted_answer_id: int | None
    raw: bytes

    @property
    def precedence(self) -> tuple[int, bytes]:
        """What decides between rows of one id: the activity, then the bytes, so that order cannot."""
        return self.activity_ms, self.raw


@dataclass(frozen=True, slots=True)
class Thread:
    """A question with the rows that answer it, each id once.

    Args:
        question: None where a dump holds answers of a question that it lacks.
        repeated: rows left out because their id came again.
    """

    question: ThreadRow | None
    answers: dict[int, ThreadRow]
    repeated: int

    def accepted(self) -> ThreadRow | str:
        """The accepted answer, or the reason why this thread has none."""
        wanted = self.question.accepted_answer_id if self.question else None
        if wanted is None:
            return rules.NO_ACCEPTED
        return self.answers.get(wanted, rules.NOT_IN_DUMP)


def join_thread(thread_id: int, rows: Iterable[ThreadRow]) -> Thread:
    """The rows of one thread with repeats resolved."""
    latest: dict[int, ThreadRow] = {}
    n_rows = 0
    for row in rows:
        n_rows += 1
        rival = latest.get(row.id)
        if rival is None or row.precedence > rival.precedence:
            latest[row.id] = row
    repeated = n_rows - len(latest)
    question = latest.get(thread_id)
    if question is not None and question.kind == "question":
        del latest[thread_id]
        return Thread(question, latest, repeated)
    return Thread(None, latest, repeated)
