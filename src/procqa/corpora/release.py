"""The paper's released files → pairs: ``qa.en.LANGUAGE.json``, a JSON object of five fields a line.

The split is the paper's: the first 80 % of a file's lines train, the next 10 % validate, the last 10 %
test, cut where the authors' code cuts. The files name no author and no licence. Where an export of ours
put them line by line in a file beside, they are taken from there; else a pair says that its text is of a
Stack Overflow user, under CC BY-SA, and links the pages that name the author. A line that is no pair is
dropped with a reason. Source: docs/paper.md#languages, docs/paper.md#split; authors' code: utils.py.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, get_args

from procqa.config import LANGUAGES
from procqa.corpora.files import kind_of, list_entries, mend, plain_name, read_lines, to_object
from procqa.corpora.records import Partition
from procqa.errors import DumpError
from procqa.records import Dropped, Pair

FIELDS = ("question_id", "answer_id", "title", "question", "answer")
"""The fields of a released row. Source: docs/paper.md#languages."""

SITE = "stackoverflow.com"
UNKNOWN_AUTHOR = "Stack Overflow user, named on the linked page"
UNKNOWN_LICENCE = "CC BY-SA, version by the date of the post"

PUBLISHED_NAMES = {"cpp": "c++", "csharp": "c#"}
"""Languages whose files go by another name than ours. Source: authors' code: scripts/stat.md."""

MAX_DIGITS = 40
"""Of an id written as text; Python refuses to read thousands of them."""

UNREADABLE = "unreadable row"
REPEATED = "repeated"
OTHER_LANGUAGE = "no wanted language"

PARTITIONS: tuple[Partition, ...] = get_args(Partition)

_OUR_NAMES = {published: ours for ours, published in PUBLISHED_NAMES.items()}
_NAME = re.compile(r"qa\.en\.(.+)\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedPair:
    """A pair of a released file, the number of its line from 0, and the split that this line is in."""

    pair: Pair
    line: int
    partition: Partition


def release_name(language: str) -> str:
    """The name of a language's file."""
    return f"qa.en.{PUBLISHED_NAMES.get(language, language)}.json"


def attribution_name(language: str) -> str:
    """The name of the file that holds, line by line, whose texts a language's file holds."""
    return f"{release_name(language).removesuffix('.json')}.attribution.jsonl"


def release_files(source: Path) -> dict[str, Path]:
    """The released files that a path is, or that lie in a folder, by our names of their languages, sorted.

    Raises:
        DumpError: the folder cannot be listed.
    """
    paths = list_entries(source)
    files: dict[str, Path] = {}
    for path in paths:
        match = _NAME.fullmatch(plain_name(path))
        if match is not None and kind_of(path) == "file":
            files.setdefault(_OUR_NAMES.get(match[1], match[1]), path)
    return dict(sorted(files.items()))


def release_inputs(source: Path, languages: Sequence[str] = LANGUAGES) -> list[Path]:
    """Every file that ``read_pairs`` reads."""
    files = {language: path for language, path in release_files(source).items() if language in languages}
    beside = [path.parent / attribution_name(language) for language, path in files.items()]
    return [*files.values(), *(path for path in beside if path.is_file())]


def read_pairs(source: Path, languages: Sequence[str] = LANGUAGES) -> Iterator[ReleasedPair | Dropped]:
    """The pairs of the released files in wanted languages, lazily, and the lines that are none with the reason.

    Memory: the ids of one file. A file is read twice, first for the number of its lines.

    Raises:
        DumpError: a file cannot be read to its end, or the attribution beside it does not fit.
    """
    for language, path in release_files(source).items():
        if language in languages:
            yield from _read_file(path, language)


def split_of(line: int, lines: int) -> Partition:
    """The split of a line, from 0: cut at 80 % and 90 % of the lines, to the nearest line.

    Source: authors' code: utils.py, whose library rounds halves to even; the published counts agree.
    """
    if line < round(lines * 80 / 100):
        return "train"
    return "validation" if line < round(lines * 90 / 100) else "test"


def _read_file(path: Path, language: str) -> Iterator[ReleasedPair | Dropped]:
    lines = sum(1 for _ in read_lines(path, DumpError))
    seen: set[int] = set()
    attribution = _read_attribution(path, language, lines)
    for place, ((number, line), by) in enumerate(zip(read_lines(path, DumpError), attribution, strict=True)):
        row = _to_row(line)
        if isinstance(row, str):
            yield _dropped(language, UNREADABLE, 0, f"{path.name}, line {number}: {row}")
        elif row["question_id"] in seen:
            yield _dropped(language, REPEATED, row["question_id"], f"{path.name}, line {number}")
        elif by is not None and by["question_id"] != row["question_id"]:
            raise _misfit(path.parent / attribution_name(language), path)
        else:
            seen.add(row["question_id"])
            partition = split_of(place, lines) if by is None else by["split"]
            yield ReleasedPair(pair=_to_pair(row, language, by or {}), line=place, partition=partition)


def _read_attribution(path: Path, language: str, lines: int) -> Iterator[dict[str, Any] | None]:
    """Whose texts each line holds, None for each where no file beside tells."""
    beside = path.parent / attribution_name(language)
    if not beside.is_file():
        yield from repeat(None, lines)
        return
    told = 0
    for told, (number, line) in enumerate(read_lines(beside, DumpError), start=1):
        row = to_object(line, f"{beside}, line {number}", DumpError)
        if told > lines or not row.keys() >= _ATTRIBUTION or row["split"] not in PARTITIONS:
            raise _misfit(beside, path)
        yield row
    if told < lines:
        raise _misfit(beside, path)


def _misfit(beside: Path, path: Path) -> DumpError:
    return DumpError(
        f"{beside} must tell, line by line, whose texts {path.name} holds: export both again", path=str(beside)
    )


_ATTRIBUTION = frozenset(
    f"{side}_{what}" for side in ("question", "answer") for what in ("author", "author_url", "licence", "url")
) | {"question_id", "site", "split"}


def _to_row(line: bytes) -> dict[str, Any] | str:
    """The five fields of a line, or what is wrong with it."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return "no JSON"
    if not isinstance(row, dict):
        return "no JSON object"
    for name in FIELDS[:2]:
        value = row.get(name)
        if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, str) and value.isdecimal())):
            return f"{name} is no whole number"
        if isinstance(value, str) and len(value) > MAX_DIGITS:
            return f"{name} is out of range"
        if not 0 <= int(value) < 1 << 63:
            return f"{name} is out of range"
    for name in FIELDS[2:]:
        if not isinstance(row.get(name), str):
            return f"{name} is no text"
    return {name: int(row[name]) if name in FIELDS[:2] else mend(row[name]) for name in FIELDS}


def _to_pair(row: Mapping[str, Any], language: str, by: Mapping[str, Any]) -> Pair:
    question_url = f"https://{SITE}/q/{row['question_id']}"
    answer_url = f"https://{SITE}/a/{row['answer_id']}"
    return Pair(
        **{name: row[name] for name in FIELDS},
        language=language,
        tags=(),
        question_score=0,
        answer_score=0,
        view_count=None,
        question_created_ms=None,
        answer_created_ms=None,
        question_author=by.get("question_author", UNKNOWN_AUTHOR),
        question_author_url=by.get("question_author_url"),
        answer_author=by.get("answer_author", UNKNOWN_AUTHOR),
        answer_author_url=by.get("answer_author_url"),
        question_licence=by.get("question_licence", UNKNOWN_LICENCE),
        answer_licence=by.get("answer_licence", UNKNOWN_LICENCE),
        question_url=by.get("question_url", question_url),
        answer_url=by.get("answer_url", answer_url),
        site=by.get("site", SITE),
    )


def _dropped(language: str, reason: str, question_id: int, detail: str) -> Dropped:
    return Dropped(site=SITE, question_id=question_id, language=language, reason=reason, detail=detail)
