"""Result files: what is written is what was measured, and what cannot be read is one sentence."""

import json
from pathlib import Path

import pytest

from procqa.config import EvaluateConfig
from procqa.errors import ArtifactError, ConfigError
from procqa.evaluation.evaluate import Plan, measure
from procqa.evaluation.results import to_json
from procqa.evaluation.saved import check_file, load_results, save_results
from tests.evaluation.small import write_beir

CONFIG = EvaluateConfig(bootstrap=100)


def test_a_result_file_holds_the_result_and_the_rank_of_every_query(tmp_path: Path):
    write_beir(tmp_path / "fruit")
    measured = list(measure(["bm25"], ["beir:fruit"], [tmp_path], CONFIG, plan=Plan(analyses=True)))

    save_results(tmp_path / "results.jsonl", measured, CONFIG)

    (line,) = (tmp_path / "results.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert told["ranks"] == {"q1": 1, "q2": 2, "q3": 2}
    assert (told["causes"], told["slices"]) == ({}, [])
    (saved,) = load_results(tmp_path / "results.jsonl")
    assert saved.ranks == {"q1": 1, "q2": 2, "q3": 2}
    assert saved.name == ("beir:fruit", "bm25")
    assert saved.told["metrics"] == to_json(measured[0].result)["metrics"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must hold a result, but is empty"),
        ("{}\n", "line 1 must be a result with task, ranker"),
        ("not json\n", "line 1 must be a result"),
        ("\udcff", "must be a result file, but cannot be read"),
    ],
)
def test_what_is_no_result_file_is_one_sentence(tmp_path: Path, text: str, sentence: str):
    path = tmp_path / "results.jsonl"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(ArtifactError, match=sentence):
        load_results(path)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path):
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_results(tmp_path / "nowhere.jsonl")


def test_a_name_that_no_file_can_have_is_refused_before_anything_is_measured(tmp_path: Path):
    check_file(tmp_path / "new.html", "--report")
    for path in (tmp_path, tmp_path / "nowhere" / "new.html"):
        with pytest.raises(ConfigError, match="--report must name a file in a folder that exists"):
            check_file(path, "--report")
