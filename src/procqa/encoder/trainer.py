"""The sentence-transformers trainer, fed with whole batches and told to keep to itself.

Differences from the library: a batch comes ready from our sampler, checkpoints are safetensors and JSON
instead of pickles, and no model card, hub or tracker is asked. A process has one device; of several processes each
takes its part of a batch, and we average their gradients ourselves. Imports torch and sentence-transformers: load it
lazily.
"""

import json
import math
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import safetensors
import safetensors.torch
import torch
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from transformers import PrinterCallback, ProgressCallback, TrainerCallback

from procqa.config import TrainConfig
from procqa.encoder.batches import Batches
from procqa.encoder.failures import is_out_of_memory
from procqa.encoder.log import Logged
from procqa.encoder.objective import Objective, RandomState
from procqa.encoder.ranks import ALONE, Ranks
from procqa.encoder.selection import BestWeights, copy_weights
from procqa.encoder.validation import Validation
from procqa.errors import ProcqaError
from procqa.files import sync_tree

OPTIMIZER_FILE = "optimizer.safetensors"
RANDOM_FILE = "random.safetensors"
COMPLETE_FILE = "complete"

Features = dict[str, Tensor]


class StepTrainer(SentenceTransformerTrainer):
    """Trains a model from a given step on.

    Args:
        model: ends with unit vectors.
        config: the recipe.
        batches: of the whole run.
        first_step: batches already trained on, those of the checkpoint.
        folder: where checkpoints go.
        ranks: this process among those that train.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        config: TrainConfig,
        *,
        batches: Batches,
        first_step: int,
        folder: Path,
        ranks: Ranks = ALONE,
    ) -> None:
        self._ranks = ranks
        self._batches = batches
        self._first_step = first_step
        self.objective: Objective = Objective(
            model,
            temperature=config.temperature,
            form=config.loss,
            margin=config.margin,
            dimensions=config.cut_sizes,
            rows_at_once=config.rows_at_once,
            towers=config.towers,
        )
        super().__init__(model=model, args=_arguments(config, folder, len(batches)), loss=self.objective)
        for callback in (PrinterCallback, ProgressCallback):
            self.remove_callback(callback)
        if not ranks.is_first:  # else all would drop out the same places of their texts
            torch.manual_seed(config.seed + ranks.rank)

    def create_accelerator_and_postprocess(self) -> None:
        """Keep the library from averaging gradients: a batch may take several backward passes."""
        super().create_accelerator_and_postprocess()
        self.accelerator.prepare_model = partial(self.accelerator.prepare_model, evaluation_mode=True)

    def training_step(self, model: torch.nn.Module, inputs: Features, num_items_in_batch: Any = None) -> Tensor:
        """The loss of a batch and the gradients of all processes; where memory is short, with fewer texts at a time."""
        before, masked = RandomState.of_now(), self.objective.masked
        while (loss := self._try_step(model, inputs, num_items_in_batch)) is None:
            self.objective.masked = masked
            model.zero_grad()
            before.restore()
            torch.cuda.empty_cache()
        self._ranks.average_gradients(model.parameters())
        return loss

    def _try_step(self, model: torch.nn.Module, inputs: Features, num_items_in_batch: Any) -> Tensor | None:
        """The loss of a batch, its gradients left in the weights; None where memory was short in any process."""
        try:
            with self._ranks.agreeing():
                loss: Tensor = super().training_step(model, inputs, num_items_in_batch)
                return loss
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or not self.objective.take_fewer_rows():
                raise
            return None

    def get_train_dataloader(self) -> DataLoader[Features]:
        """The batches that are still to be trained on, in order."""
        remaining = range(self._first_step, len(self._batches))
        # A sequence with numbered items is all the loader asks of a dataset.
        batches = cast("Dataset[Features]", self._batches)
        # A loader draws a seed when it starts; from the global generator that would move dropout after a resume.
        return DataLoader(batches, sampler=remaining, batch_size=None, collate_fn=_as_is, generator=torch.Generator())

    def get_data_collator(self, *_: Any, **__: Any) -> Any:
        """Nothing to collate: batches come ready, each side with its tower."""
        return _as_is

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Track nothing: the card is written from the manifest."""

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        assert output_dir is not None
        if self._ranks.is_first:
            self.model.save_pretrained(output_dir, create_model_card=False)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if not self._ranks.is_first:
            return
        assert self.optimizer is not None
        assert self.lr_scheduler is not None
        optimizer = self.optimizer.state_dict()
        tensors = {
            f"{index}.{key}": value for index, state in optimizer["state"].items() for key, value in state.items()
        }
        described = {
            "param_groups": optimizer["param_groups"],
            "scheduler": self.lr_scheduler.state_dict(),
            "rows_at_once": self.objective.rows_at_once,
        }
        safetensors.torch.save_file(tensors, Path(output_dir) / OPTIMIZER_FILE, {"json": json.dumps(described)})

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None or self.optimizer is None or self.lr_scheduler is None:
            return
        state: dict[int, dict[str, Tensor]] = {}
        with safetensors.safe_open(Path(checkpoint) / OPTIMIZER_FILE, framework="pt") as file:
            described = json.loads(file.metadata()["json"])
            for name in file.keys():  # noqa: SIM118  the file is no mapping
                index, key = name.split(".", 1)
                state.setdefault(int(index), {})[key] = file.get_tensor(name)
        self.optimizer.load_state_dict({"state": state, "param_groups": described["param_groups"]})
        self.lr_scheduler.load_state_dict(described["scheduler"])
        self.objective.rows_at_once = described["rows_at_once"]

    def _save_rng_state(self, output_dir: str) -> None:
        now = RandomState.of_now()
        states = {f"cpu.{rank}": state for rank, state in enumerate(self._ranks.gather_states(now.cpu))}
        if now.cuda is not None:
            states |= {f"cuda.{rank}": state for rank, state in enumerate(self._ranks.gather_states(now.cuda))}
        if self._ranks.is_first:
            safetensors.torch.save_file(states, Path(output_dir) / RANDOM_FILE)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        states = safetensors.torch.load_file(Path(checkpoint) / RANDOM_FILE)
        cpu, cuda = (states.get(f"{device}.{self._ranks.rank}") for device in ("cpu", "cuda"))
        if cpu is not None:  # else fewer processes took the checkpoint
            RandomState(cpu, cuda if torch.cuda.is_available() else None).restore()


def _as_is(features: Any) -> Any:
    return features


def _arguments(config: TrainConfig, folder: Path, steps: int) -> SentenceTransformerTrainingArguments:
    """The trainer's settings. Source: docs/paper.md#macp for optimiser and schedule."""
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=math.ceil(steps * config.warmup_ratio),
        weight_decay=0.0,
        bf16=config.precision == "bf16",
        use_cpu=not torch.cuda.is_available(),
        seed=config.seed,
        logging_steps=log_every(steps),
        logging_nan_inf_filter=False,
        save_strategy="no",
        save_total_limit=2,
        ignore_data_skip=True,
        dataloader_pin_memory=False,
        dataloader_drop_last=True,  # the library asks for it where there are several processes; we draw whole batches
        disable_tqdm=True,
        report_to="none",
    )
    # With several devices the trainer would split each batch, and with it the negatives.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


def log_every(steps: int) -> int:
    """Steps from one logged step to the next: about a hundred lines a run."""
    return max(1, steps // 100)


class LogAndCheckpoint(TrainerCallback):
    """Hands out each logged step, stops a run that diverges, and saves a checkpoint from time to time.

    Args:
        on_step: called with each logged step; None in a process that keeps no log.
        checkpoint_s: least seconds from one checkpoint to the next, by the clock of the first process.
        ranks: this process among those that train.
    """

    def __init__(self, on_step: Callable[[Logged], None] | None, checkpoint_s: float, ranks: Ranks = ALONE) -> None:
        self._ranks = ranks
        self._on_step = on_step
        self._checkpoint_s = checkpoint_s
        self._saved_at = time.monotonic()

    def on_log(self, args: Any, state: Any, control: Any, **facts: Any) -> None:  # noqa: ARG002  theirs
        """Pass a loss on, or refuse to go on where it is no number."""
        logs = facts.get("logs") or {}
        if "loss" not in logs:
            return
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise ProcqaError(
                f"the loss must stay a number, but it is {loss} at step {state.global_step}: lower --learning-rate"
            )
        if self._on_step is not None:
            self._on_step(Logged(step=state.global_step, loss=loss, learning_rate=float(logs["learning_rate"])))

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Log the last step; ask for a checkpoint after a logged one if enough time has passed."""
        if state.global_step == state.max_steps:
            control.should_log = True
        is_logged = state.global_step % args.logging_steps == 0 and state.global_step < state.max_steps
        if is_logged:
            is_due = self._ranks.is_first and time.monotonic() - self._saved_at >= self._checkpoint_s
            control.should_save = self._ranks.any(is_due)
        return control

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002  theirs
        """Mark the checkpoint as complete, once all of it is on the disk."""
        if self._ranks.is_first:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            sync_tree(folder)
            (folder / COMPLETE_FILE).touch()
        self._saved_at = time.monotonic()


class ValidateAndStop(TrainerCallback):
    """Scores the model from time to time, keeps its best weights, and stops a run that no longer gains.

    Args:
        best: the history and the weights of the best; None in every process but the first.
        score: of the model as it is; None in every process but the first.
        model: that is trained.
        every: steps from one validation to the next; the last step has one too.
        ranks: this process among those that train, which stop together.
        spent: told the seconds of each validation, which are none of training; None where nobody asks.
    """

    def __init__(
        self,
        best: BestWeights | None,
        score: Callable[[], Validation] | None,
        model: Any,
        *,
        every: int,
        ranks: Ranks = ALONE,
        spent: Callable[[float], None] | None = None,
    ) -> None:
        self._best, self._score, self._model, self._every, self._ranks = best, score, model, every, ranks
        self._spent = spent

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:  # noqa: ARG002  theirs
        """Validate after every so many steps, and after the last."""
        if state.global_step % self._every == 0 or state.global_step == state.max_steps:
            stops, started = False, time.monotonic()
            if self._best is not None and self._score is not None:
                value = self._score()["score"]
                stops = self._best.take(state.global_step, value, copy_weights(self._model))
            is_over = self._ranks.any(stops)
            if self._spent is not None:
                self._spent(time.monotonic() - started)
            if is_over:
                control.should_training_stop = control.should_log = True
        return control

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002  theirs
        """A checkpoint is complete: what older ones needed may go."""
        if self._best is not None:
            self._best.tidy()


def find_checkpoint(folder: Path) -> tuple[Path | None, int]:
    """The newest complete checkpoint of a folder and its step; None and 0 where there is none."""
    steps = [int(path.parent.name.removeprefix("checkpoint-")) for path in folder.glob(f"checkpoint-*/{COMPLETE_FILE}")]
    if not steps:
        return None, 0
    return folder / f"checkpoint-{max(steps)}", max(steps)


def clear_unfinished(folder: Path) -> None:
    """Remove the checkpoints of a folder that a kill or a full disk left unfinished."""
    for path in folder.glob("checkpoint-*"):
        if not (path / COMPLETE_FILE).is_file():
            shutil.rmtree(path, ignore_errors=True)
