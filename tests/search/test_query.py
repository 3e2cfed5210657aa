"""What a user types, and what is made of it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.errors import QueryError
from procqa.index.filters import Filter
from procqa.search.query import Query, parse_query


def test_plain_words_are_what_is_ranked_by():
    query = parse_query("  remove duplicates   from a list ")

    assert (query.text, query.kind, query.wanted) == ("remove duplicates from a list", "words", Filter())


def test_filters_are_taken_out_of_the_words():
    query = parse_query("merge frames lang:py,rb tag:Pandas after:2020 before:2021-06 score:5 source:dump sort")

    assert query.text == "merge frames sort"
    assert query.wanted == Filter(
        languages=("python", "ruby"),
        tags=("pandas",),
        after_ms=1_577_836_800_000,
        before_ms=1_622_505_600_000,
        min_score=5,
        sources=("dump",),
    )


def test_of_several_dates_the_narrower_ones_count():
    wanted = parse_query("x after:2019 after:2020-02-03 before:2022 before:2021").wanted

    assert (wanted.after_ms, wanted.before_ms) == (1_580_688_000_000, 1_609_459_200_000)


def test_a_phrase_must_be_there_and_is_ranked_by_too():
    query = parse_query('python "list  index out of range" loop')

    assert query.text == "python list index out of range loop"
    assert query.phrases == ("list index out of range",)


def test_a_phrase_that_is_there_twice_counts_once():
    query = parse_query('open "a socket" -tcp "a socket" -tcp')
    assert (query.phrases, query.without) == (("a socket",), ("tcp",))


def test_a_phrase_alone_is_a_query():
    assert parse_query('"borrowed value"').text == "borrowed value"


def test_all_languages_are_no_filter():
    assert parse_query("lang:all sort").wanted == parse_query("lang:go,all sort").wanted == Filter()


def test_a_word_with_a_minus_is_left_out():
    query = parse_query("sort a dictionary -pandas -c++")

    assert (query.text, query.without) == ("sort a dictionary", ("pandas", "c++"))


@pytest.mark.parametrize(
    "text",
    [
        "grep -r recursively",
        "git push --force rejected",
        "std::vector erase while iterating",
        "what does a - b mean",
        "foo:bar in yaml",
        "http://example.org/x",
        'say "unclosed',
        "x-y problem",
        "-A0",
        "lang:python tag:x",
    ],
)
def test_signs_that_are_no_syntax_stay_words(text: str):
    query = parse_query(text)

    assert (query.text, query.wanted, query.kind) == (text, Filter(), "words")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "at least one character that is not blank"),
        (" \n\t", "at least one character that is not blank"),
        ("x" * 20_001, "at most 20,000 characters, got 20,001"),
        ("x after:2020-13", "after: must be followed by a year, a month or a day, as in after:2020-06"),
        ("x before:soon", "before: must be followed by"),
        ("x score:many", "score: must be followed by a whole number"),
        (" ".join(f'"{number}"' for number in range(17)), "at most 16 phrases in quotation marks, got 17"),
        ("x " + " ".join(f"-word{number}" for number in range(17)), "at most 16 words with a minus, got 17"),
    ],
)
def test_what_cannot_be_understood_is_one_sentence(text: str, sentence: str):
    with pytest.raises(QueryError, match=sentence.replace("(", r"\(")):
        parse_query(text)


def test_twenty_thousand_characters_are_a_query():
    assert len(parse_query("x" * 20_000).text) == 20_000


@pytest.mark.parametrize(
    "code",
    [
        'for i in range(10):\n    print(i, -x, "a b")',
        "int main() {\n  return 0;\n}",
        "const x = await fetch(url);",
        "list(dict.fromkeys(xs))",
        "(defun f (x) (* x -y))",
        "#include <stdio.h>",
        "x = y -z",
        'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("tag:x") }',
    ],
)
def test_in_code_nothing_is_syntax(code: str):
    query = parse_query(code)

    assert (query.kind, query.text, query.wanted) == ("code", code, Filter())


@pytest.mark.parametrize(
    "words",
    [
        "how do I return a value from a function in C?",
        "for loop in python",
        "import a module from another folder",
        "class variable or instance variable",
        "if else on one line",
        "What is the difference between == and is?",
        "use of private static final in java",
    ],
)
def test_questions_about_code_are_words(words: str):
    assert parse_query(words).kind == "words"


def test_code_is_code_where_the_user_says_so():
    assert parse_query("-x lang:python", is_code=True) == Query(
        asked="-x lang:python", text="-x lang:python", kind="code"
    )


def test_an_error_is_ranked_by_what_it_says():
    query = parse_query("Traceback (most recent call last):\n  File \"/srv/app/a.py\", line 3, in f\nKeyError: 'x'")

    assert (query.kind, query.text) == ("error", "KeyError: 'x'")


@given(st.text(max_size=300))
def test_any_text_is_a_query_or_one_sentence(text: str):
    with suppress(QueryError):
        query = parse_query(text)
        assert query.text.strip()
        query.text.encode("utf-8")
