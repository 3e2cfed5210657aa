"""The error tree: what is what, what it carries, and what survives a process border."""

import inspect
import pickle

import pytest

from procqa import errors

TREE = {
    "ProcqaError": (Exception,),
    "ConfigError": (errors.ProcqaError, ValueError),
    "DumpError": (errors.ProcqaError,),
    "ArtifactError": (errors.ProcqaError,),
    "BenchmarkError": (errors.ProcqaError,),
    "QueryError": (errors.ProcqaError, ValueError),
    "MissingExtra": (errors.ProcqaError, ImportError),
    "ToldElsewhere": (errors.ProcqaError,),
}


def test_the_tree_is_the_one_that_is_drawn():
    classes = {name: thing for name, thing in vars(errors).items() if inspect.isclass(thing)}
    assert {name: thing.__bases__ for name, thing in classes.items()} == TREE
    assert all(name in errors.__doc__ for name in TREE)


def test_every_error_says_when_it_happens():
    assert all(len(inspect.getdoc(vars(errors)[name])) > 20 for name in TREE)


def test_a_missing_extra_is_the_pip_line():
    error = errors.MissingExtra("train", "training an encoder")
    assert error.extra == "train"
    assert str(error) == "training an encoder needs a package that is not installed: pip install 'procqa[train]'"


def test_a_dump_error_knows_the_dump_and_the_offset():
    error = errors.DumpError("a dump must end with its root element", path="Posts.xml", offset=42)
    assert (str(error), error.path, error.offset) == ("a dump must end with its root element", "Posts.xml", 42)


def test_a_dump_error_without_a_place_has_none():
    error = errors.DumpError("a dump must hold rows")
    assert (error.path, error.offset) == ("", None)


def test_a_dump_error_crosses_a_process_border_whole():
    error = pickle.loads(pickle.dumps(errors.DumpError("broken", path="a.7z", offset=7)))
    assert (type(error), str(error), error.path, error.offset) == (errors.DumpError, "broken", "a.7z", 7)


@pytest.mark.parametrize("name", ["ConfigError", "QueryError"])
def test_wrong_use_is_a_value_error_for_callers_that_know_no_procqa(name):
    with pytest.raises(ValueError, match=r"^k must be at least 1$"):
        raise vars(errors)[name]("k must be at least 1")
