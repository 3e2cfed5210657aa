"""The finder: planted leaks, clean text, the rules against slow Python, and the published benchmarks."""

import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.corpora.benchmarks import BenchmarkText, read_benchmark_texts
from procqa.corpora.codesearchnet import read_pairs
from procqa.corpora.records import CorpusPair
from procqa.dataset import leak_rules as rules
from procqa.dataset.decontaminate import KeptTexts, Leak, LeakFinder, keep_texts, load_finder
from procqa.dataset.tokens import lower

DATA = Path(__file__).parents[3] / "shared" / "data"


def texts(*lines):
    return [BenchmarkText(benchmark="bench", item=f"item{number}", text=line) for number, line in enumerate(lines)]


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """A finder of some texts."""

    def finder(*lines):
        path = tmp_path_factory.mktemp("kept") / "texts.jsonl"
        keep_texts(path, texts(*lines))
        return LeakFinder(KeptTexts(path))

    return finder


LONG = "the quick brown fox jumps over the lazy dog while seven wizards quietly brew another potion"


def test_a_whole_title_is_an_exact_leak_whatever_its_case_and_punctuation(make):
    finder = make("Sort a list of dictionaries")
    leak = finder.find("sort a LIST, of dictionaries?", "", "")
    assert leak == Leak(
        "bench", "item0", "exact", "Sort a list of dictionaries", "title", "sort a LIST, of dictionaries?"
    )


def test_a_code_block_is_compared_as_a_whole_and_a_part_of_one_is_not(make):
    finder = make("print('hello world')")
    leak = finder.find("t", "q", 'Try\n\n```python\nprint("hello  world")\n```\n\nnow')
    assert (leak.rule, leak.field, leak.evidence) == ("exact", "answer code", 'print("hello  world")\n')
    assert finder.find("t", "q", "```\nx = 1\nprint('hello world')\n```") is None
    assert finder.find("t", "q", "say print('hello world') there") is None


def test_a_text_of_two_words_is_compared_with_whole_posts_only(make):
    finder = make("web.config")
    assert finder.find("t", "q", "Web.Config").rule == "exact"
    assert finder.find("web config", "see web.config", "see\n\n```\nweb.config\n```") is None


def test_a_text_is_found_across_fields_without_regard_to_case(make):
    finder = make("sort a list of dictionaries by key")
    leak = finder.find("How to SORT a List of Dictionaries by key?", "", "")
    assert (leak.rule, leak.matched, leak.field, leak.evidence) == (
        "substring",
        "sort a list of dictionaries by key",
        "title",
        "SORT a List of Dictionaries by key",
    )
    whole = make("How to sort a list of dictionaries by key")
    across = whole.find("How to sort a list", "of dictionaries by key?", "")
    assert (across.rule, across.field) == ("substring", "pair")
    assert across.evidence == "How to sort a list of dictionaries by key"
    assert whole.find("How to sort a list", "of tuples", "of dictionaries by key") is None


def test_a_text_may_begin_and_end_within_a_word(make):
    finder = make("ort a list of many dictionar")
    assert finder.find("sort a list of many dictionaries", "", "").rule == "substring"
    assert finder.find("sour a list of many dictionaries", "", "") is None


def test_a_respaced_short_text_is_found_as_a_run_of_whole_words(make):
    finder = make("How can I convert a string to upper case")
    leak = finder.find("t", "so: how can i\n  convert a *string* to upper-case ok", "a")
    assert (leak.rule, leak.field, leak.evidence) == (
        "short",
        "question",
        "how can i\n  convert a *string* to upper-case",
    )
    assert finder.find("t", "how can i convert a string to upper-cased ok", "a") is None


def test_thirteen_words_in_a_row_are_a_leak_and_twelve_are_none(make):
    finder = make(LONG)
    words = LONG.split()
    leak = finder.find("t", "q", "x " + "\n".join(words[2:15]) + " y")
    assert (leak.rule, leak.matched, leak.evidence) == ("13-gram", " ".join(words[2:15]), "\n".join(words[2:15]))
    assert finder.find("t", "q", "x " + " ".join(words[2:14]) + " y") is None


def test_idioms_and_boilerplate_are_no_13_gram(make):
    loops = "for (int i = 0; i < n; i++) { for (int j = 0; j < n; j++) { total += values[i][j] * weights[j]; } }"
    assert make(loops).find("t", "q", "for (int i = 0; i < n; i++) { for (int j = 0; j < n; j++) done") is None
    licence = "licensed under the apache license version two you may not use this file except"
    many = [f"{licence} number{n} of some invented file about matter{n}" for n in range(10)]
    assert make(*many).find("t", "q", f"{licence} for us") is None
    assert make(*many[:9]).find("t", "q", f"{licence} for us").rule == "13-gram"


def test_a_near_duplicate_is_found_where_four_fifths_of_its_triples_are_shared(make):
    words = [f"word{n}" for n in range(31)]
    finder = make(" ".join(words))
    changed = [*words[:10], "other", *words[11:20], "another", *words[21:]]
    once = [*words[:15], "other", *words[16:]]
    assert finder.find("t", " ".join(once), "a").rule == "13-gram"
    spaced = make(" ".join(words[:12]))
    leak = spaced.find("t", "q", " ".join([*words[:11], "other"]))
    assert (leak.rule, leak.field) == ("near-duplicate", "answer")
    assert finder.find("t", " ".join(changed), "a") is None


def test_a_clean_pair_and_no_benchmark_find_nothing(make, tmp_path):
    assert make(LONG).find("", "", "") is None
    assert make().find("any", "thing", "at all") is None
    counts = keep_texts(tmp_path / "none", [])
    assert (counts.used, counts.skipped, counts.whole) == ({}, {}, {})


def test_kept_texts_come_back_whatever_they_hold_and_short_ones_are_counted(tmp_path):
    kept = texts(
        "one\ntwo words of this text",
        "a \x85 b \u2028 c and some more",
        'quotes " and \\ some slashes here or there',
        "no",
        "web.config",
    )
    counts = keep_texts(tmp_path / "texts", kept)
    assert (counts.used, counts.skipped, counts.whole) == ({"bench": 3}, {"bench": 2}, {"bench": 1})
    assert list(KeptTexts(tmp_path / "texts")) == [*kept[:3], kept[4]]
    finder = load_finder(tmp_path / "texts")
    assert finder.find("a \x85 b \u2028 c and some more", "", "").item == "item1"
    assert finder.find("x", 'quotes " and \\ some slashes here or there', "").item == "item2"


VOCABULARY = [
    f"{first}{second}{third}" for first in "bdfgklmnpr" for second in ("ala", "emo", "iru") for third in "stvwxyz"
]


def sentence(rng, low, high):
    return " ".join(rng.choices(VOCABULARY, k=rng.randint(low, high)))


def respace(rng, text):
    gaps = ("  ", "\n", ", ", " - ", "\t")
    return "".join(rng.choice((str.upper, str.title, str))(word) + rng.choice(gaps) for word in text.split())


def plants(rng, item):
    """A leak of a text in each of the ways, as title, question, answer, with the rules that may name it."""
    noise, words = [sentence(rng, 20, 60) for _ in range(4)], item.split()
    yield (item, noise[0], noise[1]), {"exact"}
    yield (noise[0], f"{noise[1]} {respace(rng, item)} {noise[2]}", noise[3]), {"short", "13-gram"}
    if len(words) >= 13:
        start = rng.randrange(len(words) - 12)
        yield (
            (noise[0], noise[1], f"{noise[2]} {' '.join(words[start : start + 13])} {noise[3]}"),
            {"13-gram", "substring"},
        )
    if len(words) >= 32:
        words[rng.randrange(len(words))] = "changed"
        yield (noise[0], noise[1], f"Text\n\n```\n{' '.join(words)}\n```\n"), {"13-gram", "near-duplicate"}


def test_planted_leaks_are_found_and_clean_text_is_not(make):
    rng = random.Random(5)
    items = [sentence(rng, 8, 60) for _ in range(300)]
    finder = make(*items)
    planted = [(pair, allowed, number) for number, item in enumerate(items) for pair, allowed in plants(rng, item)]
    found = 0
    for pair, allowed, number in planted:
        leak = finder.find(*pair)
        found += leak is not None and leak.item == f"item{number}" and leak.rule in allowed
    assert found / len(planted) >= 0.95
    clean = [(sentence(rng, 5, 12), sentence(rng, 50, 150), sentence(rng, 50, 150)) for _ in range(1_000)]
    assert [pair for pair in clean if finder.find(*pair)] == []


def slow_words(text):
    for written, read in (("c++", "cpp "), ("c#", "csharp "), ("f#", "fsharp ")):
        text = text.replace(written, read)
    return re.findall(r"[^\W_]+", text)


def grams_of(text, n):
    words = slow_words(lower(text))
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def says_much(gram):
    return len({word for word in gram if len(word.encode()) > 1 and not word.isdecimal()}) >= 8


def slow_find(lines, title, question, answer):
    """The item and rule of a leak, from the definitions."""
    fields = {"title": title, "question": question, "answer": answer}
    units = [
        *fields.items(),
        *((f"{name} code", code) for name in ("question", "answer") for code in rules.code_blocks(fields[name])),
    ]
    kept, seen = [], set()
    for number, line in enumerate(lines):
        if lower(line.strip()) not in seen and (not rules.is_too_short(line) or rules.can_be_exact(line, "answer")):
            kept.append((number, line))
        seen.add(lower(line.strip()))

    def runs(line):
        words = slow_words(lower(line))
        return not rules.is_too_short(line) and any(
            tuple(words) in grams_of(value, len(words)) for value in fields.values()
        )

    def jaccard(line, unit):
        left, right = set(grams_of(line, 3)), set(grams_of(unit, 3))
        return len(left & right) / max(len(left | right), 1)

    shared = {gram for value in fields.values() for gram in grams_of(value, 13) if says_much(gram)}
    tests = {
        "exact": lambda line, _: any(
            rules.can_be_exact(line, field) and slow_words(lower(line)) == slow_words(lower(unit))
            for field, unit in units
        ),
        "substring": lambda line, _: (
            not rules.is_too_short(line) and lower(line.strip()) in lower(" ".join(fields.values()))
        ),
        "short": lambda line, n: n < 13 and not rules.is_short_idiom(line) and runs(line),
        "13-gram": lambda line, n: n >= 13 and runs(line),
        "13-gram ": lambda line, _: bool(shared & set(grams_of(line, 13))),
        "near-duplicate": lambda line, n: n >= 11 and any(jaccard(line, unit) >= 0.8 for _, unit in units),
    }
    for rule, holds in tests.items():
        for number, line in kept:
            if holds(line, len(slow_words(lower(line)))):
                return f"item{number}", rule.strip()
    return None


word = st.sampled_from(
    [
        "sort",
        "a",
        "the list",
        "of",
        "x.y(z)",
        "İstanbul",
        "dictionary",
        "\n",
        "Größe",
        "c++",
        "i",
        "0",
        "many",
        "open file",
    ]
    + [f"name{n}" for n in range(8)]
)
phrase = st.lists(word, min_size=1, max_size=8).map(" ".join)
line = st.lists(word, min_size=2, max_size=30).map(" ".join)


@st.composite
def cases(draw):
    """Benchmark texts and a pair that is made of pieces of them."""
    lines = draw(st.lists(line, min_size=1, max_size=5))
    source = st.one_of(
        phrase, st.sampled_from(lines), st.sampled_from(lines).map(lambda text: text.upper().replace(" ", "\n "))
    )
    piece = st.builds(
        lambda text, start, end: text[start : len(text) - end], source, st.integers(0, 6), st.integers(0, 6)
    )
    block = source.map(lambda text: f"\n\n```py\n{text}\n```\n\n")
    field = st.lists(st.one_of(source, piece, block), max_size=3).map(" ".join)
    return lines, draw(field), draw(field), draw(field)


@settings(max_examples=300, deadline=None)
@given(cases())
def test_the_finder_says_what_the_definitions_say(make, case):
    lines, title, question, answer = case
    leak = make(*lines).find(title, question, answer)
    assert (leak and (leak.item, leak.rule)) == slow_find(lines, title, question, answer)
    assert leak is None or rules.proves(leak.rule, leak.matched, leak.field, leak.evidence)


@pytest.mark.skipif(not DATA.is_dir(), reason="the published benchmarks are not on this machine")
def test_the_overlap_of_cosqa_with_a_corpus_of_functions_is_found(tmp_path):
    keep_texts(tmp_path / "texts", read_benchmark_texts(DATA / "benchmarks" / "cosqa"))
    finder = LeakFinder(KeptTexts(tmp_path / "texts"))
    pairs = read_pairs(DATA / "corpora" / "codesearchnet-style", ("python",))
    leaks = [finder.find(x.pair.title, x.pair.question, x.pair.answer) for x in pairs if isinstance(x, CorpusPair)]
    found = [leak.rule for leak in leaks if leak is not None]
    assert len(found) >= 12
