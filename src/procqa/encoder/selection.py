"""Which weights a run ends with: those of its best validation, and how much of the base stays in them.

Fine-tuning makes an encoder forget what its base knew; the mean of both sets of weights often knows both.
Source: Wortsman et al. 2022 (WiSE-FT); ours, docs/decisions/0023. Imports torch: load it lazily.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from procqa.encoder.validation import Validation
from procqa.files import sync_tree

HISTORY_FILE = "validations.jsonl"

Weights = dict[str, Tensor]


class BestWeights:
    """Keeps the weights of the best validation so far on disk, and counts those since.

    What a checkpoint needs is kept until a later one is complete, so that a run that is taken up has the history and
    the weights of the uninterrupted one.

    Args:
        folder: for history and weights; made where it is missing.
        patience: validations without a gain after which it is time to stop.
        first_step: of the checkpoint that the run goes on from; what came later is forgotten.
    """

    def __init__(self, folder: Path, *, patience: int, first_step: int) -> None:
        folder.mkdir(exist_ok=True)
        self._folder, self._patience = folder, patience
        path = folder / HISTORY_FILE
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
        # A kill may leave half a line, but never one before a complete checkpoint.
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= first_step]
        path.write_text("".join(kept), encoding="utf-8")
        self._history: list[tuple[int, float]] = [(entry["step"], entry["score"]) for entry in map(json.loads, kept)]

    @property
    def best_step(self) -> int:
        """The step of the best validation; of equal ones the first. -1 before any."""
        return max(self._history, key=lambda entry: (entry[1], -entry[0]), default=(-1, 0.0))[0]

    @property
    def is_over(self) -> bool:
        """Whether it is time to stop."""
        return sum(at > self.best_step for at, _ in self._history) >= self._patience

    def take(self, step: int, score: float, weights: Weights) -> bool:
        """Note the score of a step, keep its weights if it is the best; whether it is time to stop."""
        before = self.best_step
        self._history.append((step, score))
        if self.best_step != before:
            safetensors.torch.save_file({name: value.contiguous() for name, value in weights.items()}, self._path(step))
        with (self._folder / HISTORY_FILE).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"step": step, "score": score}) + "\n")
        sync_tree(self._folder)
        return self.is_over

    def tidy(self) -> None:
        """Remove the weights that no checkpoint needs any longer: call when one is complete."""
        for path in self._folder.glob("*.safetensors"):
            if path != self._path(self.best_step):
                path.unlink()

    def read(self) -> Weights:
        """The weights of the best validation."""
        return safetensors.torch.load_file(self._path(self.best_step))

    def _path(self, step: int) -> Path:
        return self._folder / f"best-{step}.safetensors"


def copy_weights(model: Any) -> Weights:
    """The weights of a model as they are now."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def mix_weights(trained: Weights, base: Weights, share: float) -> Weights:
    """(1 - share) × trained + share × base, number by number; what is no floating point stays as trained."""
    return {
        name: torch.lerp(value.float(), base[name].to(value.device).float(), share).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in trained.items()
    }


def keep_base(model: Any, base: Weights, shares: Sequence[float], score: Callable[[], Validation] | None) -> float:
    """Load the mix with the best of some shares of the base into a model; the share.

    Args:
        model: trained.
        base: its weights before.
        shares: in [0, 1]; of equally good ones the first.
        score: of the model as it is; None where there is but one share.
    """
    trained = copy_weights(model)
    best: tuple[float, float] | None = None
    for share in shares:
        model.load_state_dict(mix_weights(trained, base, share))
        if score is None or len(shares) == 1:
            return share
        value = score()["score"]
        if best is None or value > best[0]:
            best = value, share
    assert best is not None
    model.load_state_dict(mix_weights(trained, base, best[1]))
    return best[1]
