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


def test_candidates_have_their_kind_item_and_place(tmp_path):
    index = make_index(tmp_path, ("How do I sort a list in place", False), (LONG, False), ("web.config", True))
    assert index.search("", "so how do i sort a list in places", "").tolist() == [[RUN, 0, 2]]
    assert index.search("t", "x " + LONG[4:], "a").tolist()[-1] == [GRAM, 1, 2]
    assert [NEAR, 1, 2] in index.search("t", "q", f"new {LONG}").tolist()
    assert index.search("t", "q", "web.config").tolist() == [[RUN, 2, 2]]
    assert index.search("t", "q", "see web.config here").tolist() == []
    assert index.search("", "", "").tolist() == []


def test_a_text_waits_under_its_rarest_run(tmp_path):
    index = make_index(tmp_path, *((f"benchmark question about things number{n} of many", False) for n in range(500)))
    runs = index.anchors.keys[index.anchors.places >= 0]
    assert np.unique(runs, return_counts=True)[1].max() == 1
    assert index.search("a question about things of many", "", "").tolist() == []


def test_of_texts_that_differ_in_case_alone_the_first_counts(tmp_path):
    index = make_index(tmp_path, ("Sort a list of all things", False), ("sort A list of all things ", False))
    assert len(index.offsets) == 1


def test_an_index_of_nothing_finds_nothing(tmp_path):
    assert make_index(tmp_path).search("a b c", "d e f", "g h i").tolist() == []
