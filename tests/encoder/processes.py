"""Real processes that train, for tests that kill them, number them, or take their disk and memory away.

They are forked from one that has loaded the libraries already, which takes each of them seconds.
"""

import multiprocessing
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from procqa.config import TrainConfig
from procqa.encoder.log import Progress
from procqa.errors import ProcqaError, ToldElsewhere

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "tests.encoder.processes",
        "procqa.encoder.training",
        "procqa.encoder.trainer",
        "transformers.models.bert.modeling_bert",
        "matplotlib.backends.backend_agg",
        "matplotlib.figure",
    ]
)

PATIENCE_S = 120.0


def start(
    out: Path,
    dataset: Path,
    config: TrainConfig,
    *,
    step_s: float = 0.0,
    environment: dict[str, str] | None = None,
    largest_file: int | None = None,
    prepare: Callable[[], None] | None = None,
) -> BaseProcess:
    """A process that trains on one thread and takes a checkpoint at every step; its words go to a file beside ``out``.

    Args:
        step_s: seconds that each step is made to last.
        largest_file: bytes that a file may have once there is a first checkpoint.
        prepare: what the process does first.
    """
    arguments = (out, dataset, config, step_s, environment or {}, largest_file, prepare)
    process = CONTEXT.Process(target=_train, args=arguments)
    process.start()
    return process


def _train(
    out: Path,
    dataset: Path,
    config: TrainConfig,
    step_s: float,
    environment: dict[str, str],
    largest_file: int | None,
    prepare: Callable[[], None] | None,
) -> None:
    # A shell in the background has it ignored, and a fork server that a build started has it blocked.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.environ.update({"OMP_NUM_THREADS": "1", **environment})
    words = os.open(words_of(out, environment.get("RANK", "0")), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(words, 2)
    import torch

    from procqa.encoder.training import train

    torch.set_num_threads(1)
    if prepare is not None:
        prepare()

    def report(progress: Progress) -> None:
        time.sleep(step_s)
        if largest_file is not None and progress.step == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    try:
        train([dataset], out, config, report=report, checkpoint_s=0)
    except ToldElsewhere:
        sys.exit(1)
    except ProcqaError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def words_of(out: Path, rank: str = "0") -> Path:
    """Where the words of a process go."""
    return out.with_name(f"{out.name}.{rank}.words")


def start_ranks(out: Path, dataset: Path, config: TrainConfig, **options: object) -> list[BaseProcess]:
    """Two processes that train together, as a launcher would start them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return [
        start(out, dataset, config, environment={**shared, "RANK": rank, "LOCAL_RANK": rank}, **options)  # type: ignore[arg-type]
        for rank in ("0", "1")
    ]


def wait(*processes: BaseProcess) -> list[int | None]:
    """The exit status of each, None for one that does not end."""
    for process in processes:
        process.join(timeout=PATIENCE_S)
    statuses = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
    return statuses


def scratch_of(out: Path) -> Path:
    """Where an unfinished run keeps its files."""
    return out.parent / f".{out.name}.partial" / "scratch"


def wait_for_step(out: Path, process: BaseProcess, step: int) -> None:
    """Wait until a run has logged a step."""
    log = scratch_of(out) / "training.jsonl"
    patience = time.monotonic() + PATIENCE_S
    while time.monotonic() < patience and process.is_alive():
        if log.is_file() and log.read_bytes().count(b"\n") >= step:
            return
        time.sleep(0.001)
    raise AssertionError(f"step {step} was not reached: {words_of(out).read_text()}")
