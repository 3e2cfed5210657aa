from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from procqa.artifact import workspace
from procqa.chain import verify
from procqa.config import PAIRS, MineConfig
from procqa.encoder.mining import mine
from procqa.encoder.negatives import (
    NOT_CONSISTENT,
    SCHEMA,
    check_negatives,
    find_negatives,
    read_held_out,
    use_negatives,
)
from procqa.encoder.seen import load_seen, text_hashes
from procqa.encoder.streams import StreamConfig, write_texts
from procqa.encoder.training import dataset_input, train
from procqa.errors import ArtifactError
from procqa.manifest import load_manifest
from tests.encoder.small import make_dataset, questions_about, tiny_config

SMALL = MineConfig(negatives=3, depth=20)


@pytest.fixture(scope="module")
def mined(dataset: Path, static_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three negatives of each pair of the small dataset."""
    out = tmp_path_factory.mktemp("mined") / "N"
    mine(dataset, str(static_folder), out, SMALL)
    return out


def write_negatives(folder: Path, dataset: Path, languages: dict[str, list[dict]], **recipe: object) -> Path:
    """A folder of negatives with the rows that are given; what they lack is null."""
    settings = {"negatives": 3, "depth": 20, "teacher": "t", **recipe}
    with workspace(folder, kind="negatives", recipe=settings, inputs=[dataset_input(dataset)]) as work:
        (work.path / "data").mkdir()
        for language, pairs in languages.items():
            full = [{"rank": 1, "negatives": [], **pair} for pair in pairs]
            for pair in full:
                pair["negatives"] = [{"row": row} if isinstance(row, int) else row for row in pair["negatives"]]
            pq.write_table(pa.Table.from_pylist(full, schema=SCHEMA), work.path / f"data/{language}.parquet")
        held_out = read_held_out(dataset).described()
        work.finish({"languages": {language: {} for language in languages}, "held_out": held_out})
    return folder


def test_a_folder_proves_its_pool_where_the_dataset_is_at_hand(mined: Path, dataset: Path):
    assert [(check.subject, check.outcome) for check in check_negatives(mined, [])] == [("pool", "not checked")]
    checks = check_negatives(mined, [mined, dataset])
    assert [(check.subject, check.outcome) for check in checks] == [
        ("pool", "ok"),
        ("pool of go", "ok"),
        ("pool of python", "ok"),
    ]
    assert {check.outcome for check in verify(mined, [dataset])} == {"ok"}


@pytest.mark.parametrize(
    ("row", "negative", "sentence"),
    [
        (0, {"row": 1, "answer_id": 6}, "a negative with the text of a validation or test answer"),
        (0, {"row": 2, "answer_id": 6}, "a row that is another answer"),
        (0, {"row": 9, "answer_id": 6}, "a row that is another answer"),
        (2, {"row": 3, "answer_id": 8}, "a negative with the text of the right answer"),
    ],
)
def test_a_wrong_negative_is_found_out(row: int, negative: dict, sentence: str, tmp_path: Path):
    rows = [("a", "b", "c d"), ("e", "f", "kept out"), ("g", "h", "i j"), ("k", "l", "I, j!")]
    dataset = make_dataset(tmp_path / "Q", {"go": rows}, others={"test": {"go": [("x", "y", "Kept out!")]}})
    pair = {"row": row, "site": "local", "answer_id": 5 + row, "negatives": [{"site": "local", **negative}]}
    folder = write_negatives(tmp_path / "N", dataset, {"go": [pair]})
    details = {check.subject: check.detail for check in check_negatives(folder, [dataset])}
    assert details == {"pool": "", "pool of go": f"it contradicts the dataset: {sentence}"}


def corpus_of(dataset: Path, tmp_path: Path, pairs: tuple[str, ...] = PAIRS):
    return write_texts([dataset], tmp_path / "texts.arrow", StreamConfig(pairs=pairs))


def two_languages(folder: Path) -> Path:
    rows = [(f"t{number}", f"q{number}", f"a{number}") for number in range(4)]
    return make_dataset(folder, {"c": rows[:2], "go": rows})


def test_mined_rows_go_to_the_streams_that_ask_for_the_answer(tmp_path: Path):
    dataset = two_languages(tmp_path / "Q")
    pairs = [{"row": 0, "negatives": [3, 1]}, {"row": 1}, {"row": 3, "negatives": [2, 1, 0]}]
    folder = write_negatives(tmp_path / "N", dataset, {"c": [{"row": 0, "negatives": [1]}], "go": pairs})
    corpus = corpus_of(dataset, tmp_path, (*PAIRS, "prose-prose"))
    used = use_negatives(corpus, {"Q": folder}, wants_negatives=True, consistent_at=None)
    tables = {stream.name: stream.mined for stream in used.streams}
    assert {name for name, table in tables.items() if table is not None} == {
        f"Q/{language}/{kind}" for language in ("c", "go") for kind in ("title-answer", "question-answer")
    }
    assert tables["Q/go/title-answer"].tolist() == [
        [1, -1, -1],
        [-1, -1, -1],
        [5, 3, -1],
        [-1, -1, -1],
        [-1, -1, -1],
        [4, 3, 2],
    ]
    assert used.left_out == corpus.left_out
    assert [stream.rows.tolist() for stream in used.streams] == [stream.rows.tolist() for stream in corpus.streams]


def test_pairs_that_who_mined_does_not_find_are_left_out_and_counted(tmp_path: Path):
    dataset = two_languages(tmp_path / "Q")
    pairs = [{"row": 0, "rank": 3}, {"row": 1, "rank": 4}, {"row": 2, "rank": 0}]
    folder = write_negatives(tmp_path / "N", dataset, {"c": [{"row": 0, "rank": 0}], "go": pairs})
    corpus = corpus_of(dataset, tmp_path)
    used = use_negatives(corpus, {"Q": folder}, wants_negatives=False, consistent_at=3)
    assert {stream.name: stream.rows.tolist() for stream in used.streams} == {
        "Q/c/title-question": [0, 1],
        "Q/go/title-question": [2, 3, 4, 5],
        "Q/go/title-answer": [2],
        "Q/go/question-answer": [2],
    }
    assert all(stream.mined is None for stream in used.streams)
    assert used.left_out["title-answer"][NOT_CONSISTENT] == used.left_out["question-answer"][NOT_CONSISTENT] == 5
    assert NOT_CONSISTENT not in used.left_out["title-question"]


def test_what_a_folder_cannot_tell_is_one_sentence(tmp_path: Path):
    dataset = two_languages(tmp_path / "Q")
    corpus = corpus_of(dataset, tmp_path)
    partly = write_negatives(tmp_path / "partly", dataset, {"go": []})
    with pytest.raises(ArtifactError, match="must hold the languages that are trained on, but has no c"):
        use_negatives(corpus, {"Q": partly}, wants_negatives=True, consistent_at=None)
    shallow = write_negatives(tmp_path / "shallow", dataset, {"go": [], "c": []})
    with pytest.raises(ArtifactError, match="must tell ranks up to 21, but was mined with --depth 20"):
        use_negatives(corpus, {"Q": shallow}, wants_negatives=True, consistent_at=21)
    with pytest.raises(ArtifactError, match="the dataset Q must have a folder of negatives"):
        use_negatives(corpus, {}, wants_negatives=True, consistent_at=5)


def test_a_folder_belongs_to_the_dataset_it_was_mined_from(mined: Path, dataset: Path, tmp_path: Path):
    other = make_dataset(tmp_path / "other", {"go": questions_about(["list"], "go")})
    assert find_negatives([mined], [other, dataset]) == {dataset: mined}
    with pytest.raises(
        ArtifactError, match="must hold negatives of a dataset that is trained on, but was mined from Q"
    ):
        find_negatives([mined], [other])
    with pytest.raises(ArtifactError, match="must have one folder of negatives"):
        find_negatives([mined, mined], [dataset])
    with pytest.raises(ArtifactError, match="must be a procqa negatives, but it is a procqa dataset"):
        find_negatives([dataset], [dataset])


@pytest.mark.parametrize("towers", ["shared", "query-document", "modality"])
def test_training_takes_mined_negatives_with_any_towers(towers: str, mined: Path, dataset: Path, tmp_path: Path):
    config = tiny_config(steps=4, batch_size=8, towers=towers, negatives=2, hard_negatives=(str(mined),))
    summary = train([dataset], tmp_path / "model", config)
    assert summary.pairs_seen == 32
    manifest = load_manifest(tmp_path / "model")
    digest = load_manifest(mined).sha256
    assert (manifest.recipe["hard_negatives"], manifest.recipe["negatives"]) == ([digest], 2)
    assert [entry.sha256 for entry in manifest.inputs] == [load_manifest(dataset).sha256, digest]
    assert str(mined.parent) not in (tmp_path / "model/manifest.json").read_text()
    assert "2 further documents, mined where there are any" in (tmp_path / "model/README.md").read_text()
    assert {check.outcome for check in verify(tmp_path / "model", [dataset, mined])} == {"ok"}


def test_a_transformer_takes_further_documents_too(mined: Path, dataset: Path, tmp_path: Path):
    config = tiny_config(base="tiny", dimensions=64, layers=1, steps=2, batch_size=4, max_tokens=16, negatives=2)
    train([dataset], tmp_path / "random", config)
    train([dataset], tmp_path / "mined", replace(config, hard_negatives=(str(mined),), rows_at_once=3))
    assert [load_manifest(tmp_path / name).counts["pairs_seen"] for name in ("random", "mined")] == [8, 8]


def test_training_with_random_documents_sees_their_texts_and_counts_them(tmp_path: Path):
    rows = questions_about(["list", "file"], "python")
    dataset = make_dataset(tmp_path / "Q", {"python": rows})
    train([dataset], tmp_path / "alone", tiny_config(steps=1, batch_size=2))
    train([dataset], tmp_path / "more", tiny_config(steps=1, batch_size=2, negatives=4))
    counts = [load_manifest(tmp_path / name).counts for name in ("alone", "more")]
    assert [count["pairs_seen"] for count in counts] == [2, 2]
    assert counts[0]["rows_seen"] == 2 < counts[1]["rows_seen"] <= 10
    seen = set(load_seen(tmp_path / "more").tolist())
    n_texts = sum(set(text_hashes(row[2] or "").tolist()) <= seen for row in rows)
    assert n_texts == counts[1]["rows_seen"]
    assert "4 further documents, random" in (tmp_path / "more/README.md").read_text()


@pytest.mark.parametrize("changes", [{}, {"batches": "mixed"}, {"rows_at_once": 3}])
def test_a_killed_run_with_negatives_ends_like_one_that_was_not(
    changes: dict, mined: Path, dataset: Path, tmp_path: Path
):
    config = tiny_config(steps=12, batch_size=8, negatives=3, hard_negatives=(str(mined),), consistent_at=15, **changes)

    def kill(progress) -> None:
        if progress.step == 7:
            raise KeyboardInterrupt

    train([dataset], tmp_path / "whole", config)
    with pytest.raises(KeyboardInterrupt):
        train([dataset], tmp_path / "killed", config, report=kill, checkpoint_s=0)
    train([dataset], tmp_path / "killed", config)
    for file in ("model.safetensors", "seen.bin", "README.md"):
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "killed" / file).read_bytes()


def test_a_chunked_batch_with_further_documents_has_the_loss_of_the_whole(mined: Path, dataset: Path, tmp_path: Path):
    losses = []
    for name, rows_at_once in (("whole", None), ("chunked", 5)):
        config = tiny_config(
            steps=1, batch_size=8, negatives=3, hard_negatives=(str(mined),), rows_at_once=rows_at_once
        )
        losses.append(train([dataset], tmp_path / name, config).loss)
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_mined_negatives_make_the_first_loss_larger_than_random_ones(dataset: Path, tmp_path: Path):
    static = {"base": str(load_base(dataset, tmp_path)), "steps": 1, "batch_size": 8, "pairs": ("question-answer",)}
    folder = tmp_path / "N"
    mine(dataset, static["base"], folder, SMALL)
    random = train([dataset], tmp_path / "random", tiny_config(**static, negatives=3)).loss
    hard = train([dataset], tmp_path / "hard", tiny_config(**static, negatives=3, hard_negatives=(str(folder),))).loss
    alone = train([dataset], tmp_path / "alone", tiny_config(**static)).loss
    assert alone < random < hard


def load_base(dataset: Path, tmp_path: Path) -> Path:
    """An encoder that has learnt the dataset."""
    train([dataset], tmp_path / "base", tiny_config(steps=40))
    return tmp_path / "base"


def test_ranks_filter_what_is_trained_on(dataset: Path, tmp_path: Path):
    ranked = {
        language: [{"row": row, "rank": row % 3} for row in range(size)]
        for language, size in (("go", 45), ("python", 120))
    }
    folder = write_negatives(tmp_path / "N", dataset, ranked)
    summary = train([dataset], tmp_path / "model", tiny_config(steps=2, hard_negatives=(str(folder),), consistent_at=1))
    left_out = {pair_type: sum(reasons.values()) for pair_type, reasons in summary.left_out.items()}
    assert left_out == {"title-question": 0, "title-answer": 110, "question-answer": 110, "docstring-function": 0}
    assert summary.left_out["title-answer"][NOT_CONSISTENT] == 110
    assert summary.streams["Q/go/title-answer"]["pairs"] == 15


def test_a_folder_of_another_dataset_is_refused_before_anything_is_made(mined: Path, tmp_path: Path):
    other = make_dataset(tmp_path / "other", {"go": questions_about(["list"], "go")})
    with pytest.raises(ArtifactError, match="mine the dataset, or leave the folder out"):
        train([other], tmp_path / "model", tiny_config(negatives=2, hard_negatives=(str(mined),)))
    assert not (tmp_path / "model").exists()
