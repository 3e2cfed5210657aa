"""The functions and classes in one file of source code: name, docstring, and code without it, by tree-sitter.

Works on byte ranges that queries give, so a deep tree costs no recursion; a file with syntax errors gives
what the parser makes of it. It decides nothing: what is too short to keep is for the caller.
"""

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from procqa.corpora.docstrings import comment_text, cut_docstring, lisp_literal_text, python_literal_text
from procqa.corpora.grammars import Grammar

GENERICS = re.compile(r"<[^<>]*>")
JAVASCRIPT_PREFIX = re.compile(r"^(?:(?:module|exports|this|window|self)\b\.?)+")
GO_RECEIVER = re.compile(r"\b(\w+) ?(?:\[[^\]]*\])? ?\)$")
INDENT = re.compile(rb"[ \t]*")
LINE_COMMENTS = (b"//", b"#", b";")
BLOCK_COMMENTS = (b"#|",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function or method with a body, or one class.

    Args:
        name: qualified by the types and functions around it, parts joined by a full stop.
        line: where it starts, from 1.
        docstring: its documentation without marks; empty where there is none.
        code: its source text without the docstring, dedented to its own first column, else as it stands.
        body_chars: characters of its body that are neither white space nor docstring.
    """

    name: str
    line: int
    docstring: str
    code: str
    body_chars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """A named byte range: a function or a class, or a scope where ``body`` is None."""

    start: int
    end: int
    name: str
    body: tuple[int, int] | None = None
    docstring: tuple[int, int] | None = None
    is_class: bool = False


@dataclass(frozen=True, slots=True)
class _Comment:
    """A comment or an attribute, its trailing line end left out."""

    start: int
    end: int
    is_attribute: bool


def read_functions(source: bytes, grammar: Grammar) -> Iterator[Function]:
    """The named functions of a UTF-8 file in the order they start, outer before inner."""
    root = grammar.parser.parse(source).root_node
    return _read(root, source, grammar, _named_spans(grammar.functions, root, source, grammar))


def read_definitions(source: bytes, grammar: Grammar) -> Iterator[Function]:
    """The named functions and classes of a UTF-8 file in the order they start, outer before inner.

    The code of a class is its outline: what its methods do is cut, for they are definitions of their own.
    """
    root = grammar.parser.parse(source).root_node
    functions = _named_spans(grammar.functions, root, source, grammar)
    classes = _named_spans(grammar.classes, root, source, grammar)
    return _read(root, source, grammar, [*functions, *(replace(span, is_class=True) for span in classes)])


def _read(root: Any, source: bytes, grammar: Grammar, found: list[_Span]) -> Iterator[Function]:
    """The functions and classes of some spans, with their qualified names and what documents them."""
    if not found:
        return
    comments = _comments(root, source, grammar)
    bodies = sorted(span.body for span in found if span.body is not None and not span.is_class)
    spans = sorted(
        [*found, *_scope_spans(root, source, grammar)], key=lambda span: (span.start, -span.end, not span.is_class)
    )
    around: list[_Span] = []
    for span in spans:
        while around and around[-1].end <= span.start:
            around.pop()
        if span.body is not None:
            name = ".".join([*(outer.name for outer in around), span.name])
            cuts = bodies if span.is_class else []
            yield _to_function(replace(span, name=name), comments, source, grammar, cuts)
        if not span.is_class:  # as a scope it comes again
            around.append(span)


def _named_spans(query: Any, root: Any, source: bytes, grammar: Grammar) -> list[_Span]:
    """One span a function or class: patterns that match the same name are merged into the widest."""
    found: dict[int, _Span] = {}
    for captures in _matches(query, root):
        function, name = captures["function"][0], captures["name"][0]
        known = found.get(name.start_byte)
        docstring = _range(captures.get("docstring")) or (known.docstring if known else None)
        body = _range(captures.get("body")) or (known.body if known else None)
        if known is None:
            title = _name_of(name, source, grammar)
            if "receiver" in captures:
                receiver = GO_RECEIVER.search(" ".join(_text(source, captures["receiver"][0]).split()))
                title = f"{receiver[1]}.{title}" if receiver else title
            known = _Span(start=function.start_byte, end=function.end_byte, name=title)
        start, end = min(known.start, function.start_byte), max(known.end, function.end_byte)
        found[name.start_byte] = replace(known, start=start, end=end, body=body, docstring=docstring)
    return [span for span in found.values() if span.body is not None and span.name]


def _scope_spans(root: Any, source: bytes, grammar: Grammar) -> list[_Span]:
    spans = []
    for captures in _matches(grammar.scopes, root):
        scope, name = captures["scope"][0], _name_of(captures["name"][0], source, grammar)
        if name:
            spans.append(_Span(start=scope.start_byte, end=scope.end_byte, name=name))
    return spans


def _matches(query: Any, root: Any) -> Iterator[dict[str, list[Any]]]:
    from tree_sitter import QueryCursor

    for _, captures in QueryCursor(query).matches(root):
        yield captures


def _range(nodes: list[Any] | None) -> tuple[int, int] | None:
    return (nodes[0].start_byte, nodes[-1].end_byte) if nodes else None


def _text(source: bytes, node: Any) -> str:
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _name_of(node: Any, source: bytes, grammar: Grammar) -> str:
    """The plain name that a name node writes: no generics, no declarator around it, parts joined by full stops."""
    if grammar.language in ("c", "cpp"):
        node = _declared(node)
    name = " ".join(_text(source, node).split())
    if grammar.language == "javascript":
        name = JAVASCRIPT_PREFIX.sub("", name.strip("'\"").replace(".prototype.", "."))
    if "operator" not in name and grammar.language != "lisp":
        while "<" in name and (shorter := GENERICS.sub("", name)) != name:
            name = shorter
    if grammar.language == "rust":
        name = name.rpartition("::")[2].lstrip("&")
    return name.replace("::", ".") if grammar.language in ("cpp", "ruby") else name


def _declared(node: Any) -> Any:
    """The name inside a C or C++ declarator: pointers, references, brackets and parameters lie around it."""
    while node.type.endswith("_declarator"):
        inner = node.child_by_field_name("declarator") or (node.named_children[0] if node.named_children else None)
        if inner is None:
            break
        node = inner
    return node


def _comments(root: Any, source: bytes, grammar: Grammar) -> list[_Comment]:
    """Comments and attributes in order of their ends."""
    found = []
    for captures in _matches(grammar.comments, root):
        for capture, nodes in captures.items():
            for node in nodes:
                end = node.end_byte
                while end > node.start_byte and source[end - 1] in b"\r\n":
                    end -= 1
                found.append(_Comment(node.start_byte, end, capture == "attribute"))
    return sorted(found, key=lambda comment: comment.end)


def _to_function(
    span: _Span, comments: list[_Comment], source: bytes, grammar: Grammar, cuts: list[tuple[int, int]]
) -> Function:
    """The function or class of a span, without the bodies in it that are to be cut."""
    start, above = _comments_above(span.start, comments, source, grammar)
    docstring = comment_text([_decode(source[c.start : c.end]) for c in above], xml=grammar.language == "csharp")
    code = _decode(_cut(source, start, span.end, cuts))
    body_start, body_end = span.body or (start, span.end)
    body = source[body_start:body_end]
    if span.docstring is not None:
        first, last = span.docstring
        literal = _decode(source[first:last])
        text = python_literal_text(literal) if grammar.language == "python" else lisp_literal_text(literal)
        if text is not None:
            before = len(_decode(source[start:first]))
            separator = ";" if grammar.language == "python" else ""
            code = cut_docstring(code, before, before + len(literal), separator=separator)
            body = source[body_start:first] + source[last:body_end]
            docstring = text or docstring
    line_start = source.rfind(b"\n", 0, start) + 1
    indent = INDENT.match(source, line_start, start)
    return Function(
        name=span.name,
        line=source.count(b"\n", 0, start) + 1,
        docstring=docstring,
        code=_dedent(code, _decode(indent[0]) if indent else ""),
        body_chars=len("".join(_decode(body).split())),
    )


def _cut(source: bytes, start: int, end: int, cuts: list[tuple[int, int]]) -> bytes:
    """The bytes of a range with each of the sorted ranges in it as an empty body."""
    pieces, place = [], start
    for first, last in cuts[bisect.bisect_left(cuts, (start, start)) :]:
        if last > end:
            break
        if first >= place:  # else it lies in the one before
            pieces += [source[place:first], b"{ ... }" if source.startswith(b"{", first) else b"..."]
            place = last
    return b"".join([*pieces, source[place:end]])


def _comments_above(
    start: int, comments: list[_Comment], source: bytes, grammar: Grammar
) -> tuple[int, list[_Comment]]:
    """Where a function starts with its attributes, and the comments right above it that document it."""
    run: list[_Comment] = []
    place = start
    at = bisect.bisect_right(comments, place, key=lambda comment: comment.end) - 1
    while at >= 0 and _is_adjacent(comments[at], place, source):
        comment = comments[at]
        text = source[comment.start : comment.end]
        if comment.is_attribute:
            if run:
                break
            start = comment.start
        elif re.match(grammar.table.documentation, text) is None:
            break
        else:
            is_line = text.startswith(LINE_COMMENTS) and not text.startswith(BLOCK_COMMENTS)
            if run and not is_line:
                break
            run.append(comment)
            if not is_line:
                break
        place = comment.start
        at -= 1
    return start, run[::-1]


def _is_adjacent(comment: _Comment, place: int, source: bytes) -> bool:
    """Whether only white space without an empty line lies between, and the comment belongs to no code before it."""
    between = source[comment.end : place]
    if between.strip() or between.count(b"\n") > 1:
        return False
    line = source.rfind(b"\n", 0, comment.start) + 1
    return not source[line : comment.start].strip() or b"\n" not in between


def _dedent(code: str, indent: str) -> str:
    """The code with the indentation of its first line taken off the lines that have it."""
    return code.replace("\n" + indent, "\n") if indent else code


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
