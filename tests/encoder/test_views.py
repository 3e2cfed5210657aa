import pytest

from procqa.config import KNOWN_PAIRS, PAIRS
from procqa.encoder.views import MODALITIES, PAIR_TYPES, VIEWS, cut

ROW = {
    "title": "Sort a list",
    "question": "I have\n\n```python\nxs = [2, 1]\n```\n\nand want it in order.",
    "answer": "Call `sorted`:\n\n```python\nsorted(xs)\n```\n\nor in place:\n\n```python\nxs.sort()\n```",
}


@pytest.mark.parametrize(
    ("view", "text"),
    [
        ("title", "Sort a list"),
        ("question", ROW["question"]),
        ("answer", ROW["answer"]),
        ("title+question", f"Sort a list\n{ROW['question']}"),
        ("question-prose", "Sort a list\nI have\n\nand want it in order."),
        ("question-code", "xs = [2, 1]\n"),
        ("answer-prose", "Call `sorted`:\n\nor in place:"),
        ("answer-code", "sorted(xs)\n\nxs.sort()\n"),
        ("answer-first-code", "sorted(xs)\n"),
        ("answer-other-code", "xs.sort()\n"),
    ],
)
def test_a_view_is_the_whole_or_the_prose_or_the_code_of_a_field(view, text):
    assert cut(ROW, (view,)) == [text]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_nothing_is_nothing(view):
    assert cut({"title": "", "question": "", "answer": ""}, (view,)) == [""]


def test_blank_code_is_none():
    assert cut({**ROW, "answer": "x\n\n```\n \n```"}, ("answer-code", "answer-first-code")) == ["", ""]


def test_every_pair_type_has_two_views_and_the_settings_know_it():
    assert set(PAIR_TYPES) == set(KNOWN_PAIRS)
    assert {view for pair_type in PAIR_TYPES.values() for view in (pair_type.query, pair_type.document)} <= set(VIEWS)
    assert all(pair_type.query != pair_type.document for pair_type in PAIR_TYPES.values())


def test_macp_is_the_modality_agnostic_choice():
    assert (*MODALITIES["agnostic"], "docstring-function") == PAIRS
