"""Whether a post is written in English, told by its prose alone.

Code blocks, inline code, addresses and words that look like identifiers say nothing about the language
and are left out first. What is left is judged by the library py3langid. A post counts as English unless
it clearly is something else, because a title such as "Enum HOWTO" is no sentence of any language.

Source: docs/paper.md#languages; the numbers are ours, docs/decisions/0011, which tells how often they are wrong.
"""

import re
from functools import lru_cache
from typing import Any

from procqa.text import segments

MAX_RAW_CHARS = 2_000
"""Prose that is looked at, with all that is left out of it, characters. Source: ours, docs/decisions/0011."""

MAX_PROSE_WORDS = 80
"""Words that are judged; more change no answer. Source: ours, docs/decisions/0011."""

MIN_LETTER_BYTES = 20
"""Prose with fewer bytes of letters (UTF-8) is too little to judge. Source: ours, docs/decisions/0011."""

MIN_PROBABILITY = 0.02
"""A post whose probability of English is lower is not English. Source: ours, docs/decisions/0011."""

MIN_ENGLISH_SHARE = 0.15
"""Prose with that share of FUNCTION_WORDS is English without asking the library, which is slow.

Source: ours, docs/decisions/0011."""

_FUNCTION_WORDS = "and are but can does from have how is it my not of that the there this what when which with you your"
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Common English words that are rare in every other language; ``a``, ``do``, ``to`` and the like are Polish too.

Source: ours, docs/decisions/0011."""

LIKELY_LANGUAGES = (
    "ar bg bn ca cs da de el en es fa fi fr he hi hu id it ja ko nl no pl pt ro ru sk sr sv th tr uk ur vi zh"
)
"""The languages a post may be in, as ISO 639 codes. Source: ours, docs/decisions/0011."""

_CODE_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_ADDRESS = re.compile(r"\]\([^()\s]*\)|(?:https?://|www\.)\S+")
_IDENTIFIER = re.compile(r"[\d_/\\@#$%^*=<>{}\[\]|~]|[a-z][A-Z]|\w[.:(]\w|\(\)")


def is_english(markdown: str) -> bool:
    """Whether the prose of a Markdown text is English, or too little to tell.

    Time is linear in the text for its code, and bounded by MAX_RAW_CHARS for the rest.
    """
    words = _prose_words(markdown)
    if sum(word.lower() in FUNCTION_WORDS for word in words) >= max(MIN_ENGLISH_SHARE * len(words), 3):
        return True
    prose = " ".join(words)
    if sum(len(letter.encode("utf-8", "surrogatepass")) for letter in prose if letter.isalpha()) < MIN_LETTER_BYTES:
        return True
    identifier = _load_identifier()
    if identifier.classify(prose)[0] == "en":
        return True
    return bool(dict(identifier.rank(prose))["en"] >= MIN_PROBABILITY)


def _prose_words(markdown: str) -> list[str]:
    """The first words of a text outside its code that can tell a language."""
    text = " ".join(span.text for span in segments(markdown) if span.kind == "text")[:MAX_RAW_CHARS]
    if "`" in text:
        text = _CODE_SPAN.sub(" ", text)
    if "://" in text or "](" in text or "www." in text:
        text = _ADDRESS.sub(" ", text)
    words = [word for word in text.split() if _IDENTIFIER.search(word) is None]
    return words[:MAX_PROSE_WORDS]


@lru_cache(maxsize=1)
def _load_identifier() -> Any:
    """The classifier of py3langid, which has no types; it takes half a second to load."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LIKELY_LANGUAGES.split())
    return identifier
