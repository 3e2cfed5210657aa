"""What both indexes owe: the same checks for words and for vectors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from procqa.errors import ArtifactError
from procqa.index.dense import DenseIndex
from procqa.index.lexical import LexicalIndex, Ranking, find_words, write_lexical
from tests.index.small import WordEncoder, write_vectors

Texts = list[tuple[str, str]]
TEXTS: Texts = [
    ("go", "read a file"),
    ("python", "sort a list"),
    ("python", "read a file"),
    ("java", "sort a map"),
    ("python", "goroutine"),
]
"""(language, text) of each position."""

Search = Callable[..., Ranking]


def make_lexical(texts: Texts, folder: Path) -> None:
    documents = (
        (position, language, find_words({"title": text, "question": "", "answer": ""}))
        for position, (language, text) in enumerate(texts)
    )
    write_lexical(documents, folder)


def open_lexical(folder: Path) -> Search:
    return LexicalIndex(folder).search


def make_dense(texts: Texts, folder: Path) -> None:
    vectors = WordEncoder().encode_documents([text for _, text in texts])
    write_vectors(vectors, np.arange(len(texts)), [language for language, _ in texts], folder)


def open_dense(folder: Path) -> Search:
    index = DenseIndex(folder)

    def search(query: str, k: int, **options: Any) -> Ranking:
        return index.search(WordEncoder().encode_documents([query])[0], k, **options)

    return search


Kind = tuple[Callable[[Texts, Path], None], Callable[[Path], Search]]
KINDS = {"lexical": (make_lexical, open_lexical), "dense": (make_dense, open_dense)}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def build(kind: Kind, texts: Texts, folder: Path) -> Search:
    make, open_index = kind
    make(texts, folder)
    return open_index(folder)


def positions(ranking: Ranking) -> list[int]:
    return [position for position, _ in ranking]


def test_the_best_match_comes_first_and_scores_fall(kind: Kind, tmp_path: Path):
    ranking = build(kind, TEXTS, tmp_path / "i")("sort a list", 3)
    assert positions(ranking)[0] == 1
    scores = [score for _, score in ranking]
    assert scores == sorted(scores, reverse=True)


def test_equal_documents_are_ordered_by_position(kind: Kind, tmp_path: Path):
    search = build(kind, [("python", "read a file")] * 50, tmp_path / "i")
    assert positions(search("read file", 7)) == list(range(7))
    assert positions(search("read file", 50)) == list(range(50))


def test_equal_documents_of_other_languages_are_ordered_by_position(kind: Kind, tmp_path: Path):
    languages = ["rust", "c", "go"] * 4
    search = build(kind, [(language, "read a file") for language in languages], tmp_path / "i")
    assert positions(search("read file", 5)) == [0, 1, 2, 3, 4]


def test_k_may_exceed_the_documents(kind: Kind, tmp_path: Path):
    ranking = build(kind, TEXTS, tmp_path / "i")("read a file", 1_000)
    assert set(positions(ranking)) >= {0, 2}
    assert len(ranking) <= len(TEXTS)


def test_a_language_keeps_only_its_documents(kind: Kind, tmp_path: Path):
    search = build(kind, TEXTS, tmp_path / "i")
    assert positions(search("read a file", 1, language="python")) == [2]
    assert positions(search("read a file", 1, language="go")) == [0]
    assert all(TEXTS[position][0] == "python" for position in positions(search("sort read file", 9, language="python")))


@pytest.mark.parametrize("share", [0.0, 0.002, 0.02, 0.3, 0.9, 1.0])
def test_only_what_is_allowed_is_found_and_nothing_of_it_is_lost(kind: Kind, tmp_path: Path, share: float):
    texts = [(language, f"{text} {'list ' * (number % 7)}") for number in range(400) for language, text in TEXTS]
    search = build(kind, texts, tmp_path / "i")
    allowed = np.random.default_rng(1).random(len(texts)) < share
    for query in ("read list", "sort a map", "goroutine"):
        everything = search(query, len(texts))
        for k in (1, 10, 100):
            assert search(query, k, allowed=allowed) == [hit for hit in everything if allowed[hit[0]]][:k]
            of_go = [hit for hit in everything if allowed[hit[0]] and texts[hit[0]][0] == "go"][:k]
            assert search(query, k, allowed=allowed, language="go") == of_go


def test_a_document_with_several_vectors_is_one_hit_by_its_best(tmp_path: Path):
    texts = ["read a file", "sort a list", "map", "read a list", "order"]
    vectors = WordEncoder().encode_documents(texts).astype(np.float16)
    write_vectors(vectors, np.array([1, 0, 1, 2, 0]), ["go", "c", "go", "c", "c"], tmp_path / "i")
    index = DenseIndex(tmp_path / "i")
    assert len(index) == 5
    (query,) = WordEncoder().encode_documents(["read"])
    assert positions(index.search(query, 3)) == [1, 2, 0]
    (query,) = WordEncoder().encode_documents(["map"])
    assert index.search(query, 1) == [(1, 1.0)]
    many = np.repeat(vectors[:1], 500, axis=0)
    write_vectors(np.concatenate([many, vectors]), np.repeat(np.arange(101), 5), ["c"] * 505, tmp_path / "j")
    (query,) = WordEncoder().encode_documents(["read file"])
    assert positions(DenseIndex(tmp_path / "j").search(query, 101))[:100] == list(range(100))


def test_a_query_without_a_known_word_finds_nothing(kind: Kind, tmp_path: Path):
    search = build(kind, TEXTS, tmp_path / "i")
    assert search("zygote", 5) == []
    assert search("+++ ??", 5) == []


def test_an_index_answers_alike_each_time_it_is_opened_and_built(kind: Kind, tmp_path: Path):
    texts = [(language, f"{text} {'list ' * (number % 3)}") for number in range(40) for language, text in TEXTS]
    first = build(kind, texts, tmp_path / "a")
    again = kind[1](tmp_path / "a")
    second = build(kind, texts, tmp_path / "b")
    for query in ("read list", "sort map order", "goroutine file"):
        assert first(query, 25) == again(query, 25) == second(query, 25)


def test_a_longer_list_begins_with_the_shorter(kind: Kind, tmp_path: Path):
    texts = [(language, f"{text} {'list ' * (number % 3)}") for number in range(40) for language, text in TEXTS]
    search = build(kind, texts, tmp_path / "i")
    longest = search("read list", 150)
    for k in (1, 2, 10, 99):
        assert search("read list", k) == longest[:k]


def test_searching_changes_no_file(kind: Kind, tmp_path: Path):
    search = build(kind, TEXTS, tmp_path / "i")
    before = {path: path.read_bytes() for path in (tmp_path / "i").rglob("*") if path.is_file()}
    search("read a file", 3)
    assert {path: path.read_bytes() for path in (tmp_path / "i").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("damage", ["missing", "empty", "garbage"])
def test_a_broken_index_is_one_sentence(kind: Kind, tmp_path: Path, damage: str):
    build(kind, TEXTS, tmp_path / "i")
    for path in [path for path in (tmp_path / "i").rglob("*") if path.is_file()]:
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes(b"" if damage == "empty" else b"garbage!" * 64)
    with pytest.raises(ArtifactError, match="run procqa index again"):
        kind[1](tmp_path / "i")
