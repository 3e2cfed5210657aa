import dataclasses

import pytest

from procqa.records import Attribution, CodePlace, Document, Pair

WHO = {
    "origin": "stackoverflow.com",
    "question_author": "Ann",
    "question_author_url": None,
    "question_licence": "CC BY-SA 4.0",
    "question_url": None,
    "answer_author": "Bob",
    "answer_author_url": None,
    "answer_licence": "CC BY-SA 4.0",
    "answer_url": None,
}


def test_an_attribution_names_everybody():
    assert Attribution(**WHO).answer_author == "Bob"


@pytest.mark.parametrize("name", ["origin", "question_author", "question_licence", "answer_author", "answer_licence"])
def test_an_attribution_that_names_nobody_cannot_be_made(name):
    for nobody in ("", "  "):
        with pytest.raises(ValueError, match=f"must name its {name.replace('_', ' ')}"):
            Attribution(**{**WHO, name: nobody})


def document(origin: str, place: CodePlace | None = None, **urls: str) -> Document:
    texts = {"id": "s:2", "language": "go", "title": "t", "question": "q", "answer": "a"}
    by = Attribution(**{**WHO, "origin": origin, **urls})
    return Document(**texts, tags=(), created_ms=None, score=0, question_id=1, answer_id=2, attribution=by, place=place)


def test_a_post_of_a_site_links_to_its_question():
    with pytest.raises(ValueError, match=r"a post of stackoverflow\.com must link to its question, but s:2 does not"):
        document("stackoverflow.com")
    page = "https://stackoverflow.com/q/1"
    assert document("stackoverflow.com", question_url=page).attribution.question_url == page
    assert document("local").attribution.question_url is None
    assert document("lib", CodePlace(path="a.go", line=1, symbol="f")).attribution.question_url is None


def test_records_are_frozen_and_a_pair_follows_the_columns_of_a_dataset():
    from procqa.dataset.schema import SCHEMA

    with pytest.raises(dataclasses.FrozenInstanceError):
        Attribution(**WHO).origin = "elsewhere"
    names = [field.name.replace("_created_ms", "_created") for field in dataclasses.fields(Pair)]
    columns = [name for name in SCHEMA.names if not name.endswith("_chars") and name != "duplicate_cluster"]
    assert names == columns
