import json

import numpy as np

from procqa.dataset.leak_index import build_index, open_index
from procqa.dataset.leak_kernels import GRAM, NEAR, RUN

LONG = "the quick brown fox jumps over the lazy dog while seven wizards quietly brew another potion"


def make_index(tmp_path, *texts):
    lines = [json.dumps({"text": text, "whole": whole}) for text, whole in texts]
    (tmp_path / "texts").write_text("".join(f"{line}\n" for line in lines))
    build_index(tmp_path / "texts", tmp_path / "index")
    return open_index(tmp_path / "index")


def search(index, title, question, answer):
    """Kind, item and place of the candidates in one pair."""
    return [row[1:] for row in index.search([(title, question, answer)]).tolist()]


def test_candidates_have_their_kind_item_and_place(tmp_path):
    index = make_index(tmp_path, ("How do I sort a list in place", False), (LONG, False), ("web.config", True))
    assert search(index, "", "so how do i sort a list in places", "") == [[RUN, 0, 2]]
    assert search(index, "t", "x " + LONG[4:], "a")[-1] == [GRAM, 1, 2]
    assert [NEAR, 1, 2] in search(index, "t", "q", f"new {LONG}")
    assert search(index, "t", "q", "web.config") == [[RUN, 2, 2]]
    assert search(index, "t", "q", "see web.config here") == []
    assert search(index, "", "", "") == []


def test_candidates_in_many_pairs_are_those_in_each_with_its_number(tmp_path):
    index = make_index(tmp_path, ("How do I sort a list in place", False), (LONG, False), ("web.config", True))
    pairs = [
        ("", "", ""),
        ("so: how do i sort a list in place?", f"x {LONG[4:]}", "web.config"),
        ("how do I sort a list", "in place", "b"),
        ("t", f"new {LONG}", "caf\u00e9 web.config"),
        ("web.config", "", ""),
    ] * 10
    found = index.search(pairs).tolist()
    assert found == [[place, *row] for place, pair in enumerate(pairs) for row in search(index, *pair)]
    assert len(found) > 64  # more than the array that it begins with
    assert index.search([]).tolist() == []


def test_a_text_waits_under_its_rarest_run(tmp_path):
    index = make_index(tmp_path, *((f"benchmark question about things number{n} of many", False) for n in range(500)))
    runs = index.anchors.keys[index.anchors.places >= 0]
    assert np.unique(runs, return_counts=True)[1].max() == 1
    assert search(index, "a question about things of many", "", "") == []


def test_of_texts_that_differ_in_case_alone_the_first_counts(tmp_path):
    index = make_index(tmp_path, ("Sort a list of all things", False), ("sort A list of all things ", False))
    assert len(index.offsets) == 1


def test_an_index_of_nothing_finds_nothing(tmp_path):
    assert search(make_index(tmp_path), "a b c", "d e f", "g h i") == []
