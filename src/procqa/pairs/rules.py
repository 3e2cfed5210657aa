"""Why a question is no pair: the reasons in the order of the funnel, and the rules on its text.

A rule looks at title, question and answer in Markdown and returns its reason or None; the first that
applies counts. The lengths are assumptions: the paper says only that too short and too long ones go.

Source: docs/paper.md#accepted-answers, docs/paper.md#lengths.
"""

from procqa.config import BuildConfig

NO_ACCEPTED = "no accepted answer"
NOT_IN_DUMP = "accepted answer not in the dump"
OF_ANOTHER = "accepted answer belongs to another question"
IS_A_QUESTION = "accepted id is a question"
NO_LANGUAGE = "no wanted language"
QUESTION_SHORT = "question too short"
QUESTION_LONG = "question too long"
ANSWER_SHORT = "answer too short"
ANSWER_LONG = "answer too long"
CONTAMINATED = "contaminated"

FUNNEL = (
    NO_ACCEPTED,
    NOT_IN_DUMP,
    OF_ANOTHER,
    IS_A_QUESTION,
    NO_LANGUAGE,
    QUESTION_SHORT,
    QUESTION_LONG,
    ANSWER_SHORT,
    ANSWER_LONG,
    CONTAMINATED,
)
"""Every reason a question can be dropped for, in the order in which they are tried."""

NOT_JOINED = frozenset((NO_ACCEPTED, NOT_IN_DUMP, OF_ANOTHER, IS_A_QUESTION))
"""The reasons that leave a question without an answer: every other question was read as a pair."""


def question_length(title: str, question: str, config: BuildConfig) -> str | None:
    """Title and body together must be long enough to ask something and short enough to be a question."""
    n_chars = len(title) + len(question)
    if n_chars < config.min_question_chars:
        return QUESTION_SHORT
    return QUESTION_LONG if n_chars > config.max_question_chars else None


def answer_length(answer: str, config: BuildConfig) -> str | None:
    """An answer must be long enough to say something and short enough to be one answer."""
    if len(answer) < config.min_answer_chars:
        return ANSWER_SHORT
    return ANSWER_LONG if len(answer) > config.max_answer_chars else None


def first_reason(title: str, question: str, answer: str, config: BuildConfig) -> str | None:
    """The reason of the first rule that a joined pair breaks, or None if it keeps them all."""
    return question_length(title, question, config) or answer_length(answer, config)
