"""A stale index says how many files changed, came and went."""

import os
from pathlib import Path

import pytest

from procqa.errors import ArtifactError
from procqa.index.build import build_index
from procqa.index.staleness import Staleness, find_staleness, tell_staleness
from tests.index.small import ROWS, write_dataset

pytest.importorskip("tree_sitter")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    for name in ("a.py", "b.py", "c.md"):
        (tmp_path / "shop" / name).write_text("# words\ndef f(): return 1\n")
    return tmp_path / "shop"


def test_an_index_of_sources_that_did_not_change_is_not_stale(project: Path, tmp_path: Path):
    build_index([project, write_dataset(tmp_path / "d")], tmp_path / "i", encoder=None)
    found = find_staleness(tmp_path / "i")
    assert found == Staleness()
    assert not found.is_stale


def test_what_changed_came_and_went_is_counted(project: Path, tmp_path: Path):
    dataset = write_dataset(tmp_path / "d")
    build_index([project, dataset], tmp_path / "i", encoder=None)
    (project / "a.py").write_text("def f(): return 2\n")
    (project / "b.py").unlink()
    (project / "sub").mkdir()
    for number in range(3):
        (project / "sub" / f"{number}.go").write_text("package a\n")
    (project / "data.csv").write_text("1,2")
    found = find_staleness(tmp_path / "i")
    assert (found.changed, found.new, found.gone, found.is_stale) == (1, 3, 1, True)
    build_index([project, dataset], tmp_path / "i", encoder=None)
    assert not find_staleness(tmp_path / "i").is_stale


def test_a_dataset_that_was_built_again_counts_as_one_file(tmp_path: Path):
    dataset = write_dataset(tmp_path / "d")
    build_index([dataset], tmp_path / "i", encoder=None)
    for path in sorted(dataset.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    dataset.rmdir()
    write_dataset(tmp_path / "d", ROWS[1:])
    assert find_staleness(tmp_path / "i") == Staleness(changed=1)


def test_a_source_that_is_not_there_is_named_and_may_be_shown_elsewhere(project: Path, tmp_path: Path):
    build_index([project], tmp_path / "i", encoder=None)
    (tmp_path / "elsewhere").mkdir()
    moved = project.rename(tmp_path / "elsewhere" / "shop")
    assert find_staleness(tmp_path / "i") == Staleness(unknown=("shop",))
    assert find_staleness(tmp_path / "i", [moved]) == Staleness()
    assert find_staleness(tmp_path / "i", []) == Staleness(unknown=("shop",))


def test_a_source_that_may_not_be_looked_at_is_not_known_and_no_failure(project: Path, tmp_path: Path):
    build_index([project], tmp_path / "i", encoder=None)
    beside = tmp_path / "i.sources.json"
    too_long = "x" * 300  # which a system refuses to look for, as it does behind a closed folder
    beside.write_text(beside.read_text().replace(f"{tmp_path}/shop", f"{tmp_path}/{too_long}/shop"))
    assert find_staleness(tmp_path / "i") == Staleness(unknown=("shop",))
    assert tell_staleness(tmp_path / "i") is None


def test_a_file_that_was_only_touched_did_not_change(project: Path, tmp_path: Path):
    build_index([project], tmp_path / "i", encoder=None)
    os.utime(project / "a.py", (1, 1))
    assert find_staleness(tmp_path / "i") == Staleness()


def test_without_an_index_there_is_nothing_to_be_stale(tmp_path: Path):
    with pytest.raises(ArtifactError, match="there is no such folder"):
        find_staleness(tmp_path / "i")
