"""Words come back by row, and too many at once are as good as unknown."""

from pathlib import Path

import numpy as np
import pytest

from procqa.index import words
from procqa.index.words import KeptWords, write_words


def write(path: Path, n: int) -> list[tuple[int, str, dict[str, str]]]:
    documents = [(row, "c", {"title": f"t{row}", "question": "", "answer": "a b"}) for row in range(n)]
    assert list(write_words(documents, path)) == documents
    return documents


@pytest.mark.parametrize("n", [0, 1, 1_024, 3_000])
def test_words_come_back_by_row(tmp_path: Path, n: int):
    documents = write(tmp_path / "words.arrow", n)
    kept = KeptWords(tmp_path / "words.arrow")
    assert kept.take(np.arange(n)) == [of_document for _, _, of_document in documents]
    assert kept.take(np.array([-1])) == [None]
    kept.close()


def test_rows_far_apart_are_unpacked_only_as_far_as_memory_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(words, "CACHED_BATCHES", 2)
    write(tmp_path / "words.arrow", 5_000)
    kept = KeptWords(tmp_path / "words.arrow")
    assert kept.take(np.array([0, 2_000, 4_500])) == [None, None, None]
    for rows in ([0, 2_000], [4_500, 1], [2_000, -1]):
        assert [found and found["title"] for found in kept.take(np.array(rows))] == [
            f"t{row}" if row >= 0 else None for row in rows
        ]
    kept.close()
