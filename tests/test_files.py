import hashlib

from procqa.files import is_hollow, remove_folder, sha256_file, sync_folder, sync_tree, unfinished_of, write_durably


def test_a_digest_is_that_of_the_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 3_000_000)
    assert sha256_file(tmp_path / "file") == hashlib.sha256(b"x" * 3_000_000).hexdigest()


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "file.json"
    write_durably(path, "old")
    write_durably(path, "new")
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.json"]


def test_a_tree_is_made_durable_without_changing_it(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_text("x")
    sync_tree(tmp_path)
    sync_folder(tmp_path / "a")
    assert (tmp_path / "a/b/file").read_text() == "x"


def test_a_folder_is_removed_but_for_what_links_lead_to(tmp_path):
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/mark").write_text("x")
    (folder / "a/b/file").write_text("x")
    elsewhere.mkdir()
    (elsewhere / "thesis").write_text("years of work")
    (folder / "link").symlink_to(elsewhere)
    remove_folder(folder, last="a/mark")
    assert not folder.exists()
    assert (elsewhere / "thesis").read_text() == "years of work"
    remove_folder(folder, last="a/mark")


def test_a_hollow_folder_holds_no_file(tmp_path):
    assert not is_hollow(tmp_path / "absent")
    (tmp_path / "a/b").mkdir(parents=True)
    assert is_hollow(tmp_path)
    unfinished_of(tmp_path / "a/b/file").touch()
    assert not is_hollow(tmp_path)
