"""Question ⋈ answer within each thread, in whatever order the rows came, over whole columns at once.

A thread is a question and the rows that name it as their parent. Of a repeated id the latest activity
wins. Source: docs/paper.md#accepted-answers; ours, docs/decisions/0003.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_QUESTION = 0


@dataclass(frozen=True, slots=True)
class Threads:
    """The threads that have a question, in the order of site and id.

    Args:
        questions: (t,) row of each question.
        answers: (t,) row of the answer of the pair; -1 where the thread does not hold it.
        digests: (t,) 64 bits that change with any row of the thread.
        n_answers: answers of all threads, those without a question too.
        repeated: rows left out because their id came again.
    """

    questions: NDArray[np.int64]
    answers: NDArray[np.int64]
    digests: NDArray[np.uint64]
    n_answers: int
    repeated: int


def join_threads(
    posts: NDArray[np.void], sites: NDArray[np.int64], is_candidate: NDArray[np.bool_], *, best: bool
) -> Threads:
    """The threads of some posts, all rows of a thread being there.

    Args:
        posts: (n,) with the fields kind, id, thread, accepted, score, created_ms, activity_ms and digest.
        sites: (n,) index of each post's site.
        is_candidate: (n,) the posts that may be the answer of a pair where ``best`` asks for one.
        best: take the answer with the highest score, of equal ones the accepted, the older, the lower id;
            else the accepted answer and no other.
    """
    order = np.lexsort((posts["digest"], posts["activity_ms"], posts["id"], posts["thread"], sites))
    is_last = np.ones(len(order), dtype=bool)
    is_last[:-1] = _differs(order, (sites, posts["thread"], posts["id"]))
    rows = order[is_last]
    if not len(rows):
        nothing = np.empty(0, dtype=np.int64)
        return Threads(nothing, nothing, nothing.astype(np.uint64), 0, 0)
    starts = np.concatenate(([0], np.flatnonzero(_differs(rows, (sites, posts["thread"]))) + 1))
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(rows))))
    post = posts[rows]
    is_question = post["kind"] == _QUESTION
    questions = np.full(len(starts), -1)
    questions[group[is_question]] = rows[is_question]
    wanted = np.where(questions >= 0, posts["accepted"][questions], np.iinfo(np.int64).min)
    is_accepted = ~is_question & (post["id"] == wanted[group])
    chosen = np.full(len(starts), -1)
    if best:
        may = np.flatnonzero(~is_question & is_candidate[rows])
        keys = (-post["id"][may], -post["created_ms"][may], is_accepted[may], post["score"][may], group[may])
        may = may[np.lexsort(keys)]
        chosen[group[may]] = rows[may]  # of several in a group the last one stays
    else:
        chosen[group[is_accepted]] = rows[is_accepted]
    digests = np.add.reduceat(_spread(post["digest"]), starts)
    has_question = questions >= 0
    return Threads(
        questions[has_question],
        chosen[has_question],
        digests[has_question],
        int((~is_question).sum()),
        len(posts) - len(rows),
    )


def _differs(rows: NDArray[np.int64], columns: tuple[NDArray[np.int64], ...]) -> NDArray[np.bool_]:
    """Whether each row but the last differs from the next one in any column."""
    different = np.zeros(max(len(rows) - 1, 0), dtype=bool)
    for column in columns:
        values = column[rows]
        different |= values[1:] != values[:-1]
    return different


def _spread(digests: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Digests mixed once more, so that their sum tells which they were."""
    mixed = (digests ^ (digests >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray(mixed ^ (mixed >> np.uint64(27)), dtype=np.uint64)
