import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from procqa.dataset.leak_index import _to_table
from procqa.dataset.leak_kernels import count_telling, find_key, gram_keys, may_hold, run_key, run_keys, tell
from procqa.dataset.tokens import read_tokens

hashes = st.lists(st.sampled_from(range(6)), max_size=60).map(
    lambda values: np.array(values, np.uint64) * np.uint64(2**61 + 1)
)


@given(hashes)
def test_equal_keys_mean_equal_runs(tokens):
    for size, keys in ((3, run_keys(tokens)), (13, gram_keys(tokens))):
        runs = [tuple(tokens[i : i + size].tolist()) for i in range(len(tokens) - size + 1)]
        assert len(keys) == len(runs)
        assert len(set(keys.tolist())) == len(set(runs)) == len(set(zip(runs, keys.tolist(), strict=True)))


def test_runs_of_one_two_and_three_tokens_have_keys_of_their_own():
    tokens = np.array([5, 0, 0], np.uint64)
    assert len({int(run_key(tokens, 0, size)) for size in (1, 2, 3)}) == 3


@given(hashes, st.sets(st.sampled_from(range(6))))
def test_different_telling_tokens_are_counted(tokens, telling):
    flags = np.isin(tokens, np.array(sorted(telling), np.uint64) * np.uint64(2**61 + 1))
    expected = [len(set(tokens[i : i + 13][flags[i : i + 13]].tolist())) for i in range(len(tokens) - 12)]
    assert count_telling(tokens, flags).tolist() == expected


def test_words_of_two_bytes_with_a_letter_tell():
    tokens = read_tokens("a ab 12 1b é c++ 7")
    raw = np.frombuffer(tokens.data, np.uint8)
    assert tell(raw, tokens.starts, tokens.ends).tolist() == [False, True, False, True, True, True, False]


@given(st.lists(st.integers(0, 2**64 - 1), max_size=40), st.integers(0, 2**64 - 1))
def test_a_table_finds_each_key_with_all_its_postings(keys, other):
    table = _to_table(np.array(keys, np.uint64), np.arange(len(keys)), np.zeros(len(keys), np.int64))
    for key in [*keys, other]:
        low, _ = find_key(table, np.uint64(key))
        items = []
        while low < len(keys) and int(table.keys[low]) == key:
            items.append(int(table.items[low]))
            low += 1
        assert items == [place for place, held in enumerate(keys) if held == key]
        assert may_hold(table, np.uint64(key)) or key not in keys
