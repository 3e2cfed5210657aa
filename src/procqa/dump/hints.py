"""Language hints of a post → the name on a code fence.

Authors name a language by a comment before the code (``<!-- language: lang-py -->``, or ``language-all``
for all code that follows), and the renderer by a class of the code block. A name stays as the post has
it but for the short ones of `LANGUAGE_NAMES`; nothing is guessed from the code itself.
Source: ours: docs/decisions/0005.
"""

import re

MAX_LANGUAGE_CHARS = 40
"""Where the name of a language is cut, in characters. Source: ours: docs/decisions/0005."""

LANGUAGE_NAMES = {
    "c++": "cpp",
    "c#": "csharp",
    "cc": "cpp",
    "cl": "lisp",
    "common-lisp": "lisp",
    "cs": "csharp",
    "cxx": "cpp",
    "el": "lisp",
    "elisp": "lisp",
    "golang": "go",
    "js": "javascript",
    "lsp": "lisp",
    "py": "python",
    "python-2.x": "python",
    "python-3.x": "python",
    "python3": "python",
    "rb": "ruby",
    "rs": "rust",
}
"""Short names in a post's hints → the names used everywhere. Source: ours: docs/decisions/0005."""

_HINT_COMMENT = re.compile(r"\s*language(-all)?:\s*([a-z0-9_+#.-]+)\s*", re.IGNORECASE)
_HINT_TAG = re.compile(r"!language (all|next) ([a-zA-Z0-9_+#.-]+)")
_LANGUAGE_CLASS = re.compile(r"(?<!\S)lang(?:uage)?-([a-z0-9_+#.-]+)", re.IGNORECASE)


def to_hint_tag(html: str, start: int, end: int) -> str:
    """The tag that stands in for a comment whose text is ``html[start:end]``; empty where it is no hint."""
    hint = _HINT_COMMENT.fullmatch(html, start, end)
    return f"<!language {'all' if hint[1] else 'next'} {hint[2]}>" if hint else ""


def read_hint_tag(tag: str) -> tuple[bool, str] | None:
    """Whether a tag of `to_hint_tag` speaks of all code that follows, and its language; None of another tag."""
    hint = _HINT_TAG.fullmatch(tag)
    return (hint[1] == "all", _language_name(hint[2])) if hint else None


def read_language_class(classes: str) -> str | None:
    """The language that a ``class`` attribute names, empty where it says that there is none; None without one."""
    match = _LANGUAGE_CLASS.search(classes)
    return _language_name(match[1]) if match else None


def _language_name(name: str) -> str:
    """The name of a language that a class or a comment names, empty for what is none."""
    name = name.lower().removeprefix("lang-").lstrip(".-")[:MAX_LANGUAGE_CHARS]
    return "" if name in ("none", "default") else LANGUAGE_NAMES.get(name, name)
