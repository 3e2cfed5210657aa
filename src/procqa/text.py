"""Markdown of a post ↔ typed segments of text and code; words and split identifiers.

Every stage that counts, tokenizes or shows a post goes through here, so that what is measured is what
is served.
"""

from procqa.records import Segment


def segments(markdown: str) -> list[Segment]:
    """The spans of a post's Markdown in order, fenced code apart from prose."""
    raise NotImplementedError


def lexical_tokens(text: str) -> list[str]:
    """Folded, stemmed words; an identifier gives itself and its parts."""
    raise NotImplementedError
