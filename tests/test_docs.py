"""The pages tell the truth: generated ones are fresh, links lead somewhere, commands in them parse."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from procqa.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(ROOT.glob("docs/**/*.md"))
SOURCES = sorted(ROOT.glob("src/procqa/**/*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Git hosts make them."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands_in(page: Path) -> list[str]:
    """Every line of a page's code blocks that calls procqa, with continued lines joined."""
    blocks = re.findall(
        r"^```(?:bash|sh|console)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in map(str.strip, lines) if re.match(r"(.*\| *)?procqa ", line)]


def words_of(line: str) -> list[str]:
    """The words that one shell line hands to procqa, without pipes and redirections."""
    called = line[line.index("procqa ") :]
    words = shlex.split(called, comments=True)[1:]
    ends = [i for i, word in enumerate(words) if word in {"|", ">", "2>", "&&", "<"}]
    return words[: ends[0]] if ends else words


def test_generated_pages_are_fresh():
    check = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (check.returncode, check.stderr) == (0, "")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_each_of_its_options_has_help_and_a_place_in_the_docs(name):
    command = main.get_command(click.Context(main), name)
    page = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    assert f"## procqa {name}\n" in page
    assert command.help
    options = [param for param in command.params if isinstance(param, click.Option)]
    assert [option.name for option in options if not option.help] == []
    assert "--json" in {flag for option in options for flag in option.opts}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_a_file_and_a_heading(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("https://", "http://")):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


@pytest.mark.parametrize(
    ("page", "line"),
    [(page, line) for page in PAGES for line in commands_in(page)],
    ids=lambda value: name_of(value) if isinstance(value, Path) else value[:60],
)
def test_a_command_line_in_the_docs_is_one_that_procqa_takes(page, line):
    name, *arguments = words_of(line)
    if name.startswith("-"):
        return
    command = main.get_command(click.Context(main), name)
    assert command is not None, f"{name_of(page)}: no command {name}"
    try:
        command.make_context(name, arguments, parent=click.Context(main, info_name="procqa"))
    except click.UsageError as error:
        pytest.fail(f"{name_of(page)}: {line}: {error.format_message()}")


@pytest.mark.parametrize("source", SOURCES, ids=name_of)
def test_what_a_docstring_cites_exists(source):
    text = source.read_text(encoding="utf-8")
    for number in re.findall(r"docs/decisions/(\d{4})", text):
        assert list(ROOT.glob(f"docs/decisions/{number}-*.md")), f"docs/decisions/{number}"
    for page, anchor in re.findall(r"docs/([\w/-]+\.md)(?:#([\w-]+))?", text):
        assert (ROOT / "docs" / page).is_file(), page
        assert not anchor or anchor in anchors(ROOT / "docs" / page), f"{page}#{anchor}"


def test_every_decision_is_numbered_once_and_says_what_would_change_it():
    records = sorted(ROOT.glob("docs/decisions/*.md"))
    assert [record.name[:4] for record in records] == [f"{number:04d}" for number in range(1, len(records) + 1)]
    for record in records:
        text = record.read_text(encoding="utf-8")
        headings = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
        assert headings == ["Question", "Options", "Choice", "What would change it"], record.name


def test_every_direct_dependency_has_its_reason_in_the_decisions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    names = {re.match(r"[\w-]+", line)[0] for line in [*project["dependencies"], *extras]} - {"procqa"}
    grammars = {name for name in names if name.startswith("tree-sitter-")}
    table = (ROOT / "docs/decisions/0004-dependencies.md").read_text(encoding="utf-8")
    assert {name for name in names - grammars if not re.search(rf"(?<![\w-]){name}(?![\w-])", table)} == set()
    assert len(grammars) == 11


def test_the_ranker_of_the_page_on_evaluation_runs(sample_dataset, tmp_path, monkeypatch, capsys):
    page = ROOT / "docs/evaluation.md"
    examples = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [example for example in examples if "class SharedLetters" in example]
    (tmp_path / "dataset").symlink_to(sample_dataset)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, str(page), "exec"), {})
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert {ranker for _, ranker, _ in lines} == {"bm25", "shared-letters"}
    assert all(float(score) > 0 for _, _, score in lines)
    assert len({task for task, _, _ in lines}) == len(lines) / 2 > 1
