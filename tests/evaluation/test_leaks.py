"""What an encoder saw in training is found among the queries and answers of a task."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from procqa.artifact import workspace
from procqa.encoder.seen import SEEN_FILE, write_seen
from procqa.errors import ArtifactError
from procqa.evaluation.leaks import concatenate_suspects, find_suspects, join_suspects, tell_leak
from procqa.evaluation.results import Leak
from procqa.manifest import Input, load_manifest
from tests.evaluation.exams import make_exam
from tests.evaluation.small import PYTHON, write_dataset

WORDS = "how do I read every line of a file into a list without its line break in python"
EXAM = make_exam(
    {"q1": WORDS, "q2": "sort a list", "q3": "merge two dictionaries"},
    {"d1": "use open", "d2": "call sorted on it", "d3": "use a bar"},
    {"q1": {"d1": 1}, "q2": {"d2": 1}, "q3": {"d3": 1}},
)
VALUES = np.array([[1.0], [0.5], [0.0]])


def check(folder: Path) -> Leak:
    return tell_leak(find_suspects([folder], EXAM), VALUES, ["mrr@1000"])


def make_encoder(folder: Path, texts: list[str]) -> Path:
    folder.mkdir()
    write_seen(texts, folder / SEEN_FILE, folder / "scratch")
    return folder


def test_a_query_with_thirteen_words_of_a_training_text_is_suspect(tmp_path: Path):
    within = "Somebody asked: " + " ".join(WORDS.split()[2:15]) + " today"

    assert check(make_encoder(tmp_path / "model", [within])) == Leak(
        checked=True, queries=1, documents=0, suspect=1, metrics={"mrr@1000": 0.25}
    )


def test_a_shorter_text_is_suspect_only_as_a_whole(tmp_path: Path):
    leak = check(make_encoder(tmp_path / "model", ["Call `sorted` on it!", "merge two dictionaries and sort a list"]))

    assert leak == Leak(checked=True, queries=0, documents=1, suspect=1, metrics={"mrr@1000": 0.5})


def test_a_query_and_its_answer_that_were_both_seen_are_one_suspect(tmp_path: Path):
    leak = check(make_encoder(tmp_path / "model", ["sort a list", "call sorted on it"]))

    assert (leak.queries, leak.documents, leak.suspect) == (1, 1, 1)


def test_where_every_query_is_suspect_no_score_is_left(tmp_path: Path):
    leak = check(make_encoder(tmp_path / "model", ["use open", "sort a list", "use a bar"]))

    assert (leak.suspect, leak.metrics) == (3, None)


def test_nothing_is_known_of_an_encoder_that_does_not_say_what_it_saw(tmp_path: Path):
    assert check(tmp_path) == Leak(checked=False)


def test_several_rankers_have_seen_what_any_of_them_has(tmp_path: Path):
    first = find_suspects([make_encoder(tmp_path / "one", ["sort a list"])], EXAM)
    second = find_suspects([make_encoder(tmp_path / "two", ["use a bar"])], EXAM)

    assert tell_leak(join_suspects([first, second]), VALUES, ["mrr@1000"]) == Leak(
        checked=True, queries=1, documents=1, suspect=2, metrics={"mrr@1000": 1.0}
    )
    assert join_suspects([first, None]) is None


def test_suspects_of_several_tasks_stand_behind_one_another(tmp_path: Path):
    seen = find_suspects([make_encoder(tmp_path / "one", ["sort a list"])], EXAM)
    both = concatenate_suspects([seen, seen])

    assert both is not None
    assert both.queries.tolist() == [False, True, False] * 2
    assert concatenate_suspects([seen, None]) is None


def test_an_encoder_that_saw_nothing_leaks_nothing(tmp_path: Path):
    leak = check(make_encoder(tmp_path / "model", []))

    assert leak == Leak(checked=True, metrics={"mrr@1000": 0.5})


def test_a_broken_list_of_what_was_seen_is_one_sentence(tmp_path: Path):
    (tmp_path / SEEN_FILE).write_bytes(b"12345")

    with pytest.raises(ArtifactError, match=r"seen\.bin must hold 64-bit hashes"):
        check(tmp_path)


def test_training_on_other_splits_of_the_same_dataset_is_told(tmp_path: Path):
    dataset = write_dataset(tmp_path / "dataset", {"python": PYTHON})
    digest = load_manifest(dataset).sha256
    with workspace(
        tmp_path / "model", kind="encoder", recipe={}, inputs=[Input(name="dataset", size=1, sha256=digest)]
    ) as work:
        write_seen(["sort a list"], work.path / SEEN_FILE, tmp_path / "scratch")
        work.finish({})
    exam = replace(EXAM, task=replace(EXAM.task, datasets=(dataset,)))

    leak = tell_leak(find_suspects([tmp_path / "model"], exam), VALUES, ["mrr@1000"])

    assert (leak.same_dataset, leak.queries) == (True, 1)
