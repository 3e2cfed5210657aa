import json

import pytest

from procqa.chain import verify
from procqa.corpora.benchmarks import load_collection
from procqa.dataset.corpus import CorpusRequest, build_corpus
from procqa.dataset.export import ExportRequest, export_dataset
from procqa.dataset.schema import SCHEMA, read_rows
from procqa.errors import ArtifactError, ConfigError
from tests.dataset.small import twelve_rows, write_dataset

FIELDS = ["question_id", "answer_id", "title", "question", "answer"]


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", {**twelve_rows(), **twelve_rows("cpp", first=50)})


def export(dataset, layout, **changes):
    request = ExportRequest(dataset=dataset, out=dataset.parent / layout, layout=layout, **changes)
    return request.out, export_dataset(request)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_paper_s_files_hold_five_fields_in_the_order_of_the_splits(dataset):
    out, summary = export(dataset, "paper")
    assert (summary["rows"], summary["files"]) == (24, 5)
    assert sorted(path.name for path in out.glob("qa.en.*.json")) == ["qa.en.c++.json", "qa.en.python.json"]
    rows = lines(out / "qa.en.python.json")
    assert [list(row) for row in rows] == [FIELDS] * 12
    assert [row["question_id"] for row in rows] == [10 * number for number in range(1, 13)]
    beside = lines(out / "qa.en.python.attribution.jsonl")
    assert [line["split"] for line in beside] == ["train"] * 10 + ["validation", "test"]
    assert (beside[0]["question_author"], beside[0]["answer_licence"]) == ("asker 1", "CC BY-SA 3.0")
    assert "CC BY-SA" in (out / "NOTICE").read_text()


def test_what_was_exported_for_the_paper_s_programs_loads_again_with_fields_splits_and_authors(dataset, tmp_path):
    out, _ = export(dataset, "paper")
    summary = build_corpus(CorpusRequest(source=out, out=tmp_path / "back"))
    assert summary["languages"] == {
        language: {"train": 10, "validation": 1, "test": 1} for language in ("cpp", "python")
    }
    kept = [*FIELDS, "language", "site"]
    kept += [f"{side}_{what}" for side in ("question", "answer") for what in ("author", "author_url", "licence", "url")]
    for split in ("train", "validation", "test"):
        before, after = (list(read_rows(folder, columns=kept, split=split)) for folder in (dataset, tmp_path / "back"))
        assert before == after


def test_a_beir_folder_is_read_as_a_benchmark(dataset):
    out, _ = export(dataset, "beir")
    collection = load_collection(f"beir:{out / 'python'}", [])
    assert collection.qrels == {"stackoverflow.com:120": {"stackoverflow.com:121": 1}}
    assert collection.queries["stackoverflow.com:120"].startswith("How do I call function 12?\nI have this:")
    assert len(collection.documents) == 12
    assert (out / "python/qrels/dev.tsv").read_text() == (
        "query-id\tcorpus-id\tscore\nstackoverflow.com:110\tstackoverflow.com:111\t1\n"
    )
    document = lines(out / "python/corpus.jsonl")[0]
    assert (document["_id"], document["title"]) == ("stackoverflow.com:11", "")
    assert document["metadata"]["answer_author"] == "user 5"
    assert "question_author" not in document["metadata"]
    assert lines(out / "python/queries.jsonl")[0]["metadata"]["question_url"] == "https://stackoverflow.com/q/10"


def test_json_lines_hold_every_column(dataset):
    out, summary = export(dataset, "jsonl")
    assert summary["languages"]["cpp"] == {"train": 10, "validation": 1, "test": 1}
    (row,) = lines(out / "cpp/test.jsonl")
    assert list(row) == SCHEMA.names
    assert row["question_created"] == "2019-07-05T12:30:15.250+00:00"
    assert (row["tags"], row["duplicate_cluster"]) == (["python", "function"], None)


@pytest.mark.parametrize("layout", ["paper", "beir", "jsonl"])
def test_an_export_names_its_dataset_and_is_made_once(dataset, layout):
    out, summary = export(dataset, layout)
    checks = verify(out, [dataset])
    assert {check.outcome for check in checks} == {"ok"}
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert export(dataset, layout)[1] == summary
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_path_that_is_taken_is_left_alone_unless_it_is_an_export_and_forced(dataset, tmp_path):
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper/mine.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(ArtifactError, match="no procqa folder"):
            export(dataset, "paper", force=force)
    assert (tmp_path / "paper/mine.txt").read_text() == "mine"
    out, _ = export(dataset, "beir")
    other = ExportRequest(dataset=dataset, out=out, layout="jsonl")
    with pytest.raises(ArtifactError, match="--force"):
        export_dataset(other)
    export_dataset(ExportRequest(dataset=dataset, out=out, layout="jsonl", force=True))
    assert not (out / "python/corpus.jsonl").exists()


def test_what_is_no_dataset_and_no_layout_are_one_sentence(dataset, tmp_path):
    with pytest.raises(ArtifactError, match="no such folder"):
        export_dataset(ExportRequest(dataset=tmp_path / "absent", out=tmp_path / "out", layout="paper"))
    with pytest.raises(ConfigError, match="layout must be one of paper, beir, jsonl"):
        ExportRequest(dataset=dataset, out=tmp_path / "out", layout="csv")
    with pytest.raises(ArtifactError, match="overlaps"):
        export_dataset(ExportRequest(dataset=dataset, out=dataset / "inside", layout="paper"))
    (dataset / "data/cpp/test-00000-of-00001.parquet").write_bytes(b"broken")
    with pytest.raises(ArtifactError, match="procqa verify"):
        export(dataset, "paper")
    assert not (tmp_path / "paper").exists()
