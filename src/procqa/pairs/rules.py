"""Why a question is no pair: every rule with its reason, what it asks for and its source, in the order of the funnel.

A question is counted under the first reason that applies. What a rule needs decides who asks it: the
joining of threads (no function here), the facts of both posts before they are converted
(`reason_of_posts`), or their Markdown (`reason_of_texts`). The numbers are settings of BuildConfig.

Source: docs/paper.md#accepted-answers, docs/paper.md#lengths; ours, docs/decisions/0011.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from procqa.config import BuildConfig
from procqa.pairs.english import is_english
from procqa.text import segments

FABRICATED = "fabricated row"
NO_ACCEPTED = "no accepted answer"
NO_ANSWER = "no answer in the dump"
NOT_IN_DUMP = "accepted answer not in the dump"
OF_ANOTHER = "accepted answer belongs to another question"
IS_A_QUESTION = "accepted id is a question"
NO_LANGUAGE = "no wanted language"
ANSWER_BOT = "answer by the Answer Bot"
FABRICATED_ANSWER = "accepted answer is a fabricated row"
CLOSED = "closed"
QUESTION_SCORE = "question score too low"
ANSWER_SCORE = "answer score too low"
QUESTION_SHORT = "question too short"
QUESTION_LONG = "question too long"
ANSWER_SHORT = "answer too short"
ANSWER_LONG = "answer too long"
NO_CODE = "no code"
NOT_ENGLISH = "not English"
DUPLICATE = "marked as a duplicate"
CONTAMINATED = "contaminated"

FABRICATED_IDS = frozenset((1_000_000_001, 1_000_000_010))
"""Posts that stand in dumps of 2025 and never stood on the site. Source: ours, docs/decisions/0011."""

COMMUNITY_USER_ID = -1
"""The owner of the fabricated posts, and of true ones. Source: ours, docs/decisions/0011."""

ANSWER_BOT_ID = -2
"""The owner of machine-written answers in dumps of 2025. Source: ours, docs/decisions/0011."""


class PostFacts(NamedTuple):
    """What the rules need to know of a post before it is converted.

    Args:
        score: votes; 0 where the row has none.
        is_closed: the row has a ClosedDate.
        owner_id: None for a deleted author.
    """

    score: int
    is_closed: bool
    owner_id: int | None
    id: int


class Texts(NamedTuple):
    """The title of a pair, and both posts in Markdown."""

    title: str
    question: str
    answer: str


def is_fabricated(post_id: int, owner_id: int | None) -> bool:
    """Whether a post is one of those known to be made up by the dump's maker.

    Args:
        owner_id: None where the row names no owner.
    """
    return post_id in FABRICATED_IDS and owner_id in (COMMUNITY_USER_ID, None)


def is_answer_bot(owner_id: int | None) -> bool:
    """Whether a post was written by the site's Answer Bot."""
    return owner_id == ANSWER_BOT_ID


def _answer_bot(_question: PostFacts, answer: PostFacts, _config: BuildConfig) -> bool:
    return is_answer_bot(answer.owner_id)


def _fabricated_answer(_question: PostFacts, answer: PostFacts, _config: BuildConfig) -> bool:
    return is_fabricated(answer.id, answer.owner_id)


def _closed(question: PostFacts, _answer: PostFacts, config: BuildConfig) -> bool:
    return config.closed == "drop" and question.is_closed


def _question_score(question: PostFacts, _answer: PostFacts, config: BuildConfig) -> bool:
    return config.min_question_score is not None and question.score < config.min_question_score


def _answer_score(_question: PostFacts, answer: PostFacts, config: BuildConfig) -> bool:
    return config.min_answer_score is not None and answer.score < config.min_answer_score


def _question_short(texts: Texts, config: BuildConfig) -> bool:
    return len(texts.title) + len(texts.question) < config.min_question_chars


def _question_long(texts: Texts, config: BuildConfig) -> bool:
    return len(texts.title) + len(texts.question) > config.max_question_chars


def _answer_short(texts: Texts, config: BuildConfig) -> bool:
    return len(texts.answer) < config.min_answer_chars


def _answer_long(texts: Texts, config: BuildConfig) -> bool:
    return len(texts.answer) > config.max_answer_chars


def _no_code(texts: Texts, config: BuildConfig) -> bool:
    match config.code:
        case "any":
            return False
        case "question":
            return not _has_code(texts.question)
        case "answer":
            return not _has_code(texts.answer)
        case "either":
            return not (_has_code(texts.answer) or _has_code(texts.question))
        case "both":
            return not (_has_code(texts.answer) and _has_code(texts.question))


def _has_code(markdown: str) -> bool:
    """Whether there is a code block that is not blank; inline code is none."""
    return any(span.kind == "code" and not span.text.isspace() and span.text != "" for span in segments(markdown))


def _not_english(texts: Texts, config: BuildConfig) -> bool:
    if config.non_english == "keep":
        return False
    return not (is_english(f"{texts.title}\n\n{texts.question}") and is_english(texts.answer))


PostRule = Callable[[PostFacts, PostFacts, BuildConfig], bool]
TextRule = Callable[[Texts, BuildConfig], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to drop a question.

    Args:
        when: what must hold for the reason to apply, for the documentation.
        source: where the rule comes from.
        asked: whether joining decides it, the facts of both posts, their texts, or a look at other files.
        of_posts, of_texts: the rule itself, where facts or texts decide; True drops the question.
    """

    reason: str
    when: str
    source: str
    asked: Literal["joining", "posts", "texts", "files"]
    of_posts: PostRule | None = None
    of_texts: TextRule | None = None


_ACCEPTED_SOURCE = "docs/paper.md#accepted-answers"
_LENGTH_SOURCE = "docs/paper.md#lengths"
_OURS = "ours: docs/decisions/0011"

RULES = (
    Rule(FABRICATED, "the question is one of the rows known to be made up by the dump's maker", _OURS, "joining"),
    Rule(NO_ACCEPTED, "its author accepted none", _ACCEPTED_SOURCE, "joining"),
    Rule(NO_ANSWER, "with `--answers best`: the dump holds no answer to it", _OURS, "joining"),
    Rule(NOT_IN_DUMP, "the accepted id is nowhere", _ACCEPTED_SOURCE, "joining"),
    Rule(OF_ANOTHER, "the accepted id is an answer to another question", _ACCEPTED_SOURCE, "joining"),
    Rule(IS_A_QUESTION, "the accepted id is no answer", _ACCEPTED_SOURCE, "joining"),
    Rule(NO_LANGUAGE, "no language tag, or an unwanted one first", "docs/paper.md#languages", "joining"),
    Rule(ANSWER_BOT, "the answer's owner is user -2, the site's machine", _OURS, "posts", _answer_bot),
    Rule(FABRICATED_ANSWER, "the answer is one of the rows known to be made up", _OURS, "posts", _fabricated_answer),
    Rule(CLOSED, "with `closed` drop: the question has a closing date", _OURS, "posts", _closed),
    Rule(QUESTION_SCORE, "a score below `min_question_score`, where one is set", _OURS, "posts", _question_score),
    Rule(ANSWER_SCORE, "a score below `min_answer_score`, where one is set", _OURS, "posts", _answer_score),
    Rule(
        QUESTION_SHORT,
        "title and body together below `min_question_chars`",
        _LENGTH_SOURCE,
        "texts",
        of_texts=_question_short,
    ),
    Rule(
        QUESTION_LONG,
        "title and body together above `max_question_chars`",
        _LENGTH_SOURCE,
        "texts",
        of_texts=_question_long,
    ),
    Rule(ANSWER_SHORT, "below `min_answer_chars`", _LENGTH_SOURCE, "texts", of_texts=_answer_short),
    Rule(ANSWER_LONG, "above `max_answer_chars`", _LENGTH_SOURCE, "texts", of_texts=_answer_long),
    Rule(NO_CODE, "no code block where `code` asks for one", _OURS, "texts", of_texts=_no_code),
    Rule(
        NOT_ENGLISH,
        "with `non_english` drop: the prose of question or answer is not English",
        _OURS,
        "texts",
        of_texts=_not_english,
    ),
    Rule(DUPLICATE, "with `duplicate_links` drop: a PostLinks.xml beside the dump marks it as one", _OURS, "files"),
    Rule(CONTAMINATED, "a text of a benchmark stands in it", "docs/paper.md#decontamination", "files"),
)
"""Every rule in the order in which they are tried."""

FUNNEL = tuple(rule.reason for rule in RULES)
"""Every reason a question can be dropped for, in the order in which they are tried."""

NOT_JOINED = frozenset(rule.reason for rule in RULES if rule.asked == "joining") - {NO_LANGUAGE}
"""The reasons that leave a question without an answer: every other question was read as a pair."""

_POST_RULES = tuple((rule.reason, rule.of_posts) for rule in RULES if rule.of_posts is not None)
_TEXT_RULES = tuple((rule.reason, rule.of_texts) for rule in RULES if rule.of_texts is not None)


def reason_of_posts(question: PostFacts, answer: PostFacts, config: BuildConfig) -> str | None:
    """The reason of the first rule that a joined pair breaks by the facts of its posts, or None."""
    for reason, drops in _POST_RULES:
        if drops(question, answer, config):
            return reason
    return None


def reason_of_texts(title: str, question: str, answer: str, config: BuildConfig) -> str | None:
    """The reason of the first rule that a joined pair breaks by its Markdown, or None if it keeps them all."""
    texts = Texts(title, question, answer)
    for reason, drops in _TEXT_RULES:
        if drops(texts, config):
            return reason
    return None


def rules_table() -> list[tuple[str, str, str]]:
    """Reason, when it applies, and source of every rule, for the documentation."""
    return [(rule.reason, rule.when, rule.source) for rule in RULES]
