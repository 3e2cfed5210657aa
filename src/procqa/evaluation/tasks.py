"""Retrieval tasks as data: what is asked, of which documents, and where both come from.

A task is named FAMILY:PART, such as ``procqa:python`` or ``rosetta:python-java``; a family by its name alone
means all parts that are at hand. Tasks of our own datasets are built here; published benchmarks are read by
``corpora.benchmarks`` and are not changed.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from procqa.artifact import MANIFEST, load_manifest
from procqa.corpora.benchmarks import Collection, Facts, list_parts, load_collection
from procqa.dataset.schema import dataset_languages, read_rows
from procqa.errors import ArtifactError, BenchmarkError, ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Tasks that differ only in their part.

    Args:
        part: what stands behind the colon; None where nothing may.
        query: the text of a query.
        document: the text of a document.
        relevant: which documents are right for a query.
        from_dataset: whether it is built from our datasets or read from a published benchmark.
    """

    name: str
    part: str | None
    query: str
    document: str
    relevant: str
    from_dataset: bool = False


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
        return self.family.name, part.partition("-")[2] if self.family.name == "rosetta" else part


FACTS = ("tags", "question_score", "question_created")
"""Columns of a dataset that tell questions apart."""

ACCEPTED = "the accepted answer alone; an answer of the same text counts as another"
"""Source: docs/paper.md#benchmark-protocol."""

OWN_OR_EQUAL = "its own, and every document of the same text"
"""Source: ours, docs/evaluation.md#tasks."""

FAMILIES = {
    family.name: family
    for family in (
        Family(
            name="procqa",
            part="LANG",
            query="title, line break, question in Markdown",
            document="accepted answer in Markdown, of every split",
            relevant=ACCEPTED,
            from_dataset=True,
        ),
        Family(
            name="procqa-title",
            part="LANG",
            query="title",
            document="accepted answer in Markdown, of every split",
            relevant=ACCEPTED,
            from_dataset=True,
        ),
        Family(
            name="cosqa",
            part=None,
            query="web query",
            document="Python function as published, docstring in",
            relevant="the one function that is labelled right",
        ),
        Family(
            name="conala",
            part=None,
            query="rewritten intent",
            document="Python snippet",
            relevant="the snippets of all equal intents, and every snippet of the same text",
        ),
        Family(
            name="codenn", part="LANG", query="title", document="code of the accepted answer", relevant=OWN_OR_EQUAL
        ),
        Family(
            name="csn-cloze",
            part="LANG",
            query="docstring",
            document="function as joined tokens",
            relevant=OWN_OR_EQUAL,
        ),
        Family(
            name="rosetta",
            part="A-B",
            query="program in language A",
            document="program in language B",
            relevant="the programs for the same task",
        ),
        Family(
            name="beir",
            part="PATH",
            query="text",
            document="title, blank, text",
            relevant="those judged above 0, with their grades",
        ),
    )
}
"""Every family of tasks by name. Source: docs/paper.md#suite, docs/paper.md#benchmark-protocol."""


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
        raise ConfigError(f"evaluate must be given at least one task of {_known()}")
    asked = [_parse(name) for name in dict.fromkeys(names)]
    for root in roots:
        if not root.is_dir():
            raise BenchmarkError(f"{root} must be a dataset or a folder of benchmarks, but there is no such folder")
    datasets = list({root.resolve(): root for root in roots if is_dataset(root)}.values())
    benchmarks = [root for root in roots if not is_dataset(root)]
    tasks: dict[str, Task] = {}
    for family, part in asked:
        found = _from_datasets(family, part, datasets) if family.from_dataset else _published(family, part, benchmarks)
        tasks.update((task.name, task) for task in found)
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


def _parse(name: str) -> tuple[Family, str | None]:
    """The family and the part of a task's name."""
    head, colon, part = name.partition(":")
    family = FAMILIES.get(head)
    if family is None:
        raise ConfigError(f"a task must be one of {_known()}, got {name!r}")
    if colon and (family.part is None or not part):
        raise ConfigError(f"a task of this family must be named {_pattern(family)}, got {name!r}")
    return family, part or None


def _known() -> str:
    return ", ".join(map(_pattern, FAMILIES.values()))


def _pattern(family: Family) -> str:
    return family.name if family.part is None else f"{family.name}:{family.part}"


def _published(family: Family, part: str | None, roots: Sequence[Path]) -> list[Task]:
    """The wanted task of a benchmark, or all that are at hand."""
    names = list_parts(family.name if part is None else f"{family.name}:{part}", roots)
    return [Task(name=name, family=family, part=name.partition(":")[2] or None) for name in names]


def _from_datasets(family: Family, part: str | None, datasets: Sequence[Path]) -> list[Task]:
    """The wanted language, or all that have a test split, of the datasets at hand."""
    if not datasets:
        raise BenchmarkError(
            f"{family.name} must have a dataset, got none: give a folder made by procqa build as --data"
        )
    folders: dict[str, list[Path]] = {}
    tested = set()
    for folder in datasets:
        for language, splits in dataset_languages(folder).items():
            folders.setdefault(language, []).append(folder)
            if splits.get("test"):
                tested.add(language)
    wanted = [language for language in folders if language in tested and part in (None, language)]
    if not wanted:
        name = family.name if part is None else f"{family.name}:{part}"
        raise BenchmarkError(
            f"{name} must have a test split, but {', '.join(map(str, datasets))} has none: a language needs 10 pairs"
        )
    return [
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
    digests = " + ".join(load_manifest(folder).sha256 for folder in task.datasets)
    return Collection(
        name=task.name,
        language=task.part,
        queries=queries,
        documents=documents,
        qrels=qrels,
        source=f"test split of the dataset with sha256 {digests}",
        licence="that of each row",
        facts=facts,
    )


def _put(texts: dict[str, str], identifier: str, text: str, folder: Path) -> None:
    """Add a text; the same one may come again, another under the same id may not."""
    if texts.setdefault(identifier, text) != text:
        raise ArtifactError(
            f"datasets must hold one text under {identifier}, but {folder} holds another: give one of them alone"
        )
