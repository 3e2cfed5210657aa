"""Code without its comments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.corpora.comments import on_one_line, strip_block_comments, strip_comments


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = 1  # one\ny = '# no'\n", "x = 1  \ny = '# no'\n"),
        ('def f():\n    """Says."""\n    return "a"\n', 'def f():\n    \n    return "a"\n'),
        ('"""Module."""\nx = """kept"""\n', '\nx = """kept"""\n'),
        ("# all\n", "\n"),
        ("f('a')\n'alone'  # why\ng()", "f('a')\n  \ng()"),
        ("if x:\n  y\n z\n", "if x:\n  y\n z\n"),
        ("print 'old'  # python 2\n", "print 'old'  \n"),
        ("é = 'é'  # é\n", "é = 'é'  \n"),
        ("", ""),
    ],
)
def test_python_loses_comments_and_the_strings_that_stand_alone(code, expected):
    assert strip_comments(code, "python") == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("int a; // one\nint b;", "int a;  \nint b;"),
        ('String s = "// no"; /* two\nlines */ f();', 'String s = "// no";   f();'),
        ("char c = '\"'; // q", "char c = '\"';  "),
        ("/* open", "/* open"),
    ],
)
def test_java_loses_comments_but_not_what_looks_so_in_a_string(code, expected):
    assert strip_comments(code, "java") == expected


def test_ruby_stays_as_it_is():
    assert strip_comments("puts 1 # one", "ruby") == "puts 1 # one"


def test_block_comments_go_wherever_they_stand():
    assert on_one_line(strip_block_comments('a /* b\n */ c "/* d */"')) == 'a c " "'


@given(st.text(alphabet="ab#\"'\\\n ():=", max_size=30))
def test_no_python_breaks_the_stripper_and_what_has_no_comment_or_lone_string_stays(code):
    stripped = strip_comments(code, "python")
    if not any(mark in code for mark in "#\"'"):
        assert stripped == code
    assert len(stripped) <= len(code)
