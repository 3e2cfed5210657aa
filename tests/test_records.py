import dataclasses

import pytest

from procqa.records import Attribution, Pair

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


def test_records_are_frozen_and_a_pair_follows_the_columns_of_a_dataset():
    from procqa.dataset.schema import SCHEMA

    with pytest.raises(dataclasses.FrozenInstanceError):
        Attribution(**WHO).origin = "elsewhere"
    names = [field.name.replace("_created_ms", "_created") for field in dataclasses.fields(Pair)]
    columns = [name for name in SCHEMA.names if not name.endswith("_chars") and name != "duplicate_cluster"]
    assert names == columns
