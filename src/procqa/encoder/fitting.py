"""The steps of a run: from its last checkpoint, with its log, its validations, and what stays of the base.

Imports torch through the trainer: load it lazily. Source: ours, docs/decisions/0019 and 0023.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from procqa.config import DEFAULT_PATIENCE, TrainConfig
from procqa.encoder.batches import Batches
from procqa.encoder.failures import CHECKPOINTS
from procqa.encoder.log import Progress, StepLog, cut_log
from procqa.encoder.model import wrap_model
from procqa.encoder.ranks import Ranks
from procqa.encoder.selection import BestWeights, copy_weights, keep_base
from procqa.encoder.trainer import LogAndCheckpoint, StepTrainer, ValidateAndStop, clear_unfinished, find_checkpoint
from procqa.encoder.validation import Scorer, Validation
from procqa.manifest import TRAINING_LOG

BEST = "best"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What a run of steps needs besides the model and its batches.

    Args:
        scratch: holds checkpoints, log and validations of a run that is taken up.
        scorer: scores the encoder; None in every process but the first, and where nothing is held out.
        ranks: this process among those that train.
        report: called with each logged step.
        checkpoint_s: least seconds from one checkpoint to the next.
    """

    config: TrainConfig
    scratch: Path
    scorer: Scorer | None
    ranks: Ranks
    report: Callable[[Progress], None]
    checkpoint_s: float


def fit(run: Fit, model: Any, batches: Batches) -> tuple[int, float]:  # Any: SentenceTransformer, which has no types
    """Train a model in place, from its last checkpoint where there is one.

    Returns:
        The steps taken, and the share of the base's weights in those of the result.
    """
    config, ranks, folder = run.config, run.ranks, run.scratch / CHECKPOINTS
    if ranks.is_first:
        clear_unfinished(folder)
    first_step = int(ranks.share(str(find_checkpoint(folder)[1])))
    for step in range(first_step):
        batches.draw(step)
    base = copy_weights(model) if config.keep_base and ranks.is_first else {}
    score = None if run.scorer is None else partial(score_model, run.scorer, model, config)
    best = None
    if config.validate_every is not None and ranks.is_first:
        best = BestWeights(run.scratch / BEST, patience=config.patience or DEFAULT_PATIENCE, first_step=first_step)
    if ranks.any(best is not None and best.is_over):  # a kill came between the last checkpoint and the end
        steps = first_step
        if ranks.is_first:
            batches.tokens_seen = cut_log(run.scratch / TRAINING_LOG, first_step)[1]
    else:
        trainer = StepTrainer(model, config, batches=batches, first_step=first_step, folder=folder, ranks=ranks)
        log = _open_log(run, trainer, batches, first_step) if ranks.is_first else None
        trainer.add_callback(LogAndCheckpoint(None if log is None else log.write, run.checkpoint_s, ranks))
        if config.validate_every is not None:
            leave_out = None if log is None else log.leave_out
            trainer.add_callback(
                ValidateAndStop(best, score, model, every=config.validate_every, ranks=ranks, spent=leave_out)
            )
        trainer.train(resume_from_checkpoint=str(folder / f"checkpoint-{first_step}") if first_step else None)
        steps = int(trainer.state.global_step)
    model.to("cpu")
    if best is not None:
        model.load_state_dict(best.read())
    return steps, keep_base(model, base, config.base_shares, score) if base else 0.0


def _open_log(run: Fit, trainer: StepTrainer, batches: Batches, first_step: int) -> StepLog:
    """The log of the first process."""
    objective = trainer.objective
    return StepLog(
        run.scratch / TRAINING_LOG,
        batches,
        first_step=first_step,
        report=run.report,
        take_masked=objective.take_masked,
        rows_at_once=lambda: objective.rows_at_once,
    )


def score_model(scorer: Scorer, model: Any, config: TrainConfig) -> Validation:
    """The scores of a model as it is, in the arithmetic that it is trained in."""
    return scorer(wrap_model(model, name=config.base, revision="", precision=config.precision))
