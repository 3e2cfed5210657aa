import re

import pytest

from procqa.config import LANGUAGES
from procqa.errors import ConfigError
from procqa.pairs.languages import TAGS, language_of, parse_languages, tags_table

ALL = parse_languages(LANGUAGES)


@pytest.mark.parametrize(
    ("tags", "language"),
    [
        (("c#", "winforms"), "csharp"),
        (("pandas", "python"), "python"),
        (("python-3.x",), "python"),
        (("c++11", "templates"), "cpp"),
        (("common-lisp", "sbcl"), "lisp"),
        (("c++0x",), "cpp"),
        (("c++-cli", "c#"), "cpp"),
        (("c#-7.3",), "csharp"),
        (("c99",), "c"),
        (("golang",), "go"),
        (("java-21", "spring"), "java"),
        (("ecmascript-6", "typescript"), "javascript"),
        (("php-8.1", "laravel"), "php"),
        (("python-2.7",), "python"),
        (("ruby-1.9.3",), "ruby"),
        (("rust-2021",), "rust"),
        (("java", "python"), "java"),
        (("node.js", "express"), None),
        (("haskell",), None),
        (("typescript",), None),
        (("objective-c",), None),
        (("clojure",), None),
        (("scheme", "racket"), None),
        (("emacs-lisp",), None),
        (("scheme", "lisp"), "lisp"),
        (("algorithm", "c++", "c"), "cpp"),
        ((), None),
    ],
)
def test_a_question_has_the_language_of_its_first_language_tag(tags, language):
    assert language_of(tags, ALL) == language


def test_the_documentation_has_a_row_for_each_language_with_its_tags():
    assert [language for language, _ in tags_table()] == list(LANGUAGES)
    assert dict(tags_table())["lisp"] == "lisp, common-lisp, clisp, sbcl, lispworks"


def test_every_tag_is_written_as_the_site_writes_tags():
    for tags in TAGS.values():
        assert all(re.fullmatch(r"[a-z0-9+#.-]+", tag) for tag in tags)


def test_an_unwanted_language_is_not_claimed_by_a_later_tag():
    assert language_of(("java", "python"), parse_languages(["python"])) is None


def test_a_language_of_the_users_own_is_named_with_its_tags():
    table = parse_languages(["python", "kotlin=Kotlin+kotlin-coroutines"])
    assert language_of(("kotlin",), table) == "kotlin"
    assert language_of(("android", "kotlin-coroutines"), table) == "kotlin"
    assert language_of(("python",), table) == "python"


@pytest.mark.parametrize("name", ["fortran", "Kotlin=kotlin", "kotlin=", "kotlin=kotlin+", "../x=y", "all=python"])
def test_an_unknown_or_malformed_language_is_refused(name):
    with pytest.raises(ConfigError):
        parse_languages([name])


def test_the_eleven_languages_have_tags_and_share_none():
    assert tuple(sorted(TAGS)) == LANGUAGES
    tags = [tag for names in TAGS.values() for tag in names]
    assert len(tags) == len(set(tags))


def test_a_tag_names_one_language():
    with pytest.raises(ConfigError, match="'x' names a and b"):
        parse_languages(["a=x", "b=x"])
