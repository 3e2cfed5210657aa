"""What the machine may do to a run, which is no fault of its recipe: no memory left, no room on the disk.

Such a run keeps its checkpoints. Source: ours, docs/decisions/0019.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import safetensors

from procqa.artifact import Workspace
from procqa.errors import ArtifactError, ProcqaError

MEMORY_SIGNS = ("DefaultCPUAllocator", "not enough memory", "can't allocate memory", "ALLOC_FAILED", "bad_alloc")
"""What torch writes into a plain RuntimeError when it gets no memory."""

CHECKPOINTS = "checkpoints"
"""The folder of a run's checkpoints, in its scratch folder."""

NO_MEMORY = (
    "there must be memory for one text at a time, and for the weights and their optimiser, but there is not:"
    " lower --batch-size or --max-tokens, or take a smaller base"
)

_RUST_SENTENCE = re.compile(r"I/O error: (.*) \(os error \d+\)")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is no memory left, on whatever device."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in MEMORY_SIGNS)


@contextmanager
def keeping_checkpoints(out: Path, checkpoints: Path, work: Workspace | None = None) -> Iterator[None]:
    """A block whose work is kept where the machine ends it after the first checkpoint.

    Args:
        out: what is made.
        checkpoints: the folder that they are in.
        work: what is kept; None in a process that does not write.

    Raises:
        ArtifactError: a file cannot be written.
        ProcqaError: there is not enough memory.
    """
    try:
        yield
    except (OSError, safetensors.SafetensorError) as error:
        raise ArtifactError(f"{out} could not be written: {_reason(error)}{_keep(checkpoints, work)}") from error
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise ProcqaError(f"{NO_MEMORY}{_keep(checkpoints, work)}") from error


def _keep(checkpoints: Path, work: Workspace | None) -> str:
    """Keep what a run has done, and what to say of it."""
    from procqa.encoder.trainer import clear_unfinished, find_checkpoint

    _, step = find_checkpoint(checkpoints)
    if not step:
        return ""
    if work is not None:
        clear_unfinished(checkpoints)
        work.is_kept = True
    return f"; the same command goes on from step {step:,}"


def _reason(error: Exception) -> str:
    """What a system or a library written in Rust says of a file that it could not write."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    match = _RUST_SENTENCE.search(str(error))
    return match[1] if match else str(error)
