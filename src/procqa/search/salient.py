"""Finds what an error message or a stack trace says, and leaves out where it happened on whose machine.

Frames, paths, line numbers, addresses and times differ from one machine to the next and are in no answer; the
kind of the error and its message are. Source: ours, docs/search.md#queries; the shapes are those that the eleven
languages' own tools print.
"""

import re
from collections.abc import Iterator

MOST_LINES = 6
"""Salient lines that are kept, the last: what caused an error stands there. Source: ours, docs/search.md#queries."""

_KIND = r"(?:[A-Za-z_$][\w$]*[.:\\]+)*[A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit|Fault|Panic|NotFound|Failure)"

_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        rf"^(?:Uncaught |Unhandled |fatal: )?(?:\(in promise\) )?{_KIND}(?:: |$|:$)",  # Python, JavaScript
        r"^(?:Uncaught |Unhandled )?(?:\(in promise\) )?(?:Error|Exception): ",  # the same, without a kind
        r"^Exception in thread |^Caused by: |^Unhandled [Ee]xception",  # Java, C#
        rf"^{_KIND} \(",  # C#
        r"^(?:panic|fatal error|runtime error): ",  # Go
        r"^thread '.*' (?:\(\d+\) )?panicked at|^error(?:\[E\d{4}\])?: |^warning: unused",  # Rust
        r"^(?:[^\s:]+:\d+(?::\d+)?: )?(?:fatal )?error(?: \w+)?: ",  # compilers
        r"(?:^|: )undefined reference to|^ld: |^collect2: |^Segmentation fault|^\*\*\* |: undefined: ",  # linkers, C
        r"^(?:PHP )?(?:Fatal|Parse|Catchable fatal) error: |^(?:PHP )?(?:Warning|Notice|Deprecated): ",  # PHP
        rf"\({_KIND}\)$",  # Ruby
        r"^\S+\(\d+,\d+\): error \w+: ",  # C#, its compiler
        r"^(?:The (?:variable|function) .* is (?:unbound|undefined)|debugger invoked on an? )",  # Lisp
        r"^npm ERR! |^(?:E|error|ERROR|FATAL): ",  # tools
    )
)
"""Lines that say what is wrong."""

_ANNOUNCES = re.compile(r"thread '.*' (?:\(\d+\) )?panicked at \S+:\d+:\d+:")
"""A line that says where something is wrong, and the next one what: Rust."""

_FRAMES = re.compile(
    r"^\s*(?:File \".*\", line \d+|at \S+ ?\(|at \S+:\d+|in .+ at line \d+|\d+: 0x[0-9a-f]+|goroutine \d+ \[|#\d+ )"
)
"""Lines that say where it happened."""

_HEADS = re.compile(r"^\s*(?:Traceback \(most recent call last\):|stack backtrace:|Stack trace:|Backtrace)")

_NOISE = (
    (re.compile(r"^\d{4}-\d\d-\d\d[T ][\d:.,]+Z?\s*|^\[?\d\d:\d\d:\d\d[.,\d]*\]?\s*"), ""),
    (re.compile(r"\(?(?:\.text)?\+?0x[0-9a-fA-F]+\)?"), ""),
    (re.compile(r"(?:[A-Za-z]:)?(?:[\\/][\w.@~+-]+){2,}(?::\d+)*(?:,\d+)?"), ""),
    (
        re.compile(r"(?<![\w.-])[\w.-]+\.(?:c|cc|cpp|cs|go|h|hpp|java|js|jsx|ts|tsx|lisp|php|py|rb|rs):\d+(?::\d+)?:?"),
        "",
    ),
    (re.compile(r"\bon line \d+|\bline \d+(?:, column \d+)?|\(\d+,\d+\)"), ""),
    (re.compile(r"\s+"), " "),
)
"""What stands in a message and is of one machine alone, and what takes its place."""


def find_salient(text: str) -> tuple[str, ...]:
    """The lines of an error or a trace that say what is wrong, cleaned; none for a text that is neither.

    Args:
        text: what somebody pasted: with frames, or begun by a line that says what is wrong, or made of such lines to a
            quarter; one line is an error only if it says so itself.
    """
    lines = [line.rstrip() for line in text.strip().splitlines() if line.strip()]
    said = list(_said([line.strip() for line in lines]))
    is_trace = any(_FRAMES.match(line) or _HEADS.match(line) for line in lines)
    if not said or not (is_trace or is_error_line(lines[0].strip()) or 4 * len(said) >= len(lines) > 1):
        return ()
    return tuple(dict.fromkeys(_clean(said)))[-MOST_LINES:]


def _said(lines: list[str]) -> Iterator[str]:
    """The lines that say what is wrong, each in its place."""
    for line, below in zip(lines, [*lines[1:], ""], strict=False):
        if is_error_line(line):
            yield below if below and _ANNOUNCES.fullmatch(line) else line


def is_error_line(line: str) -> bool:
    """Whether a line says what is wrong, as the tools of some language print it."""
    return any(shape.search(line) for shape in _SHAPES)


def _clean(lines: list[str]) -> Iterator[str]:
    for line in lines:
        cleaned = line
        for noise, instead in _NOISE:
            cleaned = noise.sub(instead, cleaned)
        if cleaned.strip(" :,-"):
            yield cleaned.strip(" ,-")
