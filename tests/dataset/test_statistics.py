import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.dataset.statistics import MOST_WORDS, describe_table, median_words, merge_stats
from procqa.text import count_chars
from tests.dataset.small import row, table

SPACES = " \t\n\x0b\x1c\x1f\x85\xa0\u1680\u2000\u2008\u200a\u2028\u2029\u202f\u205f\u3000"
WORDS = st.text(alphabet=st.sampled_from("aé–漢🙂\u200b\u2007\x00" + SPACES), max_size=40)


def stats_of(**texts):
    return describe_table("python", "train", table([row(1, **texts)]))


def test_a_part_is_counted_by_rows_characters_words_and_code():
    texts = {"title": "Why\u00a0not é?", "question": "a b\n\n```\nc d\n```", "answer": "word " * 1_234}
    code, text = count_chars(texts["question"])
    stats = stats_of(**texts, question_code_chars=code, question_text_chars=text, answer_code_chars=0)
    assert (stats.language, stats.split, stats.rows) == ("python", "train", 1)
    assert (stats.title_chars, stats.question_chars, stats.answer_chars) == (10, 16, 6_170)
    assert (stats.question_code_chars, stats.answer_code_chars) == (4, 0)
    assert stats.words == (3, 6, 1_234)
    assert (stats.title_words[3], stats.question_words[6], stats.answer_words[MOST_WORDS]) == (1, 1, 1)
    assert (stats.code_in_question, stats.code_in_answer, stats.code_in_both) == (1, 0, 0)


def test_licences_and_findings_are_counted():
    stats = describe_table(
        "c", "test", table([row(1), row(2, answer="ask joe@corp.com", answer_licence="licence of a/b")])
    )
    assert stats.licences == (("CC BY-SA 3.0", 1), ("CC BY-SA 4.0", 2), ("that of the repository", 1))
    assert stats.findings == (("email", 1),)


def test_an_empty_table_has_nothing():
    stats = describe_table("c", "test", table([]))
    assert (stats.rows, stats.words, stats.licences, sum(stats.title_words)) == (0, (0, 0, 0), (), 0)


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=6))
def test_words_are_those_of_a_split_at_white_space(texts):
    rows = [row(n, title=t, question=q, answer=a) for n, (t, q, a) in enumerate(texts)]
    stats = describe_table("python", "train", table(rows))
    assert stats.words == tuple(sum(len(text[side].split()) for text in texts) for side in range(3))
    for side, histogram in enumerate((stats.title_words, stats.question_words, stats.answer_words)):
        assert all(histogram[n] == sum(len(text[side].split()) == n for text in texts) for n in range(41))


def test_statistics_of_parts_add_up_to_those_of_the_whole_in_any_chunks():
    rows = [row(number, title="joe@corp.com " * number) for number in range(20)]
    whole = describe_table("all", "all", table(rows))
    pieces = [table(rows[:7]), table(rows[7:9]), table(rows[9:])]
    assert merge_stats(describe_table("python", "train", piece) for piece in pieces) == whole
    assert describe_table("all", "all", pa.concat_tables(pieces)) == whole
    assert describe_table("all", "all", table(rows + rows).slice(20)) == whole


def test_the_median_is_the_lower_middle():
    def histogram(*words):
        return tuple(words.count(n) for n in range(MOST_WORDS + 1))

    assert median_words(histogram(5)) == 5
    assert median_words(histogram(1, 2, 9, 1_000)) == 2
    assert median_words(histogram(0, 0, 3)) == 0
