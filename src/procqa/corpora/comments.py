"""Source code without its comments, as the publishers of benchmarks prepare what they measure on."""

import io
import re
import tokenize

_C_STRING_OR_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^\\'])*'|\"(?:\\.|[^\\\"])*\"", re.DOTALL)
_BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_NO_STATEMENT = frozenset({tokenize.NL, tokenize.COMMENT, tokenize.ENCODING})
_STARTS_STATEMENT = frozenset({tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT})


def on_one_line(code: str) -> str:
    """Code with one blank for every run of white space."""
    return " ".join(code.split())


def strip_block_comments(code: str) -> str:
    """Code with a blank for every ``/* … */``, be it in a string or not, as CDCS prepares its candidates."""
    return _BLOCK_COMMENT.sub(" ", code)


def strip_comments(code: str, language: str) -> str:
    """Code without comments; Python's without docstrings too, Ruby's as it is.

    Python that has no tokens, such as that of a broken indent, stays as it is.

    Source: what UniXcoder measures on, microsoft/CodeBERT: UniXcoder/downstream-tasks/zero-shot-search/run.py.
    """
    if language == "ruby":
        return code
    if language == "python":
        return _strip_python(code)
    return _C_STRING_OR_COMMENT.sub(lambda found: " " if found[0].startswith("/") else found[0], code)


def _strip_python(code: str) -> str:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return code
    starts = [0]
    for line in io.StringIO(code):
        starts.append(starts[-1] + len(line))
    kept, done = [], 0
    for token in _comments_and_docstrings(tokens):
        start, end = (starts[row - 1] + column for row, column in (token.start, token.end))
        kept.append(code[done:start])
        done = end
    return "".join([*kept, code[done:]])


def _comments_and_docstrings(tokens: list[tokenize.TokenInfo]) -> list[tokenize.TokenInfo]:
    """The comments, and the strings that are a statement by themselves."""
    found = []
    before = tokenize.NEWLINE
    for token, after in zip(tokens, [*tokens[1:], tokens[-1]], strict=True):
        is_alone = before in _STARTS_STATEMENT and after.type in (tokenize.NEWLINE, tokenize.COMMENT)
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and is_alone):
            found.append(token)
        if token.type not in _NO_STATEMENT:
            before = token.type
    return found
