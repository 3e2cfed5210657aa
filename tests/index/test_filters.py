"""Filters let exactly the documents through that meet every condition."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procqa.errors import ArtifactError
from procqa.index.documents import Documents, row_document, write_documents
from procqa.index.filters import Filter, FilterColumns, write_columns
from procqa.records import Document
from tests.index.small import to_row

DAY_MS = 86_400_000
ROWS = (
    ("python", ["python", "pandas"], 5, 10 * DAY_MS, "stackoverflow.com"),
    ("python", ["python", "numpy"], -1, 20 * DAY_MS, "stackoverflow.com"),
    ("go", ["go"], 0, None, "my-project"),
    ("c", [], 3, 30 * DAY_MS, "superuser.com"),
    ("python", ["Pandas", "numpy", "pandas"], 7, 40 * DAY_MS, "superuser.com"),
)
"""Language, tags, score, date and site of the documents 1 to 5, which are the positions 0 to 4."""


def to_document(number: int, language: str, tags: list[str], score: int, created: int | None, site: str) -> Document:
    row = to_row(number, language, "t", "a", tags=tags, answer_score=score, site=site, question_created=None)
    document = row_document({**row, "answer_created": None}, Path("rows"))
    return Document(
        **{name: getattr(document, name) for name in Document.__slots__ if name not in ("id", "created_ms")},
        id=f"{number}",
        created_ms=created,
    )


def write(folder: Path) -> FilterColumns:
    write_documents([to_document(number, *row) for number, row in enumerate(ROWS, 1)], folder / "documents")
    documents = Documents(folder / "documents")
    write_columns(documents, [("posts", 2), ("My_Project", 1), ("more", 2)], folder / "filters")
    documents.close()
    return FilterColumns(folder / "filters")


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> FilterColumns:
    return write(tmp_path_factory.mktemp("filters"))


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Filter(languages=("python",)), [1, 2, 5]),
        (Filter(languages=("go", "c")), [3, 4]),
        (Filter(languages=("Python",)), [1, 2, 5]),
        (Filter(languages=("cobol",)), []),
        (Filter(tags=("pandas",)), [1, 5]),
        (Filter(tags=("PANDAS",)), [1, 5]),
        (Filter(tags=("pandas", "numpy")), [5]),
        (Filter(tags=("pandas", "nothing")), []),
        (Filter(after_ms=20 * DAY_MS), [2, 4, 5]),
        (Filter(before_ms=20 * DAY_MS), [1]),
        (Filter(after_ms=20 * DAY_MS, before_ms=40 * DAY_MS), [2, 4]),
        (Filter(min_score=0), [1, 3, 4, 5]),
        (Filter(min_score=6), [5]),
        (Filter(sources=("superuser.com",)), [4, 5]),
        (Filter(sources=("posts",)), [1, 2]),
        (Filter(sources=("my_project", "superuser.com")), [3, 4, 5]),
        (Filter(languages=("python",), tags=("numpy",), min_score=0, sources=("more",)), [5]),
    ],
)
def test_a_filter_lets_through_what_meets_all_of_it(columns: FilterColumns, wanted: Filter, numbers: list[int]):
    allowed = columns.allowed(wanted)
    assert (np.flatnonzero(allowed) + 1).tolist() == numbers


def test_a_filter_without_a_condition_is_none(columns: FilterColumns):
    assert columns.allowed(Filter()) is None


def test_what_can_be_asked_for_is_known_by_name(columns: FilterColumns):
    assert len(columns) == 5
    assert columns.known("language") == ("c", "go", "python")
    assert columns.known("tag") == ("go", "numpy", "pandas", "python")
    assert columns.known("origin") == ("my-project", "stackoverflow.com", "superuser.com")
    assert columns.known("source") == ("more", "my_project", "posts")


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["go", "c"]),
            st.lists(st.sampled_from(["a", "b", "d"])),
            st.integers(-3, 3),
            st.none() | st.integers(0, 9),
            st.sampled_from(["x", "y"]),
        ),
        min_size=1,
        max_size=30,
    ),
    tags=st.lists(st.sampled_from(["a", "b", "e"]), max_size=2),
    after=st.none() | st.integers(0, 9),
    least=st.none() | st.integers(-3, 3),
)
def test_any_filter_agrees_with_a_look_at_each_document(
    tmp_path_factory: pytest.TempPathFactory, rows: list, tags: list[str], after: int | None, least: int | None
):
    folder = tmp_path_factory.mktemp("any")
    given_documents = [to_document(number, *row) for number, row in enumerate(rows)]
    write_documents(given_documents, folder / "documents")
    documents = Documents(folder / "documents")
    write_columns(documents, [("all", len(rows))], folder / "filters")
    allowed = FilterColumns(folder / "filters").allowed(
        Filter(tags=tuple(tags), after_ms=after, min_score=least, languages=("go",))
    )
    expected = {
        document.id
        for document in given_documents
        if document.language == "go"
        and set(tags) <= set(document.tags)
        and (after is None or (document.created_ms is not None and document.created_ms >= after))
        and (least is None or document.score >= least)
    }
    assert {documents[position].id for position in np.flatnonzero(allowed).tolist()} == expected
    documents.close()


@pytest.mark.parametrize("name", ["names.json", "tag_starts.npy", "created_ms.npy"])
@pytest.mark.parametrize("damage", ["missing", "garbage"])
def test_broken_filters_are_one_sentence(tmp_path: Path, name: str, damage: str):
    write(tmp_path)
    path = tmp_path / "filters" / name
    path.unlink() if damage == "missing" else path.write_bytes(b"no such format" * 9)
    with pytest.raises(ArtifactError, match="run procqa index again"):
        FilterColumns(tmp_path / "filters")
