"""Marks taken off comments, and docstrings cut out of code, byte for byte."""

import ast
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.corpora.docstrings import (
    comment_text,
    cut_docstring,
    lisp_literal_text,
    python_literal_text,
    strip_python_docstring,
)


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        ("/** Adds two. */", "Adds two."),
        ("/**\n * Adds two.\n *\n * @param a one\n *   of them\n */", "Adds two.\n\n@param a one\n  of them"),
        ("/**\r\n * Adds two.\r\n * Or three.\r\n */", "Adds two.\nOr three."),
        ("/*-----\n * join --- glue lists\n *-----\n */", "join --- glue lists"),
        ("/*\n** Adds two.\n** Or three.\n*/", "Adds two.\nOr three."),
        ("/* Adds two:\n     - one\n     - two */", "Adds two:\n- one\n- two"),
        ("/*\n  A list:\n  * one\n  * two\n*/", "A list:\n* one\n* two"),
        ("/*! Adds two. */", "Adds two."),
        ("/***** Adds two. *****/", "Adds two."),
        ("#| Adds\n two. |#", "Adds\ntwo."),
        ("=begin\nAdds\n  two.\n=end", "Adds\n  two."),
        ("/** {@inheritDoc} */", ""),
        ("/**/", ""),
        ("/** ", ""),
    ],
)
def test_a_block_comment_loses_its_marks_and_keeps_its_lines(comment, text):
    assert comment_text([comment]) == text


@pytest.mark.parametrize(
    ("comments", "text"),
    [
        (["// Adds", "//   two.", "//", "// Or three."], "Adds\n  two.\n\nOr three."),
        (["/// Adds", "//! two."], "Adds\ntwo."),
        (["# Adds", "# two."], "Adds\ntwo."),
        ([";;; Adds", ";; two."], "Adds\ntwo."),
        (["#-----", "# Adds two.", "#-----"], "Adds two."),
        (["//go:noinline", "// Adds two."], "Adds two."),
        (["# rubocop:disable all", "# Adds two."], "Adds two."),
        (["// ===== Sums ====="], "Sums"),
        ([], ""),
    ],
)
def test_line_comments_become_one_text(comments, text):
    assert comment_text(comments) == text


def test_csharp_documentation_keeps_what_its_tags_name():
    comments = [
        "/// <summary>",
        '/// Adds <see cref="T:Sum"/> if a &lt; b &amp;&amp; <c>c</c>.',
        "/// </summary>",
        '/// <param name="a">The first.</param>',
        "/// <returns>The sum.</returns>",
    ]
    assert comment_text(comments, xml=True) == "Adds Sum if a < b && c.\na: The first.\nThe sum."


@pytest.mark.parametrize(
    ("code", "stripped"),
    [
        ('def f(a):\n    """Doc.\n\n    More."""\n    return a\n', "def f(a):\n    return a\n"),
        ("def f(a): 'doc'; return a", "def f(a): return a"),
        ("def f(a):\n    'one' 'two'\n    return a", "def f(a):\n    return a"),
        ("def f(a):\n    # first\n    'doc'\n    return a", "def f(a):\n    # first\n    return a"),
        ("def f(a):\n    'doc'  # noqa\n    return a", "def f(a):\n    # noqa\n    return a"),
        (
            '@d(x[1:2])\r\nasync def f() -> T[1:2]:\r\n\t"""D"""\r\n\treturn 1\r\n',
            "@d(x[1:2])\r\nasync def f() -> T[1:2]:\r\n\treturn 1\r\n",
        ),
        ("def f((a, b)):\n  'doc'\n  print `a`, 0777\n", "def f((a, b)):\n  print `a`, 0777\n"),
        ("def f(a=lambda: 'no'):\n  'doc'\n  return a", "def f(a=lambda: 'no'):\n  return a"),
        ("def f():\n  'doc'", "def f():\n"),
    ],
)
def test_a_python_docstring_is_cut_out_and_nothing_else(code, stripped):
    assert strip_python_docstring(code) == stripped


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n    'a'.join(x)\n",
        "def f():\n    b'bytes'\n    return 1",
        "def f():\n    f'{x}'\n    return 1",
        "def f():\n    x = 'no'\n",
        "def broken(\n 'a'",
        "'module'\nx = 1\n",
        "",
    ],
)
def test_code_without_a_docstring_stays_as_it_is(code):
    assert strip_python_docstring(code) == code


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1), st.sampled_from(["", "\n\n    x = 1"])
)
def test_a_stripped_function_equals_one_that_never_had_a_docstring(docstring, rest):
    bare = f"def f(a):\n    return [a, 'é'] {rest}\n"
    documented = f"def f(a):\n    {docstring!r}\n    return [a, 'é'] {rest}\n"
    assert strip_python_docstring(documented) == bare


@given(st.text())
def test_a_python_literal_gives_what_its_own_parser_gives(text):
    expected = ast.get_docstring(ast.parse(f"def f():\n    {text!r}\n").body[0])
    assert python_literal_text(repr(text)) == (expected or "").strip()


def test_half_of_a_surrogate_pair_in_a_literal_is_replaced_since_no_file_can_hold_it():
    assert python_literal_text(r"'a half such as \ud800, which'") == "a half such as \ufffd, which"


def test_a_lisp_literal_loses_its_escapes_and_its_indentation():
    assert lisp_literal_text('"Says \\"hello\\"\n   and a \\\\."') == 'Says "hello"\nand a \\.'


def test_a_literal_in_the_middle_of_a_line_leaves_the_rest_of_the_line():
    code = '(defun f (x) "Doc." (+ x 1))'
    assert cut_docstring(code, 13, 19) == "(defun f (x) (+ x 1))"
    code = '(defun f (x) "Doc."\n  (+ x 1))'
    assert cut_docstring(code, 13, 19) == "(defun f (x)\n  (+ x 1))"


def test_a_megabyte_of_marks_is_done_at_once():
    for text in ("*" * 1_000_000, "/" + "*" * 1_000_000, "/*" + "\n" * 1_000_000, "//" + "-=" * 500_000 + "x"):
        assert len(comment_text([text])) <= len(text)
    assert textwrap.dedent(comment_text(["/*" + " * a\n" * 100_000 + "*/"])).count("a") == 100_000
