"""Writes dumps of any size that look like the real ones, from the posts of the bundled sample.

Ids, dates, scores and authors are new, the words of the prose are shuffled and mixed with invented ones
whose frequencies fall as in real text, bodies are put together until they have a size as on the real
site, and the shares of accepted answers and languages are the site's. The same seed gives the same bytes.

``python -m benchmarks.dumps OUT --megabytes 60 --seed 1`` writes one and prints what it holds.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from random import Random

import click

from procqa.bundled import sample_dump
from procqa.dump.archive import open_dump
from procqa.dump.blocks import read_blocks, rows_in
from procqa.dump.rows import RawRow, read_row, to_post
from procqa.pairs.languages import language_of, parse_languages
from procqa.records import Post

HEADER = '\ufeff<?xml version="1.0" encoding="utf-8"?>\r\n<posts>\r\n'.encode()
FOOTER = b"</posts>"

LANGUAGE_WEIGHTS = {
    "javascript": 23.0, "python": 20.0, "java": 17.5, "csharp": 14.8, "php": 13.4, "cpp": 7.4,
    "c": 3.7, "ruby": 2.1, "go": 0.7, "rust": 0.4, "lisp": 0.2,
}  # fmt: skip
"""Questions by language, in proportion to those of the real site."""

LANGUAGE_TAGS = {
    "javascript": ("javascript",), "python": ("python", "python", "python-3.x"), "java": ("java",),
    "csharp": ("c#",), "php": ("php",), "cpp": ("c++", "c++", "c++11"), "c": ("c",), "ruby": ("ruby",),
    "go": ("go",), "rust": ("rust",), "lisp": ("common-lisp", "lisp"),
}  # fmt: skip

OTHER_TAGS = (
    "html", "css", "jquery", "android", "ios", "sql", "mysql", "r", "node.js", "arrays", "reactjs", "regex", "json",
    "swift", "sql-server", "excel", "linux", "git", "bash", "string", "algorithm", "multithreading", "performance",
    "list", "unit-testing", "sorting", "api", "database", "docker", "wordpress",
)  # fmt: skip
"""Tags that are no language of the eleven."""

SYLLABLES = [first + second for first in "bcdfgklmnprstvz" for second in ("a", "e", "i", "o", "u", "en", "or")]
MARKUP = re.compile(r"(\s*(?:<code>.*?</code>|<[^>]+>)\s*)", re.DOTALL)
BLOCK = re.compile(r"<pre\b.*?</pre>|(?:(?!<pre\b|\n\n).)+", re.DOTALL)
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#xA;", "\t": "&#x9;", "\r": None}
)
FIRST_DAY, DAYS = datetime(2008, 8, 1, tzinfo=UTC), 5_700
MEAN_ROW_BYTES = 1_500

LEAST_CHARS, MOST_CHARS, TOO_MANY_CHARS = 60, 20_000, 45_000
"""Sizes of bodies, far from the limits of a build, so that converters which differ a little keep the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpShape:
    """Shares and sizes of a dump; the defaults are about those of Stack Overflow.

    Args:
        known_share: questions in one of the eleven languages.
        accepted_share: questions with an accepted answer.
        answers: weights of 0, 1, 2 … answers to a question that has accepted none.
        question_chars: median characters of a question's HTML; the spread is log-normal.
        answer_chars: the same of an answer.
    """

    known_share: float = 0.4
    accepted_share: float = 0.51
    answers: tuple[float, ...] = (0.30, 0.40, 0.17, 0.08, 0.05)
    question_chars: int = 900
    answer_chars: int = 550
    spread: float = 0.9


DENSE = DumpShape(known_share=1.0, accepted_share=1.0, answers=(1.0,), question_chars=450, answer_chars=550)
"""Nothing but pairs: the shortest way to a large dataset for search and training."""


@dataclass(slots=True)
class DumpCounts:
    """What a dump holds.

    Args:
        accepted: questions that name an accepted answer.
        known: questions in one of the eleven languages.
    """

    rows: int = 0
    questions: int = 0
    answers: int = 0
    other: int = 0
    accepted: int = 0
    known: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Block:
    """One block of HTML: markup as it is at odd places, lists of words at even ones."""

    pieces: tuple[str | list[str], ...]


@dataclass(frozen=True, slots=True)
class _Post:
    """What is left of a sample post."""

    title: list[str]
    blocks: tuple[_Block, ...]


@dataclass(frozen=True, slots=True)
class _Due:
    """An answer that is still to be written."""

    parent: int
    language: str | None
    topic: list[str]


def write_dump(path: Path, *, size_bytes: int, seed: int, shape: DumpShape | None = None) -> DumpCounts:
    """Write a dump of about that size.

    Args:
        size_bytes: of the file; the last threads are finished, so it becomes a little larger.
        shape: by default that of Stack Overflow.
    """
    writer = _Writer(Random(seed), shape or DumpShape(), size_bytes)
    with path.open("wb") as stream:
        stream.write(HEADER)
        for row in writer.rows():
            stream.write(row)
        stream.write(FOOTER)
    writer.counts.size_bytes = path.stat().st_size
    return writer.counts


class _Writer:
    """A dump in progress: ids rise, and an answer's id is settled when its question is written."""

    def __init__(self, random: Random, shape: DumpShape, size_bytes: int) -> None:
        self.random, self.shape, self.size_bytes = random, shape, size_bytes
        self.counts = DumpCounts()
        self.questions, self.answers = read_sample()
        self.everything = {
            "question": [post for posts in self.questions.values() for post in posts],
            "answer": [post for posts in self.answers.values() for post in posts],
        }
        self.due: dict[int, _Due | None] = {}
        self.languages, self.weights = list(LANGUAGE_WEIGHTS), list(LANGUAGE_WEIGHTS.values())
        self.day_step = DAYS * MEAN_ROW_BYTES / max(size_bytes, MEAN_ROW_BYTES)

    def rows(self) -> Iterator[bytes]:
        """The rows in the order of their ids."""
        number = written = 0
        while self.due or written < self.size_bytes:
            number += 1
            if number in self.due:
                answer = self.due.pop(number)
                row = "" if answer is None else self.answer(number, answer)  # a deleted post leaves a gap
            elif written + MEAN_ROW_BYTES * len(self.due) >= self.size_bytes:
                if not self.due:
                    break
                continue
            elif self.random.random() < 0.003:
                row = self.other(number)
            else:
                row = self.question(number)
            if row:
                data = row.encode()
                written += len(data)
                self.counts.rows += 1
                yield data

    def question(self, number: int) -> str:
        """A question; its answers become due."""
        random, shape, counts = self.random, self.shape, self.counts
        language = None
        if random.random() < shape.known_share:
            language = random.choices(self.languages, self.weights)[0]
            counts.known += 1
        topic = [invent(random, TOPIC_TAIL) for _ in range(3)]
        accepted = self.reserve_answers(number, language, topic)
        counts.questions += 1
        counts.accepted += accepted is not None
        posts = self.questions[language] if language else self.everything["question"]
        title = shuffle_words(random.choice(posts).title, random)
        title[len(title) // 2 :] = [*topic[:2], *title[len(title) // 2 :]]
        tags = "".join(f"&lt;{tag}&gt;" for tag in self.tags(language))
        body = self.body(posts, topic, shape.question_chars)
        accepted_text = f'AcceptedAnswerId="{accepted}" ' if accepted else ""
        return (
            f'  <row Id="{number}" PostTypeId="1" {accepted_text}{self.head(number)} '
            f'ViewCount="{int(random.paretovariate(0.7) * 20) % 1_000_000}" Body="{body}" {self.owner(number)} '
            f'Title="{" ".join(title).translate(ESCAPES)}" Tags="{tags}" AnswerCount="1" CommentCount="2" '
            f'ContentLicense="{self.licence(number)}" />\r\n'
        )

    def reserve_answers(self, number: int, language: str | None, topic: list[str]) -> int | None:
        """Settle the ids of a question's answers; the one that it accepts, if any."""
        random = self.random
        has_accepted = random.random() < self.shape.accepted_share
        n_answers = random.choices(range(len(self.shape.answers)), self.shape.answers)[0] + has_accepted
        ids = []
        for _ in range(n_answers):
            mean = 10 if random.random() < 0.85 else 300
            place = number + 1 + int(random.expovariate(1 / mean))
            while place in self.due:
                place += 1
            self.due[place] = _Due(number, language, topic)
            ids.append(place)
        if not has_accepted:
            return None
        accepted = random.choice(ids)
        if random.random() < 0.01:
            self.due[accepted] = None
        return accepted

    def answer(self, number: int, due: _Due) -> str:
        """An answer, now and then a very short one."""
        self.counts.answers += 1
        posts = self.answers[due.language] if due.language else self.everything["answer"]
        is_short = self.random.random() < 0.004
        body = "&lt;p&gt;Yes.&lt;/p&gt;" if is_short else self.body(posts, due.topic, self.shape.answer_chars)
        return (
            f'  <row Id="{number}" PostTypeId="2" ParentId="{due.parent}" {self.head(number)} '
            f'Body="{body}" {self.owner(number)} CommentCount="1" ContentLicense="{self.licence(number)}" />\r\n'
        )

    def other(self, number: int) -> str:
        """A tag wiki."""
        self.counts.other += 1
        return (
            f'  <row Id="{number}" PostTypeId="{self.random.choice((4, 5))}" {self.head(number)} '
            f'Body="" {self.owner(number)} CommentCount="0" ContentLicense="{self.licence(number)}" />\r\n'
        )

    def body(self, posts: Sequence[_Post], topic: list[str], median: int) -> str:
        """Blocks of some posts until the size is reached, escaped for an attribute."""
        random = self.random
        wanted = min(max(int(median * random.lognormvariate(0, self.shape.spread)), LEAST_CHARS), MOST_CHARS)
        if random.random() < 0.0005:
            wanted = TOO_MANY_CHARS
        blocks: list[str] = [f"<p>{' '.join([random.choice(COMMON), topic[0], topic[-1], random.choice(COMMON)])}?</p>"]
        size = len(blocks[0])
        while size < wanted:
            for block in random.choice(posts).blocks:
                blocks.append(render(block, random))
                size += len(blocks[-1])
                if size >= wanted:
                    break
        return "\n\n".join(blocks).translate(ESCAPES)

    def tags(self, language: str | None) -> list[str]:
        """The tags of a question; that of its language comes first."""
        random = self.random
        others = random.sample(OTHER_TAGS, random.randint(1, 3))
        return [random.choice(LANGUAGE_TAGS[language]), *others] if language else others

    def head(self, number: int) -> str:
        """Date and score."""
        score = int(self.random.paretovariate(0.9)) - 1
        return f'CreationDate="{self.date(number)}" Score="{score % 20_000}"'

    def owner(self, number: int) -> str:
        """Author and last activity; some authors are deleted."""
        date = self.date(number)
        if self.random.random() < 0.02:
            return f'OwnerDisplayName="user{number}" LastActivityDate="{date}"'
        return f'OwnerUserId="{int(self.random.paretovariate(0.5)) % 10_000_000 + 1}" LastActivityDate="{date}"'

    def moment(self, number: int) -> datetime:
        """When the post of an id was written; ids rise with time."""
        return FIRST_DAY + timedelta(days=min(number * self.day_step * 0.9, DAYS))

    def date(self, number: int) -> str:
        """That moment as dumps write it."""
        return self.moment(number).replace(tzinfo=None).isoformat(timespec="milliseconds")

    def licence(self, number: int) -> str:
        """The licence of that moment."""
        date = self.date(number)
        return f"CC BY-SA {'2.5' if date < '2011-04-08' else '3.0' if date < '2018-05-02' else '4.0'}"


COMMON = ("how", "why", "use", "with", "about", "for", "need", "using", "error", "problem")


TEXT_TAIL, TOPIC_TAIL = 0.5, 0.15
"""Exponents of the frequencies of invented words: of any word, and of those that a question is about."""


def invent(random: Random, tail: float = TEXT_TAIL) -> str:
    """A word that no sample post has: few are frequent and most are rare, as in real text."""
    number = int(random.paretovariate(tail)) % 5_000_000
    word = ""
    while number or not word:
        number, rest = divmod(number, len(SYLLABLES))
        word += SYLLABLES[rest]
    return word


def shuffle_words(words: list[str], random: Random) -> list[str]:
    """The words in another order, one in twenty replaced by an invented one."""
    shuffled = random.sample(words, len(words))
    for _ in range(len(words) // 20 + (random.random() < len(words) % 20 / 20)):
        shuffled[int(random.random() * len(shuffled))] = invent(random)
    return shuffled


def render(block: _Block, random: Random) -> str:
    """The HTML of a block, its prose shuffled; code stays as it is."""
    return "".join(
        [piece if isinstance(piece, str) else " ".join(shuffle_words(piece, random)) for piece in block.pieces]
    )


@lru_cache(maxsize=1)
def read_sample() -> tuple[dict[str, list[_Post]], dict[str, list[_Post]]]:
    """The questions and the answers of the bundled sample, by language."""
    posts = list(read_posts(sample_dump()))
    table = parse_languages(LANGUAGE_WEIGHTS)
    of_thread = {post.id: language_of(post.tags, table) for post in posts if post.kind == "question"}
    questions: dict[str, list[_Post]] = {language: [] for language in LANGUAGE_WEIGHTS}
    answers: dict[str, list[_Post]] = {language: [] for language in LANGUAGE_WEIGHTS}
    for post in posts:
        language = of_thread.get(post.id if post.kind == "question" else post.parent_id or 0)
        blocks = read_html(post.body_html)
        if language and blocks and not NOT_XML.search(post.title):
            (questions if post.kind == "question" else answers)[language].append(_Post(post.title.split(), blocks))
    return questions, answers


def read_posts(dump: Path) -> Iterator[Post]:
    """The questions and answers of a dump."""
    with open_dump(str(dump)) as stream:
        for block in read_blocks(stream, name=dump.name):
            for _, raw in rows_in(block):
                row = read_row(raw)
                if isinstance(row, RawRow) and row.kind != "other":
                    yield to_post(raw, site="local")


def read_html(html: str) -> tuple[_Block, ...]:
    """The well-formed blocks of a body of usual size."""
    if len(html) > MOST_CHARS // 4 or NOT_XML.search(html):
        return ()
    return tuple(
        _Block(
            (block,)
            if block.startswith("<pre")
            else tuple(
                piece if place % 2 or not piece else piece.split() for place, piece in enumerate(MARKUP.split(block))
            )
        )
        for block in filter(is_balanced, map(str.strip, BLOCK.findall(html)))
    )


def is_balanced(block: str) -> bool:
    """Whether every tag of a block is closed, so that it can stand between others."""
    opened = len(re.findall(r"<[a-z][^>]*>", block)) - len(re.findall(r"<(?:br|hr|img)\b[^>]*>", block))
    return block.startswith("<") and opened == block.count("</") and block.count("<") == block.count(">")


@click.command(help=__doc__)
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--megabytes", type=float, default=60.0, show_default=True, help="size of the dump")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--dense", is_flag=True, help="nothing but pairs in the eleven languages")
def main(out: Path, megabytes: float, seed: int, dense: bool) -> None:
    counts = write_dump(out, size_bytes=int(megabytes * 1e6), seed=seed, shape=DENSE if dense else DumpShape())
    print(json.dumps(asdict(counts)))


if __name__ == "__main__":
    main()
