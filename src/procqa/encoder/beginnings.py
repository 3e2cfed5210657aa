"""Tokens of the beginnings of long texts: what an encoder stops reading at need not be tokenized to its end.

Source: ours, docs/decisions/0025.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

CHARS_A_TOKEN = 6
"""Characters that are tokenized at first for each token that is read; few texts need more."""

GROWTH = 4
"""How many times more of a text is tokenized where that gave too few tokens."""

_BLANK_AFTER_WORD = re.compile(r"(?<=\S)[ \t\n\r]")


def cuts_at_blanks(tokenizer: "Tokenizer") -> bool:
    """Whether no token reaches across a blank, so that the tokens before one depend on nothing behind it."""
    pieces = tokenizer.pre_tokenizer and tokenizer.pre_tokenizer.pre_tokenize_str("ab cd")
    added = tokenizer.get_added_tokens_decoder().values()
    return pieces is not None and len(pieces) > 1 and not any(" " in token.content.strip() for token in added)


def encode_beginnings(
    tokenizer: "Tokenizer", texts: Sequence[str], encode: "Callable[[list[str]], list[Encoding]]"
) -> "list[Encoding]":
    """The tokens of texts, of a long one from its beginning alone; the same as of the whole texts.

    Args:
        tokenizer: of which ``encode`` is a method; it truncates at the right.
        encode: gives the encodings of texts.
    """
    limit = tokenizer.truncation["max_length"] if tokenizer.truncation else 0
    chars = CHARS_A_TOKEN * limit
    if limit == 0 or all(len(text) <= chars for text in texts) or not cuts_at_blanks(tokenizer):
        return encode(list(texts))
    waiting = list(range(len(texts)))
    found: dict[int, Encoding] = {}
    while waiting:
        heads = [_head(texts[place], chars) for place in waiting]
        found |= zip(waiting, encode(heads), strict=True)
        are_too_short = zip(waiting, heads, strict=True)
        waiting = [
            place for place, head in are_too_short if len(found[place]) < limit and len(head) < len(texts[place])
        ]
        chars *= GROWTH
    return [found[place] for place in range(len(texts))]


def _head(text: str, chars: int) -> str:
    """The text up to the first blank behind so many characters that ends a word."""
    blank = _BLANK_AFTER_WORD.search(text, chars) if len(text) > chars else None
    return text[: blank.start()] if blank else text
