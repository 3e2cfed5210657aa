"""Files that git ignores are left out, as git itself decides."""

import subprocess
from pathlib import Path

import pytest

from procqa.corpora.ignored import walk_kept

pytest.importorskip("pathspec")

RULES = {
    ".gitignore": "*.log\n!keep.log\n/build\ndocs/*.tmp\n# a comment\n\\#odd\nspace\\ \n"
    "foo/**/bar\n**/cache\n[ab].o\nlib/\n",
    "src/.gitignore": "!special.log\n*.gen.py\n!/mine.gen.py\nlogs/\n!logs/\n",
    "src/deep/.gitignore": "*\n!.gitignore\n!kept.py\n!sub/\n!sub/**\n",
    "gone/.gitignore": "*",
}
FILES = (
    "a.log", "keep.log", "build/x.py", "sub/build/x.py", "docs/x.tmp", "docs/in/x.tmp", "#odd", "space ", "foo/bar",
    "foo/x/bar", "foo/x/y/bar/z.py", "x/cache/y.py", "cache", "a.o", "c.o", "lib/x.py", "src/lib", "src/lib2/lib/x.py",
    "src/special.log", "src/other.log", "src/x.gen.py", "src/mine.gen.py", "src/in/mine.gen.py", "src/logs/x.py",
    "src/deep/kept.py", "src/deep/lost.py", "src/deep/sub/x.py", "src/deep/sub2/kept.py", "gone/x.py", "ü.log", "ü.py",
)  # fmt: skip


def write(folder: Path) -> Path:
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    for name, text in RULES.items():
        (folder / name).write_text(text)
    return folder


def kept_of(folder: Path, **options: object) -> list[str]:
    return [path.relative_to(folder).as_posix() for path, why in walk_kept(folder, **options) if why is None]


def test_what_is_kept_is_what_git_would_keep(tmp_path: Path):
    folder = write(tmp_path / "repo")
    git = ["git", "-C", str(folder), "-c", "core.excludesFile="]
    subprocess.run([*git, "init", "--quiet"], check=True)
    listed = subprocess.run([*git, "ls-files", "-oz", "--exclude-standard"], check=True, capture_output=True, text=True)
    expected = [name for name in listed.stdout.split("\0") if name and not Path(name).name.startswith(".")]
    assert sorted(kept_of(folder)) == sorted(expected)
    assert {"keep.log", "src/special.log", "src/mine.gen.py", "src/deep/sub/x.py"} <= set(expected)


def test_what_is_left_out_is_told_with_its_reason_and_a_folder_once(tmp_path: Path):
    for name in ("a.log", "b.py", "out/x.py", "out/y.py", "vendor/z.py", ".hidden/x.py", ".x.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".gitignore").write_text("*.log\nout/\n")
    found = {path.name: why for path, why in walk_kept(tmp_path, skip_folders={"vendor"})}
    assert found == {
        "a.log": "file: ignored by .gitignore",
        "b.py": None,
        "out": "folder: ignored by .gitignore",
        "vendor": "folder: other people's code, or made by a build",
        ".gitignore": "file: hidden",
        ".x.py": "file: hidden",
        ".hidden": "folder: hidden",
    }


@pytest.mark.parametrize("odd", ["!", "\\", "foo\\", "*.[z-a]"])
def test_a_line_that_is_no_pattern_switches_none_of_the_others_off(tmp_path: Path, odd: str):
    (tmp_path / ".gitignore").write_text(f"{odd}\nsecret.py\n")
    for name in ("secret.py", "open.py"):
        (tmp_path / name).write_text("x")
    assert kept_of(tmp_path) == ["open.py"]


def test_without_rules_all_is_kept_in_the_order_of_names(tmp_path: Path):
    for name in ("b/z.py", "b/a.py", "c.py", "a.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert kept_of(tmp_path) == ["a.py", "c.py", "b/a.py", "b/z.py"]
