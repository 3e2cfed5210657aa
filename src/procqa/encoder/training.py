"""Datasets → encoder folder: the training run, resumable, with its log, card and hashes of what it saw.

Rows are copied to a memory-mapped file, batches come from our sampler, steps are the
sentence-transformers trainer's. A run that was killed takes up its last checkpoint and ends with the
weights of the uninterrupted one. Of several processes the first does all this, and the others open what it made and
train along. Source: docs/paper.md#macp.
"""

import importlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from procqa.artifact import Workspace, digest_input, find_complete, find_unfinished, refuse_overlap, workspace
from procqa.config import TRAIN_PRESETS, TrainConfig
from procqa.encoder.bases import Base, find_base, load_base
from procqa.encoder.batches import Batches
from procqa.encoder.card import write_card
from procqa.encoder.curve import draw_curve
from procqa.encoder.failures import CHECKPOINTS, keeping_checkpoints
from procqa.encoder.features import Features, open_features
from procqa.encoder.further import FurtherDocuments
from procqa.encoder.handover import hand_over, take_over
from procqa.encoder.length import count_steps
from procqa.encoder.log import Progress
from procqa.encoder.model import quiet
from procqa.encoder.negatives import find_negatives, use_negatives
from procqa.encoder.ranks import Joined, Ranks, is_launched
from procqa.encoder.sampling import Sampler, has_negatives
from procqa.encoder.seen import SEEN_FILE, write_seen
from procqa.encoder.streams import Corpus, Stream, StreamConfig, Texts, dataset_names, write_texts
from procqa.encoder.summary import TrainSummary, read_summary
from procqa.encoder.torch_encoder import token_limit
from procqa.encoder.validation import Scorer, Validation
from procqa.errors import ArtifactError, ConfigError, MissingExtra
from procqa.manifest import TRAINING_CURVE, TRAINING_LOG, Input, as_json, load_manifest

TEXTS_FILE = "texts.arrow"
CHUNK_ROWS = 1_024
TOO_SMALL = "the stream has no two pairs without a common text"

CHECKPOINT_S = 120.0
"""Least seconds between two checkpoints: what a kill costs at most. Source: ours, docs/training.md."""


def train(
    datasets: Sequence[Path],
    out: Path,
    config: TrainConfig,
    *,
    force: bool = False,
    scorer: Scorer | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    checkpoint_s: float = CHECKPOINT_S,
    cache: Path | None = None,
) -> TrainSummary:
    """Train an encoder on the train splits of some datasets; do nothing where it is there already.

    Called in each of the processes that a launcher such as torchrun starts, they train one encoder together.

    Args:
        datasets: dataset folders, at least one.
        out: the encoder folder to make.
        force: replace an ``out`` that another recipe made.
        scorer: scores the encoder on held-out pairs, which gives its weight beside words; None where there are none.
        report: called with each logged step.
        checkpoint_s: least seconds from one checkpoint to the next.
        cache: a folder that keeps the token numbers of a static encoder, for other runs on the same texts; None keeps
            them for this run alone.

    Raises:
        ConfigError: the recipe chooses by validation, and there is no scorer.
        ArtifactError: a dataset or the base is missing or broken, there is nothing to train on, or ``out``
            cannot be written.
        MissingExtra: torch or sentence-transformers is not installed.
        ProcqaError: the loss is no longer a number, the memory is too small, or another process ended.
    """
    if is_launched(os.environ):
        _require_torch()
    with Joined() as ranks:
        run = _Run(config, scorer, ranks, report, checkpoint_s, cache)
        if ranks.is_first:
            _make(run, datasets, out, force=force)
        else:
            _follow(run, out)
        return read_summary(out, load_manifest(out, kind="encoder"))


def _make(run: "_Run", datasets: Sequence[Path], out: Path, *, force: bool) -> None:
    """What a process does that is alone or the first: the others are told what to open, or that nothing is to do."""
    config = run.config
    if config.needs_validation and run.scorer is None:
        raise ConfigError(
            "validate_every and several shares of the base need a validation split: name a dataset with one"
        )
    mined = [Path(folder) for folder in config.hard_negatives]
    refuse_overlap(out, [*datasets, *mined])
    inputs = [dataset_input(folder) for folder in datasets]
    by_dataset = find_negatives(mined, datasets)
    _require_torch()
    base = find_base(config.base)
    recipe = {**_recipe(run, base), "hard_negatives": [load_manifest(folder).sha256 for folder in mined]}
    all_inputs = [*inputs, *(digest_input(folder) for folder in mined)]
    origin: dict[str, Any] = {"kind": "encoder", "recipe": recipe, "inputs": all_inputs}
    if find_complete(out, **origin, force=force) is not None:
        run.ranks.share()
        return
    if not force:
        _refuse_other_work(out, origin)
    with workspace(out, **origin) as work, keeping_checkpoints(out, work.scratch / CHECKPOINTS, work):
        corpus = write_texts(datasets, work.scratch / TEXTS_FILE, stream_config(config))
        if by_dataset:
            names = zip(dataset_names(datasets), datasets, strict=True)
            of_name = {name: by_dataset[folder] for name, folder in names if folder in by_dataset}
            wants = config.negatives > 0
            corpus = use_negatives(corpus, of_name, wants_negatives=wants, consistent_at=config.consistent_at)
        _run(run, base, work, corpus, recipe=recipe, inputs=inputs)
        work.is_kept = True  # what is left to do is to put the folder in its place
    run.ranks.share()


def _refuse_other_work(out: Path, origin: dict[str, Any]) -> None:
    """Refuse to throw away the steps of another run."""
    from procqa.encoder.trainer import find_checkpoint

    scratch = find_unfinished(out, **origin)
    step = 0 if scratch is None else find_checkpoint(scratch / CHECKPOINTS)[1]
    if step:
        raise ArtifactError(
            f"{out} was begun from other inputs, by another recipe or version, and {step:,} steps of it are kept:"
            " give that command again to go on, another --out, or --force to begin anew"
        )


def dataset_input(folder: Path) -> Input:
    """A dataset as it stands in a manifest: its name and the digest of its data."""
    manifest = load_manifest(folder, kind="dataset")
    size = sum(entry["size"] for path, entry in manifest.files.items() if path.startswith("data/"))
    return Input(folder.resolve().name, size, manifest.sha256)


def _recipe(run: "_Run", base: Base) -> dict[str, Any]:
    """The recipe as the manifest holds it: every setting, where the base comes from, what the preset does not say."""
    config = run.config
    preset = TrainConfig(**{**TRAIN_PRESETS[config.preset], "preset": config.preset})
    names = [entry.name for entry in fields(config)]
    return {
        **asdict(config),
        "base": base.label,
        "base_sha256": base.sha256,
        "base_lineage": list(base.lineage),
        "validated_on": None if run.scorer is None else run.scorer.described,
        "preset_changes": [name for name in names if getattr(config, name) != getattr(preset, name)],
    }


def _require_torch() -> None:
    try:
        for package in ("torch", "accelerate", "sentence_transformers"):
            importlib.import_module(package)
    except ImportError as error:
        raise MissingExtra("train", "procqa train") from error


@dataclass(frozen=True, slots=True)
class _Run:
    """What does not change during a run."""

    config: TrainConfig
    scorer: Scorer | None
    ranks: Ranks
    report: Callable[[Progress], None]
    checkpoint_s: float
    cache: Path | None

    def validate(self, model: Any) -> Validation | None:
        """What the model scores, where something is held out."""
        from procqa.encoder.fitting import score_model

        return None if self.scorer is None else score_model(self.scorer, model, self.config)

    def fit(self, scratch: Path, model: Any, batches: Batches) -> tuple[int, float]:
        """Train the model; see ``fitting``."""
        from procqa.encoder.fitting import Fit, fit

        if not len(batches):
            return 0, 0.0
        return fit(
            Fit(
                config=self.config,
                scratch=scratch,
                scorer=self.scorer,
                ranks=self.ranks,
                report=self.report,
                checkpoint_s=self.checkpoint_s,
            ),
            model,
            batches,
        )


def _run(
    run: _Run,
    base: Base,
    work: Workspace,
    corpus: Corpus,
    *,
    recipe: dict[str, Any],
    inputs: Sequence[Input],
) -> None:
    """Fill the workspace."""
    config = run.config
    streams, left_out = usable_streams(corpus)
    with Texts(work.scratch / TEXTS_FILE) as texts, quiet():
        model = load_base(base, config, texts, work.scratch)
        _check_sizes(config, model)
        make = partial(_batches, run, streams, corpus.rows, open_features(model, texts, work.scratch, run.cache))
        batches = make(count_steps(config, sum(map(len, streams)), make))
        if run.ranks.count > 1:
            hand_over(work.scratch, streams, corpus.rows, model)
            told = {"scratch": str(work.scratch.resolve()), "config": asdict(config), "steps": len(batches)}
            run.ranks.share(json.dumps(told))
        steps, base_share = run.fit(work.scratch, model, batches)
        validation = run.validate(model)
        hashes = write_seen(_texts_seen(texts, batches), work.path / SEEN_FILE, work.scratch / "seen")
        model.save_pretrained(str(work.path), create_model_card=False)
    if steps:
        shutil.copyfile(work.scratch / TRAINING_LOG, work.path / TRAINING_LOG)
        draw_curve(work.path / TRAINING_CURVE, work.scratch / TRAINING_LOG)
    else:
        (work.path / TRAINING_LOG).touch()
    counts = {
        "steps": steps,
        "base_share": base_share,
        "validation": validation,
        "max_tokens": token_limit(model),
        "rows": corpus.rows,
        "rows_seen": int(batches.is_seen.sum()),
        "pairs_seen": batches.pairs.total(),
        "tokens_seen": batches.tokens_seen,
        "seen_hashes": hashes,
        "left_out": left_out,
        "streams": {stream.name: _stream_counts(stream, batches) for stream in streams},
    }
    write_card(work.path, recipe=recipe, inputs=inputs, counts=counts)
    for weights in work.path.rglob("*.safetensors"):
        # safetensors makes files that only their owner can read.
        weights.chmod((work.path / TRAINING_LOG).stat().st_mode)
    work.finish(counts)


def _follow(run: _Run, out: Path) -> None:
    """What every process but the first does: train along on what that one prepared, and wait for the folder.

    Raises:
        ConfigError: this process was given other settings.
    """
    told = run.ranks.share()
    if not told:
        return
    first = json.loads(told)
    if first["config"] != as_json(asdict(run.config)):
        raise ConfigError("every process of a run must be given the same settings: start all of them by one command")
    scratch = Path(first["scratch"])
    streams, rows, model = take_over(scratch, max_tokens=run.config.max_tokens)
    with keeping_checkpoints(out, scratch / CHECKPOINTS), Texts(scratch / TEXTS_FILE) as texts, quiet():
        batches = _batches(run, streams, rows, open_features(model, texts, scratch, run.cache), first["steps"])
        run.fit(scratch, model, batches)
    run.ranks.share()


def _batches(run: _Run, streams: Sequence[Stream], rows: int, features: Features, steps: int) -> Batches:
    """The batches of a run of some steps, of which this process reads its part."""
    config = run.config
    sampler = Sampler(
        streams,
        batch_size=config.batch_size,
        alpha=config.alpha,
        steps=steps,
        seed=config.seed,
        batches=config.batches,
    )
    cuts_modalities = config.towers == "modality"
    further = FurtherDocuments(streams, count=config.negatives, seed=config.seed) if config.negatives else None
    return Batches(streams, sampler, features, rows, cuts_modalities=cuts_modalities, further=further, ranks=run.ranks)


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


def usable_streams(corpus: Corpus) -> tuple[list[Stream], dict[str, dict[str, int]]]:
    """The streams that can make a batch, and what was left out with those that cannot.

    Raises:
        ArtifactError: no stream can.
    """
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
