"""The house rules that no linter holds: what may stand where, and what must stand beside it."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src/procqa"
MODULES = sorted(PACKAGE.rglob("*.py"))
PROGRAMS = sorted([*ROOT.glob("benchmarks/**/*.py"), *ROOT.glob("docs/**/*.py")])

ROOMS = {
    "config",
    "dump",
    "pairs",
    "corpora",
    "dataset",
    "encoder",
    "index",
    "search",
    "evaluation",
    "studies",
    "bundled",
    "cli",
}
GROUND_FLOOR = {
    "__init__", "__main__", "records", "errors", "text", "topk", "files", "artifact", "workers", "demo",
    "doctor", "chain", "journal", "lock", "figure", "manifest",
}  # fmt: skip
HEAVY = {
    "accelerate", "datasets", "faiss", "fastapi", "lxml", "matplotlib", "numba", "numpy", "pandas", "py3langid",
    "py7zr", "pyarrow", "ray", "selectolax",
    "sentence_transformers", "sklearn", "tantivy", "tokenizers", "torch", "transformers", "tree_sitter", "uvicorn",
}  # fmt: skip
UNSAFE = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
BROAD = {"Exception", "BaseException"}
RAISE_NOTHING_NARROWER = {"encoder/static.py": 1}
"""Modules that call a library which raises a bare Exception, and how often: tokenizers, on a broken file."""

TESTED_ELSEWHERE = {
    "__main__.py": "tests/test_cli.py",
    "cli/common.py": "tests/test_cli.py",
    "cli/completion.py": "tests/cli/test_search.py",
    "cli/demo.py": "tests/test_demo.py",
    "cli/doctor.py": "tests/test_doctor.py",
    "cli/index.py": "tests/cli/test_search.py",
    "cli/serve.py": "tests/search/test_server.py",
    "cli/show.py": "tests/cli/test_build.py",
    "cli/verify.py": "tests/cli/test_build.py",
    "corpora/families.py": "tests/evaluation/test_tasks.py",
    "corpora/layouts/beir.py": "tests/corpora/loaders/test_beir.py",
    "corpora/layouts/functions.py": "tests/corpora/loaders/test_functions.py",
    "corpora/layouts/questions.py": "tests/corpora/loaders/test_questions.py",
    "corpora/layouts/released.py": "tests/corpora/loaders/test_questions.py",
    "dataset/checks.py": "tests/dataset/test_proof.py",
    "dataset/collect.py": "tests/dataset/test_build.py",
    "dataset/describe.py": "tests/dataset/test_build.py",
    "dataset/preload.py": "tests/dataset/test_executors.py",
    "dataset/request.py": "tests/dataset/test_build.py",
    "dataset/stages.py": "tests/dataset/test_build.py",
    "dump/kernels.py": "tests/dump/test_columns.py",
    "dump/number_kernels.py": "tests/dump/test_columns.py",
    "dump/posts.py": "tests/dump/test_columns.py",
    "dump/usual_page.py": "tests/dump/test_usual_body.py",
    "dump/usual_paragraph.py": "tests/dump/test_usual_body.py",
    "dump/usual_tags.py": "tests/dump/test_usual_body.py",
    "encoder/fitting.py": "tests/encoder/test_selection.py",
    "encoder/summary.py": "tests/encoder/test_training.py",
    "encoder/onnx.py": "tests/encoder/test_export.py",
    "encoder/openvino.py": "tests/encoder/test_backends.py",
    "encoder/torch_encoder.py": "tests/encoder/test_model.py",
    "encoder/tracing.py": "tests/encoder/test_backends.py",
    "config/build.py": "tests/test_config.py",
    "config/common.py": "tests/test_config.py",
    "config/evaluate.py": "tests/test_config.py",
    "config/index.py": "tests/test_config.py",
    "config/mine.py": "tests/test_config.py",
    "config/search.py": "tests/test_config.py",
    "config/train.py": "tests/test_config.py",
    "config/presets.py": "tests/test_presets.py",
    "search/forms.py": "tests/search/test_searcher.py",
    "search/pages/markup.py": "tests/search/test_markup.py",
    "search/pages/render.py": "tests/search/web/test_app.py",
    "search/web/agents.py": "tests/search/test_mcp.py",
    "search/web/answers.py": "tests/search/web/test_rim.py",
    "search/web/figures.py": "tests/search/web/test_rim.py",
    "search/web/schema.py": "tests/search/web/test_schemathesis.py",
    "studies/c2.py": "tests/studies/test_statement.py",
    "studies/c3.py": "tests/studies/test_statement.py",
    "studies/common.py": "tests/studies/test_statement.py",
    "studies/e1.py": "tests/studies/test_statement.py",
    "studies/e2.py": "tests/studies/test_statement.py",
    "studies/e3.py": "tests/studies/test_statement.py",
    "studies/q2.py": "tests/studies/test_statement.py",
    "studies/q3.py": "tests/studies/test_statement.py",
    "studies/recipe.py": "tests/studies/test_statement.py",
    "studies/scales.py": "tests/studies/test_statement.py",
    "studies/report/bars.py": "tests/studies/report/test_plots.py",
    "studies/report/dots.py": "tests/studies/report/test_plots.py",
    "studies/report/drawing.py": "tests/studies/report/test_plots.py",
    "studies/report/forest.py": "tests/studies/report/test_plots.py",
    "studies/running.py": "tests/studies/test_study.py",
}
"""Modules whose tests do not stand at the mirrored path, and where they stand."""


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def names_in(expression: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def tracked_text() -> dict[str, str]:
    """Every text file that git knows or would know, by its path."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    texts = {}
    for name in filter(None, names):
        path = ROOT / name
        if path.is_file():
            try:
                texts[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
    return texts


def imported_modules(*arguments: str) -> set[str]:
    """The top-level packages that a Python program imports, as Python's own import log names them."""
    log = subprocess.run([sys.executable, "-X", "importtime", *arguments], capture_output=True, check=True, text=True)
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in log.stderr.splitlines() if "|" in line}


def test_the_rooms_are_those_of_the_architecture():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms <= ROOMS
    assert {path.stem for path in PACKAGE.glob("*.py")} <= GROUND_FLOOR


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_is_documented_and_so_is_all_it_offers(path):
    tree = parse(path)
    assert ast.get_docstring(tree), "the module has no docstring"
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    scopes = [tree, *classes]
    bare = [
        node.name
        for scope in scopes
        for node in scope.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert bare == []


@pytest.mark.parametrize("path", [path for path in MODULES if path.parent.name != "cli"], ids=relative)
def test_a_module_prints_nothing_outside_the_command_line(path):
    calls = [node for node in ast.walk(parse(path)) if isinstance(node, ast.Call)]
    assert [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"] == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_catches_only_what_it_names(path):
    handlers = [node for node in ast.walk(parse(path)) if isinstance(node, ast.ExceptHandler)]
    broad = [node.lineno for node in handlers if node.type is None or BROAD & names_in(node.type)]
    assert len(broad) <= RAISE_NOTHING_NARROWER.get(relative(path), 0), broad


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_loads_no_pickle(path):
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            assert UNSAFE.isdisjoint(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] not in UNSAFE
        elif isinstance(node, ast.Call):
            call = ast.unparse(node)
            assert not re.match(r"(torch|joblib)\.load\b", call)
            assert "allow_pickle=True" not in call


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "__init__.py"], ids=relative)
def test_a_module_has_its_mirror_among_the_tests(path):
    name = relative(path)
    mirror = ROOT / TESTED_ELSEWHERE.get(name, f"tests/{Path(name).parent.as_posix()}/test_{path.stem}.py")
    assert mirror.is_file(), f"{mirror.relative_to(ROOT)} is missing"


@pytest.mark.parametrize("path", [*MODULES, *PROGRAMS], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_holds_one_concept_in_at_most_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_no_note_is_left_open():
    note = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
    assert [name for name, text in tracked_text().items() if name != "LICENSE" and note.search(text)] == []


def test_no_path_of_a_machine_stands_in_a_tracked_file():
    places = ("/" + "work/", "/" + "home/", "/" + "root/", "/" + "Users/")
    found = {name: place for name, text in tracked_text().items() for place in places if place in text}
    assert found == {}


def test_constraints_are_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)] == []
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0].lower())


@pytest.mark.parametrize("arguments", [("-c", "import procqa"), ("-m", "procqa", "--help")], ids=["import", "help"])
def test_the_start_loads_nothing_heavy(arguments):
    assert imported_modules(*arguments) & HEAVY == set()


def test_every_base_dependency_is_imported_somewhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.match(r"[\w-]+", line)[0].lower() for line in project["dependencies"]}
    imported = {
        name.partition(".")[0].lower()
        for path in MODULES
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    }
    modules = {"faiss-cpu": "faiss", "pystemmer": "stemmer"}
    assert {name for name in wanted if modules.get(name, name) not in imported} == set()
