"""What ``import procqa`` offers: documented, complete, and cheap."""

import inspect
import tomllib
from pathlib import Path

import procqa

ROOT = Path(__file__).resolve().parent.parent


def test_the_version_is_that_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert procqa.__version__ == project["version"]


def test_every_public_name_exists_and_is_listed_once_in_order():
    assert list(procqa.__all__) == sorted(set(procqa.__all__))
    assert all(hasattr(procqa, name) for name in procqa.__all__)


def test_every_public_class_and_function_is_documented():
    things = [getattr(procqa, name) for name in procqa.__all__]
    assert all(inspect.getdoc(thing) for thing in things if inspect.isclass(thing) or inspect.isfunction(thing))


def test_the_package_is_typed():
    assert (ROOT / "src/procqa/py.typed").is_file()
