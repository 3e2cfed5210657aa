import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from procqa.dataset.word_counts import BYTE_CLASSES, count_words


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=8))
def test_words_are_those_of_split(texts):
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    data = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    assert count_words(data, offsets, BYTE_CLASSES).tolist() == [len(text.split()) for text in texts]


def test_white_space_beyond_ascii_parts_words():
    data = np.frombuffer("a\u00a0b\u3000c d\u200be".encode(), dtype=np.uint8)
    assert count_words(data, np.array([0, len(data)]), BYTE_CLASSES).tolist() == [4]
