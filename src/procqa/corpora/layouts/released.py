"""The paper's released files as a benchmark: the questions of the test split, and the answers of every split."""

from collections.abc import Iterator
from pathlib import Path

from procqa.corpora import release
from procqa.corpora.layouts.rows import Row
from procqa.errors import BenchmarkError, DumpError
from procqa.records import Dropped


def read_released(path: Path) -> Iterator[release.ReleasedPair]:
    """The pairs of one released file in order; of a question that stands twice the first.

    Raises:
        BenchmarkError: the file cannot be read to its end, or a line is no pair.

    Source: jordane95/procqa: bi_encoder/data.py.
    """
    try:
        for pair in release.read_pairs(path, tuple(release.release_files(path))):
            if not isinstance(pair, Dropped):
                yield pair
            elif pair.reason != release.REPEATED:
                raise BenchmarkError(f"{path} must hold pairs as released, but has none in {pair.detail}")
    except DumpError as error:
        raise BenchmarkError(str(error)) from error


def read_released_test(path: Path) -> Iterator[Row]:
    """The questions and answers of a released file's test split; those of the others are there to be trained on."""
    for released in read_released(path):
        if released.partition == "test":
            pair = released.pair
            yield Row(
                id=str(pair.question_id),
                language=pair.language,
                query=f"{pair.title}\n{pair.question}",
                document=pair.answer,
                document_id=str(pair.answer_id),
            )
