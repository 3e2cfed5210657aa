"""A file that looks as it did is not read again, and one that may have been written since is."""

import os
from pathlib import Path

import pytest

from procqa.corpora.project import open_project
from procqa.index.stamps import Stamp, digest_project, load_stamps, stamps_file, write_stamps

pytest.importorskip("tree_sitter")

LONG_AGO_NS = 10**18


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    for name in ("a.py", "LICENSE"):
        (tmp_path / "shop" / name).write_text("x = 1\n")
        os.utime(tmp_path / "shop" / name, ns=(LONG_AGO_NS, LONG_AGO_NS))
    return tmp_path / "shop"


def digests(folder: Path, known: dict[str, Stamp]) -> dict[str, Stamp]:
    return digest_project(folder, open_project(folder), known)


def test_a_file_that_looks_the_same_is_not_read(folder: Path):
    first = digests(folder, {})
    assert sorted(first) == ["LICENSE", "a.py"]
    sha256 = "9e26bf369911c45c243c684147b23fc9e1dcfcf257d299a1c632016a6fcd33f4"
    status_ns = (folder / "a.py").stat().st_ctime_ns
    assert first["a.py"] == Stamp(6, LONG_AGO_NS, status_ns, sha256)
    told = {"a.py": Stamp(6, LONG_AGO_NS, status_ns, "as it was")}
    assert digests(folder, told)["a.py"].sha256 == "as it was"
    assert digests(folder, {"a.py": Stamp(7, LONG_AGO_NS, status_ns, "as it was")}) == first
    assert digests(folder, {"a.py": Stamp(6, LONG_AGO_NS + 1, status_ns, "as it was")}) == first


def test_a_file_whose_size_and_time_were_kept_while_it_changed_is_read_again(folder: Path):
    first = digests(folder, {})
    (folder / "a.py").write_text("x = 2\n")
    os.utime(folder / "a.py", ns=(LONG_AGO_NS, LONG_AGO_NS))
    now = digests(folder, first)["a.py"]
    assert (now.size, now.changed_ns) == (first["a.py"].size, first["a.py"].changed_ns)
    assert now.sha256 != first["a.py"].sha256


def test_a_file_that_was_just_written_is_read_again(folder: Path):
    (folder / "a.py").write_text("x = 1\n")
    (first,) = {digests(folder, {})["a.py"]}
    assert first.changed_ns == 0
    assert digests(folder, {"a.py": first})["a.py"] == first


def test_links_and_what_cannot_be_read_have_no_stamp(folder: Path):
    (folder / "link.py").symlink_to("a.py")
    (folder / "gone.py").symlink_to("nowhere.py")
    os.mkfifo(folder / "pipe.py")
    assert sorted(digests(folder, {})) == ["LICENSE", "a.py"]


def test_stamps_come_back_and_are_written_only_where_they_differ(folder: Path, tmp_path: Path):
    stamps = digests(folder, {})
    write_stamps(tmp_path / "i", [(folder, stamps), (tmp_path, {})])
    before = stamps_file(tmp_path / "i").stat().st_ino
    assert load_stamps(tmp_path / "i") == {folder: stamps, tmp_path: {}}
    write_stamps(tmp_path / "i", [(folder, stamps), (tmp_path, {})])
    assert stamps_file(tmp_path / "i").stat().st_ino == before


def test_the_stamps_of_a_link_lie_beside_what_it_names(tmp_path: Path):
    (tmp_path / "i").mkdir()
    (tmp_path / "links").mkdir()
    (tmp_path / "links/j").symlink_to(tmp_path / "i")
    write_stamps(tmp_path / "links/j", [(tmp_path, {})])
    assert load_stamps(tmp_path / "i") == {tmp_path: {}}


def test_a_folder_that_cannot_be_written_costs_only_the_stamps(tmp_path: Path):
    write_stamps(tmp_path / "nowhere/i", [(tmp_path, {})])
    assert load_stamps(tmp_path / "nowhere/i") == {}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"sources": [1]}', '{"sources": [{"path": "a", "files": {"b": [1]}}]}']
)
def test_broken_stamps_are_none(tmp_path: Path, text: str):
    stamps_file(tmp_path / "i").write_text(text)
    assert load_stamps(tmp_path / "i") == {}
