"""Lines and paths of corpora: gzip by bytes, errors with the line, a fixed order."""

import gzip
import os

import pytest

from procqa.corpora.files import kind_of, load_json, mend, read_lines, read_objects, walk_files
from procqa.errors import BenchmarkError, DumpError


def test_gzip_is_told_by_its_bytes_and_not_by_its_name(tmp_path):
    (tmp_path / "plain.gz").write_bytes(b"one\n\ntwo\n")
    (tmp_path / "packed").write_bytes(gzip.compress(b"one\n\ntwo\n"))
    for name in ("plain.gz", "packed"):
        assert list(read_lines(tmp_path / name, DumpError)) == [(1, b"one\n"), (3, b"two\n")]


def test_a_truncated_gzip_file_is_an_error_that_names_the_line(tmp_path):
    packed = gzip.compress(os.urandom(200_000).hex().encode().replace(b"0", b"\n"))
    path = tmp_path / "cut.gz"
    path.write_bytes(packed[:-20])
    with pytest.raises(DumpError, match=r"cut\.gz must be readable to its end, but after line \d+: .*whole copy"):
        list(read_lines(path, DumpError))


def test_an_absent_file_is_an_error_of_the_wanted_kind(tmp_path):
    with pytest.raises(BenchmarkError, match="No such file"):
        list(read_lines(tmp_path / "absent", BenchmarkError))
    with pytest.raises(BenchmarkError, match="No such file"):
        load_json(tmp_path / "absent", BenchmarkError)


@pytest.mark.parametrize("line", ["{", "[1]", "7", "nonsense", "[" * 100_000])
def test_a_line_that_is_no_object_is_named(tmp_path, line):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n\n' + line + "\n")
    with pytest.raises(BenchmarkError, match=r"rows\.jsonl, line 3 must be a JSON object"):
        list(read_objects(path, BenchmarkError))


def test_broken_json_is_an_error_that_names_the_line(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text('[\n\n {"a": 1},\n {"a": }\n]')
    with pytest.raises(BenchmarkError, match=r"rows\.json, line 4 must be JSON"):
        load_json(path, BenchmarkError)
    path.write_bytes(b'["\xff"]')
    with pytest.raises(BenchmarkError, match="JSON in UTF-8"):
        load_json(path, BenchmarkError)


def test_files_come_sorted_without_hidden_and_skipped_ones(tmp_path):
    for name in ("b/z.py", "b/a.py", "a.py", ".hidden/x.py", "skip/x.py", "b/skip/x.py", "B.py", ".x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    found = walk_files(tmp_path, DumpError, skip_folders={"skip"})
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["B.py", "a.py", "b/a.py", "b/z.py"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DumpError, match="must be readable"):
        walk_files(tmp_path / "absent", DumpError)


def test_a_path_is_a_file_a_folder_or_neither(tmp_path):
    (tmp_path / "file").touch()
    assert [kind_of(tmp_path), kind_of(tmp_path / "file"), kind_of(tmp_path / "absent")] == ["folder", "file", None]


def test_half_a_surrogate_pair_becomes_a_replacement_character():
    assert mend("a\ud83db") == "a\ufffdb"
    assert mend("a😀é") == "a😀é"
