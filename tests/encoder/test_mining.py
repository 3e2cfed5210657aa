import dataclasses
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from procqa.config import MineConfig
from procqa.dataset.schema import read_rows
from procqa.encoder import mining
from procqa.encoder.candidates import REASONS
from procqa.encoder.mining import A_SIDE_IS_BLANK, mine
from procqa.encoder.model import open_encoder
from procqa.encoder.negatives import SCHEMA
from procqa.errors import ArtifactError
from procqa.manifest import load_manifest
from tests.encoder.small import make_dataset, questions_about

SMALL = MineConfig(negatives=3, depth=20)


def pairs_of(folder: Path, language: str = "python") -> list[dict]:
    return pq.read_table(folder / f"data/{language}.parquet").to_pylist()


@pytest.fixture(scope="module")
def mined(dataset: Path, static_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three negatives of each pair of the small dataset."""
    out = tmp_path_factory.mktemp("mined") / "N"
    mine(dataset, str(static_folder), out, SMALL)
    return out


def test_negatives_and_ranks_are_those_of_every_cosine(mined: Path, dataset: Path, static_folder: Path):
    encoder = open_encoder(str(static_folder))
    rows = list(read_rows(dataset, language="python", split="train"))
    documents = encoder.encode_documents([row["answer"] for row in rows]).astype(float)
    queries = encoder.encode_queries([f"{row['title']}\n{row['question']}" for row in rows]).astype(float)
    scores = (queries @ documents.T).round(6)
    pairs = pairs_of(mined)
    assert [pair["row"] for pair in pairs] == list(range(120))
    for pair in pairs:
        of_pair = scores[pair["row"]]
        own = of_pair[pair["row"]]
        assert pair["score"] == pytest.approx(own, abs=1e-6)
        # The answers of the small dataset have the same words in another order: what ties is as good as any.
        assert pair["rank"] in (
            0,
            *range(1 + int((of_pair > own + 1e-6).sum()), 1 + int((of_pair >= own - 1e-6).sum())),
        )
        below = np.sort(of_pair[of_pair < 0.95 * own])[::-1]
        found = [negative["score"] for negative in pair["negatives"]]
        np.testing.assert_allclose(found, below[: len(found)], atol=1e-6)
        for negative in pair["negatives"]:
            assert of_pair[negative["row"]] == pytest.approx(negative["score"], abs=1e-6)
            row = rows[negative["row"]]
            assert (negative["site"], negative["answer_id"]) == (row["site"], row["answer_id"])


def test_the_manifest_tells_dataset_teacher_and_counts(mined: Path, dataset: Path, static_folder: Path):
    manifest = load_manifest(mined, kind="negatives")
    assert [entry.sha256 for entry in manifest.inputs] == [load_manifest(dataset).sha256]
    assert (manifest.recipe["teacher"], manifest.recipe["query"]) == ("encoder", "title+question")
    assert manifest.recipe["teacher_sha256"] == open_encoder(str(static_folder)).revision
    assert manifest.recipe["teacher_arithmetic"] == "numpy fp32"
    assert str(static_folder.parent) not in (mined / "manifest.json").read_text()
    counts = manifest.counts
    assert (counts["rows"], counts["pairs"], counts["teacher_tokens"]) == (165, 165, 128)
    assert {name: each["pairs"] for name, each in counts["languages"].items()} == {"go": 45, "python": 120}
    every = [pair for language in ("go", "python") for pair in pairs_of(mined, language)]
    assert counts["negatives"] == sum(len(pair["negatives"]) for pair in every)
    assert counts["short"] == sum(len(pair["negatives"]) < 3 for pair in every)
    assert counts["consistent"] == {str(cut): sum(1 <= pair["rank"] <= cut for pair in every) for cut in (1, 10, 20)}
    assert pq.read_schema(mined / "data/go.parquet") == SCHEMA
    assert "| python | 120 |" in (mined / "README.md").read_text()


HELD_OUT = ("Sort a list", "How do I sort a list?", "Call sort on the list")
TRAIN = [
    ("Sort a list in place", "How do I sort a list?", "Call sort on a list"),
    ("Open a file", "How do I open a file?", "Call open on the file"),
    ("Read a file", "How do I read a file?", "Call read on the file"),
    ("Lock a thread", "How do I lock a thread?", "Call lock on the thread"),
]


def test_a_test_answer_that_would_be_the_nearest_is_in_no_pool(static_folder: Path, tmp_path: Path):
    config = MineConfig(negatives=4, depth=5, share=1.0)
    everything = make_dataset(tmp_path / "everything", {"python": [*TRAIN, HELD_OUT]})
    mine(everything, str(static_folder), tmp_path / "leaky", config)
    assert any(negative["row"] == 4 for pair in pairs_of(tmp_path / "leaky") for negative in pair["negatives"])
    apart = make_dataset(tmp_path / "apart", {"python": TRAIN}, others={"test": {"python": [HELD_OUT]}})
    summary = mine(apart, str(static_folder), tmp_path / "N", config)
    test_ids = {row["answer_id"] for row in read_rows(apart, split="test")}
    found = {negative["answer_id"] for pair in pairs_of(tmp_path / "N") for negative in pair["negatives"]}
    assert found
    assert found.isdisjoint(test_ids)
    assert (summary.held_out["documents"], summary.held_out["splits"]) == (1, ["validation", "test"])


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_train_answer_with_the_text_of_a_held_out_one_is_no_negative(split: str, static_folder: Path, tmp_path: Path):
    copy = ("Sort", "How do I sort it?", "call SORT, on the list!")
    dataset = make_dataset(
        tmp_path / "Q", {"python": [*TRAIN, copy]}, others={split: {"python": [HELD_OUT], "c": [HELD_OUT]}}
    )
    summary = mine(dataset, str(static_folder), tmp_path / "N", MineConfig(negatives=4, depth=5, share=1.0))
    assert all(negative["row"] != 4 for pair in pairs_of(tmp_path / "N") for negative in pair["negatives"])
    assert summary.excluded["the text of a validation or test answer"] > 0
    assert summary.languages["python"]["held_out_rows"] == 1
    assert len(pairs_of(tmp_path / "N")) == 5  # it is still a pair of its own


def test_a_cluster_and_a_thread_bring_no_negatives_of_each_other(static_folder: Path, tmp_path: Path):
    rows = questions_about(["list"], "python")
    dataset = make_dataset(tmp_path / "Q", {"python": rows}, clusters={"python": [n // 5 for n in range(15)]})
    summary = mine(dataset, str(static_folder), tmp_path / "N", MineConfig(negatives=10, depth=15, share=1.0))
    pairs = pairs_of(tmp_path / "N")
    assert sum(len(pair["negatives"]) for pair in pairs) > 0
    for pair in pairs:
        assert all(negative["row"] // 5 != pair["row"] // 5 for negative in pair["negatives"])
    assert summary.excluded[REASONS[2]] > 0


def test_functions_are_asked_by_their_docstring(static_folder: Path, tmp_path: Path):
    rows = [(f"f{number}", f"Sorts {word}", f"sort({word})") for number, word in enumerate(("list", "file", "lock"))]
    dataset = make_dataset(tmp_path / "F", {"go": rows}, kind="functions")
    mine(dataset, str(static_folder), tmp_path / "N", SMALL)
    assert load_manifest(tmp_path / "N").recipe["query"] == "question"


def test_a_blank_side_is_no_pair_and_no_negative(static_folder: Path, tmp_path: Path):
    rows = [*questions_about(["list"], "go"), ("title", "question", " \n"), ("", None, "an answer")]
    dataset = make_dataset(tmp_path / "Q", {"go": rows})
    summary = mine(dataset, str(static_folder), tmp_path / "N", MineConfig(negatives=14, depth=17))
    assert (summary.pairs, summary.left_out) == (15, {A_SIDE_IS_BLANK: 2})
    assert all(negative["row"] != 15 for pair in pairs_of(tmp_path / "N", "go") for negative in pair["negatives"])


def test_the_same_command_again_does_nothing_and_says_the_same(dataset: Path, static_folder: Path, tmp_path: Path):
    first = mine(dataset, str(static_folder), tmp_path / "N", SMALL)
    written = (tmp_path / "N/manifest.json").stat().st_mtime_ns
    reports: list[str] = []
    again = mine(dataset, str(static_folder), tmp_path / "N", SMALL, report=lambda stage, _: reports.append(stage))
    assert (again, reports) == (first, [])
    assert (tmp_path / "N/manifest.json").stat().st_mtime_ns == written
    with pytest.raises(ArtifactError, match="another recipe"):
        mine(dataset, str(static_folder), tmp_path / "N", dataclasses.replace(SMALL, negatives=2))


def test_a_run_that_is_killed_anywhere_goes_on_and_ends_alike(
    dataset: Path, static_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(mining, "PAIRS_AT_ONCE", 50)
    mine(dataset, str(static_folder), tmp_path / "whole", SMALL)
    reports: list[tuple[str, int]] = []

    def kill(stage: str, done: int) -> None:
        if (stage, done) not in reports:
            reports.append((stage, done))
            raise KeyboardInterrupt

    for _ in range(100):
        try:
            mine(dataset, str(static_folder), tmp_path / "N", SMALL, report=kill)
            break
        except KeyboardInterrupt:
            continue
    ranked = [done for stage, done in reports if stage.startswith("python: ranking")]
    assert ranked == [50, 100, 120]
    for name in ("manifest.json", "README.md", "data/go.parquet", "data/python.parquet"):
        assert (tmp_path / "N" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["N", "N.log.jsonl", "whole", "whole.log.jsonl"]


def test_a_cache_of_vectors_outlives_the_run_and_changes_nothing(
    mined: Path, dataset: Path, static_folder: Path, tmp_path: Path
):
    cache = tmp_path / "cache"
    mine(dataset, str(static_folder), tmp_path / "one", SMALL, cache=cache)
    sizes = {path: path.stat().st_size for path in cache.rglob("*.digests")}
    assert sum(sizes.values()) // 16 == 165 + 165
    mine(dataset, str(static_folder), tmp_path / "two", dataclasses.replace(SMALL, share=0.9), cache=cache)
    assert {path: path.stat().st_size for path in cache.rglob("*.digests")} == sizes
    assert load_manifest(tmp_path / "one").sha256 == load_manifest(mined).sha256


def test_languages_are_chosen_by_name(dataset: Path, static_folder: Path, tmp_path: Path):
    config = dataclasses.replace(SMALL, languages=("go",))
    assert list(mine(dataset, str(static_folder), tmp_path / "N", config).languages) == ["go"]
    with pytest.raises(ArtifactError, match="has none of c, lisp: it has go, python"):
        mine(dataset, str(static_folder), tmp_path / "M", dataclasses.replace(SMALL, languages=("lisp", "go", "c")))


def test_what_cannot_be_mined_is_one_sentence(dataset: Path, static_folder: Path, tmp_path: Path):
    tested = make_dataset(tmp_path / "Q", {"go": TRAIN}, split="test")
    with pytest.raises(ArtifactError, match="must have a train split to mine, but it has none"):
        mine(tested, str(static_folder), tmp_path / "N", SMALL)
    with pytest.raises(ArtifactError, match="there is no such folder"):
        mine(dataset, "./none", tmp_path / "N", SMALL)
    with pytest.raises(ArtifactError, match="must be a procqa dataset, but it is a procqa encoder"):
        mine(static_folder, str(static_folder), tmp_path / "N", SMALL)
    with pytest.raises(ArtifactError, match="must lie apart from its inputs"):
        mine(dataset, str(static_folder), dataset / "N", SMALL)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Q", "Q.log.jsonl"]


def test_nothing_is_printed_and_the_manifest_is_json(
    dataset: Path, static_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    summary = mine(dataset, str(static_folder), tmp_path / "N", SMALL)
    assert capfd.readouterr() == ("", "")
    assert json.loads(json.dumps(dataclasses.asdict(summary))) == dataclasses.asdict(summary)
