"""One documented function in each language, and the shapes that real files have."""

import argparse
import ast
import dataclasses
import inspect
import tarfile
import textwrap
from functools import cache
from pathlib import Path

import pytest

from procqa.corpora.functions import Function, read_definitions, read_functions
from procqa.corpora.grammars import TABLES, load_grammar

pytest.importorskip("tree_sitter")


grammar_of = cache(load_grammar)


def functions_in(language: str, source: str) -> list[Function]:
    return list(read_functions(source.encode(), grammar_of(language)))


def names_in(language: str, source: str) -> list[str]:
    return [function.name for function in functions_in(language, source)]


EXAMPLES = {
    "c": (
        "#include <stdio.h>\n"
        "\n"
        "/* Doubles a number.\n"
        " * Wraps on overflow.\n"
        " */\n"
        "static int *twice(int n)\n"
        "{\n"
        "    return n * 2;\n"
        "}\n",
        Function(
            name="twice",
            line=6,
            docstring="Doubles a number.\nWraps on overflow.",
            code="static int *twice(int n)\n{\n    return n * 2;\n}",
            body_chars=12,
        ),
    ),
    "cpp": (
        "namespace shop {\n"
        "/// Adds tax to a price.\n"
        "template <class T>\n"
        "T Basket<T>::total(T price) {\n"
        "  return price * 2;\n"
        "}\n"
        "}\n",
        Function(
            name="Basket.total",
            line=3,
            docstring="Adds tax to a price.",
            code="template <class T>\nT Basket<T>::total(T price) {\n  return price * 2;\n}",
            body_chars=16,
        ),
    ),
    "csharp": (
        "namespace Shop {\n"
        "  class Basket<T> {\n"
        '    /// <summary>Adds <paramref name="tax"/> if a &lt; b.</summary>\n'
        '    /// <param name="tax">In percent.</param>\n'
        "    [Pure]\n"
        "    public int Total(int tax) => tax * 100;\n"
        "  }\n"
        "}\n",
        Function(
            name="Basket.Total",
            line=5,
            docstring="Adds tax if a < b.\ntax: In percent.",
            code="[Pure]\npublic int Total(int tax) => tax * 100;",
            body_chars=9,
        ),
    ),
    "go": (
        "package shop\n"
        "\n"
        "// Total adds the tax.\n"
        "// It never fails.\n"
        "func (b *Basket[T]) Total(tax int) int {\n"
        "\treturn tax + 1\n"
        "}\n",
        Function(
            name="Basket.Total",
            line=5,
            docstring="Total adds the tax.\nIt never fails.",
            code="func (b *Basket[T]) Total(tax int) int {\n\treturn tax + 1\n}",
            body_chars=13,
        ),
    ),
    "java": (
        "class Basket {\n"
        "    /**\n"
        "     * Adds the tax.\n"
        "     * @param tax in percent\n"
        "     */\n"
        "    @Override\n"
        "    public int total(int tax) {\n"
        "        return tax + 1;\n"
        "    }\n"
        "}\n",
        Function(
            name="Basket.total",
            line=6,
            docstring="Adds the tax.\n@param tax in percent",
            code="@Override\npublic int total(int tax) {\n    return tax + 1;\n}",
            body_chars=14,
        ),
    ),
    "javascript": (
        "/**\n * Adds the tax.\n */\nexport const total = async (tax) => {\n  return tax + 1;\n};\n",
        Function(
            name="total",
            line=4,
            docstring="Adds the tax.",
            code="export const total = async (tax) => {\n  return tax + 1;\n};",
            body_chars=14,
        ),
    ),
    "lisp": (
        ';; Not this one.\n(defun total (tax)\n  "Adds the \\"tax\\"\n   to one."\n  (+ tax 1))\n',
        Function(
            name="total",
            line=2,
            docstring='Adds the "tax"\nto one.',
            code="(defun total (tax)\n  (+ tax 1))",
            body_chars=7,
        ),
    ),
    "php": (
        "<?php\n"
        "trait Basket {\n"
        "    /** Adds the tax. */\n"
        "    public static function total(int $tax): int\n"
        "    {\n"
        "        return $tax + 1;\n"
        "    }\n"
        "}\n",
        Function(
            name="Basket.total",
            line=4,
            docstring="Adds the tax.",
            code="public static function total(int $tax): int\n{\n    return $tax + 1;\n}",
            body_chars=15,
        ),
    ),
    "python": (
        "class Basket:\n"
        "    @cached\n"
        "    async def total(self, tax):\n"
        '        """Add the tax.\n'
        "\n"
        "        It is in percent.\n"
        '        """\n'
        "\n"
        "        return tax + 1\n",
        Function(
            name="Basket.total",
            line=2,
            docstring="Add the tax.\n\nIt is in percent.",
            code="@cached\nasync def total(self, tax):\n\n    return tax + 1",
            body_chars=11,
        ),
    ),
    "ruby": (
        "module Shop\n"
        "  class Basket\n"
        "    # Adds the tax.\n"
        "    #   It is in percent.\n"
        "    def self.total(tax)\n"
        "      tax + 1\n"
        "    end\n"
        "  end\n"
        "end\n",
        Function(
            name="Shop.Basket.total",
            line=5,
            docstring="Adds the tax.\n  It is in percent.",
            code="def self.total(tax)\n  tax + 1\nend",
            body_chars=5,
        ),
    ),
    "rust": (
        "impl<T> Sum for Basket<T> {\n"
        "    /// Adds the tax.\n"
        "    #[inline]\n"
        "    pub fn total(&self, tax: u32) -> u32 {\n"
        "        tax + 1\n"
        "    }\n"
        "}\n",
        Function(
            name="Basket.total",
            line=3,
            docstring="Adds the tax.",
            code="#[inline]\npub fn total(&self, tax: u32) -> u32 {\n    tax + 1\n}",
            body_chars=7,
        ),
    ),
}


@pytest.mark.parametrize("language", TABLES)
def test_a_documented_function_is_read_with_its_name_docstring_and_code(language):
    source, expected = EXAMPLES[language]
    assert functions_in(language, source) == [expected]


@pytest.mark.parametrize("language", TABLES)
def test_crlf_files_keep_their_bytes_in_the_code_and_give_the_same_docstring(language):
    source, expected = EXAMPLES[language]
    (function,) = functions_in(language, source.replace("\n", "\r\n"))
    assert (function.name, function.line, function.docstring) == (expected.name, expected.line, expected.docstring)
    assert function.code == expected.code.replace("\n", "\r\n")


@pytest.mark.parametrize("language", TABLES)
def test_a_file_cut_in_the_middle_is_read_without_an_error(language):
    source, _ = EXAMPLES[language]
    for length in range(len(source)):
        assert len(functions_in(language, source[:length])) <= 1


def test_nested_functions_and_classes_give_qualified_names_and_the_outer_code_holds_the_inner():
    source = textwrap.dedent('''
        def outer():
            """Outer."""
            class Inner:
                def method(self):
                    """Method."""
                    return 1
            def undocumented():
                return 2
            return Inner
        ''')
    outer, method, undocumented = functions_in("python", source)
    assert [outer.name, method.name, undocumented.name] == ["outer", "outer.Inner.method", "outer.undocumented"]
    assert '"""Method."""' in outer.code
    assert method.code == "def method(self):\n    return 1"
    assert undocumented.docstring == ""


def test_tabs_are_kept_inside_and_taken_off_in_front():
    source = 'class A:\n\tdef f(self):\n\t\t"""Says something."""\n\t\tif self:\n\t\t\treturn 1\n'
    (function,) = functions_in("python", source)
    assert function.code == "def f(self):\n\tif self:\n\t\treturn 1"


def test_lines_of_a_string_that_stand_further_left_are_left_alone():
    source = 'class A:\n    def f(self):\n        """Says something."""\n        return """\nleft\n"""\n'
    (function,) = functions_in("python", source)
    assert function.code == 'def f(self):\n    return """\nleft\n"""'


@pytest.mark.parametrize(
    ("literal", "docstring"),
    [
        ("'One line.'", "One line."),
        ("r'''Raw \\d.'''", "Raw \\d."),
        ("'Not raw \\d.'", "Not raw \\d."),
        ("'Two ' 'parts.'", "Two parts."),
        ("u'Caf\\u00e9'", "Café"),
        ("b'bytes'", ""),
        ("f'formatted'", ""),
        ("'a'.join(x)", ""),
    ],
)
def test_only_a_plain_string_as_first_statement_is_a_python_docstring(literal, docstring):
    (function,) = functions_in("python", f"def f(x):\n    {literal}\n    return x\n")
    assert function.docstring == docstring
    assert (literal in function.code) == (docstring == "")


def test_a_python_docstring_on_the_line_of_the_signature_goes_with_its_semicolon():
    (function,) = functions_in("python", "def f(x): 'Says it.'; return x\n")
    assert (function.docstring, function.code) == ("Says it.", "def f(x): return x")


def test_overloads_are_functions_of_their_own():
    source = "class A {\n /** One. */\n int f(int a) { return a; }\n /** Two. */\n int f(long a) { return 2; }\n}"
    assert [(function.name, function.docstring) for function in functions_in("java", source)] == [
        ("A.f", "One."),
        ("A.f", "Two."),
    ]


def test_a_declaration_without_a_body_is_no_function():
    assert names_in("c", "/** Doc. */\nint f(int a);\n") == []
    assert names_in("java", "interface A {\n /** Doc. */\n int f(int a);\n}") == []
    assert names_in("rust", "trait A {\n    /// Doc.\n    fn f(&self);\n}") == []
    assert names_in("cpp", "struct A { A() = default; };") == []


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("c", "/* Far above. */\n\nint f(int a)\n{\n return a;\n}\n"),
        ("c", "int x; /* of x */\nint f(int a)\n{\n return a;\n}\n"),
        ("java", "class A {\n // no JavaDoc\n int f() { return 1; }\n}"),
        ("rust", "// no documentation\nfn f() -> u8 { 1 }\n"),
        ("python", "# no docstring\ndef f():\n    return 1\n"),
        ("javascript", "/* no JSDoc */\nfunction f() { return 1; }"),
    ],
)
def test_a_comment_that_documents_nothing_here_is_passed_over(language, source):
    (function,) = functions_in(language, source)
    assert function.docstring == ""


def test_a_block_comment_on_the_same_line_documents():
    (function,) = functions_in("java", "class A { /** Says it. */ int f() { return 1; } }")
    assert function.docstring == "Says it."


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("function f() {}", ["f"]),
        ("export function* f() {}", ["f"]),
        ("const a = () => 1, b = function () {};", ["a", "b"]),
        ("module.exports.f = function () {};", ["f"]),
        ("Basket.prototype.total = function () {};", ["Basket.total"]),
        (
            "class Basket { static total() {} #hidden() {} late = () => 1; }",
            ["Basket.total", "Basket.#hidden", "Basket.late"],
        ),
        ("const Basket = { total() {}, 'tax': () => 1 };", ["Basket.total", "Basket.tax"]),
        ("module.exports = { total() {} };", ["total"]),
        ("export default function () {}", []),
    ],
)
def test_javascript_functions_are_named_by_what_they_are_assigned_to(source, names):
    assert names_in("javascript", source) == names


def test_two_functions_in_one_javascript_statement_do_not_hold_each_other():
    first, second = functions_in("javascript", "const a = () => 1, b = () => 2;")
    assert (first.code, second.code) == ("a = () => 1", "b = () => 2")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("int (*f(void))(int) { return 0; }", "f"),
        ("int &A<int>::f() { return x; }", "A.f"),
        ("struct A { A &operator+=(int n) { return *this; } };", "A.operator+="),
        ("struct A { ~A() { close(); } };", "A.~A"),
        ('extern "C" { int f() { return 1; } }', "f"),
    ],
)
def test_c_plus_plus_names_are_found_inside_their_declarators(source, name):
    assert names_in("cpp", source) == [name]


def test_lisp_macros_methods_and_setters_are_functions_and_a_lone_string_is_a_value():
    source = textwrap.dedent("""
        (defmacro with-x (x) "Binds x." `(let ((x ,x)) x))
        (defmethod show :before ((a foo) b) (print a))
        (defun (setf size) (v x) "Sets the size." (list v x))
        ;;; Gives a constant.
        (defun constant () "value")
        (defgeneric area (shape) (:documentation "None."))
        """)
    assert [(function.name, function.docstring) for function in functions_in("lisp", source)] == [
        ("with-x", "Binds x."),
        ("show", ""),
        ("(setf size)", "Sets the size."),
        ("constant", "Gives a constant."),
    ]


def test_a_private_ruby_method_is_read_with_the_word_in_front():
    (function,) = functions_in("ruby", "class A\n  # Says something.\n  private def f\n    1\n  end\nend\n")
    assert (function.docstring, function.code) == ("Says something.", "private def f\n  1\nend")


def test_three_thousand_nested_brackets_do_not_exhaust_the_stack():
    deep = "(" * 3_000 + ")" * 3_000
    assert names_in("lisp", f"(defun f (x) {deep})") in ([], ["f"])
    assert names_in("javascript", "function f() { return " + "[" * 3_000 + "]" * 3_000 + "; }") in ([], ["f"])


def test_characters_beyond_ascii_are_counted_as_characters():
    source = 'def größe(ü):\n    """Gibt ü zurück: 漢字 😀."""\n    return "😀" + ü  # ü\n'
    (function,) = functions_in("python", source)
    assert function.name == "größe"
    assert function.docstring == "Gibt ü zurück: 漢字 😀."
    assert function.code == 'def größe(ü):\n    return "😀" + ü  # ü'


@pytest.mark.parametrize("module", [argparse, dataclasses, inspect, tarfile, textwrap])
def test_python_functions_are_those_that_pythons_own_parser_finds(module):
    source = Path(module.__file__).read_text(encoding="utf-8")
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = functions_in("python", source)
    assert sorted((function.name.rpartition(".")[2], function.docstring) for function in found) == sorted(
        (node.name, (ast.get_docstring(node) or "").strip()) for node in nodes
    )


@pytest.mark.parametrize("module", [argparse, dataclasses, inspect, tarfile, textwrap])
def test_python_code_without_its_docstring_parses_to_the_same_tree_less_the_docstring(module):
    source = Path(module.__file__).read_text(encoding="utf-8")
    whole = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node) and len(node.body) > 1:
            first = min([node, *node.decorator_list], key=lambda part: part.lineno).lineno
            whole[first] = ast.dump(type(node)(**{**dict(ast.iter_fields(node)), "body": node.body[1:]}))
    cut = {
        function.line: ast.dump(ast.parse(function.code).body[0])
        for function in functions_in("python", source)
        if function.docstring and function.line in whole and '"""' not in function.code
    }
    assert cut
    assert cut == {line: whole[line] for line in cut}


CLASSES = {
    "c": ("/* A point. */\nstruct point { int x; };\ntypedef struct { int a; } thing;\nenum color { RED };\n",
          [("point", "A point."), ("thing", ""), ("color", "")]),
    "cpp": ("// A basket.\nclass Basket { int n() { return 1; } };\ntemplate <class T> struct Box { T v; };\n",
            [("Basket", "A basket."), ("Basket.n", ""), ("Box", "")]),
    "csharp": ("/// <summary>A basket.</summary>\nclass Basket { int N() { return 1; } }\nenum E { A }\n",
               [("Basket", "A basket."), ("Basket.N", ""), ("E", "")]),
    "go": ("package a\n// Point is one.\ntype Point struct { X int }\ntype (\n // I is.\n I interface { F() }\n)\n",
           [("Point", "Point is one."), ("I", "I is.")]),
    "java": ("/** A basket. */\n@Deprecated\nclass Basket { enum K { A } int n() { return 1; } }\n",
             [("Basket", "A basket."), ("Basket.K", ""), ("Basket.n", "")]),
    "javascript": ("/** A basket. */\nexport class Basket { n() { return 1; } }\nconst C = class { };\n",
                   [("Basket", "A basket."), ("Basket.n", ""), ("C", "")]),
    "lisp": ("; A basket.\n(defclass basket (store) ((n :initform 0)))\n(defstruct point x y)\n",
             [("basket", "A basket."), ("point", "")]),
    "php": ("<?php\n/** A basket. */\nclass Basket { function n() { return 1; } }\ninterface I { }\n",
            [("Basket", "A basket."), ("Basket.n", ""), ("I", "")]),
    "python": ("@d\nclass Basket(S):\n    'A basket.'\n    def n(self):\n        return 1\n    class K:\n        x = 1",
               [("Basket", "A basket."), ("Basket.n", ""), ("Basket.K", "")]),
    "ruby": ("# A basket.\nclass Basket < S\n  def n\n    1\n  end\nend\n",
             [("Basket", "A basket."), ("Basket.n", "")]),
    "rust": ("/// A basket.\n#[derive(Debug)]\nstruct Basket { n: u32 }\ntrait T { fn f(&self) -> u32 { 1 } }\n",
             [("Basket", "A basket."), ("T", ""), ("T.f", "")]),
}  # fmt: skip


@pytest.mark.parametrize("language", CLASSES)
def test_classes_are_definitions_beside_functions(language):
    source, expected = CLASSES[language]
    found = list(read_definitions(source.encode(), load_grammar(language)))
    assert [(definition.name, definition.docstring) for definition in found] == expected


def test_the_code_of_a_class_is_its_outline():
    python = (
        '@d\nclass A(B):\n    """Doc."""\n\n    n = 1\n\n'
        "    def f(self):\n        def g():\n            return 1\n        return g\n"
    )
    java = "class A {\n  int n;\n  int f() { return n; }\n  class B { int g() { return 1; } }\n}\n"
    assert next(read_definitions(python.encode(), load_grammar("python"))).code == (
        "@d\nclass A(B):\n\n    n = 1\n\n    def f(self):\n        ..."
    )
    assert next(read_definitions(java.encode(), load_grammar("java"))).code == (
        "class A {\n  int n;\n  int f() { ... }\n  class B { int g() { ... } }\n}"
    )


def test_functions_alone_are_the_same_with_and_without_classes():
    for language, (source, _) in CLASSES.items():
        grammar = load_grammar(language)
        functions = list(read_functions(source.encode(), grammar))
        assert [each for each in read_definitions(source.encode(), grammar) if each in functions] == functions
