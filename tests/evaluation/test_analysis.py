"""What is looked at beside the numbers."""

from pathlib import Path

import pytest

from procqa.config import EvaluateConfig
from procqa.evaluation.evaluate import Plan, measure
from procqa.evaluation.misses import TRUNCATED
from tests.evaluation.small import write_beir, write_lines
from tests.evaluation.test_evaluate import write_programs

CONFIG = EvaluateConfig(bootstrap=100, permutations=100)


def analyses(rankers: list[str], task: str, root: Path, config: EvaluateConfig = CONFIG):
    return [one.analysis for one in measure(rankers, [task], [root], config, plan=Plan(analyses=True))]


def test_nothing_is_analysed_unless_it_is_asked_for(tmp_path: Path):
    write_beir(tmp_path / "fruit")

    (measured,) = measure(["bm25"], ["beir:fruit"], [tmp_path], CONFIG, plan=Plan())

    assert measured.analysis is None


def test_programs_of_all_languages_are_traced_and_a_models_space_is_described(tmp_path: Path):
    write_programs(tmp_path / "rosetta")
    rows = [{"task": f"t{n}", "language": "go", "file": f"{n}.go", "code": f"print swap {n}"} for n in range(12)]
    (tmp_path / "rosetta" / "programs.jsonl.gz").unlink()
    more = [{"task": "t3", "language": "python", "file": "3.py", "code": "print swap 3"}]
    write_lines(tmp_path / "rosetta" / "programs.jsonl", [*rows, *more])

    words, model = analyses(["bm25", "default"], "rosetta:python-all", tmp_path)

    assert words.traced == model.traced == {"go": {"found": 1}}
    assert words.space is None
    assert (model.space.vectors, model.space.majority) == (13, pytest.approx(12 / 13))


def test_what_a_model_does_not_read_is_a_cause_for_a_model_alone(tmp_path: Path):
    write_beir(tmp_path / "long")
    opening = " ".join(f"unrelated{n}" for n in range(40))
    rows = [{"_id": f"d{n:02}", "title": "", "text": f"melon juice{n}"} for n in range(20)]
    write_lines(
        tmp_path / "long" / "corpus.jsonl", [*rows, {"_id": "right", "title": "", "text": f"{opening} melon seeds"}]
    )
    write_lines(tmp_path / "long" / "queries.jsonl", [{"_id": "q", "text": "melon seeds"}])
    (tmp_path / "long" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\tright\t1\n")

    words, model = analyses(["bm25", "default"], "beir:long", tmp_path, EvaluateConfig(bootstrap=100, max_tokens=8))

    assert words.misses == ()
    assert [miss.cause for miss in model.misses] == [TRUNCATED]
