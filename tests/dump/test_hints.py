"""Language hints: what comments and classes name, under the names used everywhere."""

import pytest

from procqa.dump.hints import read_hint_tag, read_language_class, to_hint_tag


@pytest.mark.parametrize(
    ("comment", "tag"),
    [
        (" language: lang-py ", "<!language next lang-py>"),
        ("language-all:c++", "<!language all c++>"),
        ("\nLANGUAGE: None\n", "<!language next None>"),
        (" begin snippet: js ", ""),
        (" language: two words ", ""),
        (" language: ", ""),
        ("", ""),
    ],
)
def test_a_comment_that_names_a_language_and_nothing_else_is_a_hint(comment, tag):
    html = f"<!--{comment}-->"
    assert to_hint_tag(html, 4, len(html) - 3) == tag


@pytest.mark.parametrize(
    ("tag", "hint"),
    [
        ("!language next lang-js", (False, "javascript")),
        ("!language all C#", (True, "csharp")),
        ("!language next none", (False, "")),
        ("!language some go", None),
        ("!language next", None),
        ("language", None),
    ],
)
def test_a_hint_speaks_of_the_next_code_or_of_all_that_follows(tag, hint):
    assert read_hint_tag(tag) == hint


@pytest.mark.parametrize(
    ("classes", "language"),
    [
        ("lang-py prettyprint-override", "python"),
        ("hljs language-rs", "rust"),
        ("snippet-code-js lang-html", "html"),
        ("lang-Common-Lisp", "lisp"),
        ("lang-fortran", "fortran"),
        ("lang-none", ""),
        ("lang-default", ""),
        ("lang-" + "x" * 50, "x" * 40),
        ("slang-x default prettyprint", None),
        ("", None),
    ],
)
def test_a_class_names_a_language_or_that_there_is_none(classes, language):
    assert read_language_class(classes) == language
