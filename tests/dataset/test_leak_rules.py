import pytest

from procqa.dataset import leak_rules as rules


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("datetime.datetime.now()", True),
        ("for testing purposes", True),
        ("#!/usr/bin/env python", True),
        ("internationalization" * 4, True),
        ("_ _ _ " * 10, True),
        ("Decode Hex String in Python 3", False),
        ("os.kill(os.getpid(), signal.SIGUSR1)", False),
        ("assembly.getexecutingassembly().getname().version.tostring()", False),
    ],
)
def test_texts_too_short_to_tell_from_chance_are_told(text, short):
    assert rules.is_too_short(text) is short


@pytest.mark.parametrize(
    ("text", "idiom"),
    [
        ("a, b, c = (1, 2, 3)", True),
        ("int main(int argc, char **argv){...}", True),
        ("[[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]", True),
        ("How to sort a list in python", False),
        ("System.Configuration.ConfigurationManager", False),
    ],
)
def test_idioms_are_told_from_short_texts(text, idiom):
    assert rules.is_short_idiom(text) is idiom


def test_posts_are_compared_with_shorter_texts_than_titles_and_code_are():
    assert [rules.can_be_exact("web.config", field) for field in rules.FIELDS] == [
        False,
        True,
        True,
        False,
        False,
        False,
    ]
    assert all(rules.can_be_exact("declare an array", field) for field in rules.FIELDS)
    assert not any(rules.can_be_exact("tostring", field) for field in rules.FIELDS)


def test_a_run_is_found_at_its_characters():
    assert rules.find_run("B C", "a (b)-c d") == (3, 7)
    assert rules.find_run("b c", "ab c") is None
    assert rules.find_run("", "a") is None
    assert rules.find_run("é ü", "İ É, Ü!") == (2, 6)


def test_a_substring_is_found_at_its_characters():
    assert rules.find_substring(" LIST of ", "my list OF it") == (3, 10)
    assert rules.find_substring("list of", "list  of") is None


def test_similarity_is_that_of_sets_of_three_words():
    assert rules.similarity("a b c d", "A-b-c-d") == 1
    assert rules.similarity("a b c d", "a b c e") == pytest.approx(1 / 3)
    assert rules.similarity("a b", "a b") == 0


def test_code_blocks_are_those_of_the_segments_of_a_post():
    assert rules.code_blocks("say `x`\n\n```py\na = 1\n```\n\n~~~\nb\n~~~\n") == ["a = 1\n", "b\n"]
    assert rules.code_blocks("no code") == []


def test_a_gram_is_told_with_its_places_and_only_where_it_tells():
    words = [f"w{n}" for n in range(20)]
    (mine, theirs) = rules.find_gram(" ".join(words), "x " + ", ".join(words[4:18]))
    assert " ".join(words)[slice(*mine)] == " ".join(words[4:17])
    assert ("x " + ", ".join(words[4:18]))[slice(*theirs)] == ", ".join(words[4:17])
    assert rules.find_gram("0 1 " * 20, "0 1 " * 20) is None
    assert rules.is_gram_of(" ".join(words[4:17]), " ".join(words))
    assert not rules.is_gram_of(" ".join(words[4:16]), " ".join(words))


def test_a_rule_that_does_not_exist_proves_nothing():
    assert not rules.proves("guess", "a", "title", "a")


def words(n, start=0):
    return [f"word{number}" for number in range(start, start + n)]


@pytest.mark.parametrize(("n", "holds"), [(29, True), (28, False)])
def test_texts_are_near_duplicates_from_a_similarity_of_four_fifths_of_their_word_3_grams(n, holds):
    ours, theirs = words(n), words(n)
    theirs[14] = "another"  # three of n - 2 runs on either side differ: .8 and .793
    assert rules.proves("near-duplicate", " ".join(theirs), "question", " ".join(ours)) is holds


def test_so_few_words_are_no_near_duplicate_even_where_they_are_equal():
    assert rules.proves("near-duplicate", " ".join(words(10)), "question", " ".join(words(10))) is False


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("internationalization configurationmanager", True),  # two words
        ("a" * 12 + " " + "b" * 12 + " " + "c" * 13, True),  # 39 characters
        ("a" * 12 + " " + "b" * 12 + " " + "c" * 14, False),  # 40
    ],
)
def test_a_text_is_looked_for_from_three_words_and_forty_characters_on(text, short):
    assert rules.is_too_short(text) is short


@pytest.mark.parametrize(
    ("text", "field", "can"),
    [
        ("declare a array", "title", False),  # 15 characters
        ("declare an array", "title", True),
        ("internationalization configuration", "title", False),  # two words
        ("a.bcd", "question", False),
        ("a.bcde", "question", True),
    ],
)
def test_a_short_text_is_compared_with_whole_fields_from_a_length_on(text, field, can):
    assert rules.can_be_exact(text, field) is can


def test_a_short_idiom_inside_a_post_proves_nothing():
    assert rules.proves("short", "a, b, c = (1, 2, 3)", "question", "x a, b, c = (1, 2, 3) y") is False
