"""Published benchmarks → queries, documents and judgements: which task a name means, and who loads it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from procqa.config import require
from procqa.corpora.benchmark_texts import BenchmarkText, read_benchmark_texts
from procqa.corpora.collection import Collection, Facts, Wanted
from procqa.corpora.families import FAMILIES, Family
from procqa.corpora.loaders import beir, functions, mteb, programs, questions
from procqa.errors import ConfigError

__all__ = [
    "BenchmarkText",
    "Collection",
    "Facts",
    "known_tasks",
    "list_parts",
    "load_collection",
    "parse_task",
    "read_benchmark_texts",
]


@dataclass(frozen=True, slots=True)
class Loader:
    """How the tasks of a family are loaded.

    Args:
        load: the collection of a task.
        parts: the parts that are at hand; None where a family has none to list.
    """

    load: Callable[[Wanted], Collection]
    parts: Callable[[Wanted], list[str]] | None = None


_CODENET = Loader(programs.load_codenet, programs.codenet_parts)
_CDCS = Loader(functions.load_cdcs, functions.cdcs_parts)
_CODESEARCHNET = Loader(functions.load_codesearchnet, functions.codesearchnet_parts)
_WHOLE_CODESEARCHNET = Loader(functions.load_whole_codesearchnet, functions.whole_codesearchnet_parts)
_PACS = Loader(questions.load_pacs)
_RELEASED = Loader(questions.load_released, questions.released_parts)

LOADERS = {
    "procqa": _RELEASED,
    "procqa-title": _RELEASED,
    "codesearchnet": _CODESEARCHNET,
    "codesearchnet-tokens": _CODESEARCHNET,
    "codesearchnet-whole": _WHOLE_CODESEARCHNET,
    "codesearchnet-whole-tokens": _WHOLE_CODESEARCHNET,
    "advtest": Loader(functions.load_advtest),
    "advtest-tokens": Loader(functions.load_advtest),
    "cosqa": Loader(questions.load_cosqa),
    "conala": Loader(questions.load_conala),
    "conala-pacs": _PACS,
    "conala-pacs-concat": _PACS,
    "so-ds": _PACS,
    "so-ds-concat": _PACS,
    "staqc": _PACS,
    "staqc-concat": _PACS,
    "codenn": Loader(questions.load_codenn, questions.codenn_parts),
    "csn-cloze": Loader(functions.load_csn_cloze, functions.csn_cloze_parts),
    "cdcs": _CDCS,
    "cdcs-raw": _CDCS,
    "poj104": Loader(programs.load_poj104),
    "codenet": _CODENET,
    "codenet-raw": _CODENET,
    "rosetta": Loader(programs.load_rosetta, programs.rosetta_parts),
    "beir": Loader(beir.load_beir),
    "mteb": Loader(mteb.load_mteb),
}
"""Who loads the tasks of each family from published files."""


def load_collection(task: str, roots: Sequence[Path]) -> Collection:
    """The queries, documents and judgements of one task.

    Args:
        task: a name such as ``cosqa`` or ``codenn:csharp``; a BEIR folder is named by its path.
        roots: where to look, in order: folders that hold ``cosqa/`` and so on, or such a folder itself.

    Raises:
        ConfigError: there is no such task, or it lacks its part.
        BenchmarkError: the data is absent, broken, or does not hold the part.
    """
    family, part = parse_task(task)
    require(family.part is None or part != "", _must_be_named(family, task))
    return LOADERS[family.name].load(Wanted(family=family, part=part, roots=tuple(roots)))


def list_parts(task: str, roots: Sequence[Path]) -> list[str]:
    """The tasks that a task means: itself, or, where it lacks its part, every part that is at hand.

    Raises:
        ConfigError: there is no such task, or its parts cannot be listed.
        BenchmarkError: the data is absent or broken.
    """
    family, part = parse_task(task)
    if part or family.part is None:
        return [task]
    parts = LOADERS[family.name].parts
    if parts is None:
        raise ConfigError(_must_be_named(family, task))
    return [f"{family.name}:{part}" for part in parts(Wanted(family=family, part="", roots=tuple(roots)))]


def parse_task(task: str) -> tuple[Family, str]:
    """The family and the part of a task's name; the part is empty where there is none.

    Raises:
        ConfigError: there is no such task.
    """
    head, colon, part = task.partition(":")
    require(head in FAMILIES, f"a task must be one of {known_tasks()}, got {task!r}")
    family = FAMILIES[head]
    require(not colon or (family.part is not None and part != ""), _must_be_named(family, task))
    known = not part or not family.parts or part in family.parts
    require(known, f"a task of {head} must have one of the parts {', '.join(family.parts)}, got {task!r}")
    return family, part


def known_tasks() -> str:
    """The names that a task may have, for a sentence."""
    return ", ".join(family.pattern for family in FAMILIES.values())


def _must_be_named(family: Family, task: str) -> str:
    return f"a task of this family must be named {family.pattern}, got {task!r}"
