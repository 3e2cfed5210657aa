"""One's own code: every function, class and section of a document, with its place, and a reason for all else."""

from collections import Counter
from pathlib import Path

import pytest

from procqa.corpora.project import Project, open_project, read_project_file
from procqa.errors import DumpError
from procqa.records import Pair

pytest.importorskip("tree_sitter")

SHOP = '''\
class Basket:
    """What is bought."""

    def total(self):
        return sum(self.prices)


def bare(): return 1
'''


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def read(project: Project) -> tuple[list[Pair], Counter[str]]:
    skipped = Counter(project.left_out)
    pairs = [
        pair
        for file in project.files
        for pair in read_project_file(file, project.origin, lambda reason: skipped.update((reason,)))
    ]
    return pairs, skipped


def test_functions_and_classes_are_found_with_or_without_documentation(tmp_path: Path):
    folder = write(tmp_path / "My Shop", {"src/basket.py": SHOP, "LICENSE": "Apache License, Version 2.0"})
    pairs, _ = read(open_project(folder))
    assert [(pair.title, pair.question, pair.answer_url, pair.language) for pair in pairs] == [
        ("Basket", "What is bought.", "src/basket.py#L1", "python"),
        ("Basket.total", "", "src/basket.py#L4", "python"),
        ("bare", "", "src/basket.py#L8", "python"),
    ]
    assert pairs[0].answer == "class Basket:\n\n    def total(self):\n        ..."
    assert pairs[1].answer == "def total(self):\n    return sum(self.prices)"
    assert {(pair.answer_author, pair.answer_licence, pair.site) for pair in pairs} == {
        ("My Shop", "Apache-2.0", "my-shop")
    }


def test_documents_are_found_by_their_sections(tmp_path: Path):
    folder = write(
        tmp_path / "shop",
        {
            "README.md": "# Shop\n\nIt sells.\n\n## Install\n\nRun `make`.\n",
            "docs/use.rst": "Use\n===\n\nOpen it.\n",
            "notes.txt": "Buy milk.\n",
            "README": "Plain words.",
        },
    )
    pairs, _ = read(open_project(folder))
    assert [(pair.title, pair.answer, pair.answer_url, pair.language) for pair in pairs] == [
        ("README", "Plain words.", "README#L1", "text"),
        ("Shop", "It sells.", "README.md#L1", "text"),
        ("Shop > Install", "Run `make`.", "README.md#L5", "text"),
        ("notes.txt", "Buy milk.", "notes.txt#L1", "text"),
        ("Use", "Open it.", "docs/use.rst#L1", "text"),
    ]


def test_what_is_not_read_is_counted_by_its_reason(tmp_path: Path):
    folder = write(
        tmp_path / "shop",
        {
            ".gitignore": "*.gen.py\nout/\n",
            "a.py": SHOP,
            "b.gen.py": SHOP,
            "out/c.py": SHOP,
            "node_modules/d.js": "",
            "binary.py": b"a\0b",
            "latin.py": "# é".encode("latin-1"),
            "huge.py": "#" * ((1 << 20) + 1),
            "empty.py": "x = 1\n",
            "data.csv": "1,2",
            "LICENSE.txt": "MIT License",
        },
    )
    (folder / "link.py").symlink_to("a.py")
    (folder / "up").symlink_to("..")
    pairs, skipped = read(open_project(folder))
    assert len(pairs) == 3
    assert skipped == {
        "file: ignored by .gitignore": 1,
        "folder: ignored by .gitignore": 1,
        "folder: other people's code, or made by a build": 1,
        "file: binary": 1,
        "file: not UTF-8": 1,
        "file: larger than 1 MiB": 1,
        "file: nothing to find in it": 1,
        "file: neither code of the eleven languages nor a document": 1,
        "file: a licence": 1,
        "file: symbolic link": 1,
        "file: hidden": 1,
        "folder: symbolic link": 1,
    }


def test_equal_definitions_and_sections_of_one_file_have_ids_of_their_own(tmp_path: Path):
    folder = write(
        tmp_path, {"a.py": "def f(): return 10\n" * 2, "a.md": "# A\nx\n# A\nx\n", "b.py": "def f(): return 10\n"}
    )
    ids = [pair.answer_id for pair in read(open_project(folder))[0]]
    assert len(ids) == len(set(ids)) == 5


def test_a_header_is_read_as_what_it_holds(tmp_path: Path):
    folder = write(tmp_path, {"a.h": "struct p { int x; };\n", "b.h": "namespace n { class q { int x; }; }\n"})
    assert [(pair.language, pair.title) for pair in read(open_project(folder))[0]] == [("c", "p"), ("cpp", "q")]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(DumpError, match="must be a folder of source code, but there is no such folder"):
        open_project(tmp_path / "nowhere")
