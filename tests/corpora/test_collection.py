"""Where files are found, and what says which data was read."""

import gzip
import hashlib
from pathlib import Path

import pytest

from procqa.corpora.collection import Wanted, by_id, digest_contents, ids_of_equal, require_held
from procqa.corpora.families import FAMILIES
from procqa.errors import BenchmarkError

A = hashlib.sha256(b"a").hexdigest()
B = hashlib.sha256(b"b").hexdigest()


def test_the_digest_of_one_file_is_that_of_its_content(tmp_path: Path):
    (tmp_path / "x.jsonl").write_bytes(b"a")
    (tmp_path / "y.jsonl.gz").write_bytes(gzip.compress(b"a"))
    assert digest_contents([tmp_path / "x.jsonl"]) == digest_contents([tmp_path / "y.jsonl.gz"]) == A


def test_the_digest_of_several_files_is_that_of_their_names_and_digests_in_any_order(tmp_path: Path):
    files = [tmp_path / "x.jsonl", tmp_path / "y.jsonl.gz"]
    files[0].write_bytes(b"a")
    files[1].write_bytes(gzip.compress(b"b"))
    expected = hashlib.sha256(f"x.jsonl {A}\ny.jsonl {B}\n".encode()).hexdigest()
    assert digest_contents(files) == digest_contents(files[::-1]) == expected


def test_a_copy_that_breaks_off_is_named(tmp_path: Path):
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"a" * 9_999)[:-9])
    with pytest.raises(BenchmarkError, match=r"x\.gz must be readable to its end"):
        digest_contents([tmp_path / "x.gz"])


def test_files_lie_in_the_folder_of_the_benchmark_or_in_a_root_itself(tmp_path: Path):
    wanted = Wanted(family=FAMILIES["conala"], part="", roots=(tmp_path / "a", tmp_path / "b"))
    (tmp_path / "b" / "conala").mkdir(parents=True)
    (tmp_path / "a").mkdir()
    with pytest.raises(BenchmarkError, match=r"conala needs conala/x\.json below .*/a or .*/b: put"):
        wanted.find("x.json")
    (tmp_path / "b" / "conala" / "x.json.gz").touch()
    assert wanted.find("x.json") == [tmp_path / "b" / "conala" / "x.json.gz"]
    (tmp_path / "a" / "x.json").touch()
    assert wanted.find("x.json") == [tmp_path / "a" / "x.json"]
    assert wanted.folder("x.json", is_right=Path.is_dir) == tmp_path / "b" / "conala"


def test_an_id_stands_once_and_equal_texts_are_found(tmp_path: Path):
    assert by_id([("1", "a"), ("2", None)], tmp_path) == {"1": "a", "2": ""}
    with pytest.raises(BenchmarkError, match="holds 1 twice"):
        by_id([("1", "a"), ("1", "b")], tmp_path)
    assert ids_of_equal({"1": "a", "2": "b", "3": "a"}) == {"a": ["1", "3"], "b": ["2"]}


def test_a_part_that_is_not_held_is_named_with_those_that_are(tmp_path: Path):
    require_held("go", ["go"], tmp_path)
    with pytest.raises(BenchmarkError, match="must hold 'c', but holds go, ruby: ask for those"):
        require_held("c", ["ruby", "go", "go"], tmp_path)
    with pytest.raises(BenchmarkError, match="but holds nothing"):
        require_held("c", [], tmp_path)
