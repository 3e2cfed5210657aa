from procqa.artifact import digest_input
from procqa.corpora.sources import digest_source


def test_only_source_files_and_licences_count_in_a_folder_of_code(tmp_path):
    (tmp_path / "tool.py").write_text("x = 1\n")
    (tmp_path / "LICENSE").write_text("MIT License\n")
    before = digest_source(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/tool.pyc").write_bytes(b"\0")
    (tmp_path / "notes.txt").write_text("notes")
    assert digest_source(tmp_path) == before
    (tmp_path / "LICENSE").write_text("Apache License\n")
    assert digest_source(tmp_path) != before


def test_languages_and_skipped_folders_decide_what_counts(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_tool.py").write_text("x = 1\n")
    whole = digest_source(tmp_path)
    assert digest_source(tmp_path, ["go"]) != whole
    assert digest_source(tmp_path, skip_folders=["tests"]) == digest_source(tmp_path, ["go"])


def test_of_a_file_every_byte_counts(tmp_path):
    (tmp_path / "rows.jsonl").write_text("{}\n")
    assert digest_source(tmp_path / "rows.jsonl") == digest_input(tmp_path / "rows.jsonl")
