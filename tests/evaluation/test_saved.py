"""Result files: what is written is what was measured, and what cannot be read is one sentence."""

import json
from pathlib import Path

import pytest

from procqa.config import EvaluateConfig
from procqa.errors import ArtifactError
from procqa.evaluation.evaluate import Plan, measure
from procqa.evaluation.results import to_json
from procqa.evaluation.saved import load_results, save_results
from tests.evaluation.small import write_beir
from tests.evaluation.test_evaluate import write_programs

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


def line(**changes: object) -> str:
    told = {"task": "t", "ranker": "r", "revision": "1", "metrics": {}, "queries": 1, "documents": 1}
    return json.dumps(told | changes) + "\n"


def test_a_line_ends_where_it_ends_and_at_no_sign_of_unicode(tmp_path: Path):
    (tmp_path / "results.jsonl").write_text(
        json.dumps(json.loads(line(task="u\u2028v\u0085w")), ensure_ascii=False) + "\n", encoding="utf-8"
    )

    (saved,) = load_results(tmp_path / "results.jsonl")

    assert saved.name == ("u\u2028v\u0085w", "r")


def test_queries_that_repeat_one_another_are_saved_as_groups(tmp_path: Path):
    write_programs(tmp_path / "rosetta")
    task = "rosetta:python-c"
    save_results(tmp_path / "r", measure(["bm25"], [task], [tmp_path], CONFIG, plan=Plan()), CONFIG)

    (saved,) = load_results(tmp_path / "r")

    assert saved.groups == {"sort/3.py": "0", "sum/1.py": "1", "sum/2.py": "1"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must hold a result, but is empty"),
        ("{}\n", "line 1 must be a result with task, ranker"),
        ("not json\n", "line 1 must be a result"),
        ("\udcff", "must be a result file, but is no text in UTF-8"),
        (line(metrics=[]), "line 1 must be a result"),
        (line(metrics={"map": "high"}), "line 1 must be a result"),
        (line(ranker=["x"]), "line 1 must be a result"),
        (line(ranks=["q"]), "line 1 must be a result"),
        (line(ranks={"q": "first"}), "line 1 must be a result"),
        (line(setting=[]), "line 1 must be a result"),
        (line(setting={"ranker": "words"}), "line 1 must be a result"),
        ("[" * 100_000, "line 1 must be a result"),
    ],
)
def test_what_is_no_result_file_is_one_sentence(tmp_path: Path, text: str, sentence: str):
    path = tmp_path / "results.jsonl"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(ArtifactError, match=sentence):
        load_results(path)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path):
    with pytest.raises(ArtifactError, match="must be a result file that can be read, but: No such file"):
        load_results(tmp_path / "nowhere.jsonl")
