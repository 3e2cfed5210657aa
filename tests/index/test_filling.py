"""An update makes what is new, takes the rest over, and ends with what a new build makes."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from procqa.config import IndexConfig
from procqa.index.build import build_index
from procqa.index.dense import DenseIndex
from procqa.index.lexical import LexicalIndex
from procqa.journal import read_lines
from tests.index.small import ROWS, WORDS, WordEncoder, to_row, write_dataset

pytest.importorskip("tree_sitter")

QUERIES = (*WORDS, "read a list", "sort map order", "how is this done", "value")


def content_of(index: Path) -> dict[str, bytes]:
    """The bytes of every file of the live generation but those that tantivy names by chance."""
    (generation,) = index.glob("*/")
    return {
        path.relative_to(generation).as_posix(): path.read_bytes()
        for path in generation.rglob("*")
        if path.is_file() and path.parent.name != "lexical"
    }


def answers_of(index: Path) -> list[Any]:
    (generation,) = index.glob("*/")
    lexical, dense = LexicalIndex(generation / "lexical"), DenseIndex(generation / "dense")
    vectors = WordEncoder().encode_documents(QUERIES)
    return [lexical.search(query, 50) for query in QUERIES] + [dense.search(vector, 50) for vector in vectors]


def last_effort(index: Path) -> tuple[int, int, int]:
    """Documents read, documents cut into words, and texts encoded, by the run before."""
    *_, last = read_lines(index.with_name(f"{index.name}.log.jsonl"))
    return last["read"], last["cut"], last["encoded"]


def update(sources: Iterable[Path], index: Path) -> tuple[int, int, int]:
    """Update an index, and hold it against a new build beside it; what the update made."""
    sources = list(sources)
    build_index(sources, index, encoder=WordEncoder())
    fresh = index.with_name("fresh")
    build_index(sources, fresh, encoder=WordEncoder(), force=True)
    assert content_of(index) == content_of(fresh)
    assert answers_of(index) == answers_of(fresh)
    for path in sorted(fresh.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    fresh.rmdir()
    return last_effort(index)


def write_project(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


CODE = "def read_list(path):\n    return sort(path)\n\n\ndef other(value):\n    return value\n"


def test_only_what_changed_is_made_again(tmp_path: Path):
    dataset = write_dataset(tmp_path / "d")
    project = write_project(tmp_path / "shop", {"a.py": CODE, "b.py": CODE, "notes.md": "# Map\n\nSort it.\n"})
    index = tmp_path / "i"
    assert update([dataset, project], index) == (10, 10, 10)
    (project / "b.py").write_text(CODE.replace("value", "order"))
    assert update([dataset, project], index) == (2, 1, 1)
    (project / "c.py").write_text("def sort_map():\n    return 1\n")
    assert update([dataset, project], index) == (1, 1, 1)
    (project / "a.py").unlink()
    assert update([dataset, project], index) == (0, 0, 0)
    (project / "moved").mkdir()
    (project / "c.py").rename(project / "moved/c.py")
    assert update([dataset, project], index) == (1, 0, 0)
    assert update([project], index) == (0, 0, 0)
    assert update([dataset, project], index) == (5, 5, 5)


def test_the_vectors_of_long_documents_are_taken_over_together(tmp_path: Path):
    long = "Read the list.\n\nSort the map.\n\nOrder the file.\n\n"
    rows = [*ROWS, to_row(60, "go", "Read a list", long), to_row(70, "go", "Sort a map", long * 9)]
    dataset, index = write_dataset(tmp_path / "d", rows), tmp_path / "i"
    more = write_dataset(tmp_path / "more", [to_row(80, "go", "Order", long)])
    for sources, place in (([dataset], index), ([dataset, more], index), ([dataset, more], tmp_path / "fresh")):
        build_index(
            sources, place, encoder=WordEncoder(), read_part=lambda text: text[:40], config=IndexConfig(chunks=3)
        )
    assert content_of(index) == content_of(tmp_path / "fresh")
    assert answers_of(index) == answers_of(tmp_path / "fresh")
    assert last_effort(index) == (1, 1, 2)
    assert last_effort(tmp_path / "fresh") == (8, 8, 16)


def test_of_a_dataset_that_changed_only_new_texts_are_cut_and_encoded(tmp_path: Path):
    dataset, index = write_dataset(tmp_path / "d"), tmp_path / "i"
    assert update([dataset], index) == (5, 5, 5)
    rows = [*ROWS[1:], to_row(50, "go", "Read a map", "Range over it."), {**ROWS[0], "answer_score": 99}]
    newer = write_dataset(tmp_path / "newer", rows)
    assert update([newer], index) == (6, 1, 1)


def test_a_function_does_not_take_the_vector_of_an_answer_with_its_words(tmp_path: Path):
    code = "def f():\n    return 1"
    row = to_row(60, "python", "f", code, question="Sort a map.")
    documented = code.replace("):", '):\n    """Sort a map."""')
    project = write_project(tmp_path / "shop", {"a.py": f"{documented}\n"})
    index = tmp_path / "i"
    assert update([write_dataset(tmp_path / "d", [row])], index) == (1, 1, 1)
    assert update([project], index) == (1, 1, 1)


def test_another_encoder_encodes_all_again_and_reads_nothing(tmp_path: Path):
    class Other(WordEncoder):
        revision = "1" * 64

    dataset, index = write_dataset(tmp_path / "d"), tmp_path / "i"
    build_index([dataset], index, encoder=WordEncoder())
    build_index([dataset], index, encoder=Other())
    assert last_effort(index) == (0, 0, 5)


def test_damage_is_not_handed_on(tmp_path: Path):
    dataset, index = write_dataset(tmp_path / "d"), tmp_path / "i"
    update([dataset], index)
    (path,) = index.glob("*/documents/rows.arrow")
    data = bytearray(path.read_bytes())
    data[data.index(b"Open it.")] = ord("X")
    path.write_bytes(data)
    more = write_dataset(tmp_path / "more", [to_row(50, "go", "Read a map", "Range over it.")])
    assert update([dataset, more], index) == (6, 6, 6)


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_changes_ends_with_what_a_new_build_makes(tmp_path: Path, seed: int):
    dice = random.Random(seed)
    dataset = write_dataset(tmp_path / "d")
    project = write_project(tmp_path / "shop", {f"{number}.py": CODE for number in range(4)})
    for step in range(6):
        for _ in range(dice.randint(1, 4)):
            name = f"{dice.randint(0, 5)}.{dice.choice(['py', 'py', 'md', 'go'])}"
            path = project / name
            if path.exists() and dice.random() < 0.4:
                path.unlink()
            else:
                path.write_text(f"# {dice.choice(WORDS)}\n\n" + CODE.replace("value", dice.choice(WORDS)))
        sources = [dataset, project] if dice.random() < 0.7 else [project, dataset]
        effort = update(sources, tmp_path / "i")
        assert step == 0 or effort[0] < 20
