"""Retrieval tasks of MTEB, such as those of MTEB(Code) and CoIR, from copies of their dataset repositories.

mteb says what a task is and reads its data; the data is a copy of the task's repository, at the revision that mteb
names, in ROOT/mteb/NAME. Nothing is fetched. A query or a document is its text alone: prompts are a model's affair.
"""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from procqa.config import require
from procqa.corpora.collection import Collection, Texts, Wanted
from procqa.corpora.files import kind_of, mend, walk_files
from procqa.corpora.layouts.rows import to_id
from procqa.errors import BenchmarkError, ConfigError, MissingExtra


def load_mteb(wanted: Wanted) -> Collection:
    """One task of MTEB; of a task with subsets, such as languages, the one that the part names after ``#``.

    Raises:
        ConfigError: mteb has no such task, it is no retrieval of text, or the subset is not named.
        BenchmarkError: the copy of its data is absent or broken.
        MissingExtra: mteb is not installed.
    """
    name, _, subset = wanted.part.partition("#")
    task = _find_task(name, subset, wanted)
    (asked,) = task.hf_subsets
    published = task.metadata.dataset
    folder = _find_copy(name, published, wanted)
    split = task.eval_splits[0]
    data = _read(task, folder)[asked][split]
    qrels = {
        to_id(query): {to_id(document): int(grade) for document, grade in grades.items()}
        for query, grades in data["relevant_docs"].items()
        if any(grade > 0 for grade in grades.values())
    }
    queries = {to_id(row["id"]): _query(row, folder) for row in data["queries"]}
    documents = {to_id(row["id"]): _document(row, folder) for row in data["corpus"]}
    return wanted.collect(
        walk_files(folder, BenchmarkError),
        Texts({name: text for name, text in queries.items() if name in qrels}, documents, qrels),
        language=None,
        excludes_itself=task.ignore_identical_ids,
        source=f"{name} of mteb {version('mteb')}, {published['path']} at {published['revision']}, split {split}",
        licence=task.metadata.license or "not stated",
    )


def _find_task(name: str, subset: str, wanted: Wanted) -> Any:
    """A task of mteb by its name, with the one subset that is wanted."""
    try:
        import mteb
        from mteb.abstasks.retrieval import AbsTaskRetrieval
    except ImportError as error:
        raise MissingExtra("mteb", f"the task {wanted.name}") from error
    try:
        task = mteb.get_task(name)
    except KeyError as error:
        raise ConfigError(f"mteb must have the task {name!r}, but has none of that name") from error
    is_plain = isinstance(task, AbsTaskRetrieval) and not task.skip_first_result
    require(
        is_plain and task.metadata.modalities == ["text"] and "Reranking" not in task.metadata.type,
        f"the mteb task must be a retrieval of text among all documents, got {name}, which is {task.metadata.type}",
    )
    known = task.hf_subsets
    require(
        subset in known or (subset == "" and len(known) == 1),
        f"a task of mteb must name one of its subsets {', '.join(known)}, as in mteb:{name}#{known[0]}, "
        f"got {wanted.name!r}",
    )
    return mteb.get_task(name, hf_subsets=[subset]) if subset else task


def _find_copy(name: str, dataset: Mapping[str, str], wanted: Wanted) -> Path:
    for root in wanted.roots:
        for folder in (root / wanted.family.folder / name, root / name):
            if kind_of(folder) == "folder":
                return folder.resolve()
    where = " or ".join(str(root) for root in wanted.roots) or "a folder named by --data"
    raise BenchmarkError(
        f"{wanted.name} needs {wanted.family.folder}/{name} below {where}: put a copy of the dataset "
        f"{dataset['path']} at revision {dataset['revision']} there"
    )


def _read(task: Any, folder: Path) -> Any:
    """What mteb reads of a task, by subset and split, from a copy of its repository."""
    from datasets.exceptions import DatasetsError

    dataset = {**task.metadata.dataset, "path": str(folder)}
    task.metadata = task.metadata.model_copy(update={"dataset": dataset})
    try:
        task.load_data()
        task.convert_v1_dataset_format_to_v2(num_proc=None)
    except (DatasetsError, OSError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise BenchmarkError(
            f"{folder} must be a whole copy of its dataset, as mteb reads it, but: {reason}"
        ) from error
    return task.dataset


def _document(row: Mapping[str, Any], folder: Path) -> str:
    """Title, blank, text. Source: mteb's _create_dataloaders.py."""
    title, text = row.get("title") or "", row["text"]
    return mend(f"{title} {_require_text(text, folder)}".strip())


def _query(row: Mapping[str, Any], folder: Path) -> str:
    text = _require_text(row["text"], folder)
    return mend(f"{text} {row['instruction']}" if row.get("instruction") else text)


def _require_text(text: Any, folder: Path) -> str:
    if not isinstance(text, str):
        raise BenchmarkError(f"{folder} must hold texts, but a row of it is a {type(text).__name__}: name another task")
    return text
