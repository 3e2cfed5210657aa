"""The data of studies, made of datasets and benchmarks so small that every row is known."""

import json
from pathlib import Path

import pytest

from procqa.dataset.schema import dataset_languages, read_rows
from procqa.errors import ConfigError
from procqa.manifest import load_manifest
from procqa.studies.materials import Materials, Sources
from tests.evaluation.small import write_dataset, write_lines

PYTHON = {
    "train": [(number, f"title {number}", f"answer {number}") for number in range(1, 6)],
    "validation": [(6, "title 6", "answer 6")],
    "test": [(7, "title 7", "answer 7")],
}
GO = {"train": [(11, "title 11", "answer 11"), (12, "title 12", "answer 12")]}
OTHER = {"train": [(number, f"other {number}", f"reply {number}") for number in range(20, 23)]}

TASKS = {"100-doors": "trained on", "99-bottles": "measured", "a-plus-b": "trained on", "abstract-type": "measured"}
"""The SHA-256 of their names begins with 30, cb, 2e and ed: an even byte is trained on."""


def write_programs(folder: Path) -> None:
    (folder / "rosetta").mkdir(parents=True)
    lines = [
        {"task": task, "language": language, "file": f"{task}.{language}", "code": f"{language} program of {task}"}
        for task in TASKS
        for language in ("python", "go", "racket")
    ]
    write_lines(folder / "rosetta" / "programs.jsonl", lines)


@pytest.fixture
def materials(tmp_path: Path) -> Materials:
    write_programs(tmp_path / "benchmarks")
    sources = Sources(
        programming=write_dataset(tmp_path / "programming", {"python": PYTHON, "go": GO}),
        mixed=write_dataset(tmp_path / "mixed", {"python": OTHER}),
        benchmarks=tmp_path / "benchmarks",
    )
    return Materials(sources, tmp_path / "work")


def titles(folder: Path, split: str) -> list[str]:
    return [row["title"] for row in read_rows(folder, columns=["title"], split=split)]


def test_a_dataset_is_taken_as_it_is(materials: Materials, tmp_path: Path) -> None:
    assert materials.get("programming").path == tmp_path / "programming"
    assert materials.get("programming").sha256 == load_manifest(tmp_path / "programming").sha256


def test_a_sample_has_as_many_rows_of_each_language_as_both_have(materials: Materials) -> None:
    sample = materials.get("programming=mixed")
    assert dataset_languages(sample.path) == {"python": {"train": 3}}
    assert set(titles(sample.path, "train")) < {f"title {number}" for number in range(1, 6)}
    assert sample.rows == 3
    assert titles(materials.get("mixed=programming").path, "train") == ["other 20", "other 21", "other 22"]


def test_a_sample_is_the_same_each_time(materials: Materials, tmp_path: Path) -> None:
    first = materials.get("programming=mixed")
    sources = Sources(programming=tmp_path / "programming", mixed=tmp_path / "mixed")
    again = Materials(sources, tmp_path / "elsewhere").get("programming=mixed")
    assert again.sha256 == first.sha256
    assert again.path != first.path


def test_validation_rows_stand_as_test(materials: Materials) -> None:
    chosen = materials.get("programming:validation")
    assert titles(chosen.path, "test") == ["title 6"]
    assert len(titles(chosen.path, "train")) == 7


def test_rosetta_is_halved_by_task(materials: Materials) -> None:
    lines = (materials.get("rosetta").path / "rosetta" / "programs.jsonl").read_text().splitlines()
    assert {json.loads(line)["task"] for line in lines} == {task for task, half in TASKS.items() if half == "measured"}
    assert {json.loads(line)["language"] for line in lines} == {"python", "go"}
    parallel = materials.get("parallel").path
    assert {row["title"] for row in read_rows(parallel, columns=["title"])} == {
        f"{task} ({language})" for task, half in TASKS.items() if half == "trained on" for language in ("python", "go")
    }


def test_parallel_programs_answer_one_another(materials: Materials) -> None:
    rows = list(read_rows(materials.get("parallel").path, language="go"))
    found = {(row["question"], row["answer"].strip("`\n").removeprefix("go\n")) for row in rows}
    assert ("python program of a-plus-b", "go program of a-plus-b") in found


def test_what_was_not_given_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="this study needs functions: name it with --functions PATH"):
        Materials(Sources(), tmp_path).get("functions")
    with pytest.raises(ConfigError, match="--mixed must name what is there, got"):
        Materials(Sources(mixed=tmp_path / "absent"), tmp_path).get("mixed")


def test_the_sample_stands_for_questions_that_were_not_given(tmp_path: Path) -> None:
    made = Materials(Sources(), tmp_path, falls_back=True).get("mixed")
    assert made.rows == 134
    assert made.path == tmp_path / "mixed"
