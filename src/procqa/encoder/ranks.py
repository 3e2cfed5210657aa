"""Several processes that train one encoder: who is which, what they tell each other, and who speaks when one fails.

torchrun and ``accelerate launch`` start the processes and number them by environment variables. The first prepares
and writes everything, the others read what it wrote. Source: ours, docs/decisions/0019.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any

from procqa.encoder.failures import is_out_of_memory
from procqa.errors import ConfigError, ProcqaError, ToldElsewhere

if TYPE_CHECKING:
    from torch import Tensor, nn

NEEDED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
"""What a launcher sets. Source: torch.distributed's initialisation by environment variables."""

WAIT = timedelta(days=1)
"""The longest that a process waits for the others: the first prepares the texts while they do. One that ends is
noticed at once. Source: ours, docs/decisions/0019."""

BUCKET_NUMBERS = 1 << 23
"""Gradients that are averaged at a time: 32 MB. Source: ours, docs/decisions/0019."""

LOST = (
    "every process of a run must go on, but one of them ended: its checkpoints are kept, so give the same command again"
)


@dataclass(frozen=True, slots=True)
class Ranks:
    """One of the processes of a run; one that is alone needs no torch for any of this."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process prepares, writes and speaks."""
        return self.rank == 0

    def any(self, here: bool) -> bool:
        """Whether it is so in any process."""
        if self.count == 1:
            return here
        import torch

        flag = torch.tensor([int(here)], dtype=torch.int32)
        torch.distributed.all_reduce(flag, torch.distributed.ReduceOp.MAX)
        return bool(flag)

    def share(self, text: str = "") -> str:
        """The text of the first process, in all of them; the others wait for it."""
        if self.count == 1:
            return text
        import torch

        data = torch.tensor(list(text.encode()), dtype=torch.uint8)
        size = torch.tensor([len(data)])
        torch.distributed.broadcast(size, 0)
        if not self.is_first:
            data = torch.empty(int(size), dtype=torch.uint8)
        torch.distributed.broadcast(data, 0)
        return bytes(data.tolist()).decode()

    def gather_states(self, state: "Tensor") -> "list[Tensor]":
        """The states of the random generators of all processes, in their order."""
        if self.count == 1:
            return [state]
        import torch

        states = [torch.empty_like(state) for _ in range(self.count)]
        torch.distributed.all_gather(states, state)
        return states

    def average_gradients(self, weights: "Iterable[nn.Parameter]") -> None:
        """Give every process the mean of the gradients; weights that have none in any keep none."""
        if self.count == 1:
            return
        import torch

        all_weights = [weight for weight in weights if weight.requires_grad]
        has_gradient = torch.tensor([weight.grad is not None for weight in all_weights], dtype=torch.int32)
        torch.distributed.all_reduce(has_gradient, torch.distributed.ReduceOp.MAX)
        gradients = []
        for weight, has in zip(all_weights, has_gradient.tolist(), strict=True):
            if has:
                weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
                gradients.append(weight.grad)
        for bucket in _buckets(gradients):
            flat = torch.cat([gradient.flatten() for gradient in bucket])
            torch.distributed.all_reduce(flat)
            flat /= self.count
            for gradient, mean in zip(bucket, torch.split(flat, [part.numel() for part in bucket]), strict=True):
                gradient.copy_(mean.view_as(gradient))

    @contextmanager
    def agreeing(self) -> Iterator[None]:
        """A block that ends in the same way in all processes: where one runs out of memory, all raise MemoryError.

        Raises:
            MemoryError: another process ran out of memory; the one that did raises its own error.
        """
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                self.any(True)
            raise
        if self.any(False):
            raise MemoryError("another process of the run has no memory left")


ALONE = Ranks()


def _buckets(gradients: "Iterable[Tensor]") -> "Iterator[list[Tensor]]":
    """Gradients of one type and device, about BUCKET_NUMBERS at a time."""
    bucket: list[Tensor] = []
    size = 0
    for gradient in gradients:
        if bucket and (size >= BUCKET_NUMBERS or gradient.dtype != bucket[0].dtype):
            yield bucket
            bucket, size = [], 0
        bucket.append(gradient)
        size += gradient.numel()
    if bucket:
        yield bucket


def current() -> Ranks:
    """This process among those that have joined; ALONE where none have."""
    import torch.distributed

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return Ranks(torch.distributed.get_rank(), torch.distributed.get_world_size())
    return ALONE


def is_launched(environment: Mapping[str, str]) -> bool:
    """Whether a launcher started this process together with others.

    Raises:
        ConfigError: it is one of several, but does not know which or where the others are.
    """
    count = environment.get("WORLD_SIZE", "1")
    missing = [name for name in NEEDED if name not in environment]
    if count != "1" and missing:
        raise ConfigError(
            f"one of {count} processes must know {', '.join(NEEDED)}, as torchrun sets them,"
            f" but {', '.join(missing)} is not set"
        )
    return not missing


def is_first(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process speaks for all of its run."""
    return environment.get("RANK", "0") == "0"


class Joined:
    """The processes of a run, joined in a ``with`` block, which gives this one among them.

    Where the block fails in any way, the first process to notice says so, and in the others it raises
    ToldElsewhere: a run says one sentence, however many processes it has.

    Raises:
        ConfigError: see ``is_launched``.
        ToldElsewhere: another process has said what failed.
        ProcqaError: another process ended.
    """

    def __init__(self) -> None:
        self._store: Any = None  # Any: torch's stores have no common type

    def __enter__(self) -> Ranks:
        """Join the others that the launcher started, if there are any."""
        if not is_launched(os.environ):
            return ALONE
        import torch
        from torch.distributed.rendezvous import rendezvous

        if current() != ALONE:  # joined by whoever calls us
            return current()
        has_gpu = torch.cuda.is_available()
        if has_gpu:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        self._store, rank, count = next(rendezvous("env://", timeout=WAIT))
        backend = "cpu:gloo,cuda:nccl" if has_gpu else "gloo"
        torch.distributed.init_process_group(
            backend,
            store=self._store,
            rank=rank,
            world_size=count,
            timeout=WAIT,
        )
        return Ranks(rank, count)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Leave the others; word what failed once for all."""
        if self._store is None:
            return
        import torch

        speaks = error is None or self._speaks_first()
        torch.distributed.destroy_process_group()
        if not speaks:
            raise ToldElsewhere("another process of this run has said what failed") from error
        if error is not None and _is_lost(error):
            raise ProcqaError(LOST) from error

    def _speaks_first(self) -> bool:
        """Whether no other process has said yet what failed."""
        try:
            return int(self._store.add("failures", 1)) == 1
        except RuntimeError:  # who keeps the numbers has ended
            return True


def _is_lost(error: BaseException) -> bool:
    """Whether an error says that another process ended."""
    import torch

    return isinstance(error, torch.distributed.DistError) or (
        isinstance(error, RuntimeError) and ("gloo" in str(error) or "Connection closed by peer" in str(error))
    )
