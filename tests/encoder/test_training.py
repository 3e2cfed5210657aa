import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from procqa.chain import check_files
from procqa.encoder.log import Progress
from procqa.encoder.model import MINILM_SHA256, open_encoder
from procqa.encoder.seen import load_seen, text_hashes
from procqa.encoder.training import TOO_SMALL, train
from procqa.errors import ArtifactError, ConfigError, ProcqaError
from procqa.manifest import load_manifest
from tests.encoder.small import make_dataset, questions_about, tiny_config


def log_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]


def test_training_lowers_the_loss(static_folder: Path):
    losses = [line["loss"] for line in log_of(static_folder)]
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_a_trained_encoder_ranks_an_answer_first(static_folder: Path):
    encoder = open_encoder(str(static_folder))
    answers = ["Call `list_to_queue(x)` in python", "Call `regex_to_lock(x)` in python"]
    scores = encoder.encode_queries(["How do I turn a regex into a lock?"]) @ encoder.encode_documents(answers).T
    assert scores[0, 1] > scores[0, 0]


def test_the_log_tells_of_every_step(static_folder: Path):
    lines = log_of(static_folder)
    assert [line["step"] for line in lines] == list(range(1, 21))
    assert [line["pairs_seen"] for line in lines] == list(range(16, 321, 16))  # no batch is read before its step
    assert set(lines[0]) == {
        *("step", "loss", "learning_rate", "pairs_per_s", "pairs_seen", "tokens_seen", "seconds"),
        *("masked", "streams", "languages", "rows_at_once"),
    }
    assert all(sum(line["streams"].values()) == pytest.approx(1) for line in lines)
    rates = [line["learning_rate"] for line in lines]
    assert (rates[0], max(rates), rates[-1]) == (0, 0.02, pytest.approx(0.02 / 18))


def test_the_manifest_tells_data_recipe_and_counts(static_folder: Path, dataset: Path):
    manifest = load_manifest(static_folder, kind="encoder")
    assert [entry.sha256 for entry in manifest.inputs] == [load_manifest(dataset).sha256]
    changes = ["base", "steps", "batch_size", "learning_rate", "temperature", "dimensions", "vocabulary"]
    assert manifest.recipe == {
        **json.loads(json.dumps(dataclasses.asdict(tiny_config()))),
        "base_sha256": None,
        "base_lineage": [],
        "validated_on": None,
        "preset_changes": changes,
    }
    counts = manifest.counts
    assert (counts["steps"], counts["max_tokens"], counts["rows"], counts["pairs_seen"]) == (20, 128, 165, 320)
    assert counts["streams"].keys() == {
        f"Q/{language}/{kind}"
        for language in ("go", "python")
        for kind in ("title-question", "title-answer", "question-answer")
    }
    assert sum(stream["batches"] for stream in counts["streams"].values()) == 20
    assert {check.outcome for check in check_files(static_folder, manifest)} == {"ok"}


def test_pairs_and_those_left_out_add_up(tmp_path: Path):
    rows = [*questions_about(["list", "queue"], "python"), ("same", "SAME", "x y"), ("no body", "", "z")]
    dataset = make_dataset(tmp_path / "Q", {"python": rows, "lisp": [("one", "two", "three")]})
    summary = train([dataset], tmp_path / "model", tiny_config(steps=2))
    left_out = {
        (pair_type, reason): count
        for pair_type, reasons in summary.left_out.items()
        for reason, count in reasons.items()
        if count
    }
    assert left_out == {
        ("title-question", "a side is empty"): 1,
        ("question-answer", "a side is empty"): 1,
        ("title-question", "both sides are equal"): 1,
        ("title-question", TOO_SMALL): 1,
        ("title-answer", TOO_SMALL): 1,
        ("question-answer", TOO_SMALL): 1,
    }
    assert sum(stream["pairs"] for stream in summary.streams.values()) + 6 == 3 * (len(rows) + 1)


def test_a_large_batch_shrinks_to_its_stream(tmp_path: Path):
    dataset = make_dataset(tmp_path / "Q", {"python": questions_about(["list"], "python")})
    assert train([dataset], tmp_path / "model", tiny_config(steps=3, batch_size=999)).pairs_seen == 3 * 15


def test_the_hashes_are_those_of_the_texts_trained_on(tmp_path: Path):
    rows = questions_about(["list"], "python")
    dataset = make_dataset(tmp_path / "Q", {"python": rows})
    train([dataset], tmp_path / "model", tiny_config(steps=1, batch_size=999))
    expected = {value for row in rows for text in row for value in text_hashes(text or "").tolist()}
    assert set(load_seen(tmp_path / "model").tolist()) == expected


def test_the_same_command_again_does_nothing_and_says_the_same(tmp_path: Path, dataset: Path):
    out = tmp_path / "model"
    first = train([dataset], out, tiny_config(steps=3))
    written = (out / "model.safetensors").stat().st_mtime_ns
    reports: list[Progress] = []
    assert train([dataset], out, tiny_config(steps=3), report=reports.append) == first
    assert (out / "model.safetensors").stat().st_mtime_ns == written
    assert reports == []


def test_two_runs_give_the_same_weights(tmp_path: Path, dataset: Path, static_folder: Path):
    train([dataset], tmp_path / "model", tiny_config())
    for file in ("model.safetensors", "tokenizer.json", "seen.bin", "README.md"):
        assert (tmp_path / "model" / file).read_bytes() == (static_folder / file).read_bytes()


def test_another_recipe_needs_force(tmp_path: Path, dataset: Path):
    out = tmp_path / "model"
    train([dataset], out, tiny_config(steps=2))
    with pytest.raises(ArtifactError, match="another recipe"):
        train([dataset], out, tiny_config(steps=3))
    assert train([dataset], out, tiny_config(steps=3), force=True).steps == 3


@pytest.mark.parametrize("killed_at", [1, 7, 19])
def test_a_run_that_was_killed_ends_like_one_that_was_not(
    killed_at: int, tmp_path: Path, dataset: Path, static_folder: Path
):
    out = tmp_path / "model"

    def kill(progress: Progress) -> None:
        if progress.step == killed_at + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train([dataset], out, tiny_config(), report=kill, checkpoint_s=0)
    steps: list[int] = []
    summary = train([dataset], out, tiny_config(), report=lambda progress: steps.append(progress.step))
    assert steps == list(range(killed_at + 1, 21))
    assert summary.pairs_seen == 320
    assert (out / "model.safetensors").read_bytes() == (static_folder / "model.safetensors").read_bytes()
    assert (out / "seen.bin").read_bytes() == (static_folder / "seen.bin").read_bytes()
    names = ("step", "loss", "pairs_seen", "tokens_seen", "streams")
    told, expected = ([[line[name] for name in names] for line in log_of(folder)] for folder in (out, static_folder))
    assert told == expected
    assert summary.tokens_seen == load_manifest(static_folder).counts["tokens_seen"] > 0


def test_a_killed_run_of_a_base_with_dropout_ends_like_one_that_was_not(tmp_path: Path, dataset: Path):
    config = tiny_config(base="minilm", steps=5, batch_size=2, learning_rate=2e-4, max_tokens=8)

    def kill(progress: Progress) -> None:
        if progress.step == 4:
            raise KeyboardInterrupt

    train([dataset], tmp_path / "whole", config)
    with pytest.raises(KeyboardInterrupt):
        train([dataset], tmp_path / "killed", config, report=kill, checkpoint_s=0)
    steps: list[int] = []
    train([dataset], tmp_path / "killed", config, report=lambda progress: steps.append(progress.step))
    assert steps == [4, 5]
    whole, killed = (tmp_path / name / "model.safetensors" for name in ("whole", "killed"))
    assert whole.read_bytes() == killed.read_bytes()


def test_no_step_writes_the_base_untrained(tmp_path: Path, dataset: Path):
    summary = train([dataset], tmp_path / "model", tiny_config(steps=0))
    assert (summary.pairs_seen, summary.loss, summary.seconds) == (0, None, 0.0)
    assert open_encoder(str(tmp_path / "model")).dimensions == 16
    assert train([dataset], tmp_path / "model", tiny_config(steps=0)) == summary


def test_a_trained_encoder_is_a_base(tmp_path: Path, dataset: Path, static_folder: Path):
    summary = train([dataset], tmp_path / "model", tiny_config(base=str(static_folder), steps=2, learning_rate=1e-9))
    assert summary.base == "encoder"
    assert str(tmp_path) not in (tmp_path / "model" / "manifest.json").read_text()
    texts = ["list to queue", "socket"]
    np.testing.assert_allclose(
        open_encoder(str(tmp_path / "model")).encode_queries(texts),
        open_encoder(str(static_folder)).encode_queries(texts),
        atol=1e-4,
    )


def test_minilm_trains_and_its_card_states_the_caveat(tmp_path: Path, dataset: Path, capfd: pytest.CaptureFixture[str]):
    config = tiny_config(base="minilm", steps=2, batch_size=4, learning_rate=2e-4, temperature=0.01, precision="bf16")
    summary = train([dataset], tmp_path / "model", config)
    assert capfd.readouterr() == ("", "")
    model = SentenceTransformer(str(tmp_path / "model"), local_files_only=True)
    assert [type(module).__name__ for module in model] == ["Transformer", "Pooling", "Normalize"]
    assert (model.max_seq_length, model.dtype.itemsize, summary.pairs_seen) == (128, 4, 8)
    assert "code_search_net" in (tmp_path / "model" / "README.md").read_text()
    encoder = open_encoder(str(tmp_path / "model"), precision="fp32")
    np.testing.assert_allclose(encoder.encode_queries(["list"]), model.encode(["list"]), atol=1e-5)
    assert encoder.revision != open_encoder("minilm").revision
    again = tiny_config(base=str(tmp_path / "model"), steps=0)
    train([dataset], tmp_path / "again", again)
    assert load_manifest(tmp_path / "again").recipe["base_lineage"] == [MINILM_SHA256]
    assert "code_search_net" in (tmp_path / "again" / "README.md").read_text()


def test_a_tiny_transformer_trains_from_nothing_and_is_an_encoder(tmp_path: Path, dataset: Path):
    config = tiny_config(base="tiny", dimensions=64, layers=1, steps=30, learning_rate=1e-3, max_tokens=32)
    train([dataset], tmp_path / "model", config)
    lines = log_of(tmp_path / "model")
    assert lines[-1]["loss"] < lines[0]["loss"]
    manifest = load_manifest(tmp_path / "model")
    assert (manifest.recipe["base"], manifest.recipe["base_sha256"]) == ("tiny", None)
    encoder = open_encoder(str(tmp_path / "model"))
    assert (encoder.dimensions, encoder.max_tokens) == (64, 32)
    assert {check.outcome for check in check_files(tmp_path / "model", manifest)} == {"ok"}


def test_a_tiny_transformer_has_the_weights_of_its_seed_killed_or_not(tmp_path: Path, dataset: Path):
    config = tiny_config(base="tiny", dimensions=64, layers=1, steps=6, learning_rate=1e-3, max_tokens=16)
    train([dataset], tmp_path / "one", config)
    train([dataset], tmp_path / "other", config)

    def kill(progress: Progress) -> None:
        if progress.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train([dataset], tmp_path / "killed", config, report=kill, checkpoint_s=0)
    train([dataset], tmp_path / "killed", config)
    assert len({load_manifest(tmp_path / name).sha256 for name in ("one", "other", "killed")}) == 1


def test_a_matryoshka_size_is_smaller_than_the_vector(tmp_path: Path, dataset: Path):
    with pytest.raises(ConfigError, match="smaller than the 16 dimensions of the encoder, got 16, 8"):
        train([dataset], tmp_path / "model", tiny_config(matryoshka=("16", "8"), steps=1))
    assert not (tmp_path / "model").exists()


def test_a_loss_that_is_no_number_is_one_sentence_and_leaves_nothing(tmp_path: Path, dataset: Path):
    with pytest.raises(ProcqaError, match="the loss must stay a number"):
        train([dataset], tmp_path / "model", tiny_config(learning_rate=1e38))
    assert [path.name for path in tmp_path.iterdir()] == []


@pytest.mark.parametrize("name", ["learning_rate", "temperature"])
@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_number_that_makes_no_loss_is_refused_before_the_first_step(name: str, value: float):
    with pytest.raises(ConfigError, match=f"{name} must be finite, got {value}"):
        tiny_config(**{name: value})


def test_a_dataset_without_train_pairs_is_refused(tmp_path: Path):
    dataset = make_dataset(tmp_path / "Q", {"python": questions_about(["list"], "python")}, split="test")
    with pytest.raises(ArtifactError, match="two pairs to tell apart"):
        train([dataset], tmp_path / "model", tiny_config())
    assert not (tmp_path / "model").exists()


def test_a_missing_dataset_is_refused(tmp_path: Path):
    with pytest.raises(ArtifactError, match="no such folder"):
        train([tmp_path / "none"], tmp_path / "model", tiny_config())


def test_nothing_is_printed(dataset: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    train([dataset], tmp_path / "model", tiny_config(steps=2))
    assert capfd.readouterr() == ("", "")
