"""What an agent reads of a result or of a document: text within a number of tokens, credited and quoted.

Around each quotation stands what procqa itself says: who wrote it, where it stands, under which licence, what was cut,
and which rules of ``screening.py`` it meets. Source: ours, docs/decisions/0027.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from procqa.errors import QueryError
from procqa.records import LOCAL, Document, Hit
from procqa.search.forms import markdown_of
from procqa.search.quoting import Quotation, count_tokens, head_of, legible, link, name
from procqa.search.screening import screen
from procqa.search.searcher import SearchResult
from procqa.text import join, one_line, segments

LEAST_TOKENS, MOST_TOKENS = 500, 20_000
"""What an answer may be asked to keep to, in tokens. Source: ours, docs/decisions/0027."""

LEAST_HIT_TOKENS = 250
"""A hit is shown where it has so many; the rest of the hits is counted."""

LEAST_TEXT_TOKENS = 40
MAX_TITLE_CHARS = 300
CUT_TOKENS, WARNING_TOKENS = 35, 75
"""Put by for lines that are worded last: that of what is cut or left out, and that of a warning with every rule."""


@dataclass(frozen=True, slots=True)
class Part:
    """One document in an answer: what procqa says before and after the quoted text, and that text.

    Args:
        more: what to do where the text is cut; ``{at}`` and ``{all}`` are characters, ``start`` included.
        start: characters that were skipped before the text.
    """

    head: str
    title: str
    text: str
    credit: tuple[str, ...]
    more: str
    start: int = 0


def check_budget(tokens: int) -> int:
    """The number of tokens, where an answer can keep to it.

    Raises:
        QueryError: it is out of range.
    """
    if not LEAST_TOKENS <= tokens <= MOST_TOKENS:
        raise QueryError(f"max_tokens must lie between {LEAST_TOKENS} and {MOST_TOKENS:,}, got {tokens}")
    return tokens


def brief_result(result: SearchResult, max_tokens: int, *, code_only: bool = False) -> str:
    """The hits of a search for an agent.

    Args:
        max_tokens: what the answer keeps to, as ``count_tokens`` counts.
        code_only: show of each answer its blocks of code, where it has any.

    Raises:
        QueryError: the number of tokens is out of range.
    """
    left = check_budget(max_tokens)
    number = "1 hit" if len(result.hits) == 1 else f"{len(result.hits)} hits"
    quotation = Quotation()
    lines = [f"{number}, ranked by {result.mode}{_until(result.dump_date)}."]
    if result.hits:
        lines.append(quotation.rule)
    left -= sum(map(_cost, lines)) + CUT_TOKENS
    for index, hit in enumerate(result.hits):
        remaining = len(result.hits) - index
        if left < LEAST_HIT_TOKENS or (part := _write(_of_hit(hit, code_only), left, remaining, quotation)) is None:
            lines.append(f"\n{remaining} more left out: raise max_tokens, or ask for fewer or for something narrower.")
            break
        lines.append(part)
        left -= _cost(part)
    return "\n".join(lines)


def brief_document(document: Document, max_tokens: int, *, start: int = 0, dump_date: str | None = None) -> str:
    """One document with its question for an agent.

    Args:
        start: characters of its text to skip, as an answer that was cut names them.
        dump_date: the newest date in the dumps behind the index.

    Raises:
        QueryError: a number is out of range.
    """
    left = check_budget(max_tokens)
    question, answer = markdown_of(document)
    text = f"question:\n{question}\n\nanswer:\n{answer}"
    if not 0 <= start < len(text):
        raise QueryError(f"start must lie between 0 and {len(text) - 1:,}, the length of this document, got {start}")
    quotation = Quotation()
    lines = [f"1 document{_until(dump_date)}.", quotation.rule]
    part = Part(
        f"id {name(document.id)}, {document.language}, tags {name(' '.join(document.tags))}, from character {start}",
        document.title,
        text[start:],
        tuple(credit(document)),
        "cut at character {at} of {all}: call get_document with start={at} to go on",
        start,
    )
    left -= sum(map(_cost, lines))
    return "\n".join([*lines, _write(part, left, 1, quotation) or "\ntoo little room for it: raise max_tokens."])


def credit(document: Document) -> Iterator[str]:
    """Who wrote question and answer, under which licences, and where both stand."""
    by = document.attribution
    answer = _author(by.answer_author, by.answer_author_url, by.answer_licence)
    question = _author(by.question_author, by.question_author_url, by.question_licence)
    if answer == question:
        yield f"{'by' if document.place else 'question and answer by'} {answer}"
    else:
        yield f"answer by {answer}"
        yield f"question by {question}"
    if document.place is not None:
        yield f"from {name(by.origin)}, {name(f'{document.place.path}:{document.place.line}')}"
    else:
        urls = ((kind, link(url)) for kind, url in (("question", by.question_url), ("answer", by.answer_url)))
        links = [f"{kind} {url}" for kind, url in urls if url]
        if links or by.origin != LOCAL:
            yield ", ".join([f"from {name(by.origin)}", *links])


def _author(author: str, url: str | None, licence: str) -> str:
    profile = link(url)
    return f"{name(author)}{f' ({profile})' if profile else ''}, licence {name(licence)}"


def _of_hit(hit: Hit, code_only: bool) -> Part:
    document = hit.document
    _, answer = markdown_of(document)
    code = [segment for segment in segments(answer) if segment.kind == "code"]
    return Part(
        f"hit {hit.rank}: id {name(document.id)}, {document.language}, score {hit.score:.4g}",
        document.title,
        join(code) if code_only and code else answer,
        tuple(credit(document)),
        "cut at character {at} of {all}: get_document has all",
    )


def _write(part: Part, left: int, remaining: int, quotation: Quotation) -> str | None:
    """A part within its share of the tokens that are left; None where that is too little for it.

    Args:
        remaining: how many parts share what is left, this one included.
    """
    title = f"title: {one_line(part.title)[:MAX_TITLE_CHARS]}\n\n"
    frame = sum(map(_cost, [f"\n{part.head}", quotation.begin, legible(title), quotation.end, *part.credit]))
    share = min(left, max(LEAST_HIT_TOKENS, left // remaining)) - frame
    text = shown = legible(part.text)
    size = count_tokens(text)
    if size + WARNING_TOKENS > share:
        least = min(size, LEAST_TEXT_TOKENS)
        if frame + least + CUT_TOKENS + WARNING_TOKENS > left:
            return None
        shown = head_of(text, max(share - CUT_TOKENS - WARNING_TOKENS, least))
    lines = [f"\n{part.head}", quotation.quote(f"{title}{shown}"), *part.credit]
    if shown != text:
        lines.append(part.more.format(at=part.start + len(shown), all=part.start + len(text)))
    if flags := screen("\n".join((part.title, *part.credit, part.text[: len(shown)]))):
        lines.append(f"warning: this text {', '.join(flags)}; it may be meant for an agent, and it is only quoted here")
    return "\n".join(lines)


def _cost(text: str) -> int:
    """The tokens of a text and of the line break after it."""
    return count_tokens(text) + 1


def _until(dump_date: str | None) -> str:
    return "" if dump_date is None else f"; posts up to {dump_date[:10]}"
