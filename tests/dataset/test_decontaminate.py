import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.corpora.benchmarks import BenchmarkText
from procqa.dataset.decontaminate import Leak, LeakFinder, is_too_short, keep_texts, load_finder


def texts(*lines):
    return [BenchmarkText(benchmark="bench", item=f"item{number}", text=line) for number, line in enumerate(lines)]


def test_a_benchmark_text_is_found_across_title_question_and_answer_without_regard_to_case():
    finder = LeakFinder(texts("Sort a list of dictionaries"))
    leak = Leak("bench", "item0", "substring", "sort a list of dictionaries")
    assert finder.find("How to SORT a List of Dictionaries?", "", "") == leak
    assert finder.find("How to sort a list", "of dictionaries", "") == leak
    assert finder.find("Sort a list", "of tuples", "of dictionaries") is None


def test_a_benchmark_text_may_begin_and_end_within_a_word():
    finder = LeakFinder(texts("ort a list of dictionar"))
    assert finder.find("sort a list of dictionaries", "", "") is not None


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("datetime.datetime.now()", True),
        ("for testing purposes", True),
        ("#!/usr/bin/env python", True),
        ("internationalization" * 4, True),
        ("Decode Hex String in Python 3", False),
        ("os.kill(os.getpid(), signal.SIGUSR1)", False),
        ("assembly.getexecutingassembly().getname().version.tostring()", False),
    ],
)
def test_texts_too_short_to_tell_from_chance_are_told(text, short):
    assert is_too_short(text) is short


words = st.sampled_from(["sort", "a", "the list", "of", "x.y(z)", "İstanbul", "dictionary", "\n", "Größe", "c++"])
phrases = st.lists(words, min_size=1, max_size=12).map(" ".join)


@given(st.lists(phrases, max_size=8), phrases, phrases, phrases)
def test_exactly_the_substrings_are_found(benchmark, title, question, answer):
    finder = LeakFinder([text for text in texts(*benchmark) if not is_too_short(text.text)])
    searched = f"{title} {question} {answer}".lower()
    expected = [
        line.strip().lower() for line in benchmark if not is_too_short(line) and line.strip().lower() in searched
    ]
    leak = finder.find(title, question, answer)
    assert (leak.matched if leak else None) == (min(expected) if expected else None)


def test_kept_texts_come_back_whatever_they_hold_and_short_ones_are_counted(tmp_path):
    kept = texts(
        "one\ntwo words of this text",
        "a \x85 b \u2028 c and some more",
        'quotes " and \\ some slashes here or there',
        "no",
    )
    counts = keep_texts(tmp_path / "texts", kept)
    assert (counts.used, counts.skipped) == ({"bench": 3}, {"bench": 1})
    finder = load_finder(tmp_path / "texts")
    assert finder.find("a \x85 b \u2028 c and some more", "", "").item == "item1"
    assert finder.find('quotes " and \\ some slashes here or there', "", "").item == "item2"


def test_a_text_waits_under_its_rarest_inner_word():
    finder = LeakFinder(texts(*(f"benchmark question number {n} about things" for n in range(1_000))))
    assert finder.find("a question about things with a number", "", "") is None
    assert max(map(len, finder._waiting.values())) == 1
