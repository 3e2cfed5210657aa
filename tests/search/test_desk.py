"""The desk that runs searches, with tasks whose end the test decides."""

import asyncio
import threading

import pytest

from procqa.config import ServeConfig
from procqa.errors import QueryError
from procqa.search.desk import Desk, Refused


def test_searches_beyond_the_limits_are_sent_away():
    desk = Desk(ServeConfig(concurrency=1, waiting=0, timeout_s=0.05))
    release = threading.Event()

    async def scenario() -> tuple[int, int, str]:
        first = asyncio.create_task(desk.run(release.wait))
        await asyncio.sleep(0)
        with pytest.raises(Refused, match="busy with other searches: try again in a second") as busy:
            await desk.run(lambda: "never")
        with pytest.raises(Refused, match=r"took longer than 0\.05 seconds: ask for less") as late:
            await first
        assert desk.taken == 1
        with pytest.raises(Refused) as still_busy:
            await desk.run(lambda: "never")
        assert still_busy.value.status == 503
        release.set()
        while True:
            try:
                return busy.value.status, late.value.status, await desk.run(lambda: "done")
            except Refused:
                await asyncio.sleep(0.01)

    assert asyncio.run(scenario()) == (503, 504, "done")
    assert desk.taken == 0
    desk.close()


def test_a_search_waits_for_a_place_and_is_told_when_it_waited_in_vain():
    desk = Desk(ServeConfig(concurrency=1, waiting=2, timeout_s=0.2))
    release, ran = threading.Event(), []

    async def scenario() -> None:
        first = asyncio.create_task(desk.run(release.wait))
        second = asyncio.create_task(desk.run(lambda: ran.append("second")))
        await asyncio.sleep(0.05)
        assert desk.taken == 2
        with pytest.raises(Refused) as waited:
            await second
        assert (waited.value.status, str(waited.value)) == (
            503,
            "the server was busy with other searches for 0.2 seconds: try again later",
        )
        with pytest.raises(Refused, match="took longer"):
            await first
        third = asyncio.create_task(desk.run(lambda: "third"))
        await asyncio.sleep(0.05)
        release.set()
        assert await third == "third"

    asyncio.run(scenario())
    assert ran == []
    desk.close()


def test_an_error_in_a_search_reaches_who_asked():
    desk = Desk(ServeConfig())

    def fail() -> None:
        raise QueryError("no")

    with pytest.raises(QueryError, match="no"):
        asyncio.run(desk.run(fail))
    desk.close()
