import re

from hypothesis import given
from hypothesis import strategies as st

from procqa.corpora.benchmarks import BenchmarkText
from procqa.dataset.decontaminate import Leak, LeakFinder, load_finder, write_texts


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


def test_texts_too_short_to_tell_from_chance_are_counted_and_not_looked_for():
    finder = LeakFinder(texts("sort a list", "internationalization1", "merge two sorted lists"))
    assert (finder.skipped["bench"], finder.used["bench"]) == (2, 1)
    assert finder.find("sort a list", "internationalization1", "") is None


words = st.sampled_from(["sort", "a", "the list", "of", "x.y(z)", "İstanbul", "dictionary", "\n", "Größe", "c++"])
phrases = st.lists(words, min_size=1, max_size=12).map(" ".join)


@given(st.lists(phrases, max_size=8), phrases, phrases, phrases)
def test_exactly_the_substrings_are_found(benchmark, title, question, answer):
    finder = LeakFinder(texts(*benchmark))
    searched = f"{title} {question} {answer}".lower()
    expected = [
        line.strip().lower()
        for line in benchmark
        if len(line.strip().lower()) >= 20
        and len(re.findall(r"\w+", line.strip().lower())) >= 3
        and line.strip().lower() in searched
    ]
    leak = finder.find(title, question, answer)
    assert (leak.matched if leak else None) == (min(expected) if expected else None)


def test_kept_texts_come_back_whatever_they_hold(tmp_path):
    kept = texts("line one\nline two of this text", "a \x85 b \u2028 c and some more", 'quotes " and \\ slashes here')
    write_texts(tmp_path / "texts", kept)
    finder = load_finder(tmp_path / "texts")
    assert finder.used["bench"] == 3
    assert finder.find("a \x85 b \u2028 c and some more", "", "").item == "item1"


def test_a_text_waits_under_its_rarest_inner_word():
    finder = LeakFinder(texts(*(f"benchmark question number {n} about things" for n in range(1_000))))
    assert finder.find("a question about things with a number", "", "") is None
    assert max(map(len, finder._waiting.values())) == 1
