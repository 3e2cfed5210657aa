"""Candidates in a pair → the one leak that names it, confirmed on the texts; it is asked of few pairs only."""

from collections.abc import Callable, Sequence

from procqa.corpora.benchmarks import BenchmarkText
from procqa.dataset import leak_rules as rules
from procqa.dataset.leak_kernels import GRAM, GRAM_TOKENS, NEAR, RUN
from procqa.dataset.tokens import lower, read_tokens

Confirmed = tuple[BenchmarkText, str, str, str, str]
"""The text, the rule, what is matched, the field, and the evidence."""


class _Candidates:
    """What the search named, and the parts of the pair, each made when it is asked for."""

    def __init__(
        self, found: Sequence[Sequence[int]], text_of: Callable[[int], BenchmarkText], fields: dict[str, str]
    ) -> None:
        self.fields = fields
        self._text_of = text_of
        self._texts: dict[int, BenchmarkText] = {}
        self._code: list[tuple[str, str]] | None = None
        self._found = {kind: sorted({row[1] for row in found if row[0] == kind}) for kind in (RUN, GRAM, NEAR)}

    def texts(self, kind: int) -> list[BenchmarkText]:
        """The texts of the candidates of a kind, in the order of the benchmarks."""
        for item in self._found[kind]:
            if item not in self._texts:
                self._texts[item] = self._text_of(item)
        return [self._texts[item] for item in self._found[kind]]

    def units(self) -> list[tuple[str, str]]:
        """Title, question, answer and the code blocks of question and answer, by their field."""
        if self._code is None:
            blocks = ((name, self.fields[field]) for field, name in rules.CODE_FIELDS.items())
            self._code = [(name, code) for name, text in blocks for code in rules.code_blocks(text)]
        return [*self.fields.items(), *self._code]


def confirm(
    found: Sequence[Sequence[int]], text_of: Callable[[int], BenchmarkText], fields: dict[str, str]
) -> Confirmed | None:
    """The first leak, rule by rule and within a rule in the order of the benchmarks; None where none is confirmed.

    Args:
        found: kind, item and place of each candidate (``leak_kernels.search``).
        text_of: the text of an item.
        fields: title, question and answer.
    """
    candidates = _Candidates(found, text_of, fields)
    for rule in (_exact, _substring, _short, _long_gram, _near_duplicate):
        confirmed = rule(candidates)
        if confirmed is not None:
            return confirmed
    return None


def _exact(candidates: _Candidates) -> Confirmed | None:
    for text in candidates.texts(RUN):
        for field, unit in candidates.units():
            if rules.proves(rules.EXACT, text.text, field, unit):
                return text, rules.EXACT, text.text, field, unit
    return None


def _substring(candidates: _Candidates) -> Confirmed | None:
    pair = " ".join(candidates.fields.values())
    for text in candidates.texts(RUN):
        place = None if rules.is_too_short(text.text) else rules.find_substring(text.text, pair)
        if place is not None:
            evidence = pair[place[0] : place[1]]
            within = (name for name, value in candidates.fields.items() if rules.find_substring(text.text, value))
            return text, rules.SUBSTRING, lower(text.text.strip()), next(within, "pair"), evidence
    return None


def _short(candidates: _Candidates) -> Confirmed | None:
    return _whole_run(candidates, rules.SHORT)


def _whole_run(candidates: _Candidates, rule: str) -> Confirmed | None:
    """A text that stands in a field as a run of whole tokens: ``short`` below 13 tokens, else ``13-gram``."""
    for text in candidates.texts(RUN):
        is_short = len(read_tokens(text.text)) < GRAM_TOKENS
        if is_short != (rule == rules.SHORT) or rules.is_too_short(text.text):
            continue
        if is_short and rules.is_short_idiom(text.text):
            continue
        for field, value in candidates.fields.items():
            place = rules.find_run(text.text, value)
            if place is not None:
                return text, rule, text.text, field, value[place[0] : place[1]]
    return None


def _long_gram(candidates: _Candidates) -> Confirmed | None:
    confirmed = _whole_run(candidates, rules.LONG_GRAM)
    if confirmed is not None:
        return confirmed
    for text in candidates.texts(GRAM):
        for field, value in candidates.fields.items():
            places = rules.find_gram(text.text, value)
            if places is not None:
                (start, end), (first, last) = places
                return text, rules.LONG_GRAM, text.text[start:end], field, value[first:last]
    return None


def _near_duplicate(candidates: _Candidates) -> Confirmed | None:
    for text in candidates.texts(NEAR):
        for field, unit in candidates.units():
            if rules.proves(rules.NEAR_DUPLICATE, text.text, field, unit):
                return text, rules.NEAR_DUPLICATE, text.text, field, unit
    return None
