"""Counts what a part of a dataset holds, for its card: rows, characters, words, code, licences, findings.

Words are what white space separates, as ProCQA counts them. Everything is a sum, so the statistics of
parts add up to those of the whole, whatever the parts. Source: docs/paper.md#lengths.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

TEXTS = ("title", "question", "answer")

MOST_WORDS = 1_000
"""Longer texts are counted as of so many words in a histogram. Source: docs/paper.md#lengths."""

REPOSITORY_LICENCE = "that of the repository"
"""How the licences of rows are counted that name a repository and no terms."""

COLUMNS = (*TEXTS, "question_code_chars", "answer_code_chars", "question_licence", "answer_licence")
"""The columns that ``describe_table`` needs."""


@dataclass(frozen=True, slots=True)
class PartStats:
    """What rows of one language and split hold; see ``merge_stats``.

    Args:
        title_chars: characters of all titles; so for question and answer.
        question_code_chars: characters in code blocks of all questions.
        title_words: (MOST_WORDS + 1,) titles by their number of words, the last those of more; so for
            question and answer.
        words: words of all titles, questions, answers; none is cut.
        code_in_question: rows with code in a block of the question; ``code_in_both`` on both sides.
        licences: (licence, number of questions and answers under it), sorted.
        findings: (kind, number of findings in titles, questions and answers), sorted.
    """

    language: str
    split: str
    rows: int
    title_chars: int
    question_chars: int
    answer_chars: int
    question_code_chars: int
    answer_code_chars: int
    title_words: tuple[int, ...]
    question_words: tuple[int, ...]
    answer_words: tuple[int, ...]
    words: tuple[int, int, int]
    code_in_question: int
    code_in_answer: int
    code_in_both: int
    licences: tuple[tuple[str, int], ...]
    findings: tuple[tuple[str, int], ...]


def describe_table(language: str, split: str, table: pa.Table) -> PartStats:
    """The statistics of a table that has COLUMNS."""
    from procqa.dataset.secrets import find_secrets, suspects
    from procqa.dataset.word_counts import BYTE_CLASSES, count_words

    histograms, words, findings = [], [], Counter[str]()
    for name in TEXTS:
        counts = np.zeros(len(table), dtype=np.int64)
        row = 0
        for data, offsets, chunk in _buffers(table.column(name)):
            counts[row : row + len(chunk)] = count_words(data, offsets, BYTE_CLASSES)
            for suspect in np.flatnonzero(suspects(data, offsets)):
                findings.update(finding.kind for finding in find_secrets(chunk[int(suspect)].as_py()))
            row += len(chunk)
        clipped = np.bincount(np.minimum(counts, MOST_WORDS), minlength=MOST_WORDS + 1)
        histograms.append(tuple(clipped.tolist()))
        words.append(int(counts.sum()))
    code = {side: _integers(table.column(f"{side}_code_chars")) for side in ("question", "answer")}
    in_question, in_answer = code["question"] > 0, code["answer"] > 0
    return PartStats(
        language=language,
        split=split,
        rows=len(table),
        title_chars=_sum(pc.utf8_length(table.column("title"))),
        question_chars=_sum(pc.utf8_length(table.column("question"))),
        answer_chars=_sum(pc.utf8_length(table.column("answer"))),
        question_code_chars=int(code["question"].sum()),
        answer_code_chars=int(code["answer"].sum()),
        title_words=histograms[0],
        question_words=histograms[1],
        answer_words=histograms[2],
        words=(words[0], words[1], words[2]),
        code_in_question=int(in_question.sum()),
        code_in_answer=int(in_answer.sum()),
        code_in_both=int((in_question & in_answer).sum()),
        licences=_count_licences(table),
        findings=tuple(sorted(findings.items())),
    )


def merge_stats(parts: Iterable[PartStats], *, language: str = "all", split: str = "all") -> PartStats:
    """The statistics of several parts as those of one."""
    parts = tuple(parts)

    def total(name: str) -> int:
        return sum(getattr(part, name) for part in parts)

    words = _add([part.words for part in parts], len(TEXTS))
    return PartStats(
        language=language,
        split=split,
        rows=total("rows"),
        title_chars=total("title_chars"),
        question_chars=total("question_chars"),
        answer_chars=total("answer_chars"),
        question_code_chars=total("question_code_chars"),
        answer_code_chars=total("answer_code_chars"),
        title_words=_add([part.title_words for part in parts], MOST_WORDS + 1),
        question_words=_add([part.question_words for part in parts], MOST_WORDS + 1),
        answer_words=_add([part.answer_words for part in parts], MOST_WORDS + 1),
        words=(words[0], words[1], words[2]),
        code_in_question=total("code_in_question"),
        code_in_answer=total("code_in_answer"),
        code_in_both=total("code_in_both"),
        licences=_merge_counts(part.licences for part in parts),
        findings=_merge_counts(part.findings for part in parts),
    )


def median_words(histogram: tuple[int, ...]) -> int:
    """The lower median of a histogram of words; MOST_WORDS where it is of so many or more."""
    middle = (sum(histogram) + 1) // 2
    return int(np.searchsorted(np.cumsum(histogram), max(middle, 1)))


def _add(histograms: Sequence[tuple[int, ...]], length: int) -> tuple[int, ...]:
    total = np.zeros(length, dtype=np.int64)
    for histogram in histograms:
        total += histogram
    return tuple(total.tolist())


def _merge_counts(counts: Iterable[tuple[tuple[str, int], ...]]) -> tuple[tuple[str, int], ...]:
    total = Counter[str]()
    for of_part in counts:
        total.update(dict(of_part))
    return tuple(sorted(total.items()))


def _count_licences(table: pa.Table) -> tuple[tuple[str, int], ...]:
    licences = Counter[str]()
    for side in ("question", "answer"):
        for entry in pc.value_counts(table.column(f"{side}_licence").combine_chunks()).to_pylist():
            name = entry["values"]
            licences[REPOSITORY_LICENCE if name.startswith("licence of ") else name] += entry["counts"]
    return tuple(sorted(licences.items()))


def _sum(values: pa.ChunkedArray) -> int:
    return int(pc.sum(values).as_py() or 0)


def _integers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """The numbers of a column without nulls, by its buffers: pyarrow's own way costs the import of pandas."""
    chunks = [
        np.frombuffer(chunk.buffers()[1], dtype=np.int64)[chunk.offset : chunk.offset + len(chunk)]
        for chunk in column.chunks
    ]
    return np.concatenate([np.empty(0, dtype=np.int64), *chunks])


def _buffers(column: pa.ChunkedArray) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64], pa.Array]]:
    """The bytes of each chunk of a text column without nulls, where its rows begin, and the chunk itself."""
    for chunk in column.chunks:
        _, offsets, data = chunk.buffers()
        width = np.int64 if pa.types.is_large_string(chunk.type) else np.int32
        places = np.frombuffer(offsets, dtype=width)[chunk.offset : chunk.offset + len(chunk) + 1]
        bytes_ = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, dtype=np.uint8)
        yield bytes_, places.astype(np.int64), chunk
