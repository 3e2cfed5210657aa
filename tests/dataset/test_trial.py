import re

import pytest

from procqa.config import BuildConfig
from procqa.dataset.request import BuildRequest
from procqa.dataset.trial import folder_bytes, run_trial, write_mini_dump
from procqa.errors import DumpError
from tests.dataset.builds import ONE
from tests.dumps import answer, question, threads, write_dump, xml_row


def data_of(rows):
    return "".join(map(xml_row, rows)).encode()


def rows_in(path):
    found = []
    for line in path.read_text().splitlines():
        ids = dict(re.findall(r' (Id|PostTypeId|ParentId|AcceptedAnswerId)="(\d+)"', line))
        if ids:
            found.append({name: int(number) for name, number in ids.items()})
    return found


def test_a_question_whose_answer_lies_outside_is_given_the_text_of_another(tmp_path):
    rows = [question(1, accepted=2), answer(2, 1), question(3, accepted=900)]
    mini = write_mini_dump(tmp_path / "Posts.xml", [data_of(rows)], is_whole=False, best=False)
    assert (mini.rows, mini.questions, mini.answers, mini.stand_ins) == (3, 2, 1, 1)
    assert rows_in(mini.path)[3] == {"Id": 900, "PostTypeId": 2, "ParentId": 3}


def test_of_a_whole_dump_no_answer_stands_elsewhere(tmp_path):
    rows = [question(1, accepted=2), answer(2, 1), question(3, accepted=900)]
    mini = write_mini_dump(tmp_path / "Posts.xml", [data_of(rows)], is_whole=True, best=False)
    assert mini.stand_ins == 0


def test_an_accepted_id_that_a_rising_slice_passes_over_is_nowhere(tmp_path):
    rows = [question(1, accepted=2), question(3, accepted=4), answer(4, 3), question(5, accepted=99)]
    mini = write_mini_dump(tmp_path / "Posts.xml", [data_of(rows)], is_whole=False, best=False)
    assert [row["Id"] for row in rows_in(mini.path)] == [1, 3, 4, 5, 99]


def test_the_share_of_answers_that_are_there_holds_for_those_outside_too(tmp_path):
    inside = [question(10 * n, accepted=10 * n + 1) for n in range(1, 101)]
    found = [answer(10 * n + 1, 10 * n) for n in range(1, 101) if n % 2]
    rows = sorted([*inside, *found], key=lambda row: row["Id"])
    outside = [question(10_000 + n, accepted=90_000 + n) for n in range(40)]
    slices = [data_of(rows), data_of(outside)]
    mini = write_mini_dump(tmp_path / "Posts.xml", slices, is_whole=False, best=False)
    assert 19 <= mini.stand_ins <= 21


def test_for_the_best_answer_a_question_without_any_may_have_one_outside(tmp_path):
    rows = [question(n) for n in range(1, 101)] + [answer(n, 10_000 + n) for n in range(200, 300)]
    mini = write_mini_dump(tmp_path / "Posts.xml", [data_of(rows)], is_whole=False, best=True)
    assert mini.stand_ins == 63  # 1 - exp(-1) of a hundred
    parents = [row["ParentId"] for row in rows_in(mini.path)[200:]]
    assert len(set(parents)) == 63
    assert max(parents) <= 100


def test_a_trial_tells_seconds_memory_and_disk_of_every_stage(tmp_path):
    dump = write_dump(tmp_path / "dump.xml", threads(30))
    trial = run_trial(BuildRequest(dumps=(str(dump),), out=tmp_path / "ignored", run=ONE), tmp_path / "out")
    assert trial.summary is not None
    assert trial.summary["kept"] == 30
    stages = list(trial.cpu_s)
    assert stages == list(trial.wall_s) == list(trial.memory_bytes)
    assert [stage for stage in stages if stage in ("scan", "pairs", "write")] == ["scan", "pairs", "write"]
    assert trial.disk_bytes >= trial.scratch_bytes + folder_bytes(tmp_path / "out") > trial.scratch_bytes > 0
    assert not (tmp_path / "ignored").exists()


def test_a_trial_that_keeps_no_pair_has_no_summary(tmp_path):
    dump = write_dump(tmp_path / "dump.xml", threads(5))
    config = BuildConfig(languages=("ruby",))
    trial = run_trial(BuildRequest(dumps=(str(dump),), out=tmp_path / "x", config=config, run=ONE), tmp_path / "out")
    assert trial.summary is None
    assert trial.cpu_s["pairs"] > 0


def test_a_broken_dump_is_no_trial(tmp_path):
    (tmp_path / "dump.xml").write_bytes(b"dear diary")
    with pytest.raises(DumpError):
        run_trial(BuildRequest(dumps=(str(tmp_path / "dump.xml"),), out=tmp_path / "x", run=ONE), tmp_path / "out")


def test_an_id_of_thousands_of_digits_is_none(tmp_path):
    rows = [*threads(12), question(101) | {"Id": "9" * 5_000}]
    mini = write_mini_dump(tmp_path / "Posts.xml", [data_of(rows)], is_whole=True, best=False)
    assert (mini.rows, mini.questions) == (25, 12)
