"""The stores' threads: every caller gets an answer, and what was given up before it began never runs."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from callserver.database.workers import Workers
from tests.harness.waiting import PATIENCE_S, eventually


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(1, "test")
    yield made
    made.stop()


async def test_results_and_errors_reach_the_caller(workers: Workers) -> None:
    def fails() -> None:
        raise ValueError("no")

    assert await workers.run(threading.current_thread) is not threading.current_thread()
    with pytest.raises(ValueError, match="no"):
        await workers.run(fails)


async def test_what_is_given_up_before_it_begins_never_runs(workers: Workers) -> None:
    release, ran = threading.Event(), list[int]()
    held = asyncio.ensure_future(workers.run(lambda: release.wait(PATIENCE_S)))
    given_up = asyncio.ensure_future(workers.run(lambda: ran.append(1)))
    await asyncio.sleep(0)
    given_up.cancel()
    release.set()
    assert await held
    await workers.run(lambda: ran.append(2))
    assert ran == [2]


async def test_stopping_cancels_what_waits_and_ends_what_has_begun(workers: Workers) -> None:
    begun, release = threading.Event(), threading.Event()

    def long() -> bool:
        begun.set()
        return release.wait(PATIENCE_S)

    held = asyncio.ensure_future(workers.run(long))
    waiting = asyncio.ensure_future(workers.run(lambda: True))
    await eventually(begun.is_set)
    workers.withdraw()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    release.set()
    assert await held
    workers.stop()
    with pytest.raises(RuntimeError, match="closed"):
        await workers.run(lambda: True)
