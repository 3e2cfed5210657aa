"""A folder in BEIR's layout, by split."""

from pathlib import Path

import pytest

from procqa.corpora.benchmarks import list_parts, load_collection
from procqa.errors import BenchmarkError, ConfigError
from tests.corpora.published import write_lines, write_text


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    write_lines(folder / "corpus.jsonl", [{"_id": "d1", "title": "Sum", "text": "a + b"}, {"_id": "d2", "text": "x"}])
    write_lines(folder / "queries.jsonl", [{"_id": "q1", "text": "add"}, {"_id": "q2", "text": "print"}])
    write_text(folder / "qrels" / "test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t2\n")
    write_text(folder / "qrels" / "dev.tsv", "query-id\tcorpus-id\tscore\nq2\td2\t1\n")
    return tmp_path


def test_the_test_split_counts_unless_the_task_names_another(root):
    small = load_collection("beir:small", [root])
    assert small.qrels == {"q1": {"d1": 2}}
    assert small.source.startswith("BEIR folder small, split test, sha256 ")
    dev = load_collection("beir:small#dev", [root])
    assert (dev.name, dev.qrels) == ("beir:small#dev", {"q2": {"d2": 1}})
    assert dev.source == f"BEIR folder small, split dev, sha256 {dev.digest}"
    assert (dev.measure, dev.documents) == ("ndcg@10", {"d1": "Sum a + b", "d2": "x"})
    assert dev.digest != small.digest


def test_a_folder_whose_name_holds_the_mark_is_taken_as_it_is(root):
    (root / "small").rename(root / "c#")
    assert load_collection("beir:c#", [root]).qrels == {"q1": {"d1": 2}}
    assert load_collection("beir:c##dev", [root]).qrels == {"q2": {"d2": 1}}


def test_a_split_without_judgements_says_what_to_put_where(root):
    with pytest.raises(BenchmarkError, match=r"needs .*small/qrels/train\.tsv: put corpus\.jsonl, queries\.jsonl and"):
        load_collection("beir:small#train", [root])


def test_a_beir_folder_has_no_parts_to_list(root):
    with pytest.raises(ConfigError, match=r"must be named beir:PATH, got 'beir'"):
        list_parts("beir", [root])
