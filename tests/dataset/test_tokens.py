import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from procqa.dataset.tokens import lower, read_tokens
from procqa.text import fold

any_text = st.text(st.characters(), max_size=80)
tricky = st.lists(
    st.sampled_from([*"abcCfFxX+#_ -09.\n", "é", "É", "ß", "ſ", "\u00a0", "“", "中", "𝒳", "\ud800", "İ", "😀"])
)


def words_of(text):
    """The words that the tokens of a text stand for, in slow Python."""
    for written, read in (("c++", "cpp "), ("c#", "csharp "), ("f#", "fsharp ")):
        text = text.replace(written, read)
    return re.findall(r"[^\W_]+", text)


def hash_of(word):
    (value,) = read_tokens(word).hashes
    return value


@given(any_text | tricky.map("".join))
def test_the_tokens_of_any_text_are_its_lower_case_words(text):
    words = words_of(lower(text))
    assert list(read_tokens(text).hashes) == [hash_of(word) for word in words]


@given(st.text(st.characters(max_codepoint=127), max_size=80))
def test_the_tokens_of_ascii_are_the_words_of_fold(text):
    assert list(read_tokens(text).hashes) == [hash_of(word) for word in fold(text).split()]


@given(any_text | tricky.map("".join))
def test_offsets_cut_each_token_out_of_the_text(text):
    tokens = read_tokens(text)
    for value, start, end in zip(tokens.hashes, tokens.starts, tokens.ends, strict=True):
        assert hash_of(text[tokens.character(start) : tokens.character(end)]) == value


@given(any_text)
def test_lower_case_keeps_the_length_and_is_idempotent(text):
    assert len(lower(text)) == len(text)
    assert lower(lower(text)) == lower(text)


def test_case_and_spacing_and_punctuation_mean_nothing():
    left, right = read_tokens("Sort_A  list(of) C++ Ünits!"), read_tokens("sort a\tLIST, of cpp üNITS")
    assert np.array_equal(left.hashes, right.hashes)
    assert len(left) == 6


def test_languages_keep_their_difference():
    assert len(set(read_tokens("c c++ c# f f# cpp1").hashes)) == 6
    assert read_tokens("c#").ends[0] == 2


def test_different_words_have_different_hashes():
    words = " ".join(f"word{number}" for number in range(100_000))
    hashes = read_tokens(words).hashes
    assert len(np.unique(hashes)) == 100_000
    assert abs(np.bincount((hashes >> np.uint64(60)).astype(int), minlength=16) / 6_250 - 1).max() < 0.1


def test_a_text_without_words_has_no_tokens():
    assert len(read_tokens("")) == len(read_tokens(" ++ ## \ud800 _")) == 0
