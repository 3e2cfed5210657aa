"""Dataset → the layouts that other programs read: the paper's own files, BEIR, and JSON lines.

An export is a folder like any other artifact: complete or absent, with a manifest that names the
dataset. Authors and licences travel: where a layout has no place for them they stand in files beside it.
Texts are written as they are. Source: docs/paper.md#split; ours, docs/decisions/0013.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal, get_args

from procqa import artifact
from procqa.artifact import digest_input
from procqa.config import require
from procqa.corpora.release import FIELDS, attribution_name, release_name
from procqa.dataset.card import NOTICE, NOTICE_FILE
from procqa.dataset.schema import SPLITS, dataset_languages, read_rows
from procqa.errors import ArtifactError
from procqa.manifest import Manifest, load_manifest

Layout = Literal["paper", "beir", "jsonl"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)

Report = Callable[[str, int], None]
"""Hears of progress: the stage, and how many rows are written."""

ATTRIBUTION = (
    "site", "question_id", "answer_id", "question_author", "question_author_url", "answer_author", "answer_author_url",
    "question_licence", "answer_licence", "question_url", "answer_url",
)  # fmt: skip
"""The columns that say whose texts a row holds, and where they stand."""

PLACES: dict[Layout, str] = {
    "paper": "Here qa.en.LANGUAGE.attribution.jsonl tells it, line by line, of the texts in qa.en.LANGUAGE.json.",
    "beir": "Here the metadata of each document and each query tells it.",
    "jsonl": "Here the columns of each line tell it.",
}
"""Where each layout keeps authors and licences, as the NOTICE says."""

BEIR_SPLITS = {"train": "train", "validation": "dev", "test": "test"}
"""BEIR's names of the splits."""

REPORTED_ROWS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What to export, and where to.

    Args:
        layout: ``paper`` (qa.en.LANGUAGE.json), ``beir`` (a folder a language), or ``jsonl`` (a file a split).
        force: replace an ``out`` that another recipe made.
    """

    dataset: Path
    out: Path
    layout: Layout
    force: bool = False

    def __post_init__(self) -> None:
        """Check the layout."""
        require(self.layout in LAYOUTS, f"layout must be one of {', '.join(LAYOUTS)}, got {self.layout!r}")


def no_report(_stage: str, _done: int) -> None:
    """Tell nobody of progress."""


def export_dataset(request: ExportRequest, report: Report = no_report) -> dict[str, Any]:
    """Write a dataset in another layout, or find it written already. Memory: one part of the dataset.

    Returns:
        The object of ``procqa export --json``.

    Raises:
        ConfigError: no such layout.
        ArtifactError: the dataset is missing or broken, or ``out`` is taken or cannot be written.
    """
    load_manifest(request.dataset, kind="dataset")
    artifact.refuse_overlap(request.out, [request.dataset])
    recipe, inputs = {"layout": request.layout}, [digest_input(request.dataset)]
    complete = artifact.find_complete(request.out, kind="export", recipe=recipe, inputs=inputs, force=request.force)
    if complete is None:
        with artifact.workspace(request.out, kind="export", recipe=recipe, inputs=inputs) as work:
            _empty(work.path)
            counts = _write(request, work.path, report)
            (work.path / NOTICE_FILE).write_text(f"{NOTICE}{PLACES[request.layout]}\n", encoding="utf-8")
            work.finish(counts)
        complete = load_manifest(request.out, kind="export")
    return _summary(request, complete)


def _write(request: ExportRequest, folder: Path, report: Report) -> dict[str, Any]:
    """Write every row of every language; returns the counts of the manifest."""
    splits: dict[str, dict[str, int]] = {}
    done = 0
    for language in dataset_languages(request.dataset):
        counts = Counter[str]()
        with ExitStack() as stack:
            write = _WRITERS[request.layout](_Files(folder, stack), language)
            for split, row in _rows(request.dataset, language):
                write(split, row)
                counts[split] += 1
                done += 1
                if done % REPORTED_ROWS == 0:
                    report("rows", done)
        splits[language] = {split: counts[split] for split in SPLITS}
    if not done:
        raise ArtifactError(f"{request.dataset} must hold a pair, but holds none: build it again")
    return {"rows": done, "languages": splits}


def _rows(dataset: Path, language: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a language with their splits: train first, test last, each in its order."""
    for split in SPLITS:
        for row in read_rows(dataset, language=language, split=split):
            yield split, row


class _Files:
    """Files that are opened when the first line is written to them, and closed with a language."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._open: dict[str, IO[str]] = {}

    def write(self, name: str, line: str, *, head: str = "") -> None:
        """Add a line to a file; ``head`` is its first line."""
        if name not in self._open:
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[name] = self._stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))
            self._open[name].write(head)
        self._open[name].write(line + "\n")


Write = Callable[[str, dict[str, Any]], None]
"""Writes one row of a split."""


def _to_paper(files: _Files, language: str) -> Write:
    """The paper's files: five fields a line, the splits one after the other; attribution line by line beside it."""
    name, beside = release_name(language), attribution_name(language)

    def write(split: str, row: dict[str, Any]) -> None:
        files.write(name, _json({field: row[field] for field in FIELDS}))
        files.write(beside, _json({"split": split, **{column: row[column] for column in ATTRIBUTION}}))

    return write


def _to_beir(files: _Files, language: str) -> Write:
    """BEIR's corpus, queries and qrels: title and body ask, the answer is what is found."""

    def write(split: str, row: dict[str, Any]) -> None:
        query_id, document_id = (f"{row['site']}:{row[side]}" for side in ("question_id", "answer_id"))
        by = {side: {c: row[c] for c in ("site", *ATTRIBUTION) if c.startswith(side) or c == "site"} for side in _SIDES}
        document = {"_id": document_id, "title": "", "text": row["answer"], "metadata": by["answer"]}
        text = f"{row['title']}\n{row['question']}"
        files.write(f"{language}/corpus.jsonl", _json(document))
        files.write(f"{language}/queries.jsonl", _json({"_id": query_id, "text": text, "metadata": by["question"]}))
        files.write(f"{language}/qrels/{BEIR_SPLITS[split]}.tsv", f"{query_id}\t{document_id}\t1", head=_QRELS_HEAD)

    return write


_SIDES = ("question", "answer")
_QRELS_HEAD = "query-id\tcorpus-id\tscore\n"


def _to_jsonl(files: _Files, language: str) -> Write:
    """Every column of every row, times in ISO 8601."""

    def write(split: str, row: dict[str, Any]) -> None:
        files.write(f"{language}/{split}.jsonl", _json(row))

    return write


_WRITERS: dict[str, Callable[[_Files, str], Write]] = {"paper": _to_paper, "beir": _to_beir, "jsonl": _to_jsonl}


def _json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, default=_iso)


def _iso(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds")


def _empty(folder: Path) -> None:
    """Throw away what an interrupted run wrote: an export begins anew, which is quicker than to look."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _summary(request: ExportRequest, manifest: Manifest) -> dict[str, Any]:
    return {
        "layout": request.layout,
        **manifest.counts,
        "files": len(manifest.files),
        "sha256": manifest.sha256,
        "out": str(request.out),
    }
