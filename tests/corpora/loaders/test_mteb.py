"""What a task of mteb needs; what stands in one is tested with mteb itself in tests/evaluation/test_mteb.py."""

import importlib.util
from pathlib import Path

import pytest

from procqa.corpora.benchmarks import list_parts, load_collection
from procqa.errors import ConfigError, MissingExtra
from procqa.evaluation.mteb import as_mteb_model, as_mteb_task

without_mteb = pytest.mark.skipif(importlib.util.find_spec("mteb") is not None, reason="mteb is installed")


class Named:
    """All that is asked of an encoder before mteb is."""

    name = "mine"


@without_mteb
def test_a_task_of_mteb_without_mteb_names_the_extra(tmp_path: Path):
    with pytest.raises(MissingExtra, match=r"the task mteb:CosQA needs a package .*: pip install 'procqa\[mteb\]'"):
        load_collection("mteb:CosQA", [tmp_path])
    with pytest.raises(MissingExtra, match=r"the task cosqa for mteb needs .*'procqa\[mteb\]'"):
        as_mteb_task("cosqa", [tmp_path])
    with pytest.raises(MissingExtra, match=r"the encoder mine for mteb needs .*'procqa\[mteb\]'"):
        as_mteb_model(Named())


def test_a_task_of_mteb_must_be_named():
    assert list_parts("mteb:CosQA", []) == ["mteb:CosQA"]
    with pytest.raises(ConfigError, match="must be named mteb:NAME, got 'mteb'"):
        list_parts("mteb", [])
