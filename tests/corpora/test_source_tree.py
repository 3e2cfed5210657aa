"""A folder of source code, written by the test."""

import os
from pathlib import Path

import pytest

from procqa.config import LANGUAGES
from procqa.corpora.records import CorpusPair, SkippedFile
from procqa.corpora.source_tree import SKIPPED_FOLDERS, TEST_FOLDERS, read_pairs, source_files, to_site
from procqa.errors import ConfigError, DumpError
from procqa.records import Dropped

pytest.importorskip("tree_sitter")

TOTAL = '''\
class Basket:
    def total(self, tax):
        """Add the tax to the sum."""
        return self.sum + tax

    def plain(self):
        return self.sum + 1

    def short(self):
        """Short."""
        return self.sum + 1

    def trivial(self):
        """Return the sum of everything."""
        return 1
'''
SOURCES = {
    "c": ("twice.c", "// Doubles a number.\nint twice(int n) { return n * 2 + 0; }\n"),
    "cpp": ("twice.hpp", "/// Doubles a number.\nint twice(int n) { return n * 2 + 0; }\n"),
    "csharp": (
        "Twice.cs",
        "class A {\n /// <summary>Doubles a number.</summary>\n int twice(int n) { return n * 2; }\n}\n",
    ),
    "go": ("twice.go", "package a\n\n// Doubles a number.\nfunc twice(n int) int { return n * 2 + 0 }\n"),
    "java": ("Twice.java", "class A {\n /** Doubles a number. */\n int twice(int n) { return n * 2; }\n}\n"),
    "javascript": ("twice.mjs", "/** Doubles a number. */\nfunction twice(n) { return n * 2 + 0; }\n"),
    "lisp": ("twice.lisp", '(defun twice (n) "Doubles a number." (values (* n 2)))\n'),
    "php": ("twice.php", "<?php\n/** Doubles a number. */\nfunction twice($n) { return $n * 2; }\n"),
    "python": ("twice.py", 'def twice(n):\n    "Doubles a number."\n    return n * 2 + 0\n'),
    "ruby": ("twice.rb", "# Doubles a number.\ndef twice(n)\n  return n * 2 + 0\nend\n"),
    "rust": ("twice.rs", "/// Doubles a number.\nfn twice(n: u32) -> u32 { return n * 2; }\n"),
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    return folder


def pairs_of(folder: Path, **options: object) -> list[CorpusPair]:
    return [entry for entry in read_pairs(folder, **options) if isinstance(entry, CorpusPair)]


def test_a_documented_method_becomes_a_pair_with_its_place_and_its_licence(tmp_path):
    folder = write(tmp_path / "My Shop", {"src/basket.py": TOTAL, "LICENSE": "Apache License, Version 2.0"})
    (entry,) = pairs_of(folder)
    assert (entry.group, entry.partition) == ("My Shop/src/basket.py", None)
    pair = entry.pair
    assert (pair.title, pair.question) == ("Basket.total", "Add the tax to the sum.")
    assert pair.answer == "def total(self, tax):\n    return self.sum + tax"
    assert pair.question_url == pair.answer_url == "src/basket.py#L2"
    assert pair.question_author == pair.answer_author == "My Shop"
    assert pair.question_licence == pair.answer_licence == "Apache-2.0"
    assert (pair.site, pair.language, pair.tags) == ("my-shop", "python", ())
    assert (pair.question_created_ms, pair.answer_created_ms, pair.question_score) == (None, None, 0)


def test_every_other_function_is_dropped_with_its_reason(tmp_path):
    folder = write(tmp_path / "shop", {"basket.py": TOTAL})
    dropped = [entry for entry in read_pairs(folder) if isinstance(entry, Dropped)]
    assert [(entry.reason, entry.detail, entry.language, entry.site) for entry in dropped] == [
        ("no docstring", "basket.py#L6 Basket.plain", "python", "shop"),
        ("docstring too short", "basket.py#L9 Basket.short", "python", "shop"),
        ("function too short", "basket.py#L13 Basket.trivial", "python", "shop"),
    ]
    assert len({entry.question_id for entry in dropped}) == 3


def test_all_eleven_languages_are_read_in_the_order_of_their_paths(tmp_path):
    folder = write(tmp_path, {f"{language}/{name}": source for language, (name, source) in SOURCES.items()})
    pairs = pairs_of(folder)
    assert tuple(entry.pair.language for entry in pairs) == LANGUAGES
    assert {entry.pair.question for entry in pairs} == {"Doubles a number."}
    assert {entry.pair.title for entry in pairs} == {"twice", "A.twice"}
    assert [entry.pair.language for entry in pairs_of(folder, languages=["rust", "c"])] == ["c", "rust"]
    assert not any("Doubles" in entry.pair.answer for entry in pairs)


def test_a_header_is_read_as_what_it_holds(tmp_path):
    plain, classes = SOURCES["c"][1], "namespace a {\n" + SOURCES["cpp"][1] + "}\n"
    folder = write(tmp_path, {"a.h": plain, "b.h": classes})
    assert [entry.pair.language for entry in pairs_of(folder)] == ["c", "cpp"]
    assert [entry.pair.language for entry in pairs_of(folder, languages=["cpp"])] == ["cpp"]
    assert [entry.pair.language for entry in pairs_of(folder, languages=["c"])] == ["c"]


def test_files_that_cannot_be_read_are_told_with_their_reason(tmp_path):
    folder = write(tmp_path, {"a.py": SOURCES["python"][1], "nul.py": "a\0b", "large.py": "#" * (1 << 20) + "\n"})
    (folder / "latin.py").write_bytes("# é".encode("latin-1"))
    (folder / "link.py").symlink_to("a.py")
    (folder / "gone.py").symlink_to("nowhere.py")
    (folder / "folder.py").mkdir()
    os.mkfifo(folder / "pipe.py")
    skipped: list[SkippedFile] = []
    assert len(pairs_of(folder, on_skip=skipped.append)) == 1
    assert [(file.path, file.reason) for file in skipped] == [
        ("gone.py", "symbolic link"),
        ("large.py", "larger than 1 MiB"),
        ("latin.py", "not UTF-8"),
        ("link.py", "symbolic link"),
        ("nul.py", "binary"),
        ("pipe.py", "no regular file"),
    ]


def test_a_byte_order_mark_is_no_part_of_the_code(tmp_path):
    folder = write(tmp_path, {"a.py": "\ufeff" + SOURCES["python"][1]})
    assert pairs_of(folder)[0].pair.answer == "def twice(n):\n    return n * 2 + 0"


def test_hidden_folders_and_other_peoples_code_are_passed_over_and_tests_on_request(tmp_path):
    names = [
        ".git/a.py",
        "node_modules/a.py",
        "vendor/a.py",
        "build/a.py",
        "__pycache__/a.py",
        "tests/a.py",
        "src/a.py",
    ]
    folder = write(tmp_path, dict.fromkeys(names, SOURCES["python"][1]))
    places = [entry.pair.answer_url for entry in pairs_of(folder)]
    assert places == ["src/a.py#L1", "tests/a.py#L1"]
    (entry,) = pairs_of(folder, skip_folders=SKIPPED_FOLDERS | TEST_FOLDERS)
    assert entry.group.endswith("/src/a.py")


def test_the_source_files_are_what_decides_the_pairs(tmp_path):
    files = {"b.py": "", "a.rs": "", "LICENSE": "", "notes.txt": "", "vendor/x.py": "", ".x.py": ""}
    folder = write(tmp_path, files)
    (folder / "link.py").symlink_to("b.py")
    assert [path.name for path in source_files(folder)] == ["LICENSE", "a.rs", "b.py"]
    assert [path.name for path in source_files(folder, ["rust"], ())] == ["LICENSE", "a.rs"]


def test_author_and_licence_can_be_given_and_a_missing_licence_is_said(tmp_path):
    folder = write(tmp_path, {"a.py": SOURCES["python"][1]})
    assert pairs_of(folder)[0].pair.answer_licence == "no licence found"
    (entry,) = pairs_of(folder, author="Ann", licence="MIT")
    assert (entry.pair.answer_author, entry.pair.answer_licence, entry.group) == ("Ann", "MIT", "Ann/a.py")


def test_ids_are_the_same_again_and_twins_have_their_own(tmp_path):
    folder = write(tmp_path / "a", {"a.py": SOURCES["python"][1] * 2, "b.py": SOURCES["python"][1]})
    ids = [entry.pair.answer_id for entry in pairs_of(folder)]
    assert len(set(ids)) == 3
    (folder / "a.py").write_text("# moved\n" + SOURCES["python"][1] * 2)
    assert [entry.pair.answer_id for entry in pairs_of(folder)] == ids


def test_a_name_becomes_a_host_name():
    assert [to_site(name) for name in ("My_Shop 2", "python3.11", ".config", "...", "ä")] == [
        "my-shop-2",
        "python3.11",
        "config",
        "local",
        "local",
    ]


def test_an_unknown_language_and_a_missing_folder_are_refused_at_once(tmp_path):
    with pytest.raises(ConfigError, match=r"languages must be among c, cpp, .*, got 'cobol'"):
        read_pairs(tmp_path, ["cobol"])
    with pytest.raises(DumpError, match="must be a folder of source code, but there is no such folder"):
        read_pairs(tmp_path / "absent")
