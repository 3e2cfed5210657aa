"""All the texts of benchmarks, for decontamination: queries and documents with the name of each.

A path may be a root of benchmarks, a benchmark's folder, a BEIR folder, one published file, or a plain text
file. A file of a published name that is not in its layout is an error: a text passed over is a text leaked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from procqa.config import LANGUAGES
from procqa.corpora import release
from procqa.corpora.families import FAMILIES
from procqa.corpora.files import kind_of, plain_name, read_lines, walk_files
from procqa.corpora.layouts.functions import is_cdcs
from procqa.corpora.layouts.questions import is_raw_codenn
from procqa.corpora.layouts.recognise import PACS, recognise
from procqa.errors import BenchmarkError

PLAIN_TEXT = (".txt", "")
TRAINING = re.compile(r"(cosqa|conala)-.*(train|mined).*")
"""Names of files that are there to be trained on: published beside those that are not."""

_COLLECTIONS = tuple(f"{name}-" for name in PACS)
_CODE = re.compile(r"(test|valid|codebase|\w+_(test|valid)_\d+|\w+_with_func)\.jsonl")
_NAMES = frozenset(
    Path(file).name for family in FAMILIES.values() for file in family.files if file.endswith((".jsonl", ".txt"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkText:
    """One query or document of a benchmark; ``item`` is ``query/ID``, ``document/ID`` or ``line/N``."""

    benchmark: str
    item: str
    text: str


def read_benchmark_texts(path: Path) -> Iterator[BenchmarkText]:
    """Every query and document of the benchmarks at a path, lazily; a text may come twice.

    Args:
        path: a root of benchmarks, a benchmark's folder, a BEIR folder, one published file, or a plain text
            file (.txt or no ending) with one text a line. A folder is searched to any depth for files of the
            published names, but for folders named ``train`` and CoSQA's and CoNaLa's training files; development
            queries count as well.

    Raises:
        BenchmarkError: there is nothing of the kind, or a file is broken.
    """
    kind = kind_of(path)
    if kind == "file":
        yield from _file_texts(path)
        return
    if kind is None:
        raise BenchmarkError(f"{path} must be a benchmark's file or folder, but is not there: check the path")
    files = [file for file in walk_files(path, BenchmarkError, skip_folders=("train",)) if _is_published(file)]
    if not files:
        raise BenchmarkError(
            f"{path} must hold published files such as cosqa/cosqa-retrieval-test-500.json or a BEIR corpus.jsonl, "
            "but holds none: name the folder that does"
        )
    for file in files:
        yield from _file_texts(file)


def _is_published(path: Path) -> bool:
    name = plain_name(path)
    if TRAINING.fullmatch(name):
        return False
    if name.endswith(".json"):
        return name.startswith(("cosqa-retrieval-", "conala-")) or bool(release.release_files(path))
    if name in ("test.txt", "valid.txt"):
        return is_raw_codenn(path)
    if name in ("SQL.txt", "Solidity.txt"):
        return is_cdcs(path)
    if name.endswith(".jsonl") and (name.startswith(_COLLECTIONS) or _CODE.fullmatch(name)):
        return True
    return name in _NAMES


def _file_texts(path: Path) -> Iterator[BenchmarkText]:
    found = recognise(path)
    if found is None:
        if Path(plain_name(path)).suffix not in PLAIN_TEXT:
            raise BenchmarkError(
                f"{path} must be a published benchmark file, or a .txt file with one text a line, "
                "but its layout is unknown: name another"
            )
        yield from _line_texts(path)
        return
    benchmark, read = found
    for row in read(path):
        if benchmark == "rosetta" and row.language not in LANGUAGES:
            continue
        if row.query is not None:
            yield BenchmarkText(benchmark=benchmark, item=f"query/{row.id}", text=row.query)
        if row.document is not None:
            yield BenchmarkText(benchmark=benchmark, item=f"document/{row.document_id or row.id}", text=row.document)
        for kind, text in row.others:
            yield BenchmarkText(benchmark=benchmark, item=f"{kind}/{row.id}", text=text)


def _line_texts(path: Path) -> Iterator[BenchmarkText]:
    for number, line in read_lines(path, BenchmarkError):
        try:
            text = line.decode("utf-8-sig").strip()
        except UnicodeDecodeError as error:
            raise BenchmarkError(f"{path}, line {number} must be text in UTF-8, but is not") from error
        if "\0" in text:
            raise BenchmarkError(f"{path}, line {number} must be plain text, but holds a NUL")
        yield BenchmarkText(benchmark=plain_name(path), item=f"line/{number}", text=text)
