"""Datasets → encoder folder: the training run, resumable, with its log, card and hashes of what it saw.

Rows are copied to a memory-mapped file, batches come from our sampler, steps are the
sentence-transformers trainer's. A run that was killed takes up its last checkpoint and ends with the
weights of the uninterrupted one. Source: docs/paper.md#macp.
"""

import importlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import safetensors

from procqa.artifact import (
    Input,
    Manifest,
    Workspace,
    digest_input,
    find_complete,
    load_manifest,
    refuse_overlap,
    workspace,
)
from procqa.config import TRAIN_PRESETS, TrainConfig
from procqa.encoder.bases import Base, find_base, load_base
from procqa.encoder.batches import Batches
from procqa.encoder.card import write_card
from procqa.encoder.features import open_features
from procqa.encoder.further import FurtherDocuments
from procqa.encoder.log import LOG_FILE, Progress, StepLog
from procqa.encoder.model import quiet, wrap_model
from procqa.encoder.negatives import find_negatives, use_negatives
from procqa.encoder.sampling import Sampler, has_negatives
from procqa.encoder.seen import SEEN_FILE, write_seen
from procqa.encoder.streams import Corpus, Stream, StreamConfig, Texts, dataset_names, write_texts
from procqa.encoder.torch_encoder import token_limit
from procqa.encoder.validation import Scorer, Validation
from procqa.errors import ArtifactError, ConfigError, MissingExtra

TEXTS_FILE = "texts.arrow"
CHUNK_ROWS = 1_024
TOO_SMALL = "the stream has no two pairs without a common text"

CHECKPOINT_S = 120.0
"""Least seconds between two checkpoints: what a kill costs at most. Source: ours, docs/training.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSummary:
    """What a run made; every value can be read again from the folder.

    Args:
        base_share: of the base's weights in those of the result.
        validation: the scores on held-out pairs; None where there were none.
        seconds: spent in training steps, over all attempts.
        loss: nats, mean since the last but one logged step; None where no step was taken.
        streams: pairs, batches and pairs seen of each stream.
        left_out: pairs that no batch can hold, by pair type and reason; with the pairs of the streams they are as
            many as the rows that the type is made of.
    """

    out: str
    sha256: str
    preset: str
    base: str
    steps: int
    pairs_seen: int
    base_share: float
    validation: Validation | None
    seconds: float
    loss: float | None
    streams: dict[str, dict[str, int]]
    left_out: dict[str, dict[str, int]]


def train(
    datasets: Sequence[Path],
    out: Path,
    config: TrainConfig,
    *,
    force: bool = False,
    scorer: Scorer | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    checkpoint_s: float = CHECKPOINT_S,
) -> TrainSummary:
    """Train an encoder on the train splits of some datasets; do nothing where it is there already.

    Args:
        datasets: dataset folders, at least one.
        out: the encoder folder to make.
        force: replace an ``out`` that another recipe made.
        scorer: scores the encoder on held-out pairs, which gives its weight beside words; None where there are none.
        report: called with each logged step.
        checkpoint_s: least seconds from one checkpoint to the next.

    Raises:
        ConfigError: the recipe chooses by validation, and there is no scorer.
        ArtifactError: a dataset or the base is missing or broken, there is nothing to train on, or ``out``
            cannot be written.
        MissingExtra: torch or sentence-transformers is not installed.
        ProcqaError: the loss is no longer a number.
    """
    if config.needs_validation and scorer is None:
        raise ConfigError(
            "validate_every and several shares of the base need a validation split: name a dataset with one"
        )
    mined = [Path(folder) for folder in config.hard_negatives]
    refuse_overlap(out, [*datasets, *mined])
    inputs = [dataset_input(folder) for folder in datasets]
    by_dataset = find_negatives(mined, datasets)
    inputs += [digest_input(folder) for folder in mined]
    _require_torch()
    base = find_base(config.base)
    recipe = {**_recipe(config, base, scorer), "hard_negatives": [load_manifest(folder).sha256 for folder in mined]}
    complete = find_complete(out, kind="encoder", recipe=recipe, inputs=inputs, force=force)
    if complete is None:
        with workspace(out, kind="encoder", recipe=recipe, inputs=inputs) as work:
            try:
                run = _Run(config, base, work, scorer, report, checkpoint_s, by_dataset)
                _run(run, datasets, recipe=recipe, inputs=inputs[: len(datasets)])
            except safetensors.SafetensorError as error:
                raise ArtifactError(f"{out} could not be written: {error}") from error
        complete = load_manifest(out, kind="encoder")
    return _summary(out, complete)


def dataset_input(folder: Path) -> Input:
    """A dataset as it stands in a manifest: its name and the digest of its data."""
    manifest = load_manifest(folder, kind="dataset")
    size = sum(entry["size"] for path, entry in manifest.files.items() if path.startswith("data/"))
    return Input(folder.resolve().name, size, manifest.sha256)


def _recipe(config: TrainConfig, base: Base, scorer: Scorer | None) -> dict[str, Any]:
    """The recipe as the manifest holds it: every setting, where the base comes from, what the preset does not say."""
    preset = TrainConfig(**{**TRAIN_PRESETS[config.preset], "preset": config.preset})
    names = [entry.name for entry in fields(config)]
    return {
        **asdict(config),
        "base": base.label,
        "base_sha256": base.sha256,
        "base_lineage": list(base.lineage),
        "validated_on": None if scorer is None else scorer.described,
        "preset_changes": [name for name in names if getattr(config, name) != getattr(preset, name)],
    }


def _require_torch() -> None:
    try:
        for package in ("torch", "accelerate", "sentence_transformers"):
            importlib.import_module(package)
    except ImportError as error:
        raise MissingExtra("train", "procqa train") from error


def _summary(out: Path, manifest: Manifest) -> TrainSummary:
    counts, recipe = manifest.counts, manifest.recipe
    try:
        lines = (out / LOG_FILE).read_text(encoding="utf-8").splitlines()
        last: dict[str, Any] = json.loads(lines[-1]) if lines else {"seconds": 0.0, "loss": None}
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{out / LOG_FILE} must hold the log of the training: train again with --force") from error
    return TrainSummary(
        out=str(out),
        sha256=manifest.sha256,
        preset=recipe["preset"],
        base=recipe["base"],
        steps=counts["steps"],
        pairs_seen=counts["pairs_seen"],
        base_share=counts["base_share"],
        validation=counts["validation"],
        seconds=last["seconds"],
        loss=last["loss"],
        streams=counts["streams"],
        left_out=counts["left_out"],
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """What does not change during a run."""

    config: TrainConfig
    base: Base
    work: Workspace
    scorer: Scorer | None
    report: Callable[[Progress], None]
    checkpoint_s: float
    mined: dict[Path, Path]


def _run(run: _Run, datasets: Sequence[Path], *, recipe: dict[str, Any], inputs: Sequence[Input]) -> None:
    """Fill the workspace."""
    work, config = run.work, run.config
    corpus = write_texts(datasets, work.scratch / TEXTS_FILE, stream_config(config))
    if run.mined:
        names = zip(dataset_names(datasets), datasets, strict=True)
        mined = {name: run.mined[folder] for name, folder in names if folder in run.mined}
        corpus = use_negatives(corpus, mined, wants_negatives=config.negatives > 0, consistent_at=config.consistent_at)
    streams, left_out = _usable(corpus)
    sampler = Sampler(
        streams,
        batch_size=config.batch_size,
        alpha=config.alpha,
        steps=config.steps,
        seed=config.seed,
        batches=config.batches,
    )
    with Texts(work.scratch / TEXTS_FILE) as texts, quiet():
        model = load_base(run.base, config, texts.read, work.scratch)
        _check_sizes(config, model)
        features = open_features(model, texts, work.scratch)
        cuts_modalities = config.towers == "modality"
        further = FurtherDocuments(streams, count=config.negatives, seed=config.seed) if config.negatives else None
        batches = Batches(streams, sampler, features, corpus.rows, cuts_modalities=cuts_modalities, further=further)
        steps, kept_base = _fit(run, model, batches) if config.steps else (0, 0.0)
        validation = None if run.scorer is None else run.scorer(wrap_model(model, name=run.base.label, revision=""))
        hashes = write_seen(_texts_seen(texts, batches), work.path / SEEN_FILE, work.scratch / "seen")
        model.save_pretrained(str(work.path), create_model_card=False)
    if config.steps:
        shutil.copyfile(work.scratch / LOG_FILE, work.path / LOG_FILE)
    else:
        (work.path / LOG_FILE).touch()
    counts = {
        "steps": steps,
        "base_share": kept_base,
        "validation": validation,
        "max_tokens": token_limit(model),
        "rows": corpus.rows,
        "rows_seen": int(batches.is_seen.sum()),
        "pairs_seen": batches.pairs.total(),
        "seen_hashes": hashes,
        "left_out": left_out,
        "streams": {stream.name: _stream_counts(stream, batches) for stream in streams},
    }
    write_card(work.path, recipe=recipe, inputs=inputs, counts=counts)
    for weights in work.path.rglob("*.safetensors"):
        # safetensors makes files that only their owner can read.
        weights.chmod((work.path / LOG_FILE).stat().st_mode)
    work.finish(counts, leave_out=(LOG_FILE,))


def _check_sizes(config: TrainConfig, model: Any) -> None:
    dimensions = int(model.get_embedding_dimension())
    if any(size >= dimensions for size in config.cut_sizes):
        raise ConfigError(
            f"a matryoshka size must be smaller than the {dimensions} dimensions of the encoder, got"
            f" {', '.join(config.matryoshka)}"
        )


def stream_config(config: TrainConfig) -> StreamConfig:
    """Which pairs a recipe trains on."""
    return StreamConfig(
        pairs=config.pairs,
        languages=config.languages or None,
        shared_rows=config.shared_rows,
        max_tokens=config.max_tokens,
        cuts_modalities=config.towers == "modality",
    )


def _usable(corpus: Corpus) -> tuple[list[Stream], dict[str, dict[str, int]]]:
    """The streams that can make a batch, and what was left out with those that cannot."""
    streams = [stream for stream in corpus.streams if has_negatives(stream)]
    if not streams:
        raise ArtifactError(
            f"the train splits must hold two pairs to tell apart, but their {corpus.rows} rows do not: add a dataset"
        )
    left_out = {pair_type: {**reasons, TOO_SMALL: 0} for pair_type, reasons in corpus.left_out.items()}
    for stream in corpus.streams:
        if stream not in streams:
            left_out[stream.pair_type][TOO_SMALL] += len(stream)
    return streams, left_out


def _stream_counts(stream: Stream, batches: Batches) -> dict[str, int]:
    name = stream.name
    return {"pairs": len(stream), "batches": batches.batches[name], "pairs_seen": batches.pairs[name]}


def _texts_seen(texts: Texts, batches: Batches) -> Iterator[str]:
    """Every text of the rows that were drawn."""
    rows = np.flatnonzero(batches.is_seen).astype(np.int32)
    for start in range(0, len(rows), CHUNK_ROWS):
        for view in range(len(texts.columns)):
            yield from texts.take(rows[start : start + CHUNK_ROWS], view)


def _fit(run: _Run, model: Any, batches: Batches) -> tuple[int, float]:
    """Train the model, from its last checkpoint if any; the steps taken, and the share of the base in the result."""
    from procqa.encoder.selection import BestWeights, copy_weights, keep_base
    from procqa.encoder.trainer import LogAndCheckpoint, StepTrainer, ValidateAndStop, find_checkpoint

    base = copy_weights(model) if run.config.keep_base else {}
    score = None if run.scorer is None else partial(run.scorer, wrap_model(model, name=run.base.label, revision=""))
    folder = run.work.scratch / "checkpoints"
    checkpoint, first_step = find_checkpoint(folder)
    for step in range(first_step):
        batches.draw(step)
    trainer = StepTrainer(model, run.config, batches=batches, first_step=first_step, folder=folder)
    log = StepLog(
        run.work.scratch / LOG_FILE,
        batches,
        first_step=first_step,
        report=run.report,
        take_masked=trainer.objective.take_masked,
    )
    trainer.add_callback(LogAndCheckpoint(log.write, run.checkpoint_s))
    best = None
    if run.config.validate_every is not None and score is not None:
        best = BestWeights(run.work.scratch / "best", patience=run.config.patience, first_step=first_step)
        trainer.add_callback(ValidateAndStop(best, score, model, every=run.config.validate_every))
    if best is not None and best.is_over:  # a kill came between its last checkpoint and its end
        steps = first_step
    else:
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        steps = int(trainer.state.global_step)
    model.to("cpu")
    if best is not None:
        model.load_state_dict(best.read())
    if steps < run.config.steps:
        batches.recount(steps)  # the loader is a batch ahead
    return steps, keep_base(model, base, run.config.base_shares, score) if run.config.keep_base else 0.0
