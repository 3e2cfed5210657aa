"""Comments and string literals → the words they document with, and code without its docstring.

Pure text functions: what a comment says without its marks, what a literal means, and how a docstring is cut
out of a function so that every other byte stays.
"""

import ast
import inspect
import io
import re
import textwrap
import tokenize
import warnings
from collections.abc import Iterator, Sequence

from procqa.corpora.files import mend

LINE_MARK = re.compile(r"\s*(?://[/!]?|#+(?![!\[])|;+) ?")
OPENING = re.compile(r"/\*+(?!/)[!<]*|#\||=begin\b[^\n]*")
STARS = re.compile(r"\*{1,2} ?")
FRAME = "-=*#/_~+;"
DIRECTIVE = re.compile(r"go:\w|nolint\b|rubocop:|:nodoc:|eslint-|@ts-|NOLINT|clang-format ")
INHERITED = re.compile(r"\{?@inheritdoc\}?|[@\\]copydoc \S.*", re.IGNORECASE)
XML_NAMED = re.compile(r"<(?:param|typeparam|exception)\s+(?:name|cref)=\"(?:\w:)?([^\"]*)\"\s*>")
XML_REFERENCE = re.compile(r"<\w+\s+(?:cref|name|langword|href)=\"(?:\w:)?([^\"]*)\"\s*/>")
XML_TAG = re.compile(r"</?[A-Za-z]\w*(?:\s+\w+=\"[^\"]*\")*\s*/?>")
XML_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))
PYTHON_LITERAL_START = re.compile(r"[rRuU]?['\"]")


def comment_text(comments: Sequence[str], *, xml: bool = False) -> str:
    """What a run of comments says: marks, frames and directives to tools taken off.

    Args:
        comments: one block comment, or line comments in order.
        xml: the text is C# documentation; its tags are taken off and what they name is kept.
    """
    lines = [line for comment in comments for line in _strip_marks(comment)]
    text = "\n".join(_strip_frame(line) for line in lines if not _is_noise(line.strip()))
    text = textwrap.dedent(text)
    if xml:
        text = _strip_xml(text)
    text = text.strip()
    return "" if INHERITED.fullmatch(text) else text


def _strip_marks(comment: str) -> list[str]:
    """The lines of one comment without what makes them a comment."""
    text = comment.strip()
    opening = OPENING.match(text)
    if opening is None:
        return [LINE_MARK.sub("", text, count=1)]
    text = text[opening.end() :]
    for closing in ("*/", "|#", "\n=end"):
        text = text.removesuffix(closing)
    first, *rest = text.rstrip("*").splitlines() or [""]
    if all(line.lstrip().startswith("*") for line in rest if line.strip()):
        rest = [STARS.sub("", line.lstrip(), count=1) for line in rest]
    return [first.lstrip(), *textwrap.dedent("\n".join(rest)).split("\n")]


def _is_noise(line: str) -> bool:
    """Whether a line is a rule of dashes and the like, or an order to a tool."""
    return (len(line) >= 3 and not line.strip(FRAME)) or DIRECTIVE.match(line) is not None


def _strip_frame(line: str) -> str:
    """A line without the rule that runs on both sides of a heading, or behind it."""
    line = line.rstrip()
    bare = line.rstrip("-=*")
    return bare.rstrip().lstrip(" \t-=*") if len(line) - len(bare) >= 5 else line


def _strip_xml(text: str) -> str:
    text = XML_REFERENCE.sub(r"\1", XML_NAMED.sub(r"\1: ", text))
    text = XML_TAG.sub("", text)
    for entity, character in XML_ENTITIES:
        text = text.replace(entity, character)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def python_literal_text(literal: str) -> str | None:
    """The text of a Python string literal as ``help()`` shows it; None where it is bytes or an f-string."""
    if PYTHON_LITERAL_START.match(literal) is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an escape such as \d, which old docstrings are full of
            value = ast.literal_eval(f"({literal})")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return inspect.cleandoc(literal.lstrip("rRuU").strip("'\"")).strip()
    return mend(inspect.cleandoc(value).strip()) if isinstance(value, str) else None


def lisp_literal_text(literal: str) -> str:
    """The text of a Common Lisp string literal, each line without the indentation of the source."""
    text = re.sub(r"\\(.)", r"\1", literal[1:-1], flags=re.DOTALL)
    return inspect.cleandoc("\n".join(text.splitlines())).strip()


def cut_docstring(code: str, start: int, end: int, *, separator: str = "") -> str:
    """The code without the literal at [start, end), and without the line that only it filled.

    Args:
        separator: what ends a statement on the same line, and goes with the literal.
    """
    line = code.rfind("\n", 0, start) + 1
    is_first = not code[line:start].strip()
    while end < len(code) and code[end] in " \t":
        end += 1
    if separator and code.startswith(separator, end):
        end += len(separator)
        while end < len(code) and code[end] in " \t":
            end += 1
    is_last = end == len(code) or code.startswith(("\n", "\r\n"), end)
    if is_first and is_last:
        after = code.find("\n", end)
        return code[:line] + (code[after + 1 :] if after >= 0 else "")
    return (code[:start].rstrip(" \t") if is_last else code[:start]) + code[end:]


def strip_python_docstring(code: str) -> str:
    """A Python function's code without its docstring, whatever version of Python it was written for.

    CodeSearchNet's Python code still holds the docstring that is to find it. Source: docs/paper.md#suite.
    """
    if '"' not in code and "'" not in code:
        return code
    try:
        span = _docstring_span(tokenize.generate_tokens(io.StringIO(code, newline="").readline))
    except (tokenize.TokenError, SyntaxError):
        return code
    if span is None:
        return code
    starts = [0]
    for line in code.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    (first_row, first_column), (last_row, last_column) = span
    start, end = starts[first_row - 1] + first_column, starts[last_row - 1] + last_column
    return cut_docstring(code, start, end, separator=";")


def _docstring_span(tokens: Iterator[tokenize.TokenInfo]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Where the docstring of the first function stands, as (row from 1, column) of its start and end."""
    depth, in_signature = 0, False
    for token in tokens:
        if not in_signature:
            in_signature = token.type == tokenize.NAME and token.string == "def"
        elif token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
            if token.string == ":" and depth == 0:
                break
    span = None
    for token in tokens:
        if token.type == tokenize.STRING and PYTHON_LITERAL_START.match(token.string):
            span = (span[0] if span else token.start, token.end)
        elif span is not None:
            is_statement = token.type in (tokenize.NEWLINE, tokenize.ENDMARKER, tokenize.COMMENT) or token.string == ";"
            return span if is_statement else None
        elif token.type not in (tokenize.NEWLINE, tokenize.NL, tokenize.COMMENT, tokenize.INDENT):
            return None
    return span
