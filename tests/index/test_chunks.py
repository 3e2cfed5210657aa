"""A long document is cut at its borders; nothing of it is left without a vector, up to the last chunk."""

from hypothesis import given
from hypothesis import strategies as st

from procqa.index.chunks import cut_document

WINDOW = 40


def read_part(text: str) -> str:
    """A reader of so many characters, which like a tokenizer does not see blanks at the end."""
    return text[:WINDOW].rstrip()


def test_a_document_that_is_read_whole_is_one_text():
    assert cut_document("Title", "short\n\n", read_part, 8) == ["Title\n\nshort\n\n"]


def test_chunks_begin_at_borders_of_segments_with_the_title():
    answer = "Some words first.\n\n```python\nfirst = 1\nsecond = 2\n```\n\nAnd then a good deal of other words."
    texts = cut_document("Title", answer, read_part, 8)
    assert texts[0] == f"Title\n\n{answer}"
    assert [text[7:24] for text in texts] == [
        "Some words first.",
        "```python\nfirst =",
        "second = 2\n```\n\nA",
        "And then a good d",
        "ds.",
    ]
    assert all(text.startswith("Title\n\n") for text in texts)


def test_a_long_segment_is_cut_at_lines_and_a_long_line_where_the_reading_stops():
    code = "\n".join(f"line_{number} = {number}" for number in range(6))
    texts = cut_document("T", code, read_part, 8)
    assert [text.splitlines()[2] for text in texts] == ["line_0 = 0", "line_3 = 3"]
    texts = cut_document("T", "x" * 100, read_part, 8)
    assert [len(text) for text in texts] == [103, 66, 29]


def test_there_are_no_more_chunks_than_asked_for():
    assert len(cut_document("T", "word " * 1_000, read_part, 4)) == 4
    assert len(cut_document("T", "word " * 1_000, read_part, 1)) == 1


def test_a_title_that_fills_the_window_leaves_one_text():
    assert len(cut_document("T" * 99, "word " * 99, read_part, 8)) == 1


@given(st.text("ab \n`", max_size=300), st.text("t ", max_size=50))
def test_every_character_is_read_in_some_chunk(answer: str, title: str):
    texts = cut_document(title, answer, read_part, 10_000)
    if len(title) + 2 < WINDOW - 1:
        reached = 0
        for text in texts:
            start = len(answer) - (len(text) - len(title) - 2)
            assert start <= reached or not answer[reached:start].strip()
            reached = start + len(read_part(text)) - len(title) - 2
        assert not answer[max(reached, 0) :].strip()
