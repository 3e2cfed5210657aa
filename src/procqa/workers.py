"""Runs pure tasks inline, in processes, or on Ray: the only file that knows an executor.

A task is a picklable function of one picklable item; results come back in the order of the items, so
the executor never changes a result. At most ``2 * jobs`` items are in flight, which bounds memory.
"""

import ctypes
import gc
import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, redirect_stdout, suppress
from multiprocessing import forkserver, get_context, parent_process, resource_tracker
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from procqa.config import RunConfig
from procqa.errors import MissingExtra, ProcqaError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """Somewhere to run tasks; remembers the peak memory of every process that worked.

    Args:
        submit: starts a task and returns a function that waits for its result.
        jobs: tasks that run at once.
        are_here: whether they are processes of this machine, which see its files and to which data must be sent.
    """

    def __init__(self, submit: Callable[..., Callable[[], Any]], jobs: int, *, are_here: bool = False) -> None:
        self.jobs = jobs
        self.are_here = are_here
        self._submit = submit
        self._peaks: dict[int, int] = {}
        self._cpu_s: dict[int, float] = {}

    def run(self, task: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """The results of a task over items, lazily and in the order of the items."""
        waiting: deque[Callable[[], Any]] = deque()
        for item in items:
            waiting.append(self._submit(_measured, task, item))
            while len(waiting) >= 2 * self.jobs:
                yield self._collect(waiting.popleft())
        while waiting:
            yield self._collect(waiting.popleft())

    def _collect(self, wait: Callable[[], Any]) -> Any:  # Any: the task's result
        process, peak_bytes, cpu_s, result = wait()
        self._peaks[process] = max(peak_bytes, self._peaks.get(process, 0))
        self._cpu_s[process] = max(cpu_s, self._cpu_s.get(process, 0.0))
        return result

    @property
    def cpu_seconds(self) -> float:
        """Processor time of this process and of its workers up to their last task, since each started."""
        return sum({**self._cpu_s, os.getpid(): time.process_time()}.values())

    @property
    def peak_memory_bytes(self) -> int:
        """Peak resident bytes of this process and its workers together; a program that unpacks a 7z counts not."""
        peaks = {**self._peaks, os.getpid(): peak_memory_bytes()}
        return sum(peaks.values())


def peak_memory_bytes() -> int:
    """The peak resident bytes of this process since it started."""
    # The kernel's other count, ru_maxrss, begins with the peak of the process that started this one.
    with suppress(OSError), Path("/proc/self/status").open("rb") as status:
        for line in status:
            if line.startswith(b"VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _measured(task: Callable[[Item], Result], item: Item) -> tuple[int, int, float, Result]:
    result = task(item)
    return os.getpid(), peak_memory_bytes(), time.process_time(), result


def _call(call: Callable[..., Result], task: Callable[..., Any], item: Any) -> Result:
    return call(task, item)


def _executor(config: RunConfig) -> str:
    if config.executor == "auto":
        return "inline" if config.n_jobs == 1 else "process"
    return config.executor


def start_early(config: RunConfig, preload: str) -> None:
    """Start what takes a while before there is work: where workers are processes, the server that forks them.

    Args:
        preload: a module that it imports once for all of them, in place of what a program that imports procqa may
            have asked its own server to import.
    """
    if _executor(config) == "process":
        # Workers inherit it; it is chosen when Arrow is imported.
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        multiprocessing.set_forkserver_preload([preload])
        # Until it has imported all, the server would print a traceback on Ctrl-C; it inherits the mask. The tracker
        # of resources, which starts with it, lifts any mask of ours, so it goes first.
        resource_tracker.ensure_running()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def open_workers(config: RunConfig) -> Iterator[Workers]:
    """Workers as the config asks: inline for one job, else processes, or a Ray cluster.

    Raises:
        MissingExtra: Ray is asked for and not installed.
        ProcqaError: a worker died, which mostly means that memory ran out.
    """
    jobs, executor = config.n_jobs, _executor(config)
    if executor == "inline":
        yield Workers(lambda call, task, item: _later(call(task, item)), 1)
    elif executor == "process":
        with _process_workers(jobs) as workers:
            yield workers
    else:
        # Ray tells on standard output what became of its nodes, which is the place of data.
        with redirect_stdout(sys.stderr), _ray_workers(jobs) as workers:
            yield workers


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # as malloc.h has them
_KEPT_BYTES = 32 << 20
_NEW_OBJECTS = 50_000


def prepare_process() -> None:
    """Set a process up to work on one large block after the other; call it before Arrow is imported.

    The C library gives large arrays back to the system and asks for new ones, whose pages cost a tenth of a
    build: here it keeps them. Arrow's own pool would keep what a stage has used for good, 50 MB a worker, so it
    takes the library's. Python looks for cycles less often: there are a million small objects and no cycle.
    Source: ours, docs/decisions/0003.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    gc.set_threshold(_NEW_OBJECTS, 20, 100)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # of glibc alone
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, 2 * _KEPT_BYTES)


def release_memory() -> None:
    """Give back what the C library keeps of freed arrays, where work of another kind begins."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
    if trim is not None:
        trim(0)


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, which can tidy up, and end when it is gone: a kill leaves no orphan."""
    prepare_process()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _later(result: Result) -> Callable[[], Result]:
    return lambda: result


MOST_TRIES = 3
"""How often a task is tried whose worker dies. Source: ours, docs/decisions/0003."""


@contextmanager
def _interrupt_afterwards() -> Iterator[None]:
    """Let Ctrl-C wait while workers start: one that nobody waits for finds its locks gone, and tells so at length."""
    if threading.current_thread() is not threading.main_thread():  # signals reach the main thread alone
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came and callable(before):
        before(*came[0])


class _Pool:
    """Worker processes; where one dies all are started anew, and what they had not finished is done again."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        # A fork server starts workers without the threads and memory this process has by then.
        return ProcessPoolExecutor(self._jobs, mp_context=get_context("forkserver"), initializer=_start_worker)

    def submit(self, *call: Any) -> Callable[[], Any]:
        """Start a call; the function that is returned waits for its result."""
        pool, future = self._submit(call)

        def wait() -> Any:
            nonlocal pool, future
            for _ in range(MOST_TRIES - 1):
                try:
                    return future.result()
                except BrokenProcessPool:
                    self._replace(pool)
                    pool, future = self._submit(call)
            return future.result()

        return wait

    def _submit(self, call: tuple[Any, ...]) -> tuple[ProcessPoolExecutor, Future[Any]]:
        with _interrupt_afterwards():
            try:
                return self._pool, self._pool.submit(*call)
            except BrokenProcessPool:
                self._replace(self._pool)
                return self._pool, self._pool.submit(*call)

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        if self._pool is broken:
            broken.shutdown(wait=True, cancel_futures=True)
            self._pool = self._start()

    def close(self) -> None:
        """End all workers."""
        self._pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _process_workers(jobs: int) -> Iterator[Workers]:
    pool = _Pool(jobs)
    try:
        yield Workers(pool.submit, jobs, are_here=True)
    except (BrokenProcessPool, EOFError, ConnectionError) as error:  # the last two of a server that is gone
        raise ProcqaError("a worker process died, mostly for want of memory: lower --jobs or --memory") from error
    finally:
        pool.close()


def _require_cluster(address: str) -> None:
    """Refuse an address at which nobody answers: Ray itself would try for minutes.

    Raises:
        ProcqaError: nobody answers there.
    """
    host, colon, port = address.rpartition(":")
    if not colon or "/" in address or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except OSError as error:
        raise ProcqaError(f"RAY_ADDRESS must name a Ray cluster, but nobody answers at {address}: {error}") from error


@contextmanager
def _ray_workers(jobs: int) -> Iterator[Workers]:
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("ray", "--executor ray") from error
    _require_cluster(os.environ.get("RAY_ADDRESS", ""))
    started_here = not ray.is_initialized()
    if started_here:
        # Ray itself reads RAY_ADDRESS and starts a local cluster where it is not set.
        ray.init(num_cpus=None if "RAY_ADDRESS" in os.environ else jobs, log_to_driver=False, include_dashboard=False)
    remote: Any = ray.remote(_call)  # Any: Ray is untyped

    def submit(call: Callable[..., Any], task: Callable[..., Any], item: Any) -> Callable[[], Any]:
        reference = remote.remote(call, task, item)
        return lambda: ray.get(reference)

    try:
        yield Workers(submit, jobs)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, ProcqaError):
            raise error.cause from error
        raise
    finally:
        if started_here:
            ray.shutdown()
