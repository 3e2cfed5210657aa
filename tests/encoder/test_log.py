import json
from collections import Counter
from pathlib import Path

import pytest

from procqa.encoder.log import Logged, Progress, StepLog


class Drawn:
    """Batches that were drawn already."""

    def __init__(self) -> None:
        self.batches: Counter[str] = Counter()
        self.pairs: Counter[str] = Counter()
        self.tokens_seen = 0

    def __len__(self) -> int:
        return 4

    def draw(self, name: str, pairs: int) -> None:
        self.batches[name] += 1
        self.pairs[name] += pairs
        self.tokens_seen += 100


def test_a_line_tells_of_what_was_drawn_since_the_last(tmp_path: Path):
    drawn, reports = Drawn(), list[Progress]()
    log = StepLog(tmp_path / "log", drawn, first_step=0, report=reports.append, take_masked=iter((7, 0)).__next__)
    for name in ("Q/go/title-answer", "Q/go/title-question", "Q/c/title-answer"):
        drawn.draw(name, 8)
    log.write(Logged(step=3, loss=1.25, learning_rate=0.5))
    drawn.draw("Q/c/title-answer", 8)
    log.write(Logged(step=4, loss=1.0, learning_rate=0.25))
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [(line["step"], line["loss"], line["learning_rate"], line["pairs_seen"]) for line in lines] == [
        (3, 1.25, 0.5, 24),
        (4, 1.0, 0.25, 32),
    ]
    assert lines[0]["streams"] == {
        "Q/c/title-answer": 0.3333,
        "Q/go/title-answer": 0.3333,
        "Q/go/title-question": 0.3333,
    }
    assert [line["languages"] for line in lines] == [{"c": 0.3333, "go": 0.6667}, {"c": 1.0}]
    assert [line["masked"] for line in lines] == [7, 0]
    assert [line["tokens_seen"] for line in lines] == [300, 400]
    assert [(report.step, report.steps, report.loss) for report in reports] == [(3, 4, 1.25), (4, 4, 1.0)]
    assert reports[1].seconds_left == 0
    assert [list(report.languages.items()) for report in reports] == [[("go", 0.6667), ("c", 0.3333)], [("c", 1.0)]]


@pytest.mark.parametrize("torn", ["", '{"step": 3, "sec'])
def test_a_run_that_is_taken_up_keeps_the_lines_before_its_checkpoint(tmp_path: Path, torn: str):
    told = ((1, 1.5, 70), (2, 4.0, 150), (3, 9.0, 230))
    lines = [{"step": step, "seconds": seconds, "tokens_seen": tokens} for step, seconds, tokens in told]
    (tmp_path / "log").write_text("".join(json.dumps(line) + "\n" for line in lines) + torn)
    drawn = Drawn()
    log = StepLog(tmp_path / "log", drawn, first_step=2, report=lambda _: None, take_masked=lambda: 0)
    drawn.draw("Q/go/title-answer", 8)
    log.write(Logged(step=3, loss=1.0, learning_rate=0.1))
    found = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert found[:2] == lines[:2]
    assert (found[2]["step"], found[2]["pairs_seen"], len(found)) == (3, 8, 3)
    assert found[2]["seconds"] >= 4.0
    assert found[2]["tokens_seen"] == 150 + 100
