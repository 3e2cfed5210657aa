"""Files and the language they are in."""

import sys

import pytest

from procqa.config import LANGUAGES
from procqa.corpora.grammars import LANGUAGE_BY_EXTENSION, TABLES, language_of, load_grammar
from procqa.errors import MissingExtra


def test_every_language_has_a_table_and_no_extension_means_two():
    assert tuple(TABLES) == LANGUAGES
    assert len(LANGUAGE_BY_EXTENSION) == sum(len(table.extensions) for table in TABLES.values())


@pytest.mark.parametrize(
    ("name", "source", "language"),
    [
        ("a.py", b"", "python"),
        ("A.PY", b"", "python"),
        ("a.b.rs", b"", "rust"),
        ("a.h", b"int f(int);\n", "c"),
        ("a.h", b"#pragma once\nnamespace a {\n}\n", "cpp"),
        ("a.h", b"\n" * 100_000, "c"),
        ("a.txt", b"", None),
        ("py", b"", None),
        ("Makefile", b"", None),
    ],
)
def test_the_name_tells_the_language_and_a_header_tells_whether_it_is_cpp(name, source, language):
    assert language_of(name, source) == language


@pytest.mark.parametrize("package", ["tree_sitter", "tree_sitter_go"])
def test_a_package_that_is_not_installed_is_named_by_its_extra(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=r"pip install 'procqa\[code\]'") as caught:
        load_grammar("go")
    assert caught.value.extra == "code"
