"""Queries meet an index: modes, filters, fusion, refusals, and attribution on every hit."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from procqa.config import SearchConfig
from procqa.encoder.model import open_encoder
from procqa.errors import ArtifactError, ConfigError, QueryError
from procqa.index.build import build_index
from procqa.index.lexical import LexicalIndex
from procqa.search.forms import document_json, markdown_of, result_json
from procqa.search.searcher import Searcher
from tests.index.small import ROWS, to_row, write_dataset, write_encoder


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of words only."""
    folder = tmp_path_factory.mktemp("words")
    build_index([write_dataset(folder / "d")], folder / "i", encoder=None)
    return folder / "i"


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of words and vectors."""
    folder = tmp_path_factory.mktemp("vectors")
    model = write_encoder(folder / "model")
    build_index([write_dataset(folder / "d")], folder / "i", encoder=open_encoder(str(model)), encoder_folder=model)
    return folder / "i"


def ids(searcher: Searcher, query: str, **options: Any) -> list[str]:
    return [hit.document.id for hit in searcher.search(query, SearchConfig(**options)).hits]


def test_an_index_of_words_answers_hybrid_as_lexical_and_says_so(words: Path):
    result = Searcher.open(words).search("duplicates in a list", SearchConfig())
    assert (result.mode, result.dump_date, result.query) == ("lexical", "2020-09-13", "duplicates in a list")
    assert [hit.document.id for hit in result.hits] == ["stackoverflow.com:10"]
    assert result.hits[0].rank == 1
    assert result.hits[0].score > 0
    assert result.seconds > 0


def test_a_word_that_no_index_knows_leaves_nothing_out(words: Path):
    searcher = Searcher.open(words)
    assert ids(searcher, "read -it file") == ids(searcher, "read -__ file") == ids(searcher, "read file")
    assert ids(searcher, "read -open file") == []


def test_a_phrase_of_signs_leaves_nothing_out(words: Path):
    searcher = Searcher.open(words)
    assert ids(searcher, '"=>" duplicates') == ids(searcher, "duplicates") == ["stackoverflow.com:10"]


def test_all_languages_may_be_named_as_such(words: Path):
    searcher = Searcher.open(words)
    assert (
        ids(searcher, "lang:all read file") == ids(searcher, "read file", language="all") == ids(searcher, "read file")
    )


def test_an_index_of_words_refuses_dense(words: Path):
    with pytest.raises(QueryError, match="holds words only"):
        Searcher.open(words).search("list", SearchConfig(mode="dense"))


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_every_mode_finds_the_answer_and_equal_scores_fall_by_id(vectors: Path, mode: str):
    searcher = Searcher.open(vectors)
    assert ids(searcher, "read file", mode=mode, k=2) == ["stackoverflow.com:20", "stackoverflow.com:30"]
    assert searcher.search("read file", SearchConfig(mode=mode)).mode == mode


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_a_language_keeps_only_its_answers(vectors: Path, mode: str):
    searcher = Searcher.open(vectors)
    assert ids(searcher, "read file", mode=mode, k=1, language="go") == ["stackoverflow.com:30"]
    found = searcher.search("read file goroutine", SearchConfig(mode=mode, language="go")).hits
    assert {hit.document.language for hit in found} == {"go"}
    assert ids(searcher, "read file", mode=mode, language="all") == ids(searcher, "read file", mode=mode)


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_a_thousand_hits_of_five_documents_are_at_most_five(vectors: Path, mode: str):
    assert 1 <= len(ids(Searcher.open(vectors), "sort read list", mode=mode, k=1_000)) <= 5


def test_a_hybrid_search_weighs_words_and_cosines_as_the_encoder_of_the_index_says(vectors: Path):
    searcher = Searcher.open(vectors)
    words = {hit.document.id: hit.score for hit in searcher.search("read file", SearchConfig(mode="lexical")).hits}
    cosines = {hit.document.id: hit.score for hit in searcher.search("read file", SearchConfig(mode="dense")).hits}
    fused = {hit.document.id: hit.score for hit in searcher.search("read file", SearchConfig()).hits}
    limit = LexicalIndex(vectors / searcher.sha256[:12] / "lexical").limit("read file")

    assert searcher.manifest.recipe["encoder"]["fusion_weight"] == 0.6
    for answer, score in fused.items():
        expected = 0.4 * words.get(answer, 0) / limit + 0.6 * max(cosines[answer], 0)
        assert score == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("query", ["", " ", "\n\t ", "\u00a0"])
def test_a_blank_query_is_refused(words: Path, query: str):
    with pytest.raises(QueryError, match="not blank"):
        Searcher.open(words).search(query, SearchConfig())


def test_a_query_of_20000_characters_is_answered_and_one_more_is_refused(words: Path):
    searcher = Searcher.open(words)
    assert searcher.search("list " * 4_000, SearchConfig()).hits
    with pytest.raises(QueryError, match="at most 20,000 characters, got 20,001"):
        searcher.search("x" * 20_001, SearchConfig())


def test_an_unknown_language_is_refused_with_the_known_ones(words: Path):
    with pytest.raises(QueryError, match=r"one of the index \(go, java, python\) or all, got 'cobol'"):
        Searcher.open(words).search("list", SearchConfig(language="cobol"))


@pytest.mark.parametrize("options", [{"k": 0}, {"k": 1_001}, {"k": -1}, {"mode": "guess"}])
def test_a_search_that_exists_is_valid(options: dict[str, Any]):
    with pytest.raises(ConfigError, match="must"):
        SearchConfig(**options)


@given(st.text(max_size=200))
def test_no_text_but_a_blank_one_is_refused(words: Path, query: str):
    searcher = Searcher.open(words)
    try:
        searcher.search(query, SearchConfig())
    except QueryError:
        assert not query.strip()


def test_half_a_surrogate_pair_is_a_query_too(words: Path):
    result = Searcher.open(words).search("\ud800 duplicates", SearchConfig())
    assert [hit.document.id for hit in result.hits] == ["stackoverflow.com:10"]
    assert result.query.encode("utf-8")


def test_a_result_as_json_has_the_keys_of_the_contract_in_order(words: Path):
    answer = result_json(Searcher.open(words).search("duplicates", SearchConfig()))
    assert list(answer) == ["query", "mode", "seconds", "dump_date", "hits"]
    (hit,) = answer["hits"]
    assert hit.pop("score") > 0
    assert hit == {
        "rank": 1,
        "id": "stackoverflow.com:10",
        "language": "python",
        "title": "Remove duplicates from a list",
        "answer": "Use a dict.\n\n```python\nlist(dict.fromkeys(xs))\n```",
        "question_id": 9,
        "answer_id": 10,
        "question_url": "https://stackoverflow.com/questions/9",
        "answer_url": "https://stackoverflow.com/a/10",
        "question_author": "Ann",
        "answer_author": "Bob",
        "question_author_url": "https://stackoverflow.com/users/1",
        "answer_author_url": "https://stackoverflow.com/users/2",
        "question_licence": "CC BY-SA 3.0",
        "answer_licence": "CC BY-SA 4.0",
        "source": "stackoverflow.com",
    }


def test_a_hit_in_source_code_has_a_place_instead_of_ids_and_urls(tmp_path: Path):
    place = {"question_url": "src/a.py#L3", "answer_url": "src/a.py#L3", "question_id": 10, "site": "proj"}
    urls = {"question_author_url": None, "answer_author_url": None}
    row = to_row(10, "python", "dedupe", "def dedupe(xs): pass", **place, **urls)
    build_index([write_dataset(tmp_path / "d", [row])], tmp_path / "i", encoder=None)
    searcher = Searcher.open(tmp_path / "i")
    (hit,) = result_json(searcher.search("dedupe", SearchConfig()))["hits"]
    assert hit.pop("score") > 0
    assert hit == {
        "rank": 1,
        "id": "proj:10",
        "language": "python",
        "title": "dedupe",
        "answer": "def dedupe(xs): pass",
        "path": "src/a.py",
        "line": 3,
        "symbol": "dedupe",
        "question_author": "Ann",
        "answer_author": "Bob",
        "question_licence": "CC BY-SA 3.0",
        "answer_licence": "CC BY-SA 4.0",
        "source": "proj",
    }
    assert markdown_of(searcher.document("proj:10"))[1].startswith("```python\ndef dedupe")


def test_a_document_is_found_by_id(words: Path):
    searcher = Searcher.open(words)
    assert len(searcher) == 5
    document = searcher.document("stackoverflow.com:40")
    assert document_json(document)["tags"] == ["java"]
    assert document_json(document)["question"] == "How is this done?"
    assert document_json(document)["answer_author"] == "Bob"
    assert searcher.document("stackoverflow.com:41") is None


def test_the_index_answers_after_its_encoder_and_its_dataset_are_gone(tmp_path: Path):
    model = write_encoder(tmp_path / "model")
    dataset = write_dataset(tmp_path / "d")
    build_index([dataset], tmp_path / "i", encoder=open_encoder(str(model)), encoder_folder=model)
    for folder in (model, dataset):
        folder.rename(folder.with_name(f"{folder.name}-gone"))
    assert ids(Searcher.open(tmp_path / "i"), "read file", mode="dense", k=1) == ["stackoverflow.com:20"]


def test_an_index_that_was_opened_with_its_encoder_answers_after_an_update(tmp_path: Path):
    model = write_encoder(tmp_path / "model")
    encoder = open_encoder(str(model))
    build_index([write_dataset(tmp_path / "d")], tmp_path / "i", encoder=encoder, encoder_folder=model)
    searcher = Searcher.open(tmp_path / "i", with_encoder=True)
    build_index([write_dataset(tmp_path / "e", ROWS[:2])], tmp_path / "i", encoder=encoder, encoder_folder=model)
    assert ids(searcher, "read file", mode="dense", k=2) == ["stackoverflow.com:20", "stackoverflow.com:30"]


def test_another_encoder_in_the_index_is_refused(tmp_path: Path):
    model = write_encoder(tmp_path / "model")
    build_index([write_dataset(tmp_path / "d")], tmp_path / "i", encoder=open_encoder(str(model)), encoder_folder=model)
    other = write_encoder(tmp_path / "other", seed=1)
    (copy,) = (tmp_path / "i").glob("*/encoder")
    (copy / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())
    searcher = Searcher.open(tmp_path / "i")
    assert searcher.search("list", SearchConfig(mode="lexical")).hits
    with pytest.raises(ArtifactError, match="must be the encoder that made this index"):
        searcher.search("list", SearchConfig())


def test_an_index_without_its_encoder_is_refused_and_asks_nobody_for_it(tmp_path: Path, socket_disabled: None):
    model = write_encoder(tmp_path / "model")
    build_index([write_dataset(tmp_path / "d")], tmp_path / "i", encoder=open_encoder(str(model)), encoder_folder=model)
    manifest = json.loads((tmp_path / "i/manifest.json").read_text())
    manifest["recipe"]["encoder"]["name"] = "someone/model"
    (tmp_path / "i/manifest.json").write_text(json.dumps(manifest))
    (copy,) = (tmp_path / "i").glob("*/encoder")
    copy.rename(tmp_path / "gone")
    searcher = Searcher.open(tmp_path / "i")
    with pytest.raises(ArtifactError, match=r"must hold the encoder of this index \(someone/model\)"):
        searcher.search("list", SearchConfig())
    assert searcher.search("list", SearchConfig(mode="lexical")).hits


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        (None, "holds no manifest.json"),
        ("{", "not a readable manifest"),
        ('{"format_version": 2}', "format version 2"),
        ('{"format_version": 1}', "not a readable manifest"),
    ],
)
def test_a_folder_that_is_no_index_is_one_sentence(tmp_path: Path, manifest: str | None, sentence: str):
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(ArtifactError, match=sentence):
        Searcher.open(tmp_path)


@pytest.mark.parametrize("part", ["documents", "lexical", "dense"])
def test_an_index_without_one_of_its_folders_is_one_sentence(tmp_path: Path, part: str):
    model = write_encoder(tmp_path / "model")
    build_index([write_dataset(tmp_path / "d")], tmp_path / "i", encoder=open_encoder(str(model)), encoder_folder=model)
    (folder,) = (tmp_path / "i").glob(f"*/{part}")
    folder.rename(tmp_path / "gone")
    with pytest.raises(ArtifactError, match="run procqa index again"):
        Searcher.open(tmp_path / "i")


def test_index_and_search_open_no_socket(tmp_path: Path, socket_disabled: None):
    model = write_encoder(tmp_path / "model")
    build_index(
        [write_dataset(tmp_path / "d", ROWS)], tmp_path / "i", encoder=open_encoder(str(model)), encoder_folder=model
    )
    assert ids(Searcher.open(tmp_path / "i"), "read file", k=1) == ["stackoverflow.com:20"]


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """Posts that differ in everything a query can ask for."""
    folder = tmp_path_factory.mktemp("posts")
    years = {"old": 1_400_000_000_000, "new": 1_700_000_000_000}
    rows = [
        to_row(110, "python", "Read a file", "Use open().", tags=["python", "io"], answer_created=years["old"]),
        to_row(112, "python", "Read a csv file", "Use pandas.", tags=["python", "Pandas"], answer_score=40),
        to_row(114, "go", "Read a file", "ReadFile reads  the whole\nfile.", answer_created=years["new"], tags=["go"]),
        to_row(116, "go", "Read an index", "panic: runtime error: index out of range", tags=["go"]),
        to_row(118, "go", "Another thing", "error of range, runtime index panic out", tags=["go"]),
    ]
    model = write_encoder(folder / "model")
    dataset = write_dataset(folder / "d", rows)
    build_index([dataset], folder / "i", encoder=open_encoder(str(model)), encoder_folder=model)
    searcher = Searcher.open(folder / "i")
    yield searcher
    searcher.close()


def numbers(searcher: Searcher, query: str, **options: object) -> set[int]:
    result = searcher.search(query, SearchConfig(**options))  # type: ignore[arg-type]
    return {hit.document.answer_id for hit in result.hits}


@pytest.mark.parametrize("mode", ["lexical", "dense", "hybrid"])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("read file lang:go", {114, 116, 118}),
        ("read file lang:py", {110, 112}),
        ("read file lang:py,go", {110, 112, 114, 116, 118}),
        ("read file tag:pandas", {112}),
        ("read file tag:python tag:io", {110}),
        ("read file before:2015", {110}),
        ("read file after:2023", {114}),
        ("read file score:10", {112}),
        ("read file source:d lang:go", {114, 116, 118}),
        ("read file source:nowhere", set()),
        ('read "the whole file"', {114}),
        ('read "open()."', {110}),
        ("read file -pandas lang:python", {110}),
        ("read file lang:python -pandas -open", set()),
    ],
)  # fmt: skip
def test_a_hit_has_all_that_a_query_asks_for(posts: Searcher, mode: str, query: str, found: set[int]):
    hits = numbers(posts, query, mode=mode)

    # By words only what shares one is found; vectors rank whatever is let through.
    assert hits <= found if mode == "lexical" else hits == found


def test_a_language_that_the_index_lacks_is_one_sentence_in_a_query_too(posts: Searcher):
    with pytest.raises(QueryError, match=r"language must be one of the index \(go, python\)"):
        posts.search("read lang:cobol", SearchConfig())


def test_filters_of_the_query_and_of_the_options_both_hold(posts: Searcher):
    assert numbers(posts, "read file score:10", language="python", mode="dense") == {112}
    assert numbers(posts, "read file score:10", language="go", mode="dense") == set()


def test_a_document_with_the_error_to_the_letter_stands_above_one_with_its_words(posts: Searcher):
    trace = "panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.main()"
    result = posts.search(trace, SearchConfig(mode="lexical"))
    plain = posts.search("runtime error index out of range panic", SearchConfig(mode="lexical"))

    assert (result.kind, result.query) == ("error", trace)
    assert result.hits[0].document.answer_id == 116
    scores = {hit.document.answer_id: hit.score for hit in result.hits}
    before = {hit.document.answer_id: hit.score for hit in plain.hits}
    assert scores[116] == pytest.approx(1.5 * before[116])
    assert scores[118] == pytest.approx(before[118])


def test_signs_in_code_are_no_filters(posts: Searcher):
    code = 'read(x, "lang:go") -y'
    assert posts.search(code, SearchConfig(), is_code=True).kind == "code"
    assert 110 in numbers(posts, "data = read(file)")


class Shortest:
    """Reads pairs: the shorter the document, the better it answers."""

    def score(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        return np.array([-len(document) / 100 for _, document in pairs], np.float32)


def test_a_reader_puts_the_first_hits_in_its_order(posts: Searcher, tmp_path: Path):
    rows = [to_row(2 * n + 10, "go", f"Read a file {n}", "read " * (n + 1)) for n in range(60)]
    build_index([write_dataset(tmp_path / "d", rows)], tmp_path / "i", encoder=None)
    plain, read = Searcher.open(tmp_path / "i"), Searcher.open(tmp_path / "i", reader=Shortest())

    before = [hit.document.answer_id for hit in plain.search("read", SearchConfig(k=60)).hits]
    hits = read.search("read", SearchConfig(k=60, explain=True)).hits

    after = [hit.document.answer_id for hit in hits]
    assert after[:50] == sorted(before[:50])
    assert after[50:] == before[50:]
    assert all(1 < hit.score < 2 for hit in hits[:50])
    assert all(hit.score <= 1 for hit in hits[50:])
    assert hits[0].explanation is not None
    assert hits[0].explanation.read == pytest.approx(hits[0].score - 1)
    assert [hit.document.answer_id for hit in read.search("read", SearchConfig(k=3)).hits] == after[:3]
