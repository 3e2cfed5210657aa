import hashlib

from procqa.files import sha256_file, sync_folder, sync_tree, write_durably


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
