"""A dataset is one unit and a folder of code one a file; what decides a unit's documents decides its key."""

import os
from pathlib import Path

import pytest

from procqa.errors import ArtifactError
from procqa.index.build import build_index
from procqa.index.sources import Source
from procqa.index.staleness import Staleness, find_staleness
from procqa.manifest import load_manifest
from procqa.records import CodePlace
from tests.index.small import write_dataset

pytest.importorskip("tree_sitter")


def test_a_folder_of_source_code_gives_its_functions_with_their_place(tmp_path: Path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project/util.py").write_text(
        '"""A module."""\n\n\n'
        'def first(items):\n    """Give the first of some items."""\n    return next(iter(items))\n',
        encoding="utf-8",
    )
    (tmp_path / "project/data.py").write_text("x = 1\n", encoding="utf-8")
    reasons: list[str] = []
    (document,) = Source(tmp_path / "project").read(reasons.append)
    assert document.place == CodePlace(path="util.py", line=4, symbol="first")
    assert document.id.startswith("project:")
    assert document.attribution.question_url is None
    assert document.attribution.answer_url is None
    assert document.attribution.answer_author == "project"
    assert reasons == ["file: nothing to find in it"]


def test_a_folder_that_is_an_artifact_of_another_kind_is_no_source(tmp_path: Path):
    folder = write_dataset(tmp_path / "d")
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"kind": "dataset"', '"kind": "encoder"'))
    with pytest.raises(ArtifactError, match="it is a procqa encoder"):
        Source(folder)


def test_an_index_inside_another_artifact_is_refused(tmp_path: Path):
    outer = write_dataset(tmp_path / "outer")
    with pytest.raises(ArtifactError, match="must not lie inside another procqa folder"):
        build_index([write_dataset(tmp_path / "d")], outer / "i", encoder=None)


def test_a_source_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ArtifactError, match="there is no such folder"):
        Source(tmp_path / "nowhere")


def test_links_that_lead_in_a_circle_are_no_source(tmp_path: Path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ArtifactError, match="there is no such folder"):
        build_index([tmp_path / "loop"], tmp_path / "i", encoder=None)


def test_a_folder_whose_name_is_no_unicode_is_read_like_any_other(tmp_path: Path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (folder / "a.py").write_text("def f(): return 1\n")
    build_index([folder], tmp_path / "i", encoder=None)
    assert load_manifest(tmp_path / "i").inputs[0].name == "caf\ufffd"
    assert find_staleness(tmp_path / "i") == find_staleness(tmp_path / "i", [folder]) == Staleness()


def test_a_folder_of_code_may_hold_a_manifest_of_its_own(tmp_path: Path):
    (tmp_path / "manifest.json").write_text('{"name": "an extension of a browser"}')
    (tmp_path / "data").mkdir()
    assert Source(tmp_path).manifest is None


def test_a_dataset_whose_manifest_is_broken_is_no_folder_of_code(tmp_path: Path):
    folder = write_dataset(tmp_path / "d")
    (folder / "manifest.json").write_text("[" * 200_000)
    with pytest.raises(ArtifactError, match=r"manifest\.json is not a readable manifest"):
        Source(folder)


def keys_of(folder: Path) -> dict[str, str]:
    return {unit.place: unit.key for unit in Source(folder).units()}


def test_a_dataset_is_one_unit(tmp_path: Path):
    source = Source(write_dataset(tmp_path / "d"))
    (unit,) = source.units()
    assert (unit.place, unit.key, source.left_out) == ("", source.origin.sha256, ())
    assert [document.answer_id for document in unit.read(lambda _: None)] == [9, 30, 40, 10, 20]


def test_a_file_has_a_key_of_its_own_that_changes_with_all_that_its_documents_say(tmp_path: Path):
    folder = tmp_path / "shop"
    folder.mkdir()
    for name in ("a.py", "b.py", "notes.md"):
        (folder / name).write_text("x = 1\n")
    first = keys_of(folder)
    assert sorted(first) == ["a.py", "b.py", "notes.md"]
    assert len(set(first.values())) == 3
    (folder / "a.py").write_text("x = 2\n")
    second = keys_of(folder)
    assert {place for place in first if first[place] != second[place]} == {"a.py"}
    (folder / "LICENSE").write_text("Apache License, Version 2.0\n")
    assert all(second[place] != key for place, key in keys_of(folder).items())


def test_the_digest_of_a_folder_is_that_of_the_files_that_decide(tmp_path: Path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "a.py").write_text("x = 1\n")
    before = Source(folder).origin
    (folder / "data.csv").write_text("1,2")
    assert Source(folder).origin == before
    (folder / "b.md").write_text("words")
    assert Source(folder).origin != before
    assert (before.name, before.size) == ("shop", 6)
