"""Which tasks a name means, and what stands in each.

A task is named FAMILY:PART, such as ``procqa:python`` or ``rosetta:python-java``; a family by its name alone
means all parts that are at hand. Their facts stand in ``corpora.families``. Tasks of our own datasets are
built here; published benchmarks are read by ``corpora.benchmarks`` and are not changed.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from procqa.corpora.benchmarks import Collection, Facts, known_tasks, list_parts, load_collection, parse_task
from procqa.corpora.families import FAMILIES, Family
from procqa.corpora.release import release_name
from procqa.dataset.schema import dataset_languages, read_rows
from procqa.errors import ArtifactError, BenchmarkError, ConfigError
from procqa.manifest import MANIFEST, load_manifest

__all__ = ["FAMILIES", "Family", "Task", "is_dataset", "load_task", "resolve_tasks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task that can be loaded.

    Args:
        datasets: the folders of ours that it is built from; none for a benchmark.
    """

    name: str
    family: Family
    part: str | None
    datasets: tuple[Path, ...] = ()

    @property
    def shares_documents_with(self) -> tuple[str, str]:
        """Equal for tasks that rank the same documents, so that these can stand together."""
        part = self.part or ""
        if self.family.from_dataset:
            return "procqa", part
        return self.family.name, part.partition("-")[2] if self.family.part == "A-B" else part


FACTS = ("tags", "question_score", "question_created")
"""Columns of a dataset that tell questions apart."""


def resolve_tasks(names: Sequence[str], roots: Sequence[Path]) -> list[Task]:
    """The tasks of these names, each once; those that rank the same documents stand together.

    Args:
        roots: dataset folders and benchmark roots, mixed: a folder with our manifest of kind dataset is a
            dataset, anything else a benchmark root.

    Raises:
        ConfigError: no name, or one that no task has.
        BenchmarkError: what a task needs is not at hand.
        ArtifactError: a dataset is broken.
    """
    if not names:
        raise ConfigError(f"evaluate must be given at least one task of {known_tasks()}")
    asked = [parse_task(name) for name in dict.fromkeys(names)]
    for root in roots:
        if not root.is_dir():
            raise BenchmarkError(f"{root} must be a dataset or a folder of benchmarks, but there is no such folder")
    datasets = list({root.resolve(): root for root in roots if is_dataset(root)}.values())
    benchmarks = [root for root in roots if not is_dataset(root)]
    tasks: dict[str, Task] = {}
    for family, part in asked:
        find = _from_datasets if family.from_dataset else _published
        tasks.update((task.name, task) for task in find(family, part, benchmarks, datasets))
    order = list(dict.fromkeys(task.shares_documents_with for task in tasks.values()))
    return sorted(tasks.values(), key=lambda task: order.index(task.shares_documents_with))


def load_task(task: Task, roots: Sequence[Path]) -> Collection:
    """The queries, documents and judgements of a task.

    Raises:
        BenchmarkError: its data is absent or not in its published layout.
        ArtifactError: a dataset is broken, or two of them have different texts under one id.
    """
    if task.datasets:
        return _load_dataset_task(task)
    return load_collection(task.name, [root for root in roots if not is_dataset(root)])


def is_dataset(folder: Path) -> bool:
    """Whether a folder has our manifest of a dataset."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and "format_version" in manifest and manifest.get("kind") == "dataset"


def _published(family: Family, part: str, roots: Sequence[Path], _datasets: Sequence[Path]) -> list[Task]:
    """The wanted task of a benchmark, or all that are at hand."""
    names = list_parts(f"{family.name}:{part}" if part else family.name, roots)
    return [Task(name=name, family=family, part=name.partition(":")[2] or None) for name in names]


def _from_datasets(family: Family, part: str, roots: Sequence[Path], datasets: Sequence[Path]) -> list[Task]:
    """The wanted language, or all that have a test split, of the datasets and the released files at hand."""
    name = f"{family.name}:{part}" if part else family.name
    released = [task for task in _published(family, "", roots, datasets) if part in ("", task.part)]
    if not datasets and not released:
        raise BenchmarkError(
            f"{name} must have a dataset, got none: give a folder made by procqa build, or one that holds the "
            f"released {release_name(part or 'LANG')}, as --data"
        )
    folders: dict[str, list[Path]] = {}
    tested = set()
    for folder in datasets:
        for language, splits in dataset_languages(folder).items():
            folders.setdefault(language, []).append(folder)
            if splits.get("test"):
                tested.add(language)
    wanted = [language for language in folders if language in tested and part in ("", language)]
    for task in released:
        if task.part in wanted:
            raise BenchmarkError(
                f"{task.name} must come from one place, but a dataset and a released file have it: give one as --data"
            )
    if not wanted and not released and tested:
        raise BenchmarkError(
            f"{name} must name a language with a test split, which needs 10 pairs; here {', '.join(sorted(tested))}"
        )
    if not wanted and not released:
        raise BenchmarkError(
            f"{name} must have a test split, but {', '.join(map(str, datasets))} has none: a language needs 10 pairs"
        )
    return released + [
        Task(name=f"{family.name}:{language}", family=family, part=language, datasets=tuple(folders[language]))
        for language in wanted
    ]


def _load_dataset_task(task: Task) -> Collection:
    """The questions of the test splits, and the answers of every split, of one language.

    Several datasets make one task: all their questions, over all their answers.

    Source: docs/paper.md#benchmark-protocol.
    """
    documents: dict[str, str] = {}
    queries: dict[str, str] = {}
    qrels: dict[str, dict[str, int]] = {}
    facts: dict[str, Facts] = {}
    for folder in task.datasets:
        for row in read_rows(folder, columns=["site", "answer_id", "answer"], language=task.part):
            _put(documents, f"{row['site']}:{row['answer_id']}", row["answer"], folder)
        columns = ["site", "question_id", "answer_id", "title", "question", *FACTS]
        for row in read_rows(folder, columns=columns, language=task.part, split="test"):
            query = f"{row['site']}:{row['question_id']}"
            title_alone = task.family.name == "procqa-title"
            _put(queries, query, row["title"] if title_alone else f"{row['title']}\n{row['question']}", folder)
            qrels.setdefault(query, {})[f"{row['site']}:{row['answer_id']}"] = 1
            asked = row["question_created"]
            facts[query] = Facts(
                tags=tuple(row["tags"] or ()), year=None if asked is None else asked.year, score=row["question_score"]
            )
    digests = [load_manifest(folder).sha256 for folder in task.datasets]
    return Collection(
        name=task.name,
        language=task.part,
        queries=queries,
        documents=documents,
        qrels=qrels,
        source=f"{task.family.source} with sha256 {' + '.join(digests)}",
        licence=task.family.licence,
        digest=digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest(),
        measure=task.family.measure,
        facts=facts,
    )


def _put(texts: dict[str, str], identifier: str, text: str, folder: Path) -> None:
    """Add a text; the same one may come again, another under the same id may not."""
    if texts.setdefault(identifier, text) != text:
        raise ArtifactError(
            f"datasets must hold one text under {identifier}, but {folder} holds another: give one of them alone"
        )
