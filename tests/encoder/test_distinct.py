import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from procqa.encoder.distinct import encode_distinct


@given(st.lists(st.text("ab", max_size=2)))
def test_every_text_gets_its_vector_and_each_different_one_is_encoded_once(texts):
    seen: list[str] = []

    def encode(different: list[str]) -> np.ndarray:
        seen.extend(different)
        return np.array([[len(text), text.count("a")] for text in different], np.float32).reshape(len(different), 2)

    vectors = encode_distinct(encode, texts)
    assert vectors.tolist() == [[len(text), text.count("a")] for text in texts]
    assert sorted(seen) == sorted(set(texts))
