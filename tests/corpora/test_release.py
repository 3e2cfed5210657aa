import gzip
import json

import pytest

from procqa.corpora.release import (
    UNKNOWN_AUTHOR,
    UNKNOWN_LICENCE,
    attribution_name,
    read_pairs,
    release_files,
    release_inputs,
    release_name,
    split_of,
)
from procqa.errors import DumpError
from procqa.records import Attribution


def released(number, **changes):
    row = {
        "question_id": number,
        "answer_id": 1_000 + number,
        "title": f"title {number}",
        "question": f"question {number} `x` é\n",
        "answer": f"```\nanswer {number}\n```",
    }
    return {**row, **changes}


def write(path, rows, opener=open):
    with opener(path, "wt", encoding="utf-8") as stream:
        for row in rows:
            stream.write((row if isinstance(row, str) else json.dumps(row)) + "\n")
    return path


def test_files_go_by_the_paper_s_names_of_languages(tmp_path):
    assert [release_name(language) for language in ("cpp", "csharp", "go")] == [
        "qa.en.c++.json", "qa.en.c#.json", "qa.en.go.json"
    ]  # fmt: skip
    assert attribution_name("cpp") == "qa.en.c++.attribution.jsonl"
    for name in ("qa.en.c++.json", "qa.en.c.json.gz", "qa.de.go.json", "other.json", "qa.en.c++.attribution.jsonl"):
        (tmp_path / name).write_bytes(b"")
    assert list(release_files(tmp_path)) == ["c", "cpp"]
    assert release_files(tmp_path / "qa.en.c++.json") == {"cpp": tmp_path / "qa.en.c++.json"}
    assert release_files(tmp_path / "absent") == {}
    assert [path.name for path in release_inputs(tmp_path, ["cpp"])] == [
        "qa.en.c++.json",
        "qa.en.c++.attribution.jsonl",
    ]


@pytest.mark.parametrize(
    ("rows", "train"), [(831_697, 665_358), (1_008_478, 806_782), (418_346, 334_677), (36_011, 28_809)]
)
def test_the_cut_gives_the_published_numbers_of_training_rows(rows, train):
    assert split_of(train - 1, rows) == "train"
    assert split_of(train, rows) == "validation"
    assert split_of(rows - 1, rows) == "test"


@pytest.mark.parametrize("opener", [open, gzip.open])
def test_a_file_is_read_in_its_order_with_its_five_fields_as_they_are(tmp_path, opener):
    path = write(tmp_path / "qa.en.c#.json", [released(n) for n in range(10)], opener)
    entries = list(read_pairs(path))
    assert [entry.partition for entry in entries] == ["train"] * 8 + ["validation", "test"]
    assert [entry.line for entry in entries] == list(range(10))
    for number, entry in enumerate(entries):
        assert {name: getattr(entry.pair, name) for name in released(0)} == released(number)
        assert entry.pair.language == "csharp"


def test_a_pair_without_author_says_where_the_author_is_named(tmp_path):
    (entry,) = read_pairs(write(tmp_path / "qa.en.go.json", [released(7)]))
    pair = entry.pair
    assert (pair.question_author, pair.answer_author, pair.question_author_url) == (
        UNKNOWN_AUTHOR,
        UNKNOWN_AUTHOR,
        None,
    )
    assert (pair.question_licence, pair.site) == (UNKNOWN_LICENCE, "stackoverflow.com")
    assert pair.question_url == "https://stackoverflow.com/q/7"
    assert pair.answer_url == "https://stackoverflow.com/a/1007"
    assert Attribution(
        origin=pair.site, **{name: getattr(pair, name) for name in Attribution.__dataclass_fields__ if name != "origin"}
    )


def test_lines_that_are_no_pair_are_dropped_with_a_reason_and_move_no_split(tmp_path):
    lines = [
        released(1), "no json", "[1]", released(2, question_id="x"), released(3, answer=None), released(1),
        released(4, question_id="44"), released(5, answer_id=True), released(6, question_id=1 << 63), released(7),
    ]  # fmt: skip
    entries = list(read_pairs(write(tmp_path / "qa.en.lisp.json", lines)))
    reasons = [getattr(entry, "reason", "kept") for entry in entries]
    assert reasons == ["kept", *["unreadable row"] * 4, "repeated", "kept", *["unreadable row"] * 2, "kept"]
    assert entries[3].detail == "qa.en.lisp.json, line 4: question_id is no whole number"
    assert entries[6].pair.question_id == 44
    assert (entries[6].partition, entries[9].partition) == ("train", "test")


def test_only_wanted_languages_are_read(tmp_path):
    write(tmp_path / "qa.en.go.json", [released(1)])
    write(tmp_path / "qa.en.php.json", [released(2)])
    assert [entry.pair.language for entry in read_pairs(tmp_path, ["php"])] == ["php"]


def attributed(number, **changes):
    sides = {f"{side}_{what}": f"{side} {what} {number}" for side in ("question", "answer") for what in WHAT}
    return {"split": "test", "site": "local", "question_id": number, **sides, **changes}


WHAT = ("author", "author_url", "licence", "url")


def test_a_file_beside_tells_authors_and_splits_line_by_line(tmp_path):
    path = write(tmp_path / "qa.en.go.json", [released(1), released(2)])
    write(tmp_path / "qa.en.go.attribution.jsonl", [attributed(1), attributed(2, split="train", answer_url=None)])
    one, other = read_pairs(path)
    assert (one.partition, other.partition) == ("test", "train")
    assert (one.pair.site, one.pair.answer_author, other.pair.question_licence) == (
        "local",
        "answer author 1",
        "question licence 2",
    )
    assert other.pair.answer_url is None


@pytest.mark.parametrize(
    "beside",
    [
        [attributed(1)],
        [attributed(1), "no json"],
        [attributed(1), {"split": "test"}],
        [attributed(n) for n in range(3)],
    ],
)
def test_attribution_that_does_not_fit_is_one_sentence(tmp_path, beside):
    path = write(tmp_path / "qa.en.go.json", [released(1), released(2)])
    write(tmp_path / "qa.en.go.attribution.jsonl", beside)
    with pytest.raises(DumpError, match=r"attribution\.jsonl"):
        list(read_pairs(path))


def test_a_file_that_is_cut_short_is_one_sentence(tmp_path):
    path = write(tmp_path / "qa.en.go.json.gz", [released(n) for n in range(500)], gzip.open)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DumpError, match="readable to its end"):
        list(read_pairs(path))
