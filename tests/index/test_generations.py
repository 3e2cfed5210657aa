"""An index that is killed while it is made or updated answers as before or as after, and never in between."""

import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from procqa import chain
from procqa.errors import ArtifactError
from procqa.index.build import build_index
from procqa.index.generations import generation_folder
from procqa.lock import lock
from procqa.manifest import Manifest, describe_files, load_manifest
from tests.index.processes import STAGES, durations_of, kill_in, start
from tests.index.small import ROWS, WORDS, WordEncoder, to_row, write_dataset, write_encoder
from tests.index.test_filling import answers_of

KILLS_A_STAGE = 4


def rows_of(start: int, end: int) -> list[dict[str, Any]]:
    return [
        to_row(2 * number, "c", f"{WORDS[number % 7]} a {WORDS[number % 5]} {number}", f"Sort it {number} times. " * 9)
        for number in range(start, end)
    ]


def answers_now(index: Path) -> list[Any]:
    """What an index answers with, once every byte of it is found to be as its manifest says."""
    manifest = load_manifest(index, kind="index")
    described = describe_files(generation_folder(index, manifest))
    assert {f"{manifest.sha256[:12]}/{name}": entry for name, entry in described.items()} == manifest.files
    return answers_of_generation(index, manifest)


def answers_of_generation(index: Path, manifest: Manifest) -> list[Any]:
    alone = index.with_name("alone")
    alone.mkdir()
    (alone / manifest.sha256[:12]).symlink_to(generation_folder(index, manifest))
    try:
        return answers_of(alone)
    finally:
        shutil.rmtree(alone)


def test_after_a_kill_at_any_moment_an_index_answers_as_before_or_as_after(tmp_path: Path):
    dice = random.Random(11)
    versions = [write_dataset(tmp_path / "v0", rows_of(0, 1_000)), write_dataset(tmp_path / "v1", rows_of(300, 1_400))]
    encoder = write_encoder(tmp_path / "model")
    (encoder / "weights.safetensors").write_bytes(dice.randbytes(8_000_000))
    expected, lasted = [], []
    for number, dataset in enumerate(versions):
        process = start([dataset], tmp_path / f"whole{number}", encoder)
        process.join()
        lasted.append(durations_of(tmp_path / f"whole{number}"))
        expected.append(answers_now(tmp_path / f"whole{number}"))
    assert expected[0] != expected[1]
    index = tmp_path / "i"
    hits: Counter[str] = Counter()
    for stage in STAGES:
        while hits[stage] < KILLS_A_STAGE:
            # Half of the kills meet a first build, half an update from either version to the other.
            is_build = hits[stage] % 2 == 0
            if is_build:
                shutil.rmtree(index, ignore_errors=True)
            before = None if is_build else now_of(index, expected)
            target = dice.randint(0, 1) if before is None else 1 - before
            process = start([versions[target]], index, encoder)
            where = kill_in(process, index, stage, dice.uniform(0, lasted[target][stage]))
            if where is not None:
                hits[where] += 1
            after = now_of(index, expected) if index.exists() else None
            assert after in (before, target), f"killed in {where}"
            if not index.exists():
                build_index([versions[target]], index, encoder=WordEncoder(), encoder_folder=encoder)
    assert all(hits[stage] >= KILLS_A_STAGE for stage in STAGES)
    # The last kill may have left work for either version, which a run for the other leaves alone.
    for version in (1, 0):
        build_index([versions[version]], index, encoder=WordEncoder(), encoder_folder=encoder)
        assert now_of(index, expected) == version
    assert {check.outcome for check in chain.verify(index, [versions[0]])} <= {"ok", "not checked"}
    assert len(list(index.iterdir())) == 2
    assert not (tmp_path / ".i.partial").exists()


def now_of(index: Path, expected: list[Any]) -> int:
    """Which version an index answers with."""
    return expected.index(answers_now(index))


def test_unfinished_work_for_other_sources_stays(tmp_path: Path):
    dataset = write_dataset(tmp_path / "d")
    build_index([dataset], tmp_path / "i", encoder=WordEncoder())
    (tmp_path / ".i.partial").mkdir()
    (tmp_path / ".i.partial/origin.json").write_text('{"inputs": "others"}')
    build_index([dataset], tmp_path / "i", encoder=WordEncoder())
    assert (tmp_path / ".i.partial/origin.json").exists()


@pytest.mark.parametrize("has_index", [False, True])
def test_what_others_put_in_the_place_of_an_index_meanwhile_is_left_alone(tmp_path: Path, has_index: bool):
    index, dataset = tmp_path / "i", write_dataset(tmp_path / "d")
    if has_index:
        build_index([write_dataset(tmp_path / "old", rows_of(0, 5))], index, encoder=None)

    def put(stage: str, done: int) -> None:
        if stage == "publish":
            shutil.rmtree(index, ignore_errors=True)
            index.mkdir()
            (index / "thesis.txt").write_text("years of work")

    with pytest.raises(ArtifactError, match="was changed by others while it was made: move it and run again"):
        build_index([dataset], index, encoder=None, report=put)
    assert (index / "thesis.txt").read_text() == "years of work"
    index.rename(tmp_path / "moved")
    assert build_index([dataset], index, encoder=None).documents == len(ROWS)
    assert not (tmp_path / ".i.partial").exists()


def test_a_folder_of_others_under_the_name_of_unfinished_work_is_left_alone(tmp_path: Path):
    dataset, partial = write_dataset(tmp_path / "d"), tmp_path / ".i.partial"
    partial.mkdir()
    (partial / "notes.txt").write_text("mine")
    with pytest.raises(ArtifactError, match=r"\.i\.partial is in the way and no work of ours"):
        build_index([dataset], tmp_path / "i", encoder=None)
    partial.rename(tmp_path / "aside")
    build_index([dataset], tmp_path / "i", encoder=None)
    (tmp_path / "aside").rename(partial)
    build_index([dataset], tmp_path / "i", encoder=None)
    assert (partial / "notes.txt").read_text() == "mine"


def test_an_index_is_written_where_a_link_leads_whatever_path_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    dataset, index = write_dataset(tmp_path / "d"), tmp_path / "far" / "i"
    (tmp_path / "far").mkdir()
    build_index([dataset], index, encoder=None)
    (tmp_path / "link").symlink_to(index)
    longer = write_dataset(tmp_path / "e", rows_of(0, 5))
    with lock(index), pytest.raises(ArtifactError, match="is being written by another process"):
        build_index([longer], tmp_path / "link", encoder=None)
    build_index([longer], tmp_path / "link", encoder=None)
    monkeypatch.chdir(index)
    build_index([dataset], Path(), encoder=None)
    assert {check.outcome for check in chain.verify(index)} == {"ok", "not checked"}
    assert sorted(path.name for path in (tmp_path / "far").iterdir()) == ["i", "i.log.jsonl", "i.sources.json"]


def test_an_encoder_folder_that_may_not_be_written_leaves_no_generation_behind(tmp_path: Path):
    encoder = write_encoder(tmp_path / "model")
    (encoder / "deep").mkdir()
    for place in (encoder / "deep", encoder):
        place.chmod(0o555)
    build_index([write_dataset(tmp_path / "d")], tmp_path / "i", encoder=WordEncoder(), encoder_folder=encoder)
    copied = [path for path in tmp_path.glob("i/*/encoder/**") if path.is_dir()]
    assert len(copied) == 2
    assert {path.stat().st_mode & 0o777 for path in copied} == {0o755}


@pytest.mark.parametrize("name", ["i/0123456789ab", "i/.manifest.json.new", ".i.partial"])
def test_a_reader_does_not_see_what_a_kill_left(tmp_path: Path, name: str):
    dataset = write_dataset(tmp_path / "d")
    build_index([dataset], tmp_path / "i", encoder=WordEncoder())
    manifest = load_manifest(tmp_path / "i")
    before = answers_of_generation(tmp_path / "i", manifest)
    (tmp_path / name).write_text("{") if name.endswith(".new") else (tmp_path / name).mkdir()
    assert load_manifest(tmp_path / "i") == manifest
    assert answers_of_generation(tmp_path / "i", manifest) == before
    build_index([dataset], tmp_path / "i", encoder=WordEncoder())
    assert not (tmp_path / name).exists()
