"""The Markdown of an older dataset is found again by site and question, and its notes with it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.dataset.reuse import OldTexts, ReuseTask, spill_texts, write_notes
from procqa.dataset.shuffle import Share
from procqa.dataset.spill import ROW_BUCKETS
from procqa.errors import ArtifactError
from procqa.files import sha256_file
from procqa.manifest import Manifest
from tests.dataset.small import row, write_parts

ALL = Share(range(ROW_BUCKETS))
SITES = ("ai.stackexchange.com", "stackoverflow.com")


def spill(folder, rows, sites=SITES):
    """Spill the texts of two parts of a dataset."""
    write_parts(folder, {("c", "train"): rows[::2], ("go", "test"): rows[1::2]})
    parts = sorted(folder.glob("data/*/*"))
    tasks = [ReuseTask(part, sha256_file(part), folder / f"{number}.spill", sites) for number, part in enumerate(parts)]
    return tuple(spill_texts(task) for task in tasks)


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
ROWS = st.lists(
    st.tuples(st.sampled_from([*SITES, "superuser.com"]), st.integers(1, 50) | st.integers(1, 2**63 - 1), TEXT, TEXT),
    max_size=20,
    unique_by=lambda row: row[:2],
)


@settings(max_examples=20)
@given(ROWS, st.lists(st.integers(0, ROW_BUCKETS), max_size=3))
def test_every_text_of_a_site_that_is_still_there_is_found_in_its_bucket(tmp_path_factory, rows, cuts):
    folder = tmp_path_factory.mktemp("old")
    written = [
        row(1, site=site, question_id=number, question=asked, answer=answered) for site, number, asked, answered in rows
    ]
    texts = OldTexts(spill(folder, written), folder / "notes.json")
    found = {}
    for low, high in zip([0, *sorted(cuts)], [*sorted(cuts), ROW_BUCKETS], strict=True):
        part = texts.read(Share(range(low, high)))
        assert found.keys().isdisjoint(part)
        found |= part
    assert found == {
        (SITES.index(site), number): both for site, number, *pair in rows if site in SITES for both in [tuple(pair)]
    }


def test_texts_that_are_spilled_are_not_spilled_again(tmp_path):
    spills = spill(tmp_path, [row(1), row(2)])
    before = [path.read_bytes() for path in spills]
    write_parts(tmp_path, {("c", "train"): [row(3)]})
    part = tmp_path / "data/c/train-00000-of-00001.parquet"
    assert spill_texts(ReuseTask(part, "", spills[0], SITES)) == spills[0]
    assert [path.read_bytes() for path in spills] == before
    assert OldTexts(spills, tmp_path / "x").read(ALL) == {(1, 10): texts_of(row(1)), (1, 20): texts_of(row(2))}


def test_a_part_that_was_changed_is_refused(tmp_path):
    write_parts(tmp_path, {("c", "train"): [row(3)]})
    part = tmp_path / "data/c/train-00000-of-00001.parquet"
    with pytest.raises(ArtifactError, match=r"train-00000-of-00001\.parquet must be as it was made"):
        spill_texts(ReuseTask(part, "00", tmp_path / "0.spill", SITES))
    assert not (tmp_path / "0.spill").exists()


def texts_of(made):
    return made["question"], made["answer"]


LEAK = {"benchmark": "cosqa.json", "item": "7", "rule": "exact", "matched": "m", "field": "title", "evidence": "e"}
FINDING = {"field": "answer", "kind": "e-mail", "start": 3, "end": 9}


def write_leaks(folder, *sites):
    """Write the leakage.json of an older dataset; its manifest."""
    leakage = folder / "old/leakage.json"
    leakage.parent.mkdir(exist_ok=True)
    removed = [{"site": site, "question_id": 4, "language": "c", **LEAK} for site in sites]
    leakage.write_text(json.dumps({"removed": removed}))
    files = {"leakage.json": {"size": leakage.stat().st_size, "sha256": sha256_file(leakage)}}
    return Manifest(kind="dataset", sha256="", inputs=(), recipe={}, counts={}, files=files)


def write_redactions(folder):
    lines = [{"site": site, "question_id": 5, **FINDING} for site in ("ai.stackexchange.com", "superuser.com")]
    lines.append({**lines[0], "field": "title"})
    (folder / "old.redactions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_leaks_and_redactions_are_found_by_site_and_question(tmp_path):
    manifest = write_leaks(tmp_path, "stackoverflow.com", "superuser.com")
    write_redactions(tmp_path)
    write_notes(tmp_path / "notes.json", tmp_path / "old", manifest, SITES)
    texts = OldTexts((), tmp_path / "notes.json")
    assert texts.leak((1, 4)) == LEAK
    assert texts.leak((0, 4)) is None
    assert [found["field"] for found in texts.redactions((0, 5))] == ["answer", "title"]
    assert texts.redactions((0, 5))[0] == {"site": "ai.stackexchange.com", "question_id": 5, **FINDING}
    assert texts.redactions((1, 5)) == ()
    assert texts.read(ALL) == {}


def test_a_dataset_without_a_redaction_map_has_none(tmp_path):
    write_notes(tmp_path / "notes.json", tmp_path / "old", write_leaks(tmp_path), SITES)
    assert OldTexts((), tmp_path / "notes.json").redactions((0, 5)) == ()


def test_leaks_that_were_changed_are_refused(tmp_path):
    manifest = write_leaks(tmp_path, SITES[0])
    write_leaks(tmp_path)
    with pytest.raises(ArtifactError, match=r"leakage\.json must be as it was made"):
        write_notes(tmp_path / "notes.json", tmp_path / "old", manifest, SITES)


def test_notes_written_again_are_the_new_ones(tmp_path):
    for sites, expected in ((SITES, LEAK), ((), None)):
        write_notes(tmp_path / "notes.json", tmp_path / "old", write_leaks(tmp_path, *sites), SITES)
        assert OldTexts((), tmp_path / "notes.json").leak((0, 4)) == expected
