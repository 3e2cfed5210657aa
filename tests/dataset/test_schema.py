import pytest

from procqa import artifact
from procqa.dataset.schema import dataset_languages, part_path, read_batches, read_rows
from procqa.errors import ArtifactError


def test_rows_are_read_by_language_split_and_column(sample_dataset):
    counts = dataset_languages(sample_dataset)
    assert counts["python"]["test"] == 1
    rows = list(read_rows(sample_dataset, language="python", split="train", columns=["title", "language"]))
    assert len(rows) == counts["python"]["train"]
    assert all(list(row) == ["title", "language"] and row["language"] == "python" for row in rows)
    assert len(list(read_rows(sample_dataset))) == sum(sum(splits.values()) for splits in counts.values())


def test_batches_are_no_longer_than_asked(sample_dataset):
    assert max(len(batch) for batch in read_batches(sample_dataset, batch_rows=3)) == 3


def test_parts_have_the_names_that_hubs_expect():
    assert part_path("go", "test", 1, 12) == "data/go/test-00001-of-00012.parquet"


def test_a_folder_that_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="must be a procqa dataset"):
        next(read_rows(tmp_path / "absent"))


def test_a_part_that_lies_elsewhere_is_refused(tmp_path):
    with artifact.workspace(tmp_path / "d", kind="dataset", recipe={}, inputs=[]) as work:
        (work.path / "data/a/b").mkdir(parents=True)
        (work.path / "data/a/b/c.parquet").write_text("")
        work.finish({})
    with pytest.raises(ArtifactError, match=r"must hold its parts in data/LANGUAGE, but names data/a/b/c\.parquet"):
        next(read_rows(tmp_path / "d"))
