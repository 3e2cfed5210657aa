"""How each language writes a function, a type and a comment: one table of tree-sitter queries a language.

In a query of functions ``@function`` is the text that becomes an answer (with its decorators, template
head or ``const`` in front), ``@name`` its name, ``@body`` what it does, ``@docstring`` a docstring inside it,
``@receiver`` the type a Go method belongs to. Where two patterns match one name the wider function counts.
A declaration without a body is no function. A query of classes speaks in the same words.
"""

import importlib
import re
import warnings
from dataclasses import dataclass
from typing import Any

from procqa.errors import MissingExtra

ANY_COMMENT = rb""
JAVADOC = rb"/\*\*(?!/)"
SLASHES = rb"///(?!/)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One language in tree-sitter's words.

    Args:
        module: the package that holds the grammar.
        extensions: endings of its files, lower case.
        functions: query of functions; see the module.
        classes: query of classes and the like: what has a name, and members in a body.
        scopes: query of what else gives a function its qualified name, as @scope and @name.
        comments: query of comments as @comment, and of attributes between comment and function as @attribute.
        documentation: pattern of the comments that document; a comment of another form is passed over.
    """

    module: str
    extensions: tuple[str, ...]
    functions: str
    classes: str
    scopes: str = ""
    comments: str = "(comment) @comment"
    documentation: bytes = ANY_COMMENT


C_CLASSES = """
        (struct_specifier name: (_) @name body: (_) @body) @function
        (union_specifier name: (_) @name body: (_) @body) @function
        (enum_specifier name: (_) @name body: (_) @body) @function
        (type_definition type: (struct_specifier !name body: (_) @body) declarator: (_) @name) @function
        (type_definition type: (union_specifier !name body: (_) @body) declarator: (_) @name) @function
        (type_definition type: (enum_specifier !name body: (_) @body) declarator: (_) @name) @function"""
C_FUNCTIONS = "(function_definition declarator: (_) @name body: (compound_statement) @body) @function"

TABLES: dict[str, Table] = {
    "c": Table(module="tree_sitter_c", extensions=(".c", ".h"), functions=C_FUNCTIONS, classes=C_CLASSES),
    "cpp": Table(
        module="tree_sitter_cpp",
        extensions=(".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".ipp", ".tpp"),
        functions=C_FUNCTIONS
        + """
        (template_declaration
          (function_definition declarator: (_) @name body: (compound_statement) @body)) @function""",
        classes=C_CLASSES
        + """
        (class_specifier name: (_) @name body: (_) @body) @function
        (template_declaration (class_specifier name: (_) @name body: (_) @body)) @function
        (template_declaration (struct_specifier name: (_) @name body: (_) @body)) @function""",
        scopes="""
        (class_specifier name: (_) @name body: (_)) @scope
        (struct_specifier name: (_) @name body: (_)) @scope
        (union_specifier name: (_) @name body: (_)) @scope""",
    ),
    "csharp": Table(
        module="tree_sitter_c_sharp",
        extensions=(".cs",),
        functions="""
        (method_declaration name: (_) @name body: (_) @body) @function
        (constructor_declaration name: (_) @name body: (_) @body) @function
        (local_function_statement name: (_) @name body: (_) @body) @function""",
        classes="""
        (class_declaration name: (_) @name body: (_) @body) @function
        (struct_declaration name: (_) @name body: (_) @body) @function
        (record_declaration name: (_) @name body: (_) @body) @function
        (interface_declaration name: (_) @name body: (_) @body) @function
        (enum_declaration name: (_) @name body: (_) @body) @function""",
        scopes="""
        (class_declaration name: (_) @name) @scope
        (struct_declaration name: (_) @name) @scope
        (record_declaration name: (_) @name) @scope
        (interface_declaration name: (_) @name) @scope""",
        documentation=SLASHES + rb"|" + JAVADOC,
    ),
    "go": Table(
        module="tree_sitter_go",
        extensions=(".go",),
        functions="""
        (function_declaration name: (_) @name body: (_) @body) @function
        (method_declaration receiver: (_) @receiver name: (_) @name body: (_) @body) @function""",
        classes="""
        (type_spec name: (_) @name type: [(struct_type) (interface_type)] @body) @function
        (type_declaration . (type_spec name: (_) @name type: [(struct_type) (interface_type)] @body) .) @function""",
    ),
    "java": Table(
        module="tree_sitter_java",
        extensions=(".java",),
        functions="""
        (method_declaration name: (_) @name body: (_) @body) @function
        (constructor_declaration name: (_) @name body: (_) @body) @function
        (compact_constructor_declaration name: (_) @name body: (_) @body) @function""",
        classes="""
        (class_declaration name: (_) @name body: (_) @body) @function
        (interface_declaration name: (_) @name body: (_) @body) @function
        (enum_declaration name: (_) @name body: (_) @body) @function
        (record_declaration name: (_) @name body: (_) @body) @function""",
        scopes="""
        (class_declaration name: (_) @name) @scope
        (interface_declaration name: (_) @name) @scope
        (enum_declaration name: (_) @name) @scope
        (record_declaration name: (_) @name) @scope""",
        comments="[(line_comment) (block_comment)] @comment",
        documentation=SLASHES + rb"|" + JAVADOC,
    ),
    "javascript": Table(
        module="tree_sitter_javascript",
        extensions=(".js", ".mjs", ".cjs", ".jsx"),
        functions="""
        (function_declaration name: (_) @name body: (_) @body) @function
        (generator_function_declaration name: (_) @name body: (_) @body) @function
        (export_statement declaration: (function_declaration name: (_) @name body: (_) @body)) @function
        (export_statement declaration: (generator_function_declaration name: (_) @name body: (_) @body)) @function
        (method_definition name: (_) @name body: (_) @body) @function
        (field_definition property: (_) @name
          value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @function
        (pair key: (_) @name
          value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
                  (generator_function body: (_) @body)]) @function
        (variable_declarator name: (identifier) @name
          value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
                  (generator_function body: (_) @body)]) @function
        ([(lexical_declaration . (variable_declarator name: (identifier) @name
            value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
                    (generator_function body: (_) @body)]) .)
          (variable_declaration . (variable_declarator name: (identifier) @name
            value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
                    (generator_function body: (_) @body)]) .)] @function)
        (export_statement declaration: (lexical_declaration . (variable_declarator name: (identifier) @name
          value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
                  (generator_function body: (_) @body)]) .)) @function
        (expression_statement (assignment_expression left: [(member_expression) (identifier)] @name
          right: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
                  (generator_function body: (_) @body)])) @function""",
        classes="""
        (class_declaration name: (_) @name body: (_) @body) @function
        (export_statement declaration: (class_declaration name: (_) @name body: (_) @body)) @function
        (variable_declarator name: (identifier) @name value: (class body: (_) @body)) @function""",
        scopes="""
        (class_declaration name: (_) @name) @scope
        (pair key: (_) @name value: (object)) @scope
        (variable_declarator name: (identifier) @name value: [(object) (class)]) @scope
        (assignment_expression left: [(member_expression) (identifier)] @name right: [(object) (class)]) @scope""",
        documentation=JAVADOC,
    ),
    "lisp": Table(
        module="tree_sitter_commonlisp",
        extensions=(".lisp", ".lsp", ".asd"),
        functions=r"""
        (list_lit (defun (defun_header keyword: (_) @keyword function_name: (_) @name) (_)+ @body)
          (#match? @keyword "^def(un|macro|method)$")) @function
        (list_lit (defun (defun_header keyword: (_) @keyword function_name: (_) @name) . (str_lit) @docstring . (_))
          (#match? @keyword "^def(un|macro|method)$")) @function""",
        classes=r"""
        (list_lit . (sym_lit) @keyword . (sym_lit) @name . (_)+ @body
          (#match? @keyword "^(defclass|defstruct|define-condition)$")) @function""",
        comments="[(comment) (block_comment)] @comment",
    ),
    "php": Table(
        module="tree_sitter_php",
        extensions=(".php",),
        functions="""
        (function_definition name: (_) @name body: (_) @body) @function
        (method_declaration name: (_) @name body: (_) @body) @function""",
        classes="""
        (class_declaration name: (_) @name body: (_) @body) @function
        (interface_declaration name: (_) @name body: (_) @body) @function
        (trait_declaration name: (_) @name body: (_) @body) @function
        (enum_declaration name: (_) @name body: (_) @body) @function""",
        scopes="""
        (class_declaration name: (_) @name) @scope
        (interface_declaration name: (_) @name) @scope
        (trait_declaration name: (_) @name) @scope
        (enum_declaration name: (_) @name) @scope""",
        documentation=JAVADOC,
    ),
    "python": Table(
        module="tree_sitter_python",
        extensions=(".py",),
        functions="""
        (function_definition name: (_) @name body: (_) @body) @function
        (decorated_definition definition: (function_definition name: (_) @name body: (_) @body)) @function
        (function_definition name: (_) @name body: (block .
          (expression_statement . [(string) (concatenated_string)] @docstring .))) @function""",
        classes="""
        (class_definition name: (_) @name body: (_) @body) @function
        (decorated_definition definition: (class_definition name: (_) @name body: (_) @body)) @function
        (class_definition name: (_) @name body: (block .
          (expression_statement . [(string) (concatenated_string)] @docstring .))) @function""",
        scopes="(class_definition name: (_) @name) @scope",
        documentation=rb"(?!)",
    ),
    "ruby": Table(
        module="tree_sitter_ruby",
        extensions=(".rb", ".rake"),
        functions="""
        (method name: (_) @name body: (_) @body) @function
        (singleton_method name: (_) @name body: (_) @body) @function
        (call !receiver arguments: (argument_list . (method name: (_) @name body: (_) @body) .)) @function
        (call !receiver arguments: (argument_list . (singleton_method name: (_) @name body: (_) @body) .)) @function""",
        classes="(class name: (_) @name body: (_) @body) @function",
        scopes="""
        (class name: (_) @name) @scope
        (module name: (_) @name) @scope""",
    ),
    "rust": Table(
        module="tree_sitter_rust",
        extensions=(".rs",),
        functions="(function_item name: (_) @name body: (_) @body) @function",
        classes="""
        (struct_item name: (_) @name body: (_) @body) @function
        (union_item name: (_) @name body: (_) @body) @function
        (enum_item name: (_) @name body: (_) @body) @function
        (trait_item name: (_) @name body: (_) @body) @function""",
        scopes="""
        (impl_item type: (_) @name) @scope
        (trait_item name: (_) @name) @scope""",
        comments="[(line_comment) (block_comment)] @comment (attribute_item) @attribute",
        documentation=SLASHES + rb"|" + JAVADOC,
    ),
}
"""The eleven languages. Source: docs/paper.md#languages for which; ours, docs/decisions/0008, for the forms."""

LANGUAGE_BY_EXTENSION = {ending: language for language, table in TABLES.items() for ending in table.extensions}

CPP_HEADER = re.compile(
    rb"^[ \t]*(?:class\s+\w|namespace\s|template\s*<|using\s|(?:public|private|protected)\s*:)", re.M
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """A language's table with its parser and its compiled queries, of tree-sitter's own types."""

    language: str
    table: Table
    parser: Any
    functions: Any
    classes: Any
    scopes: Any
    comments: Any


def load_grammar(language: str) -> Grammar:
    """The grammar of one of the eleven languages.

    Raises:
        MissingExtra: tree-sitter or the grammar's package is not installed.
    """
    table = TABLES[language]
    try:
        import tree_sitter

        package = importlib.import_module(table.module)
    except ImportError as error:
        raise MissingExtra("code", "reading functions from source code") from error
    with warnings.catch_warnings():
        # One published grammar still hands over its pointer as an int.
        warnings.simplefilter("ignore", DeprecationWarning)
        grammar = tree_sitter.Language(package.language_php() if language == "php" else package.language())
    return Grammar(
        language=language,
        table=table,
        parser=tree_sitter.Parser(grammar),
        functions=tree_sitter.Query(grammar, table.functions),
        classes=tree_sitter.Query(grammar, table.classes),
        scopes=tree_sitter.Query(grammar, table.scopes),
        comments=tree_sitter.Query(grammar, table.comments),
    )


def language_of(name: str, source: bytes) -> str | None:
    """The language of a file by its name, and a ``.h`` by whether it holds C++; None for any other file."""
    language = LANGUAGE_BY_EXTENSION.get("." + name.rpartition(".")[2].lower()) if "." in name else None
    return "cpp" if name.endswith(".h") and CPP_HEADER.search(source) is not None else language
