"""An index is complete or absent, is not made twice, and gives way to its update in one step."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from procqa import artifact, chain
from procqa.config import IndexConfig
from procqa.corpora.sources import is_input
from procqa.errors import ArtifactError
from procqa.index.build import build_index
from procqa.index.documents import Documents
from procqa.index.filters import Filter, FilterColumns
from procqa.manifest import load_manifest
from tests.index.small import ROWS, WORDS, WordEncoder, to_row, write_dataset, write_encoder


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_ino, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "d")


def test_an_index_says_what_it_holds(dataset: Path, tmp_path: Path):
    summary = build_index([dataset], tmp_path / "i", encoder=None)
    assert (summary.documents, summary.repeated, summary.skipped) == (5, 0, {})
    assert summary.languages == {"go": 2, "java": 1, "python": 2}
    assert (summary.encoder, summary.dump_date) == (None, "2020-09-13")
    manifest = load_manifest(tmp_path / "i", kind="index")
    assert summary.sha256 == manifest.sha256
    assert manifest.inputs == (artifact.digest_input(dataset),)
    assert all(name.startswith(manifest.sha256[:12] + "/") for name in manifest.files)
    assert {check.outcome for check in chain.verify(tmp_path / "i", [dataset])} == {"ok"}


def test_an_index_knows_which_source_a_document_came_from(dataset: Path, tmp_path: Path):
    more = write_dataset(tmp_path / "more", [{**ROWS[0], "answer": "Newer."}, to_row(50, "rust", "Sort", "v.sort()")])
    build_index([dataset, more], tmp_path / "i", encoder=None)
    (generation,) = (tmp_path / "i").glob("*/")
    documents, columns = Documents(generation / "documents"), FilterColumns(generation / "filters")
    assert columns.known("source") == ("d", "more")
    of_more = columns.allowed(Filter(sources=("more",)))
    assert [documents[position].answer_id for position in np.flatnonzero(of_more)] == [10, 50]
    documents.close()


def test_a_folder_of_code_is_searched_by_definitions_and_sections_and_the_rest_is_counted(tmp_path: Path):
    pytest.importorskip("tree_sitter")
    folder = tmp_path / "shop"
    (folder / "src").mkdir(parents=True)
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "README.md").write_text("# Shop\n\nSells lists.\n")
    (folder / "src/a.go").write_text("package a\n\ntype Map struct{ n int }\n\nfunc Sort(m Map) int { return m.n }\n")
    for name in ("x.log", "y.csv"):
        (folder / name).write_text("x")
    summary = build_index([folder], tmp_path / "i", encoder=None)
    assert summary.languages == {"go": 2, "text": 1}
    assert summary.skipped == {
        "file: hidden": 1,
        "file: ignored by .gitignore": 1,
        "file: neither code of the eleven languages nor a document": 1,
    }
    (generation,) = (tmp_path / "i").glob("*/")
    documents = Documents(generation / "documents")
    places = {(place.path, place.line, place.symbol) for n in range(3) if (place := documents[n].place)}
    assert places == {("README.md", 1, "Shop"), ("src/a.go", 3, "Map"), ("src/a.go", 5, "Sort")}
    documents.close()
    assert {check.outcome for check in chain.verify(tmp_path / "i", [folder], matches=is_input)} == {"ok"}
    (folder / "src/a.go").write_text("package a\n")
    assert "failed" in {check.outcome for check in chain.verify(tmp_path / "i", [folder], matches=is_input)}


def test_nothing_is_left_beside_an_index(dataset: Path, tmp_path: Path):
    build_index([dataset], tmp_path / "i", encoder=WordEncoder())
    names = ["d", "d.log.jsonl", "i", "i.log.jsonl", "i.sources.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_the_same_again_does_nothing(dataset: Path, tmp_path: Path):
    first, again = WordEncoder(), WordEncoder()
    summary = build_index([dataset], tmp_path / "i", encoder=first)
    before = snapshot(tmp_path)
    assert build_index([dataset], tmp_path / "i", encoder=again) == summary
    assert snapshot(tmp_path) == before
    assert len(first.encoded) == 5
    assert again.encoded == []


def test_an_encoder_reads_title_blank_line_and_answer(dataset: Path, tmp_path: Path):
    encoder = WordEncoder()
    build_index([dataset], tmp_path / "i", encoder=encoder)
    assert "Read a file\n\nOpen it." in encoder.encoded


def test_a_copy_of_the_encoder_lies_in_the_index_without_pickles(dataset: Path, tmp_path: Path):
    folder = write_encoder(tmp_path / "model")
    for name in ("pytorch_model.bin", ".git", "training.jsonl"):
        (folder / name).write_text("never read")
    build_index([dataset], tmp_path / "i", encoder=WordEncoder(), encoder_folder=folder)
    (copy,) = (tmp_path / "i").glob("*/encoder")
    assert sorted(path.name for path in copy.iterdir()) == ["model.safetensors", "modules.json", "tokenizer.json"]


def test_the_graph_of_an_exported_encoder_is_copied_and_one_that_lies_beside_weights_is_not(
    dataset: Path, tmp_path: Path
):
    folder = write_encoder(tmp_path / "model")
    for name in ("openvino_model.bin", "model.onnx", "pytorch_model.bin"):
        (folder / name).write_text("numbers")
    copies = []
    for out in ("i", "j"):
        build_index([dataset], tmp_path / out, encoder=WordEncoder(), encoder_folder=folder)
        (copy,) = (tmp_path / out).glob("*/encoder")
        copies.append({path.name for path in copy.iterdir()} - {"model.safetensors", "modules.json", "tokenizer.json"})
        (folder / "graph.json").write_text("{}")
    assert copies == [set(), {"graph.json", "openvino_model.bin", "model.onnx"}]


def test_other_sources_on_the_same_index_replace_it_and_old_readers_go_on(dataset: Path, tmp_path: Path):
    first = build_index([dataset], tmp_path / "i", encoder=None)
    old = Documents(tmp_path / "i" / first.sha256[:12] / "documents")
    more = write_dataset(tmp_path / "more", [to_row(50, "rust", "Sort a vector", "v.sort()")], dump_date="2024-01-02")
    second = build_index([dataset, more], tmp_path / "i", encoder=None)
    assert second.documents == 6
    assert second.dump_date == "2024-01-02"
    assert sorted(path.name for path in (tmp_path / "i").iterdir()) == sorted([second.sha256[:12], "manifest.json"])
    assert old[0].id == "stackoverflow.com:10"
    old.close()


def test_another_encoder_makes_another_index(dataset: Path, tmp_path: Path):
    build_index([dataset], tmp_path / "i", encoder=None)
    summary = build_index([dataset], tmp_path / "i", encoder=WordEncoder())
    assert summary.encoder == "words"
    assert len(list((tmp_path / "i").glob("*/dense/*/vectors.faiss"))) == 3


def test_a_row_that_comes_again_is_counted_and_the_later_one_served(dataset: Path, tmp_path: Path):
    newer = write_dataset(tmp_path / "newer", [{**ROWS[0], "answer": "A better answer."}])
    summary = build_index([dataset, newer], tmp_path / "i", encoder=None)
    assert (summary.documents, summary.repeated) == (5, 1)
    (folder,) = (tmp_path / "i").glob("*/documents")
    documents = Documents(folder)
    assert documents.find("stackoverflow.com:10").answer == "A better answer."
    documents.close()


def test_the_manifest_says_how_the_vectors_of_each_language_are_searched(tmp_path: Path):
    dice = np.random.default_rng(0)
    texts = [" ".join(dice.choice(WORDS, 6)) for _ in range(1_500)]
    rows = [to_row(2 * number + 2, "c", text, text) for number, text in enumerate(texts)]
    dataset = write_dataset(tmp_path / "d", [*rows, ROWS[2]])
    build_index([dataset], tmp_path / "i", encoder=WordEncoder(), config=IndexConfig(exact_vectors=1_000))
    dense = load_manifest(tmp_path / "i").counts["dense"]
    assert dense["go"] == {"kind": "halves", "vectors": 1, "lists": 0, "probes": 0, "recall": 1.0, "queries": 0}
    assert (dense["c"]["kind"], dense["c"]["vectors"], dense["c"]["lists"], dense["c"]["queries"]) == (
        "lists",
        1_500,
        64,
        100,
    )
    assert dense["c"]["recall"] >= 0.97


def test_two_builds_of_the_same_hold_the_same_documents_and_vectors(dataset: Path, tmp_path: Path):
    for name in ("a", "b"):
        build_index([dataset], tmp_path / name, encoder=WordEncoder())
    kept = [
        {
            path.relative_to(folder): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.parts[-2] != "lexical"
        }
        for folder in (next((tmp_path / "a").glob("*/")), next((tmp_path / "b").glob("*/")))
    ]
    assert len(kept[0]) == 22
    assert kept[0] == kept[1]


@pytest.mark.parametrize("content", [{}, {"notes.txt": "mine"}, {"manifest.json": '{"name": "an extension"}'}])
@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_is_not_ours_is_left_alone(dataset: Path, tmp_path: Path, content: dict[str, str], force: bool):
    out = tmp_path / "i"
    out.mkdir()
    for name, text in content.items():
        (out / name).write_text(text)
    before = snapshot(tmp_path)
    with pytest.raises(ArtifactError, match="left alone"):
        build_index([dataset], out, encoder=None, force=force)
    assert snapshot(tmp_path) == before


def test_an_artifact_of_another_kind_gives_way_only_to_force(dataset: Path, tmp_path: Path):
    out = write_dataset(tmp_path / "i", [ROWS[0]])
    before = snapshot(tmp_path)
    with pytest.raises(ArtifactError, match="it is a procqa dataset; to replace it, give --force"):
        build_index([dataset], out, encoder=None)
    assert snapshot(tmp_path) == before
    build_index([dataset], out, encoder=None, force=True)
    assert not (out / "data").exists()
    assert {check.outcome for check in chain.verify(out, [dataset])} == {"ok"}


def test_an_index_of_another_format_version_gives_way_only_to_force(dataset: Path, tmp_path: Path):
    out = tmp_path / "i"
    build_index([dataset], out, encoder=None)
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps({**manifest, "format_version": 99}))
    with pytest.raises(ArtifactError, match="format version 99"):
        build_index([dataset], out, encoder=None)
    assert build_index([dataset], out, encoder=None, force=True).documents == 5


def test_an_index_that_lost_a_file_is_made_again(dataset: Path, tmp_path: Path):
    out = tmp_path / "i"
    build_index([dataset], out, encoder=None)
    next(out.glob("*/documents/rows.arrow")).unlink()
    build_index([dataset], out, encoder=None)
    assert {check.outcome for check in chain.verify(out, [dataset])} == {"ok"}


def test_sources_without_a_document_are_refused_and_leave_nothing(tmp_path: Path):
    pytest.importorskip("tree_sitter")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactError, match="at least one document"):
        build_index([tmp_path / "empty"], tmp_path / "i", encoder=None)
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_broken_part_is_named_and_leaves_nothing(dataset: Path, tmp_path: Path):
    part = next(dataset.glob("data/go/*.parquet"))
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(ArtifactError, match="is not a readable Parquet part"):
        build_index([dataset], tmp_path / "i", encoder=None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "d.log.jsonl"]


def test_a_failed_update_leaves_the_index_as_it_was(dataset: Path, tmp_path: Path):
    build_index([dataset], tmp_path / "i", encoder=None)
    before = snapshot(tmp_path / "i")
    bad = write_dataset(tmp_path / "bad", [to_row(60, "c", "t", "a", answer_author="")])
    with pytest.raises(ArtifactError, match="answer 60 does not"):
        build_index([dataset, bad], tmp_path / "i", encoder=None)
    assert snapshot(tmp_path / "i") == before
    assert not (tmp_path / ".i.partial").exists()


def test_two_builds_of_one_index_at_once_are_refused(dataset: Path, tmp_path: Path):
    with artifact.lock(tmp_path / "i"), pytest.raises(ArtifactError, match="written by another process"):
        build_index([dataset], tmp_path / "i", encoder=None)


class DyingEncoder(WordEncoder):
    """Is interrupted at its second batch."""

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.encoded:
            raise KeyboardInterrupt
        return super().encode_documents(texts)


def test_vectors_of_a_killed_build_are_taken_up(tmp_path: Path):
    rows = [to_row(2 * number, "c", f"title {number}", "sort a list") for number in range(1_500)]
    dataset = write_dataset(tmp_path / "d", rows)
    dying, other = DyingEncoder(), WordEncoder()
    with pytest.raises(KeyboardInterrupt):
        build_index([dataset], tmp_path / "i", encoder=dying)
    assert not (tmp_path / "i").exists()
    assert (tmp_path / ".i.partial").is_dir()
    build_index([dataset], tmp_path / "i", encoder=other)
    assert (len(dying.encoded), len(other.encoded)) == (1_024, 476)
    assert not (tmp_path / ".i.partial").exists()


def test_what_a_kill_leaves_in_an_index_goes_with_the_next_run(dataset: Path, tmp_path: Path):
    out = tmp_path / "i"
    build_index([dataset], out, encoder=None)
    (out / "0123456789ab/lexical").mkdir(parents=True)
    (out / ".manifest.json.new").write_text("{")
    (out / "notes.txt").write_text("mine")
    build_index([dataset], out, encoder=None)
    assert not (out / "0123456789ab").exists()
    assert not (out / ".manifest.json.new").exists()
    assert (out / "notes.txt").read_text() == "mine"
