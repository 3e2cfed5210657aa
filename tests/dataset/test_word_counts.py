import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from procqa.dataset.word_counts import BYTE_CLASSES, UNSURE, count_code, count_words
from procqa.text import count_chars


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=8))
def test_words_are_those_of_split(texts):
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    data = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    assert count_words(data, offsets, BYTE_CLASSES).tolist() == [len(text.split()) for text in texts]


def test_white_space_beyond_ascii_parts_words():
    data = np.frombuffer("a\u00a0b\u3000c d\u200be".encode(), dtype=np.uint8)
    assert count_words(data, np.array([0, len(data)]), BYTE_CLASSES).tolist() == [4]


MARKDOWN = st.lists(
    st.sampled_from(
        [
            *(
                "a",
                "é",
                "\n",
                "\n\n",
                "```",
                "````",
                "~~~",
                "``` py\n",
                "```\n",
                "````\n",
                "\n```",
                "\n````\n",
                " ",
                "   ```",
                "\r",
            ),
            *("`x`", "``` a`b", "\u00a0", "\x1c", "code()\n", "\n~~~\n", "\t"),
        ]
    ),
    max_size=14,
).map("".join)


@given(st.lists(MARKDOWN, max_size=6))
def test_characters_of_code_and_prose_are_those_of_the_segments(texts):
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    counts = count_code(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets).tolist()
    for text, counted in zip(texts, counts, strict=True):
        assert counted in ([UNSURE, UNSURE], list(count_chars(text)))


def test_the_usual_post_is_counted_for_sure():
    data = "Use `x`:\n\n```python\nab\n```\n\nor é".encode()
    assert count_code(np.frombuffer(data, dtype=np.uint8), np.array([0, len(data)])).tolist() == [[3, 12]]
