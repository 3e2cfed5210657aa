"""The rules by which a benchmark text and a pair share a text, on the texts themselves, and their bounds.

The search uses them to confirm its candidates, ``procqa verify`` to check a proof without the search.
Source: docs/paper.md#decontamination for ``substring``; the others are ours, docs/decisions/0009.
"""

import re

import numpy as np

from procqa.dataset.leak_kernels import GRAM_TOKENS, count_telling, gram_keys, run_keys, tell
from procqa.dataset.tokens import Tokens, lower, read_tokens
from procqa.text import segments

EXACT, SUBSTRING, SHORT, LONG_GRAM, NEAR_DUPLICATE = "exact", "substring", "short", "13-gram", "near-duplicate"
RULES = (EXACT, SUBSTRING, SHORT, LONG_GRAM, NEAR_DUPLICATE)
"""In the order in which they are tried: the first that applies names the leak."""

FEW_CHARS, FEW_WORDS = 40, 6
"""A text below both is too short to be looked for within another. Source: ours, docs/decisions/0009."""

LEAST_WORDS = 3
"""Of fewer words a text has no inner one. Source: ours, docs/decisions/0009."""

LEAST_UNIT_CHARS, LEAST_UNIT_TOKENS = 16, 3
"""A text below either is not compared with titles and code blocks. Source: ours, docs/decisions/0009."""

LEAST_POST_CHARS, LEAST_POST_TOKENS = 6, 2
"""A text below either is not compared with whole posts. Source: ours, docs/decisions/0009."""

TELLING_TOKENS = 8
"""Fewer different words in 13 tokens are an idiom (a loop, a table of numbers). Source: ours, docs/decisions/0009."""

TELLING_BYTES = 20
"""Fewer bytes in the different words of a short text are an idiom. Source: ours, docs/decisions/0009."""

LEAST_SIMILAR_TOKENS = 11
"""In a shorter text one other word at the end is below the bound. Source: ours, docs/decisions/0009."""

SIMILARITY = 0.8
"""Jaccard similarity of the sets of word 3-grams. Source: docs/paper.md#decontamination (authors' code)."""

CODE_FIELDS = {"question": "question code", "answer": "answer code"}
FIELDS = ("title", "question", "answer", *CODE_FIELDS.values(), "pair")
"""Where a benchmark text may stand; ``pair`` is title, question and answer with blanks between them."""

_WORD = re.compile(r"\w+")
_FENCES = ("```", "~~~")


def is_too_short(text: str) -> bool:
    """Whether a benchmark text says so little that many posts hold it by chance."""
    n_words = len(_WORD.findall(text))
    few = n_words < LEAST_WORDS or (n_words < FEW_WORDS and len(text.strip()) < FEW_CHARS)
    return few or len(read_tokens(text)) < LEAST_WORDS


def can_be_exact(text: str, field: str) -> bool:
    """Whether a benchmark text says enough to be compared with a whole field; posts ask for less."""
    if field in CODE_FIELDS:
        chars, tokens = LEAST_POST_CHARS, LEAST_POST_TOKENS
    else:
        chars, tokens = LEAST_UNIT_CHARS, LEAST_UNIT_TOKENS
    return len(text.strip()) >= chars and len(read_tokens(text)) >= tokens


def is_short_idiom(text: str) -> bool:
    """Whether a text of fewer than 13 tokens is made of so few words that code has it by chance."""
    tokens = read_tokens(text)
    telling = tell(np.frombuffer(tokens.data, np.uint8), tokens.starts, tokens.ends)
    _, first = np.unique(tokens.hashes[telling], return_index=True)
    return int((tokens.ends - tokens.starts)[telling][first].sum()) < TELLING_BYTES


def are_equal(left: str, right: str) -> bool:
    """Whether two texts are the same tokens."""
    return np.array_equal(read_tokens(left).hashes, read_tokens(right).hashes)


def find_run(text: str, within: str) -> tuple[int, int] | None:
    """The characters at which a text first stands within another as a run of whole tokens."""
    wanted, tokens = read_tokens(text).hashes, read_tokens(within)
    n = len(wanted)
    if not 0 < n <= len(tokens):
        return None
    windows = np.lib.stride_tricks.sliding_window_view(tokens.hashes, n)
    for start in np.flatnonzero(windows[:, 0] == wanted[0]):
        if np.array_equal(windows[start], wanted):
            return characters(tokens, int(start), int(start) + n)
    return None


def characters(tokens: Tokens, first: int, end: int) -> tuple[int, int]:
    """The characters of a text from one token to before another."""
    return tokens.character(int(tokens.starts[first])), tokens.character(int(tokens.ends[end - 1]))


def find_substring(text: str, within: str) -> tuple[int, int] | None:
    """The characters at which a text without the blanks around it first stands within another, in any case."""
    wanted = lower(text.strip())
    start = lower(within).find(wanted)
    return None if start < 0 else (start, start + len(wanted))


def find_gram(grams_of: str, within: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The characters, in a benchmark text and in another, of their first telling run of 13 tokens."""
    left, right = read_tokens(grams_of), read_tokens(within)
    mine, theirs = gram_keys(left.hashes), gram_keys(right.hashes)
    telling = is_telling(right)
    for start in np.flatnonzero(np.isin(theirs, mine) & telling):
        first = int(np.flatnonzero(mine == theirs[start])[0])
        return characters(left, first, first + GRAM_TOKENS), characters(right, int(start), int(start) + GRAM_TOKENS)
    return None


def is_telling(tokens: Tokens) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(n − 12,) bool: which runs of 13 tokens say enough to be told from an idiom."""
    telling = tell(np.frombuffer(tokens.data, np.uint8), tokens.starts, tokens.ends)
    few: np.ndarray[tuple[int], np.dtype[np.bool_]] = count_telling(tokens.hashes, telling) >= TELLING_TOKENS
    return few


def is_gram_of(matched: str, text: str) -> bool:
    """Whether a text is a telling run of 13 tokens of another."""
    tokens = read_tokens(matched)
    return len(tokens) == GRAM_TOKENS and bool(is_telling(tokens)[0]) and matched in text


def similarity(left: str, right: str) -> float:
    """The Jaccard similarity of the sets of 3 tokens in a row of two texts; 0 where one has none."""
    mine, theirs = (np.unique(run_keys(read_tokens(text).hashes)) for text in (left, right))
    shared = len(np.intersect1d(mine, theirs, assume_unique=True))
    return shared / max(len(mine) + len(theirs) - shared, 1)


def code_blocks(markdown: str) -> list[str]:
    """The fenced code of a post."""
    if not any(fence in markdown for fence in _FENCES):
        return []
    return [span.text for span in segments(markdown) if span.kind == "code"]


def proves(rule: str, matched: str, field: str, evidence: str) -> bool:
    """Whether a text of a benchmark stands in an excerpt of a field under a rule and its bounds."""
    n_tokens = len(read_tokens(matched))
    if rule == EXACT:
        return can_be_exact(matched, field) and are_equal(matched, evidence)
    if rule == SUBSTRING:
        return not is_too_short(matched) and find_substring(matched, evidence) is not None
    if rule == SHORT:
        bounds = n_tokens < GRAM_TOKENS and not is_too_short(matched) and not is_short_idiom(matched)
        return bounds and find_run(matched, evidence) is not None
    if rule == LONG_GRAM:
        return n_tokens >= GRAM_TOKENS and find_run(matched, evidence) is not None
    if rule == NEAR_DUPLICATE:
        return n_tokens >= LEAST_SIMILAR_TOKENS and similarity(matched, evidence) >= SIMILARITY
    return False
