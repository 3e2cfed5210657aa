"""POJ-104, CodeNet and Rosetta Code: a program asks for the other programs for its problem."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

from procqa.config import LANGUAGES, require
from procqa.corpora.collection import Collection, Texts, Wanted, by_id, is_of, require_held
from procqa.corpora.comments import on_one_line, strip_comments
from procqa.corpora.layouts.programs import read_codenet, read_poj104, read_rosetta
from procqa.corpora.layouts.rows import Row


def load_poj104(wanted: Wanted) -> Collection:
    """POJ-104's test programs, each a query among all others. Source: docs/paper.md#suite."""
    (file,) = wanted.find(*wanted.family.files, is_right=is_of("poj104"))
    rows = list(read_poj104(file))
    return wanted.collect([file], _of_one_problem(rows, rows, file), language=None, excludes_itself=True)


def load_codenet(wanted: Wanted) -> Collection:
    """CodeNet's programs of one language ask for those of another, or for the others of their own.

    They are measured without comments and on one line; the variant named ``raw`` takes them as they are.

    Source: microsoft/CodeBERT: UniXcoder/downstream-tasks/zero-shot-search/run.py.
    """
    asking, answering = split_pair(wanted)
    for language in (asking, answering):
        _require_known(language, wanted)
    names = [_codenet_name(language) for language in dict.fromkeys((asking, answering))]
    files = wanted.find(*names)
    rows = [_codenet_rows(wanted, file, language) for file, language in zip(files, (asking, answering), strict=False)]
    texts = _of_one_problem(rows[0], rows[-1], files[0])
    return wanted.collect(files, texts, language=answering, excludes_itself=asking == answering)


def codenet_parts(wanted: Wanted) -> list[str]:
    """The pairs of languages that CodeNet is at hand for, nine with all three."""
    names = [name for name in CODENET_LANGUAGES if wanted.folder(_codenet_name(name)) is not None]
    if not names:
        raise wanted.absent(_codenet_name("LANG"))
    return [f"{asking}-{answering}" for asking, answering in product(names, repeat=2)]


ALL_LANGUAGES, OTHER_LANGUAGES = "all", "others"
"""In the place of a language: the documents of all of them."""

CODENET_LANGUAGES = ("ruby", "python", "java")
"""Source: microsoft/CodeBERT: UniXcoder/downstream-tasks/zero-shot-search/README.md."""


def _codenet_name(language: str) -> str:
    return f"{language}_with_func.jsonl"


def _require_known(language: str, wanted: Wanted) -> None:
    """Raise ConfigError unless CodeNet has a language."""
    require(
        language in CODENET_LANGUAGES,
        f"task {wanted.family.name} must name two of {', '.join(CODENET_LANGUAGES)}, got {wanted.name!r}",
    )


def _codenet_rows(wanted: Wanted, file: Path, language: str) -> list[Row]:
    rows = read_codenet(file)
    if wanted.family.name.endswith("-raw"):
        return list(rows)
    return [replace(row, document=on_one_line(strip_comments(row.document or "", language))) for row in rows]


def load_rosetta(wanted: Wanted) -> Collection:
    """Rosetta Code: a program asks for the programs of its task in another language, or the others in its own.

    ``rosetta:python-all`` ranks the programs of all languages together, to see how languages keep apart;
    ``rosetta:python-others`` those of all but Python.
    """
    asking, answering = split_pair(wanted)
    (file,) = wanted.find(*wanted.family.files)
    rows = [row for row in read_rosetta(file) if row.language in LANGUAGES]
    if answering in (ALL_LANGUAGES, OTHER_LANGUAGES):
        require_held(asking, (row.language or "" for row in rows), file)
        searched = [row for row in rows if answering == ALL_LANGUAGES or row.language != asking]
        texts = _of_one_problem([row for row in rows if row.language == asking], searched, file)
        mixed = replace(texts, document_languages={row.id: row.language or "" for row in searched})
        return wanted.collect([file], mixed, language=None, excludes_itself=answering == ALL_LANGUAGES)
    for language in (asking, answering):
        require_held(language, (row.language or "" for row in rows), file)
    asked, searched = ([row for row in rows if row.language == language] for language in (asking, answering))
    texts = _of_one_problem(asked, searched, file)
    return wanted.collect([file], texts, language=answering, excludes_itself=asking == answering)


def rosetta_parts(wanted: Wanted) -> list[str]:
    """Every ordered pair of languages that has a query, each with itself too: 121 with all eleven."""
    (file,) = wanted.find(*wanted.family.files)
    solved = Counter((row.language, row.group) for row in read_rosetta(file) if row.language in LANGUAGES)
    parts = []
    for asking, answering in product(LANGUAGES, repeat=2):
        needed = 2 if asking == answering else 1
        if any(language == asking and solved[answering, group] >= needed for language, group in list(solved)):
            parts.append(f"{asking}-{answering}")
    return parts


def split_pair(wanted: Wanted) -> tuple[str, str]:
    """The two languages of a part.

    Raises:
        ConfigError: there are not two.
    """
    asking, dash, answering = wanted.part.partition("-")
    example = f"{wanted.family.name}:python-java"
    require(bool(dash and answering), f"a task must name two languages, as in {example}, got {wanted.name!r}")
    return asking, answering


def _of_one_problem(asked: Sequence[Row], searched: Sequence[Row], file: Path) -> Texts:
    """Programs for the problem of the query are right, but for the query itself; one without any is no query."""
    solutions: dict[str | None, list[str]] = {}
    for row in searched:
        solutions.setdefault(row.group, []).append(row.id)
    qrels = {}
    for row in asked:
        relevant = {name: 1 for name in solutions.get(row.group, ()) if name != row.id}
        if relevant:
            qrels[row.id] = relevant
    queries = by_id(((row.id, row.document) for row in asked if row.id in qrels), file)
    documents = by_id(((row.id, row.document) for row in searched), file)
    return Texts(queries, documents, qrels, {row.id: row.group for row in asked if row.id in qrels and row.group})
