import importlib
import re
import tomllib
from pathlib import Path

import pytest

import procqa

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/python-api.md"


def test_the_version_is_that_of_the_package_and_it_is_typed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert procqa.__version__ == project["version"]
    assert (ROOT / "src/procqa/py.typed").is_file()


@pytest.mark.parametrize("name", procqa.__all__)
def test_a_public_name_is_there_documented_and_on_its_page(name):
    value = getattr(procqa, name)
    assert name == "__version__" or value.__doc__
    assert name in dir(procqa)
    assert name == "__version__" or f"`{name}`" in PAGE.read_text(encoding="utf-8")


def test_a_public_name_is_the_one_of_its_module():
    from procqa.dataset.build import build_dataset

    assert procqa.build_dataset is build_dataset
    assert importlib.import_module("procqa.chain").verify is procqa.verify


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = procqa.nonsense


def test_the_example_of_the_page_runs(sample_dump, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Posts.xml").write_bytes(sample_dump.read_bytes())
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(example, str(PAGE), "exec"), {})
    printed = capsys.readouterr().out
    assert "134 pairs" in printed
    assert "Apache-2.0" in printed
