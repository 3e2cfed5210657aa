import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from procqa.dataset.minhash import EMPTY, PERMUTATIONS, sign, sign_tokens
from procqa.dataset.tokens import read_tokens

MASK = (1 << 64) - 1
FIRST, SECOND, THIRD = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93


def least_values(hashes: list[int]) -> list[int]:
    """The signature by its definition, in whole numbers."""
    shingles = []
    for one, two, three in zip(hashes, hashes[1:], hashes[2:], strict=False):
        value = (one * FIRST + two * SECOND + three * THIRD) & MASK
        value = ((value ^ (value >> 32)) * FIRST) & MASK
        value = ((value ^ (value >> 29)) * SECOND) & MASK
        shingles.append(value ^ (value >> 32))
    digest = hashlib.shake_128(b"procqa minhash 1").digest(16 * PERMUTATIONS)
    seeds = [int.from_bytes(digest[i : i + 8], "little") for i in range(0, len(digest), 8)]
    functions = zip([seed | 1 for seed in seeds[:PERMUTATIONS]], seeds[PERMUTATIONS:], strict=True)
    return [min(((factor * shingle + summand) & MASK) >> 32 for shingle in shingles) for factor, summand in functions]


@given(arrays.arrays(np.uint64, st.integers(5, 40)))
def test_an_entry_is_the_least_value_of_its_hash_function_over_all_shingles(hashes):
    assert sign_tokens(hashes).tolist() == least_values(hashes.tolist())


def test_a_signature_never_changes_for_it_is_kept_in_files():
    signature = sign_tokens(np.arange(10, dtype=np.uint64))
    assert (signature.shape, signature.dtype) == ((128,), np.uint32)
    assert signature[:4].tolist() == [288524072, 1340878799, 646504123, 658492735]


def test_title_question_and_answer_are_read_as_one_text():
    whole = read_tokens("Sort a list How do I sort it? Call sorted").hashes
    assert sign("Sort a list", "How do I sort it?", "Call sorted").tolist() == sign_tokens(whole).tolist()


def test_letter_case_white_space_and_punctuation_do_not_count_but_the_order_of_words_does():
    signature = sign("Sort a list", "with the shell", "use sort").tolist()
    assert sign("SORT  a list!", "with\n\nthe shell", "`use` sort").tolist() == signature
    assert sign("List a sort", "with the shell", "use sort").tolist() != signature


@pytest.mark.parametrize(
    ("texts", "is_empty"), [(("", "", ""), True), (("a b", "c", "d"), True), (("a b", "c d", "e"), False)]
)
def test_a_pair_of_fewer_than_five_tokens_has_the_signature_that_is_near_no_other(texts, is_empty):
    assert (sign(*texts) == EMPTY).all() == is_empty


@pytest.mark.parametrize("shared", [100, 160, 180])
def test_the_share_of_equal_entries_is_the_jaccard_similarity_on_average(shared):
    # Tokens in a row that no other text has: n tokens in common give n - 2 shingles in common.
    generator = np.random.default_rng(shared)
    estimates = []
    for _ in range(400):
        common, left, right = (generator.integers(0, MASK, n, np.uint64) for n in (shared, 20, 20))
        one, other = sign_tokens(np.append(common, left)), sign_tokens(np.append(common, right))
        estimates.append(np.mean(one == other))
    jaccard = (shared - 2) / (shared - 2 + 40)
    assert np.mean(estimates) == pytest.approx(jaccard, abs=0.007)  # four standard errors
    assert np.std(estimates) == pytest.approx((jaccard * (1 - jaccard) / 128) ** 0.5, rel=0.15)
