import hashlib
from collections import Counter
from dataclasses import asdict

import pytest
from benchmarks.dumps import DENSE, DumpShape, is_balanced, read_html, write_dump
from lxml import etree

from procqa.config import RunConfig
from procqa.dataset.build import build_dataset
from procqa.dataset.request import BuildRequest


def test_the_same_seed_gives_the_same_dump_and_another_seed_another(tmp_path):
    digests = []
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        write_dump(tmp_path / name, size_bytes=100_000, seed=seed)
        digests.append(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert digests[0] == digests[1] != digests[2]


def test_procqa_reads_every_row_of_a_generated_dump(tmp_path):
    dump = tmp_path / "Posts.xml"
    counts = write_dump(dump, size_bytes=500_000, seed=1)
    summary = build_dataset(BuildRequest(dumps=(str(dump),), out=tmp_path / "dataset", run=RunConfig(jobs=1)))
    names = ("rows", "questions", "answers", "other")
    assert {name: summary[name] for name in names} == {name: asdict(counts)[name] for name in names}
    assert {name: summary[name] for name in names} == {"rows": 288, "questions": 108, "answers": 180, "other": 0}
    assert (summary["unreadable"], summary["repeated"], summary["kept"]) == (0, 0, 24)
    assert summary["dropped"] == {"no accepted answer": 51, "no wanted language": 33}


def test_a_generated_dump_has_the_shares_of_the_real_site(tmp_path):
    counts = write_dump(tmp_path / "Posts.xml", size_bytes=2_000_000, seed=3)
    assert counts.size_bytes == pytest.approx(2_000_000, rel=0.05)
    assert counts.known / counts.questions == pytest.approx(0.40, abs=0.06)
    assert counts.accepted / counts.questions == pytest.approx(0.51, abs=0.06)
    assert counts.answers / counts.questions == pytest.approx(1.7, abs=0.2)


def test_ids_rise_and_an_answer_stands_behind_its_question(tmp_path):
    dump = tmp_path / "Posts.xml"
    write_dump(dump, size_bytes=200_000, seed=2)
    rows = [dict(row.attrib) for row in etree.parse(dump).getroot()]
    ids = [int(row["Id"]) for row in rows]
    assert ids == sorted(set(ids))
    assert Counter(row["PostTypeId"] in "12" for row in rows)[True] > 50
    assert all(int(row["ParentId"]) < int(row["Id"]) for row in rows if "ParentId" in row)
    assert [row["CreationDate"] for row in rows] == sorted(row["CreationDate"] for row in rows)


def test_a_dense_dump_is_nothing_but_pairs(tmp_path):
    counts = write_dump(tmp_path / "Posts.xml", size_bytes=100_000, seed=1, shape=DENSE)
    assert counts.known == counts.accepted == counts.questions


def test_a_shape_without_answers_gives_questions_only(tmp_path):
    shape = DumpShape(accepted_share=0.0, answers=(1.0,))
    counts = write_dump(tmp_path / "Posts.xml", size_bytes=50_000, seed=1, shape=shape)
    assert counts.answers == counts.accepted == 0
    assert counts.questions > 10


def test_code_is_kept_whole_and_prose_is_cut_into_words():
    blocks = read_html("<p>See <code>a b</code> of it.</p>\n\n<pre><code>x  =\n\n1\n</code></pre>\n\n<p>broken")
    assert [block.pieces for block in blocks] == [
        ("", "<p>", ["See"], " <code>a b</code> ", ["of", "it."], "</p>", ""),
        ("<pre><code>x  =\n\n1\n</code></pre>",),
    ]


@pytest.mark.parametrize(
    ("block", "expected"),
    [("<p>a<br>b</p>", True), ("<p>a", False), ("<p>a < b</p>", False), ("a", False), ("<p><b>a</p>", False)],
)
def test_a_block_is_balanced_where_every_tag_is_closed(block, expected):
    assert is_balanced(block) is expected
