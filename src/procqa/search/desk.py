"""Runs searches on a bounded number of threads, each for a bounded time.

What is asked beyond that waits for a place, and what finds none even to wait is sent away: the memory of a
server does not grow with its visitors.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from procqa.config import ServeConfig

Answer = TypeVar("Answer")


class Refused(Exception):
    """A task that was not done, or not in time.

    Args:
        status: as HTTP has it: 503 where there was no place, 504 where the time was over.
        sentence: what must hold, what came, what to do.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Desk:
    """Runs tasks for one event loop; see ``run``.

    Args:
        config: how many at once, how many wait, and how long.
    """

    def __init__(self, config: ServeConfig) -> None:
        self._timeout_s = config.timeout_s
        self._pool = ThreadPoolExecutor(config.concurrency, thread_name_prefix="search")
        self._places = self._free = config.concurrency + config.waiting

    @property
    def taken(self) -> int:
        """How many tasks run or wait."""
        return self._places - self._free

    async def run(self, task: Callable[[], Answer]) -> Answer:
        """The task's result.

        Raises:
            Refused: there was no place, or the time is over.
        """
        if self._free == 0:
            raise Refused(503, "the server is busy with other searches: try again in a second")
        self._free -= 1
        loop = asyncio.get_running_loop()
        future: Future[Answer] = self._pool.submit(task)
        # A search that ran out of time holds its thread until it ends, and so its place.
        future.add_done_callback(lambda _: _call_soon(loop, self._give_back))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._timeout_s)
        except TimeoutError as error:
            if future.cancel():  # no thread has begun with it
                sentence = f"the server was busy with other searches for {self._timeout_s:g} seconds: try again later"
                raise Refused(503, sentence) from error
            raise Refused(504, f"the search took longer than {self._timeout_s:g} seconds: ask for less") from error

    def _give_back(self) -> None:
        self._free += 1

    def close(self) -> None:
        """Let running searches end, and take no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)
