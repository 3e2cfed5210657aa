"""A block is scanned: what is spilled of each row, counted, rejected, and not done twice."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from procqa.config import LANGUAGES
from procqa.dataset import shuffle
from procqa.dataset.scan import ScanTask, language_names, scan_block
from procqa.dataset.shuffle import Share
from procqa.dataset.spill import KEY_BUCKETS, ROW_BUCKETS
from procqa.dataset.survey import Survey
from procqa.dump.blocks import Block, BlockPlace
from procqa.dump.posts import POST, to_post, to_records
from procqa.dump.rows import to_post as to_post_alone
from tests.dumps import answer, question, xml_row

ROWS = [
    question(1, accepted=4, tags="<list><python-3.x><c>"),
    question(2, accepted=5, tags="|c#|linq|"),
    question(3, tags="<python>"),
    question(6, accepted=7, tags="<cooking>"),
    answer(4, 1),
    answer(5, 2, Body="<p>&amp;amp; \u00e4</p>"),
    {"Id": 8, "PostTypeId": 5, "CreationDate": "2019-01-01T00:00:00.000"},
    {"Id": 9, "PostTypeId": 1, "CreationDate": "2020-01-01T00:00:00.000", "Body": "no title"},
    {"Id": 10, "PostTypeId": 2, "ParentId": 1},
]


@pytest.fixture
def task(tmp_path):
    block = Block(0, 1_000, "".join(map(xml_row, ROWS)).encode())
    return ScanTask(tmp_path, "000-000000-0a", "Posts.xml", 3, block, LANGUAGES, True, False)


def spilled(task, scanned):
    """(record, texts) of every post in the spill file, by id."""
    records = shuffle.read_records([scanned.spill(task.folder)], Share(range(ROW_BUCKETS)), POST)
    texts = records.texts(np.arange(len(records.rows)))
    return {record.id: (record, own) for record, own in zip(to_records(records.rows), texts, strict=True)}


def test_a_block_and_its_place_in_a_file_say_the_same(task, tmp_path):
    path = tmp_path / "Posts.xml"
    path.write_bytes(b"." * 1_000 + task.block.data)
    place = BlockPlace(path, 0, 1_000, len(task.block.data))
    (tmp_path / "other").mkdir()
    other = replace(task, folder=tmp_path / "other", block=place)
    assert scan_block(other) == scan_block(task)
    (one, same) = (scan_block(which).spill(which.folder).read_bytes() for which in (task, other))
    assert one == same


def test_every_row_is_counted(task):
    scanned = scan_block(task)
    assert (scanned.name, scanned.site, scanned.rows, scanned.other) == ("000-000000-0a", 3, 9, 1)
    assert scanned.unreadable == {"no body": 1, "no title": 1}
    assert scanned.newest_ms == 1_546_300_800_000  # of the other row; an unreadable one says nothing
    assert not scanned.was_done
    survey = Survey.from_dict(scanned.survey)
    survey.add(survey)
    assert survey.months == {"2010-01": 12}


@pytest.mark.parametrize("needs_accepted", [True, False])
def test_posts_of_possible_pairs_are_spilled_whole_and_of_others_the_numbers_and_tags(task, needs_accepted):
    task = replace(task, needs_accepted=needs_accepted)
    found = spilled(task, scan_block(task))
    whole = {row["Id"]: to_post_alone(xml_row(row).strip().encode(), site="local") for row in ROWS[:6]}
    assert found.keys() == whole.keys()
    stubs = {6} | ({3} if needs_accepted else set())
    for number, (record, texts) in found.items():
        post = to_post(record, texts, site="local")
        if number not in stubs:
            assert post == whole[number]
            continue
        assert (post.title, post.body_html, post.tags) == ("", "", whole[number].tags)
        assert (record.accepted, record.created_ms) == (7 if number == 6 else record.accepted, whole[number].created_ms)


def test_a_question_has_the_language_of_its_first_language_tag_and_an_answer_none(task):
    found = spilled(task, scan_block(task))
    names = language_names(LANGUAGES)
    assert names == tuple(sorted(LANGUAGES))
    languages = {number: record.language for number, (record, _) in found.items()}
    assert {number: names[index] for number, index in languages.items() if index >= 0} == {
        1: "python",
        2: "csharp",
        3: "python",
    }
    assert [number for number, index in languages.items() if index < 0] == [number for number in found if number > 3]


def test_a_language_may_be_defined_by_its_tags(task):
    task = replace(task, languages=("kitchen=cooking", "python"))
    found = spilled(task, scan_block(task))
    assert language_names(task.languages) == ("kitchen", "python")
    assert {number: record.language for number, (record, _) in found.items()} == {1: 1, 2: -1, 3: 1, 6: 0, 4: -1, 5: -1}


def test_every_post_and_every_accepted_id_has_a_key(task):
    spill = scan_block(task).spill(task.folder)
    keys = [
        key
        for bucket in range(KEY_BUCKETS)
        for key in shuffle.read_bucket_keys([spill], bucket)[["kind", "id", "thread"]].tolist()
    ]
    asked = [(shuffle.QUESTION, number, number) for number in (1, 2, 3, 6)]
    answered = [(shuffle.ANSWER, 4, 1), (shuffle.ANSWER, 5, 2)]
    wanted = [(shuffle.WANTED, 4, 1), (shuffle.WANTED, 5, 2), (shuffle.WANTED, 7, 6)]
    assert sorted(keys) == sorted(asked + answered + wanted)


def test_rejects_are_listed_where_they_are_asked_for(task):
    assert not scan_block(task).rejects(task.folder).exists()
    scanned = scan_block(replace(task, keep_rejects=True))  # and so the block is scanned once more
    assert not scanned.was_done
    lines = [json.loads(line) for line in scanned.rejects(task.folder).read_text(encoding="utf-8").splitlines()]
    assert [(line["source"], line["reason"]) for line in lines] == [("Posts.xml", "no title"), ("Posts.xml", "no body")]
    for line in lines:
        at = line["offset"] - 1_000
        assert task.block.data[at:].decode().startswith(line["row"])
    assert scan_block(replace(task, keep_rejects=True)).was_done


def test_a_reject_shows_the_beginning_of_its_row_whatever_its_bytes(task):
    data = b'<row Id="1" Body="\xff' + b"x" * 900 + b'" />'
    scanned = scan_block(replace(task, block=Block(0, 0, data), keep_rejects=True))
    (line,) = map(json.loads, scanned.rejects(task.folder).read_text(encoding="utf-8").splitlines())
    assert (line["reason"], line["row"]) == ("not UTF-8", '<row Id="1" Body="\\xff' + "x" * 181)


def test_a_block_that_was_scanned_is_not_scanned_again(task):
    first = scan_block(task)
    content = first.spill(task.folder).read_bytes()
    again = scan_block(replace(task, block=Block(0, 0, b"")))
    assert again.was_done
    assert json.dumps(asdict(again)) == json.dumps(asdict(replace(first, was_done=True)))
    (task.folder / "000-000000-0a.json").unlink()
    assert scan_block(task) == first
    assert first.spill(task.folder).read_bytes() == content


def test_a_block_of_nothing_that_can_be_read_spills_nothing(task):
    scanned = scan_block(replace(task, block=Block(0, 0, b"<row /><row Id='3' PostTypeId='4' />")))
    assert (scanned.rows, scanned.other, scanned.unreadable, scanned.newest_ms) == (2, 1, {"no id": 1}, None)
    assert spilled(task, scanned) == {}
    assert Survey.from_dict(scanned.survey).warnings() == []
