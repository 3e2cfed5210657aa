"""A question and its answer become a pair, or the reason why they are none.

Bodies are converted here, and only those of questions that passed all that needs no text. Where an older
build has converted the same texts, its Markdown is taken instead. Source: docs/paper.md#lengths; ours,
docs/decisions/0014.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procqa.config import BuildConfig
from procqa.dataset.decontaminate import load_finder
from procqa.dataset.state import content_digest
from procqa.dump.body import to_markdown
from procqa.dump.posts import BODY, NAME, TITLE, PostRecord, to_post
from procqa.pairs import rules
from procqa.records import Pair, Post

Content = tuple[int, int]
StoredPost = tuple[PostRecord, bytes]
"""A post and its texts."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the judgement of a pair depends on beside its texts.

    Args:
        sites: the hosts; a post's site is an index among them.
        languages: names; a question's language is an index among them.
        benchmarks: the kept benchmark texts; None where none were given.
        duplicates: for each site that has a PostLinks table the .npy file of its duplicate questions.
    """

    config: BuildConfig
    sites: tuple[str, ...]
    languages: tuple[str, ...]
    benchmarks: Path | None
    duplicates: Mapping[int, Path]


@dataclass(frozen=True, slots=True)
class Known:
    """What an older build made of a question with the same texts.

    Args:
        reason: None where it was kept, and then its Markdown.
        leak: of a contaminated one, as leakage.json has it.
        redactions: of a kept one, as its redaction map has them.
    """

    content: Content
    reason: str | None
    question: str = ""
    answer: str = ""
    leak: dict[str, Any] | None = None
    redactions: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a question that has an answer and a language.

    Args:
        pair: None where there is a reason instead.
        detail: what a reader of the rejects needs to see beside the reason.
        was_known: an older build's work was taken.
    """

    content: Content
    pair: Pair | None = None
    reason: str | None = None
    detail: str = ""
    leak: dict[str, Any] | None = None
    redactions: tuple[dict[str, Any], ...] = ()
    was_known: bool = False
    owners: tuple[int | None, int | None] = (None, None)


_NO_CONTENT = (0, 0)
_TEXT_REASONS = frozenset(rule.reason for rule in rules.RULES if rule.asked == "texts")


@dataclass(slots=True)
class Judge:
    """Judges one candidate after the other."""

    recipe: Recipe
    _duplicates: dict[int, NDArray[np.int64]] = field(default_factory=dict)

    def judge(
        self,
        site: int,
        question: StoredPost,
        answer: StoredPost,
        known: Known | None,
    ) -> Judged:
        """The pair of a question and its answer, or the first reason in the order of the funnel.

        Args:
            question, answer: records of POST with their texts.
            known: what an older build made of this question, whatever its texts were.
        """
        config, host = self.recipe.config, self.recipe.sites[site]
        reason = rules.reason_of_posts(_facts(question[0]), _facts(answer[0]), config)
        if reason is not None:
            return Judged(_NO_CONTENT, reason=reason)
        content = _content(question, answer)
        if known is not None and (known.content != content or not _tells(known.reason)):
            known = None
        if known is not None and known.reason in _TEXT_REASONS:
            return Judged(content, reason=known.reason, was_known=True)
        asked, answered = (to_post(*post, site=host) for post in (question, answer))
        if known is None:
            texts = to_markdown(asked.body_html), to_markdown(answered.body_html)
            reason = rules.reason_of_texts(asked.title, *texts, config)
            if reason is not None:
                lengths = f"{len(asked.title) + len(texts[0])} + {len(texts[1])} characters"
                return Judged(content, reason=reason, detail=lengths)
        else:
            texts = known.question, known.answer
        if self._is_duplicate(site, asked.id):
            return Judged(content, reason=rules.DUPLICATE, was_known=known is not None)
        leak = known.leak if known is not None else self._find_leak(asked, texts)
        if leak is not None:
            detail = f"{leak['benchmark']} {leak['item']}"
            return Judged(content, reason=rules.CONTAMINATED, detail=detail, leak=leak, was_known=known is not None)
        title, redactions = asked.title, () if known is None else known.redactions
        if config.redact and known is None:
            (title, *clean), redactions = _redact(host, asked.id, (asked.title, *texts))
            texts = clean[0], clean[1]
        elif config.redact:
            (title, *_), _ = _redact(host, asked.id, (asked.title, "", ""))
        pair = to_pair(asked, answered, self.recipe.languages[question[0].language], title, *texts)
        owners = _owner_without_name(question[0]), _owner_without_name(answer[0])
        return Judged(content, pair, redactions=redactions, was_known=known is not None, owners=owners)

    def _is_duplicate(self, site: int, question_id: int) -> bool:
        if self.recipe.config.duplicate_links == "keep" or site not in self.recipe.duplicates:
            return False
        if site not in self._duplicates:
            self._duplicates[site] = np.load(self.recipe.duplicates[site], mmap_mode="r")
        ids = self._duplicates[site]
        place = int(np.searchsorted(ids, question_id))
        return place < len(ids) and int(ids[place]) == question_id

    def _find_leak(self, question: Post, texts: tuple[str, ...]) -> dict[str, Any] | None:
        if self.recipe.benchmarks is None:
            return None
        leak = load_finder(self.recipe.benchmarks).find(question.title, *texts)
        if leak is None:
            return None
        found = asdict(leak)
        if self.recipe.config.redact:
            from procqa.dataset.secrets import redact

            found |= {name: redact(found[name])[0] for name in ("matched", "evidence")}
        return found


def _tells(reason: str | None) -> bool:
    """Whether an older outcome says all that the texts can say."""
    return reason is None or reason == rules.CONTAMINATED or reason in _TEXT_REASONS


def _facts(post: PostRecord) -> rules.PostFacts:
    return rules.PostFacts(post.score, post.is_closed, post.owner_id, post.id)


def _content(question: StoredPost, answer: StoredPost) -> Content:
    asked, answered = question[0].sizes, answer[0].sizes
    title, body, start = asked[TITLE], asked[TITLE] + asked[BODY], answered[TITLE]
    return content_digest(question[1][:title], question[1][title:body], answer[1][start : start + answered[BODY]])


def _owner_without_name(post: PostRecord) -> int | None:
    """The owner whose name the row does not say."""
    return None if post.sizes[NAME] else post.owner_id


def _redact(site: str, question_id: int, texts: tuple[str, str, str]) -> tuple[list[str], tuple[dict[str, Any], ...]]:
    """The texts with marks for what must not be passed on, and where each stood."""
    from procqa.dataset.secrets import redact

    redacted, redactions = [], []
    for name, text in zip(("title", "question", "answer"), texts, strict=True):
        clean, findings = redact(text)
        redacted.append(clean)
        redactions += [
            {"site": site, "question_id": question_id, "field": name, **asdict(finding)} for finding in findings
        ]
    return redacted, tuple(redactions)


def to_pair(question: Post, answer: Post, language: str, title: str, question_text: str, answer_text: str) -> Pair:
    """The row of a dataset that a question and its answer make, with their texts in Markdown."""
    has_pages = question.site != "local"
    return Pair(
        question_id=question.id,
        answer_id=answer.id,
        language=language,
        title=title,
        question=question_text,
        answer=answer_text,
        tags=question.tags,
        question_score=question.score,
        answer_score=answer.score,
        view_count=question.view_count,
        question_created_ms=question.created_ms,
        answer_created_ms=answer.created_ms,
        question_author=question.author,
        question_author_url=question.author_url,
        answer_author=answer.author,
        answer_author_url=answer.author_url,
        question_licence=question.licence,
        answer_licence=answer.licence,
        question_url=f"https://{question.site}/questions/{question.id}" if has_pages else None,
        answer_url=f"https://{question.site}/a/{answer.id}" if has_pages else None,
        site=question.site,
    )
