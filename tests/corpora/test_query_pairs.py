"""CoSQA's and CoNaLa's published files, with invented rows in their layout."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from procqa.corpora.query_pairs import query_files, read_pairs
from procqa.corpora.records import CorpusPair
from procqa.errors import BenchmarkError
from procqa.records import Dropped

REAL = Path(__file__).parents[3] / "shared" / "data" / "benchmarks"

CODE = 'def add(a, b):\n    """Add two."""\n    return a + b'
ASKED = {
    "idx": "cosqa-train-3",
    "doc": "python add two numbers",
    "code": CODE,
    "code_tokens": "def add ( a , b ) : return a + b",
    "docstring_tokens": "Add two .",
    "label": 1,
    "retrieval_idx": 17,
}
INTENT = {
    "intent": "How do I reverse a list?",
    "rewritten_intent": "reverse list `xs`",
    "snippet": "xs[::-1]",
    "question_id": 42,
}
MINED = {
    "parent_answer_post_id": 99,
    "prob": 0.87,
    "snippet": "xs.reverse()",
    "intent": "Reverse it in place",
    "id": "43_99_0",
    "question_id": 43,
}


def write(path: Path, rows: object) -> None:
    text = "\n".join(map(json.dumps, rows)) if ".jsonl" in path.name else json.dumps(rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def test_a_labelled_query_asks_and_its_code_answers_in_a_fence(tmp_path):
    write(tmp_path / "cosqa-retrieval-train-19604.json", [ASKED])
    (entry,) = read_pairs(tmp_path)
    pair = entry.pair
    assert (pair.title, pair.question, pair.language, pair.tags) == ("python add two numbers", "", "python", ())
    assert pair.answer == f"```python\n{CODE}\n````"
    assert (entry.group, entry.partition) == ("cosqa/cosqa-train-3", "train")
    assert pair.question_licence == pair.answer_licence == "C-UDA (data), MIT (repository)"
    assert (pair.question_author, pair.answer_author) == (
        "web user, not named by CoSQA",
        "author of the code, not named by CoSQA",
    )
    assert (pair.site, pair.question_url, pair.answer_url, pair.question_author_url) == ("local", None, None, None)
    assert (pair.question_created_ms, pair.answer_created_ms, pair.view_count) == (None, None, None)


def test_a_query_that_is_labelled_as_no_match_is_dropped_and_never_a_pair(tmp_path):
    write(tmp_path / "cosqa-retrieval-train-19604.json", [{**ASKED, "label": 0}, {**ASKED, "idx": "cosqa-train-4"}])
    dropped, kept = read_pairs(tmp_path)
    assert isinstance(dropped, Dropped)
    assert (dropped.reason, dropped.language) == ("labelled as no match", "python")
    assert dropped.detail == "cosqa-retrieval-train-19604.json cosqa-train-3"
    assert isinstance(kept, CorpusPair)


def test_queries_with_one_code_have_one_answer(tmp_path):
    rows = [
        ASKED,
        {**ASKED, "idx": "cosqa-train-4", "doc": "sum of two"},
        {**ASKED, "idx": "cosqa-train-5", "code": "x"},
    ]
    write(tmp_path / "cosqa-train.json", [{key: row[key] for key in row if key != "retrieval_idx"} for row in rows])
    pairs = [entry.pair for entry in read_pairs(tmp_path / "cosqa-train.json")]
    assert len({pair.question_id for pair in pairs}) == 3
    assert [pair.answer_id == pairs[0].answer_id for pair in pairs] == [True, True, False]


def test_the_names_of_the_files_tell_the_splits_and_those_held_out_are_read_first(tmp_path):
    for name in ("train-19604", "dev-500", "test-500", "train-19604-qra-switch-28624"):
        write(tmp_path / f"cosqa-retrieval-{name}.json", [{**ASKED, "idx": f"cosqa-{name}"}])
    write(tmp_path / "conala-train.json.gz", [INTENT])
    write(tmp_path / "conala-mined.jsonl", [MINED])
    (tmp_path / "code_idx_map.txt").write_text("{}")
    assert [(file.path.name, file.partition) for file in query_files(tmp_path)] == [
        ("cosqa-retrieval-test-500.json", "test"),
        ("cosqa-retrieval-dev-500.json", "validation"),
        ("conala-mined.jsonl", "train"),
        ("conala-train.json.gz", "train"),
        ("cosqa-retrieval-train-19604.json", "train"),
    ]
    partitions = [entry.partition for entry in read_pairs(tmp_path)]
    assert partitions == ["test", "validation", "train", "train", "train"]


def test_an_intent_asks_as_it_was_rewritten_and_links_its_question(tmp_path):
    rows = [INTENT, {**INTENT, "rewritten_intent": None, "snippet": "list(reversed(xs))"}]
    write(tmp_path / "conala-train.json", rows)
    one, other = (entry.pair for entry in read_pairs(tmp_path))
    assert (one.title, other.title) == ("reverse list `xs`", "How do I reverse a list?")
    assert one.answer == "```python\nxs[::-1]\n````"
    assert one.question_url == other.question_url == "https://stackoverflow.com/q/42"
    assert (one.answer_url, one.site) == (None, "stackoverflow.com")
    assert one.question_licence == one.answer_licence == "CC BY-SA, version by the date of the post"
    assert one.question_author == "CoNaLa's annotators, after a Stack Overflow user named on the linked page"
    assert other.question_author == "Stack Overflow user, named on the linked page"
    assert one.answer_author == "Stack Overflow user, one of those who answered the linked question"
    assert len({one.question_id, other.question_id, one.answer_id, other.answer_id}) == 4


def test_a_mined_snippet_links_its_answer(tmp_path):
    write(tmp_path / "conala-mined.jsonl", [MINED])
    (entry,) = read_pairs(tmp_path)
    pair = entry.pair
    assert (pair.title, entry.partition) == ("Reverse it in place", "train")
    assert (pair.question_url, pair.answer_url) == ("https://stackoverflow.com/q/43", "https://stackoverflow.com/a/99")
    assert pair.answer_author == "Stack Overflow user, named on the linked page"


def test_a_mined_snippet_of_a_test_question_is_not_trained_on(tmp_path):
    write(tmp_path / "conala-test.json", [INTENT])
    write(tmp_path / "conala-mined.jsonl", [{**MINED, "question_id": 42}, MINED])
    test, dropped, mined = read_pairs(tmp_path)
    assert (test.partition, mined.partition) == ("test", "train")
    assert (dropped.reason, dropped.detail) == ("its question is in a held-out split", "conala-mined.jsonl 43_99_0")


def test_only_python_is_there_to_be_kept(tmp_path):
    write(tmp_path / "conala-train.json", [INTENT])
    (entry,) = read_pairs(tmp_path, ["go"])
    assert (entry.reason, entry.language) == ("no wanted language", None)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("cosqa-train.json", "[", r"cosqa-train\.json, line 1 must be JSON"),
        ("cosqa-train.json", "{}", r"must begin an array of rows, as published, got a dict"),
        ("cosqa-train.json", "[]", r"must hold rows, as published, but is empty: put a whole copy there"),
        (
            "cosqa-train.json",
            json.dumps([{key: ASKED[key] for key in ASKED if key != "label"}]),
            r"cosqa-train\.json, row 1 must have a whole number 'label', as published, but has none",
        ),
        ("conala-train.json", json.dumps([{**INTENT, "snippet": " "}]), r"row 1 must have a text 'snippet'"),
        (
            "conala-mined.jsonl",
            json.dumps({**MINED, "question_id": "x"}),
            r"line 1 must have a whole number 'question_id'",
        ),
        ("conala-mined.jsonl", "", r"must hold rows, as published, but is empty"),
    ],
)
def test_a_file_that_is_not_in_its_layout_is_one_sentence(tmp_path, name, text, sentence):
    (tmp_path / name).write_text(text)
    with pytest.raises(BenchmarkError, match=sentence):
        list(read_pairs(tmp_path / name))


@pytest.mark.skipif(not REAL.is_dir(), reason="the benchmarks are not on this machine")
def test_the_published_files_give_every_row():
    entries = list(read_pairs(REAL / "cosqa"))
    assert Counter(entry.partition for entry in entries) == {"test": 500, "validation": 500}
    assert len({entry.pair.answer_id for entry in entries if entry.partition == "test"}) == 472
    entries = list(read_pairs(REAL / "conala"))
    assert len({(entry.pair.question_id, entry.pair.answer_id) for entry in entries}) == 494
