"""Cuts a document that is longer than an encoder reads, so that each part of it has a vector.

Every chunk has the title. The first begins as the document does, so that its vector is the one that it would have
alone; each further one begins at the last border that the chunk before it still reached: of a segment of prose or
code, or of a paragraph, else of a line. Knows no encoder. Source: ours, docs/decisions/0025.
"""

import re
from collections.abc import Callable, Iterator

from procqa.index.documents import document_text
from procqa.text import segments

ReadPart = Callable[[str], str]
"""The part of a text, from its beginning, that an encoder reads."""

Cut = Callable[[str, str], list[str]]
"""The texts whose vectors stand for a document, from its title and its answer."""

_PARAGRAPH = re.compile(r"\n[ \t]*\n(?=\S)")
_LINE = re.compile(r"\n(?=[^\n`~])")


def cut_document(title: str, answer: str, read_part: ReadPart, most: int) -> list[str]:
    """The texts whose vectors stand for a document; one where all of it is read.

    Args:
        most: chunks at most; what lies behind the last one is in no vector.
    """
    texts = [document_text(title, answer)]
    borders: list[int] | None = None
    start, length = 0, len(answer.rstrip())
    while len(texts) < most:
        end = start + len(read_part(texts[-1])) - len(document_text(title, ""))
        if end >= length:
            break
        if borders is None:
            borders = sorted({*_segment_borders(answer), *(gap.end() for gap in _PARAGRAPH.finditer(answer))})
        after = max((border for border in borders if start < border <= end), default=None)
        if after is None:
            after = max((line.end() for line in _LINE.finditer(answer, start + 1, max(end, 0))), default=end)
        if after <= start:  # the title alone is all that is read
            break
        start = after
        texts.append(document_text(title, answer[start:]))
    return texts


def _segment_borders(answer: str) -> Iterator[int]:
    """Where segments begin, code with its fence; the few that the converter does not write are passed over."""
    place = 0
    for segment in segments(answer):
        found = answer.find(segment.text, place)
        if found < 0:
            continue
        yield found if segment.kind == "text" else answer.rfind("\n", 0, max(found - 1, 0)) + 1
        place = found + len(segment.text)
