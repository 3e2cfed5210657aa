import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.encoder.seen import load_seen, text_hashes, write_seen
from procqa.errors import ArtifactError


def hash_by_definition(words: list[str]) -> int:
    value = 0
    for word in words:
        digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
        value = (value * 0x9E3779B97F4A7C15 + int.from_bytes(digest, "little")) % 2**64
    return value


def test_a_long_text_gives_each_run_of_13_words():
    words = [f"w{number}" for number in range(15)]
    expected = [hash_by_definition(words[start : start + 13]) for start in range(3)]
    assert text_hashes(" ".join(words)).tolist() == expected


def test_a_short_text_gives_one_hash_whatever_its_case_and_blanks():
    assert text_hashes("Sort  a\nLIST").tolist() == [hash_by_definition(["sort", "a", "list"])]


def test_a_text_without_a_word_gives_none():
    assert text_hashes(" \n").tolist() == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=20).map(" ".join), max_size=30))
def test_the_file_holds_every_hash_once_and_sorted(tmp_path_factory: pytest.TempPathFactory, texts: list[str]):
    folder = tmp_path_factory.mktemp("seen")
    count = write_seen(texts, folder / "seen.bin", folder / "scratch")
    expected = sorted({value for text in texts for value in text_hashes(text).tolist()})
    assert load_seen(folder).tolist() == expected
    assert count == len(expected)
    assert (folder / "seen.bin").read_bytes() == np.array(expected, dtype="<u8").tobytes()


def test_a_missing_file_is_an_artifact_error(tmp_path: Path):
    with pytest.raises(ArtifactError, match="64-bit hashes"):
        load_seen(tmp_path)
