"""Rows and functions become documents with their attribution, and come back by position and by id."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.errors import ArtifactError
from procqa.index.documents import (
    Documents,
    code_place,
    document_id,
    embedded_answer,
    pair_document,
    row_document,
    text_digest,
    to_rows,
    write_documents,
    write_rows,
)
from procqa.index.sources import Source
from procqa.records import CodePlace, Document, Pair
from tests.index.small import to_row, write_dataset


def read_source(folder: Path) -> list[Document]:
    return list(Source(folder).read(lambda *_: None))


def numbered(number: int, *, site: str = "local", answer: str = "an answer") -> Document:
    return row_document({**to_row(number, "python", f"title {number}", answer, site=site), **dated()}, Path("rows"))


def dated() -> dict[str, None]:
    return {"question_created": None, "answer_created": None}


def test_a_row_of_a_dataset_is_a_document_with_every_author_and_licence(tmp_path: Path):
    document = next(found for found in read_source(write_dataset(tmp_path / "d")) if found.answer_id == 10)
    assert document.id == "stackoverflow.com:10"
    assert (document.language, document.title, document.tags) == (
        "python",
        "Remove duplicates from a list",
        ("python",),
    )
    assert (document.score, document.created_ms, document.question_id) == (5, 1_600_000_100_000, 9)
    assert document.attribution.origin == "stackoverflow.com"
    assert document.attribution.question_author == "Ann"
    assert document.attribution.question_author_url == "https://stackoverflow.com/users/1"
    assert document.attribution.answer_author == "Bob"
    assert document.attribution.question_licence == "CC BY-SA 3.0"
    assert document.attribution.answer_licence == "CC BY-SA 4.0"
    assert document.attribution.answer_url == "https://stackoverflow.com/a/10"
    assert document.place is None


@pytest.mark.parametrize("missing", ["question_author", "answer_author", "question_licence", "answer_licence", "site"])
@pytest.mark.parametrize("value", ["", " ", None])
def test_a_row_without_attribution_is_refused_and_named(tmp_path: Path, missing: str, value: str | None):
    folder = write_dataset(tmp_path / "d", [to_row(10, "python", "t", "a", **{missing: value})])
    with pytest.raises(ArtifactError, match="answer 10 does not"):
        read_source(folder)


def test_a_language_that_is_no_word_cannot_become_a_path(tmp_path: Path):
    with pytest.raises(ArtifactError, match="one word"):
        row_document({**to_row(10, "../../x", "t", "a"), **dated()}, tmp_path)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("src/a.py#L12", CodePlace(path="src/a.py", line=12, symbol="title")),
        ("a b/c#d.py#L1", CodePlace(path="a b/c#d.py", line=1, symbol="title")),
        ("https://example.org/a.py#L12", None),
        ("http://example.org/a.py#L12", None),
        ("https://stackoverflow.com/a/10", None),
        ("src/a.py", None),
        (None, None),
    ],
)
def test_a_place_is_a_path_with_a_line_and_no_scheme(url: str | None, place: CodePlace | None):
    assert code_place({"answer_url": url, "title": "title"}) == place


@given(st.text(min_size=1), st.integers(0, 2**62))
def test_an_id_never_holds_white_space(site: str, number: int):
    identifier = document_id(site, number)
    assert identifier.split() == [identifier]
    assert identifier.endswith(f":{number}")


def test_documents_come_back_in_the_order_of_their_ids_and_by_id(tmp_path: Path):
    given_documents = [numbered(number) for number in (20, 3, 100, 4)]
    assert write_documents(given_documents, tmp_path / "docs") == 0
    documents = Documents(tmp_path / "docs")
    assert [documents[position].id for position in range(len(documents))] == [
        "local:100",
        "local:20",
        "local:3",
        "local:4",
    ]
    assert [documents.find(document.id) for document in given_documents] == given_documents
    assert documents.find("local:5") is None
    assert documents.find("") is None
    assert documents.find("zzz") is None
    assert documents.find("\ud800") is None
    documents.close()


def test_of_a_repeated_id_the_last_document_counts(tmp_path: Path):
    repeated = write_documents([numbered(1, answer="old"), numbered(2), numbered(1, answer="new")], tmp_path / "docs")
    documents = Documents(tmp_path / "docs")
    assert repeated == 1
    assert len(documents) == 2
    assert documents.find("local:1").answer == "new"
    scanned = [answer for _, columns in documents.scan(["answer"]) for answer in columns["answer"]]
    assert sorted(scanned) == ["an answer", "new"]
    documents.close()


def test_more_rows_than_a_batch_keep_their_positions(tmp_path: Path):
    write_documents((numbered(number) for number in range(2_500)), tmp_path / "docs")
    documents = Documents(tmp_path / "docs")
    found = {
        position: int(row)
        for rows, columns in documents.scan(["answer_id"])
        for position, row in zip(rows.tolist(), columns["answer_id"], strict=True)
    }
    assert len(found) == 2_500
    assert all(documents[position].answer_id == number for position, number in list(found.items())[::100])
    documents.close()


def test_no_documents_are_documents_too(tmp_path: Path):
    write_documents([], tmp_path / "docs")
    documents = Documents(tmp_path / "docs")
    assert len(documents) == 0
    assert documents.find("local:1") is None
    assert list(documents.scan(["id"])) == []
    documents.close()


@given(st.lists(st.integers(1, 900), max_size=6))
def test_the_bytes_do_not_depend_on_how_rows_were_batched(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]):
    folder = tmp_path_factory.mktemp("rows")
    given_documents = [numbered(number, answer="x" * (number % 7)) for number in range(sum(sizes))]
    write_documents(given_documents, folder / "whole")
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    pieces = [
        piece
        for start, size in zip(starts, sizes, strict=True)
        for piece in to_rows(given_documents[start : start + size])
    ]
    write_rows(pieces, folder / "pieces")
    for name in ("rows.arrow", "order.npy", "digests.npy"):
        assert (folder / "whole" / name).read_bytes() == (folder / "pieces" / name).read_bytes()


def test_rows_that_are_taken_over_have_the_bytes_of_those_that_are_made(tmp_path: Path):
    given_documents = [numbered(number) for number in range(2_500)]
    write_documents(given_documents, tmp_path / "whole")
    held = Documents(tmp_path / "whole")
    pieces = [*held.rows(0, 700), *to_rows(given_documents[700:1_500]), *held.rows(1_500, 2_500)]
    write_rows(pieces, tmp_path / "taken")
    held.close()
    for name in ("rows.arrow", "order.npy", "digests.npy"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "taken" / name).read_bytes()


def test_a_text_is_known_by_where_its_fields_end_and_by_whether_it_is_code():
    texts = (("ab", "", "c"), ("a", "b", "c"), ("a", "", "bc"), ("abc", "", ""))
    assert len({text_digest(*text, is_code=is_code) for text in texts for is_code in (False, True)}) == 8
    assert text_digest("a", "b", "c", is_code=True) == text_digest("a", "b", "c", is_code=True)


@pytest.mark.parametrize("name", ["rows.arrow", "order.npy", "digests.npy"])
@pytest.mark.parametrize("damage", ["missing", "empty", "garbage"])
def test_broken_documents_are_one_sentence(tmp_path: Path, name: str, damage: str):
    write_documents([numbered(1)], tmp_path / "docs")
    path = tmp_path / "docs" / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"" if damage == "empty" else b"no such format" * 99)
    with pytest.raises(ArtifactError, match="run procqa index again"):
        Documents(tmp_path / "docs")


def test_a_function_read_from_a_corpus_keeps_its_code_and_its_missing_dates():
    function = Pair(
        question_id=7,
        answer_id=7,
        language="go",
        title="Max",
        question="Max is the larger one.",
        answer="func Max(a, b int) int {}",
        tags=(),
        question_score=0,
        answer_score=0,
        view_count=None,
        question_created_ms=None,
        answer_created_ms=None,
        question_author="lib",
        question_author_url=None,
        answer_author="lib",
        answer_author_url=None,
        question_licence="MIT",
        answer_licence="MIT",
        question_url="math/max.go#L3",
        answer_url="math/max.go#L3",
        site="lib",
    )
    document = pair_document(function)
    assert document.created_ms is None
    assert document.place == CodePlace(path="math/max.go", line=3, symbol="Max")
    assert document.attribution.question_url is None


def test_an_encoder_reads_the_documentation_of_code_before_it_and_no_question_of_a_post():
    assert (
        embedded_answer("Add two numbers.", "def f(a, b): ...", is_code=True) == "Add two numbers.\n\ndef f(a, b): ..."
    )
    assert embedded_answer("How do I add?", "Use +.", is_code=False) == "Use +."
    assert embedded_answer(" \n", "def f(): ...", is_code=True) == "def f(): ..."
