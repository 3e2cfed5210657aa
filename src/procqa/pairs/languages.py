"""Tags → language: a question has the language of its first tag that is a language tag.

The paper assigns languages by tags; its rule for questions with several is not published, so ours is
the asker's own order. Versions and dialects count, frameworks and runtimes do not: a framework is used
from several languages and asked about in any of them.

Source: docs/paper.md#languages; the tables are ours, docs/decisions/0011.
"""

import re
from collections.abc import Iterable, Mapping

from procqa.config import LANGUAGES
from procqa.errors import ConfigError


def _versions(tag: str, versions: Iterable[object]) -> tuple[str, ...]:
    """A tag and its versions: ``_versions("ruby", ["1.9", 3])`` is ruby, ruby-1.9, ruby-3."""
    return (tag, *(f"{tag}-{version}" for version in versions))


TAGS: Mapping[str, tuple[str, ...]] = {
    "c": ("c", "ansi-c", "c89", "c90", "c99", "c11", "c17", "c18", "c23", "c2x", "embedded-c"),
    "cpp": (
        *("c++", "c++98", "c++03", "c++11", "c++14", "c++17", "c++20", "c++23", "c++26"),
        *("c++0x", "c++1y", "c++1z", "c++2a", "c++2b", "c++2c", "visual-c++", "c++-cli", "c++-cx"),
    ),
    "csharp": _versions("c#", [*(f"{version}.0" for version in range(1, 16)), "7.1", "7.2", "7.3"]),
    "go": ("go", "golang"),
    "java": (*_versions("java", ["1.4", *range(5, 27)]), "java1.4", "java1.5", "java1.6", "java1.7", "java1.8"),
    "javascript": (
        *("javascript", "js", "ecmascript", "ecma262", "ecmascript-5", "ecmascript-6", "ecmascript-7"),
        *(f"ecmascript-{year}" for year in range(2015, 2027)),
        *("ecmascript-next", "ecmascript-harmony", "jscript"),
    ),
    "lisp": ("lisp", "common-lisp", "clisp", "sbcl", "lispworks"),
    "php": _versions("php", [4, 5, 7, 8, *(f"5.{minor}" for minor in range(7))])
    + _versions("php", [f"{major}.{minor}" for major in (7, 8) for minor in range(6)])[1:]
    + ("php4", "php5"),
    "python": _versions("python", ["2.x", "3.x", *(f"2.{minor}" for minor in range(8))])
    + _versions("python", [2, 3, *(f"3.{minor}" for minor in range(16))])[1:],
    "ruby": _versions("ruby", ["1.8", "1.8.7", "1.9", "1.9.2", "1.9.3", 2, *(f"2.{minor}" for minor in range(8))])
    + _versions("ruby", [3, 4, *(f"3.{minor}" for minor in range(6)), "4.0"])[1:],
    "rust": ("rust", "rust-2015", "rust-2018", "rust-2021", "rust-2024"),
}
"""The tags of each of the eleven languages. Source: ours, docs/decisions/0011.

Versions stand under their names of old dumps too (c++0x). Common Lisp and its implementations are Lisp;
Clojure, Scheme, Racket, Emacs Lisp and AutoLISP are languages of their own, as TypeScript is.
"""


def parse_languages(names: Iterable[str]) -> dict[str, str]:
    """Every language tag with its language, and which languages are wanted: a table from tag to language.

    Args:
        names: names of TAGS, or ``NAME=TAG+TAG`` for a language of the user's own.

    Returns:
        The language of every known tag; a language that is not wanted has the value "", so that a
        question whose first language tag is unwanted is not claimed by a later tag.

    Raises:
        ConfigError: no name, an unknown one, or a definition that is not of that form.
    """
    wanted: set[str] = set()
    own: dict[str, str] = {}
    names = tuple(names)
    if not names:
        raise ConfigError(f"at least one language must be wanted, but none is named: take some of {', '.join(TAGS)}")
    for name in names:
        language, given, tags = name.partition("=")
        if given:
            for tag in _own_tags(language, tags):
                if own.setdefault(tag, language) != language:
                    raise ConfigError(f"a tag must name one language, but {tag!r} names {own[tag]} and {language}")
        elif language not in TAGS:
            raise ConfigError(
                f"a language must be one of {', '.join(LANGUAGES)}, or NAME=TAG+TAG for another, got {language!r}"
            )
        wanted.add(language)
    table = {tag: language for language, tags in TAGS.items() for tag in tags} | own
    return {tag: language if language in wanted else "" for tag, language in table.items()}


def tags_table() -> list[tuple[str, str]]:
    """Each language and its tags, for the documentation."""
    return [(language, ", ".join(tags)) for language, tags in TAGS.items()]


def _own_tags(language: str, tags: str) -> list[str]:
    """The tags of a definition of the user's own; the name becomes a folder."""
    if language == "all" or not re.fullmatch(r"[a-z][a-z0-9_-]*", language) or not all(tags.split("+")):
        raise ConfigError(
            "a language of your own must read name=tag+tag, its name in lower case and not all,"
            f" got {language!r}={tags!r}"
        )
    return tags.lower().split("+")


def language_of(tags: Iterable[str], table: Mapping[str, str]) -> str | None:
    """The language of a question's first language tag; None if that is unwanted or there is none."""
    for tag in tags:
        if tag in table:
            return table[tag] or None
    return None
