"""The data of studies, each made once in a folder that all studies share.

programming, mixed, functions   datasets without the texts of any benchmark
A=B                             of dataset A, in each language, as many training rows as A and B both have
A:validation                    dataset A with its validation rows as test, to choose settings by
cosqa                           CoSQA's development and test queries as a dataset
parallel                        programs of Rosetta Code that solve one task in two languages, of half of the tasks
rosetta                         the programs of the other half, as a benchmark
benchmarks                      the benchmarks as they were given
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from procqa.artifact import digest_input, find_complete, workspace
from procqa.bundled import sample_dump
from procqa.config import LANGUAGES, RunConfig, build_config, require
from procqa.corpora.layouts.programs import read_rosetta
from procqa.dataset.build import build_dataset
from procqa.dataset.corpus import CorpusRequest, build_corpus
from procqa.dataset.request import BuildRequest, Report, no_report
from procqa.dataset.schema import SCHEMA, dataset_languages, part_path, read_rows
from procqa.errors import ConfigError
from procqa.evaluation.tasks import is_dataset
from procqa.files import write_durably
from procqa.manifest import load_manifest

DATASETS = ("programming", "mixed", "functions")
"""Materials that the user names."""

PROGRAMS = "programs.jsonl"
SAMPLE_SEED = 0
"""Of the rows of ``A=B``: the same for every seed of training, so that arms of one seed share their data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the user gives; None where it is not at hand.

    Args:
        programming: dumps or a dataset of questions in text with answers in text and code.
        mixed: the same with text and code on both sides.
        functions: functions with their documentation, in CodeSearchNet's layout or as a dataset.
        benchmarks: a folder with a folder for each benchmark.
    """

    programming: Path | None = None
    mixed: Path | None = None
    functions: Path | None = None
    benchmarks: Path | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """A folder of data, and its digest."""

    name: str
    path: Path
    sha256: str
    rows: int | None


class Materials:
    """Makes materials by name in a folder, or finds them made.

    Args:
        sources: what the user gave.
        folder: where they are made.
        falls_back: whether the bundled sample stands for questions that were not given.
    """

    def __init__(self, sources: Sources, folder: Path, *, falls_back: bool = False, report: Report = no_report) -> None:
        self._sources, self._folder, self._report = sources, folder, report
        self._falls_back = falls_back
        self._made: dict[str, Material] = {}

    def get(self, name: str) -> Material:
        """A material, made where it is not there yet.

        Raises:
            ConfigError: it is made of something that was not given.
            ProcqaError: whatever the stage that makes it says.
        """
        if name not in self._made:
            path = self._maker(name)()
            self._made[name] = Material(name, path, *_describe(path))
        return self._made[name]

    def _maker(self, name: str) -> Callable[[], Path]:
        if name in DATASETS:
            return partial(self._dataset, name)
        if name.endswith(":validation"):
            return partial(self._validation, name.removesuffix(":validation"))
        if "=" in name:
            return partial(self._sample, *name.split("="))
        return {
            "benchmarks": self._benchmarks,
            "cosqa": self._cosqa,
            "parallel": self._parallel,
            "rosetta": self._rosetta,
        }[name]

    def _given(self, name: str) -> Path:
        """What the user gave under a name."""
        path: Path | None = getattr(self._sources, name)
        if path is None and self._falls_back and name in ("programming", "mixed"):
            return sample_dump()
        if path is None:
            raise ConfigError(f"this study needs {name}: name it with --{name} PATH")
        require(path.exists(), f"--{name} must name what is there, got {path}")
        return path

    def _checked_against(self) -> tuple[Path, ...]:
        """Every benchmark that was given, to be left out of what is trained on."""
        root = self._sources.benchmarks
        return () if root is None else tuple(sorted(path for path in self._benchmarks().iterdir() if path.is_dir()))

    def _benchmarks(self) -> Path:
        return self._given("benchmarks")

    def _dataset(self, name: str) -> Path:
        source, out = self._given(name), self._folder / name
        if is_dataset(source):
            return source
        if name == "functions":
            request = CorpusRequest(source=source, out=out, benchmarks=self._checked_against())
            build_corpus(request, self._report)
        else:
            config, checked = build_config({"site": "local"}), self._checked_against()
            build_dataset(
                BuildRequest(dumps=(str(source),), out=out, config=config, run=RunConfig(jobs=1), benchmarks=checked),
                self._report,
            )
        return out

    def _cosqa(self) -> Path:
        out = self._folder / "cosqa"
        build_corpus(CorpusRequest(source=self._benchmarks() / "cosqa", out=out), self._report)
        return out

    def _sample(self, name: str, other: str) -> Path:
        source, beside = self.get(name).path, dataset_languages(self.get(other).path)
        rows = {
            language: min(splits.get("train", 0), beside.get(language, {}).get("train", 0))
            for language, splits in dataset_languages(source).items()
        }
        recipe = {"study": "sample", "rows": rows, "seed": SAMPLE_SEED}
        return _copy_rows(source, self._folder / f"{name}={other}", recipe, partial(_draw, rows=rows))

    def _validation(self, name: str) -> Path:
        source = self.get(name).path
        recipe = {"study": "validation as test"}
        return _copy_rows(source, self._folder / f"{name}-validation", recipe, _validation_as_test)

    def _parallel(self) -> Path:
        pairs, out = self._folder / "parallel-pairs", self._folder / "parallel"
        _write_lines(pairs / "train" / "parallel.jsonl", _program_pairs(self._all_programs()))
        others = (path for path in self._checked_against() if path.name != "rosetta")
        checked = (*others, self.get("rosetta").path / "rosetta")
        build_corpus(CorpusRequest(source=pairs, out=out, benchmarks=checked), self._report)
        return out

    def _rosetta(self) -> Path:
        out = self._folder / "rosetta-half"
        programs = _programs(self._all_programs())
        _write_lines(out / "rosetta" / PROGRAMS, (line for line, task in programs if not _is_trained_on(task)))
        return out

    def _all_programs(self) -> Path:
        plain = self._benchmarks() / "rosetta" / PROGRAMS
        return plain if plain.exists() else plain.with_name(f"{PROGRAMS}.gz")


def _describe(path: Path) -> tuple[str, int | None]:
    """The digest of a folder, and the rows of a dataset."""
    if is_dataset(path):
        rows = sum(sum(splits.values()) for splits in dataset_languages(path).values())
        return load_manifest(path, kind="dataset").sha256, rows
    return digest_input(path).sha256, None


def _copy_rows(
    source: Path, out: Path, recipe: dict[str, Any], choose: Callable[[Path, str], Iterator[tuple[str, pa.Table]]]
) -> Path:
    """A dataset of rows of another, by language.

    Args:
        choose: gives the splits of a language with their rows.
    """
    inputs = [digest_input(source)]
    if find_complete(out, kind="dataset", recipe=recipe, inputs=inputs) is not None:
        return out
    counts: dict[str, dict[str, int]] = {}
    with workspace(out, kind="dataset", recipe=recipe, inputs=inputs) as work:
        for language in dataset_languages(source):
            for split, table in choose(source, language):
                if len(table):
                    path = work.path / part_path(language, split, 0, 1)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    pq.write_table(table, path, compression="zstd")
                    counts.setdefault(language, {})[split] = len(table)
        kept = sum(sum(splits.values()) for splits in counts.values())
        kind = load_manifest(source, kind="dataset").counts.get("kind", "questions")
        work.finish({"kind": kind, "kept": kept, "languages": counts})
    return out


def _draw(source: Path, language: str, *, rows: dict[str, int]) -> Iterator[tuple[str, pa.Table]]:
    """So many training rows of a language, drawn without replacement, in their order."""
    table = _read(source, language, "train")
    chosen = np.random.default_rng([SAMPLE_SEED, LANGUAGES.index(language)]).permutation(len(table))[: rows[language]]
    yield "train", table.take(pa.array(np.sort(chosen)))


def _validation_as_test(source: Path, language: str) -> Iterator[tuple[str, pa.Table]]:
    yield "train", _read(source, language, "train")
    yield "test", _read(source, language, "validation")


def _read(source: Path, language: str, split: str) -> pa.Table:
    return pa.Table.from_pylist(list(read_rows(source, language=language, split=split)), schema=SCHEMA)


def _is_trained_on(task: str) -> bool:
    """Half of the tasks, by their names alone, so that it is the same half in every version of the file."""
    return hashlib.sha256(task.encode()).digest()[0] % 2 == 0


def _programs(path: Path) -> Iterator[tuple[dict[str, str], str]]:
    """The programs of Rosetta Code in languages of ours, as they stand in the file, and their tasks."""
    for row in read_rosetta(path):
        if row.language in LANGUAGES and row.group is not None:
            yield {"task": row.group, "language": row.language, "file": row.id, "code": row.document or ""}, row.group


def _program_pairs(path: Path) -> Iterator[dict[str, str]]:
    """A task's first programs in two languages as documentation and code, in CodeSearchNet's layout."""
    first: dict[str, dict[str, str]] = {}
    for line, task in _programs(path):
        if _is_trained_on(task):
            first.setdefault(task, {}).setdefault(line["language"], line["code"])
    for task, programs in sorted(first.items()):
        for asking, answering in permutations(sorted(programs), 2):
            yield {
                "repo": "rosettacode",
                "path": task,
                "func_name": f"{task} ({asking})",
                "language": answering,
                "docstring": programs[asking],
                "code": programs[answering],
                "license": "GFDL 1.2",
                "partition": "train",
            }


def _write_lines(path: Path, lines: Iterator[dict[str, str]]) -> None:
    """Write JSON lines, whatever stood there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines))
