"""Which benchmark a file belongs to."""

import json

import pytest

from procqa.corpora.layouts.recognise import recognise


@pytest.mark.parametrize(
    ("name", "row", "benchmark"),
    [
        ("test.jsonl", {"id": 1, "language": "c", "title": "t", "answer": "a"}, "codenn"),
        ("any.jsonl", {"id": 1, "language": "c", "docstring": "t", "code": "a"}, "csn-cloze"),
        ("programs.jsonl", {"task": "t", "language": "c", "file": "f", "code": "a"}, "rosetta"),
        ("mined.jsonl", {"id": "1_2_0", "question_id": 1, "intent": "t", "snippet": "a"}, "conala"),
        ("test.jsonl", {"label": "65", "index": "0", "code": "a"}, "poj104"),
        ("ruby_with_func.jsonl", {"label": 65, "index": "s1", "func": "a"}, "codenet"),
        ("so-ds-feb20.jsonl", {"id": "1", "code": "a", "description": "t"}, "so-ds"),
        ("conala-test-curated-0.5.jsonl", {"query": "t", "relevant_ids": ["1"]}, "conala"),
        ("corpus.jsonl", {"_id": "1", "title": "", "text": "a"}, "beir:set"),
        ("queries.jsonl", {"_id": "1", "text": "a"}, "beir:set"),
        ("other.jsonl", {"text": "a"}, None),
        ("notes.md", {}, None),
    ],
)
def test_a_file_of_json_lines_is_recognised_by_the_keys_of_its_first_row(tmp_path, name, row, benchmark):
    path = tmp_path / "set" / name
    path.parent.mkdir()
    path.write_text(json.dumps(row))
    found = recognise(path)
    assert (found[0] if found else None) == benchmark


@pytest.mark.parametrize(
    ("name", "line", "benchmark"),
    [
        ("test.txt", "1\t2\ttitle\tcode\t0", "codenn"),
        ("SQL.txt", "1<CODESPLIT>URL<CODESPLIT>func_name<CODESPLIT>all<CODESPLIT>SELECT 1;", "cdcs"),
        ("notes.txt", "a line of text", None),
        ("empty.txt", "", None),
        ("qa.en.c++.json", '{"question_id": 1}', "procqa"),
    ],
)
def test_a_text_file_is_recognised_by_its_first_line_and_a_released_file_by_its_name(tmp_path, name, line, benchmark):
    (tmp_path / name).write_text(line)
    found = recognise(tmp_path / name)
    assert (found[0] if found else None) == benchmark
