"""The doctor: what it looks at, what it calls broken, and what the command prints."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from packaging.specifiers import SpecifierSet

from procqa import doctor
from procqa.cli import main

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def report():
    return doctor.examine(ROOT)


def by_subject(report):
    return {finding.subject: finding for finding in report.findings}


def test_the_base_install_that_runs_these_tests_is_well(report):
    broken = [finding for finding in report.findings if finding.needed and finding.outcome != "ok"]
    assert broken == []
    assert report.ok


def test_every_base_dependency_is_looked_at_and_needed(report):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.match(r"[\w-]+", line)[0].lower() for line in project["dependencies"]}
    needed = {finding.subject.lower() for finding in report.findings if finding.group == "base"}
    assert needed == names | {"python"}


def test_every_extra_is_looked_at_and_not_needed(report):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {f"extra {name}" for name in project["optional-dependencies"]} - {"extra all"}
    extras = [finding for finding in report.findings if finding.group.startswith("extra ")]
    assert {finding.group for finding in extras} == wanted
    assert not any(finding.needed for finding in extras)


def test_a_version_is_the_installed_one(report):
    assert by_subject(report)["numpy"].detail == importlib.metadata.version("numpy")


def test_what_is_missing_comes_with_the_line_that_brings_it():
    optional = doctor.check_package("procqa-no-such-package", ">=1,<2", extra="train")
    assert (optional.outcome, optional.needed, optional.advice) == ("absent", False, "pip install 'procqa[train]'")
    base = doctor.check_package("procqa-no-such-package", ">=1,<2", extra=None)
    assert (base.outcome, base.needed, base.advice) == ("broken", True, "pip install 'procqa-no-such-package>=1,<2'")


def test_a_package_of_an_unfit_version_is_broken():
    finding = doctor.check_package("numpy", ">=1,<2", extra=None)
    assert (finding.outcome, finding.advice) == ("broken", "pip install 'numpy>=1,<2'")
    assert finding.detail == f"{importlib.metadata.version('numpy')} is not >=1,<2"


def test_a_report_with_something_broken_that_is_needed_is_not_ok():
    broken = doctor.Finding(group="base", subject="faiss-cpu", outcome="broken", needed=True)
    absent = doctor.Finding(group="extra ray", subject="ray", outcome="absent")
    assert not doctor.Report("0.1.0", (absent, broken)).ok
    assert doctor.Report("0.1.0", (absent,)).ok


def test_a_module_that_cannot_be_imported_says_why():
    assert doctor.import_problem("procqa_no_such_module") == "No module named 'procqa_no_such_module'"
    assert doctor.import_problem("json") == ""


@pytest.mark.parametrize("module", ["Stemmer", "numpy", "tantivy", "pyarrow"])
@pytest.mark.parametrize("error", ["ImportError('libx.so: no such file')", "ValueError('numpy.dtype size changed')"])
def test_a_broken_library_is_a_line_of_the_report_and_no_traceback(tmp_path, module, error):
    (tmp_path / f"{module}.py").write_text(f"raise {error}\n")
    found = subprocess.run(
        [sys.executable, "-m", "procqa", "doctor", "--json"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    names = [each["subject"] for each in json.loads(found.stdout)["findings"] if each["outcome"] == "broken"]
    assert {"Stemmer": "pystemmer"}.get(module, module) in names
    assert found.returncode == 1
    assert found.stderr.startswith("procqa: the base install must work, but these do not: ")


@pytest.mark.parametrize("version", ["1.9.9", "2", "2.0", "2.0.0", "2.4.6", "2.13.0+cpu", "3", "3.0.1", "26.0.1"])
@pytest.mark.parametrize("versions", [">=2.0,<3", "<3,>=2.0", "==2.0", "", ">=2.4.6", "<27,>=21"])
def test_version_ranges_agree_with_packaging(version, versions):
    assert doctor.fits(version, versions) == SpecifierSet(versions).contains(version)


def test_the_machine_has_cores_memory_and_a_disk(report):
    found = by_subject(report)
    assert int(found["cores"].detail) >= 1
    assert doctor.memory_bytes() > 100 << 20
    assert found["free disk"].outcome == "ok"


def test_a_folder_that_is_gone_has_no_free_space(tmp_path):
    assert doctor.check_disk(tmp_path / "gone").outcome == "broken"


def test_the_shipped_files_are_looked_at(report):
    found = by_subject(report)
    assert found["sample dump"].outcome == "ok"
    assert found["default encoder"].outcome == "ok"
    assert {"minilm encoder", "7-Zip", "gpu"} <= found.keys()


def test_the_command_prints_one_json_object():
    result = CliRunner().invoke(main, ["doctor", "--json"])
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert printed["ok"] is True
    assert set(printed["findings"][0]) == {"group", "subject", "outcome", "detail", "advice", "needed"}


def test_the_command_prints_a_table():
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0
    assert "faiss-cpu" in result.stdout
    assert "extra train" in result.stdout
