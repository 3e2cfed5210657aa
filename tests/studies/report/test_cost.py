"""Processor time, and what runs did."""

from pathlib import Path

from procqa.studies.report.cost import tell_cost, tell_runs
from procqa.studies.results import Found, load_found
from tests.studies.lines import run, small_lines, statement, write_found


def found(folder: Path, name: str = "e1") -> Found:
    return load_found(write_found(folder / name, small_lines(name)))


def test_what_two_studies_share_counts_in_both_and_once(tmp_path: Path):
    one, two = found(tmp_path), found(tmp_path, "e2")
    # Four encoders of half an hour each, and words of 36 seconds.
    assert tell_cost([one]).all_runs == 2.01
    both = tell_cost([one, two])
    assert (both.all_runs, both.distinct, both.encoders, both.runs) == (4.02, 2.01, 4, 8)


def test_an_arm_tells_of_its_stages_and_seeds(tmp_path: Path):
    told = {(one["base"], one["arm"]): one for one in tell_runs(found(tmp_path))}
    trained = told["static", "trained"]
    assert (trained["seeds"], trained["cpu_hours"], told["static", "before"]["stages"]) == (1, 0.5, [])
    (stage,) = trained["stages"]
    assert (stage["steps"], stage["pairs_seen"], stage["tokens_seen"], stage["loss"]) == (4, 64, 2000, 1.5)


def test_a_loss_of_any_seed_that_is_not_finite_is_unknown(tmp_path: Path):
    runs = [run("trained", "static", sha256="a", loss=loss) for loss in (1.0, None)]
    (told,) = tell_runs(load_found(write_found(tmp_path, [statement(), *runs])))
    assert told["stages"][0]["loss"] is None
