"""The scheduler goes on whatever the event loop has to do besides."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from callserver.adapters import ticker as ticking
from callserver.adapters.clock import SystemClock
from callserver.adapters.ticker import Ticker
from tests.harness.waiting import PATIENCE_S, eventually


class Slipping(SystemClock):
    """A wall clock that a test sets."""

    slip = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.slip


async def run(
    tick: Callable[[], Awaitable[datetime | None]],
    clock: SystemClock,
    meanwhile: Callable[[Ticker], Awaitable[None]],
    **started: Any,
) -> None:
    ticker = Ticker(tick, clock)
    ticker.start(**started)
    await meanwhile(ticker)
    await ticker.stop()


async def more(ticked: list[float], than: int, within: float = PATIENCE_S) -> None:
    """Wait until so many more ticks have come."""
    wanted = len(ticked) + than
    async with asyncio.timeout(within):
        while len(ticked) < wanted:  # noqa: ASYNC110 - what is waited for knows no events
            await asyncio.sleep(0.01)


async def test_a_slow_loop_never_ends_the_ticking() -> None:
    """Each turn of the loop takes longer than the shortest wait: the next tick is due at once."""
    clock = SystemClock()
    ticked: list[float] = []

    async def tick() -> datetime:
        ticked.append(time.monotonic())
        return clock.now()

    async def busy() -> None:
        while True:
            time.sleep(0.03)  # noqa: ASYNC251 - this is what is meant
            await asyncio.sleep(0)

    ticker = Ticker(tick, clock)
    ticker.start()
    hindering = asyncio.ensure_future(busy())
    await more(ticked, 6)
    hindering.cancel()
    await ticker.stop()


async def test_the_wall_clock_goes_back_an_hour_and_the_scheduler_goes_on() -> None:
    clock = Slipping()
    ticked: list[float] = []

    async def tick() -> datetime:
        ticked.append(time.monotonic())
        return clock.now() + timedelta(seconds=0.1)

    async def meanwhile(_: Ticker) -> None:
        await more(ticked, 2)
        clock.slip = timedelta(hours=-1)
        await more(ticked, 3)
        clock.slip = timedelta()
        await more(ticked, 3)

    await run(tick, clock, meanwhile)


async def test_a_job_that_fails_is_done_again() -> None:
    worked: list[float] = []

    async def tick() -> None:
        return None

    async def job() -> None:
        worked.append(time.monotonic())
        raise RuntimeError("the database is gone")

    ticker = Ticker(tick, SystemClock())
    ticker.every(0.02, job)
    with capture_logs() as said:
        ticker.start(scheduling=False)
        await more(worked, 3)
        await ticker.stop()
    assert {line["event"] for line in said} == {"job_failed"}


async def test_a_periodic_job_that_a_clock_step_put_off_is_brought_back() -> None:
    """APScheduler keeps the instant of the next run: after a step back that is an hour away."""
    worked: list[float] = []

    async def tick() -> None:
        return None

    async def job() -> None:
        worked.append(time.monotonic())

    ticker = Ticker(tick, SystemClock())
    ticker.every(0.1, job)
    ticker.start(scheduling=False)
    await more(worked, 1)
    (kept,) = ticker.jobs.get_jobs()
    kept.modify(next_run_time=datetime.now(UTC) + timedelta(hours=1))
    await more(worked, 2)
    await ticker.stop()


@pytest.mark.parametrize("ends", [True, False])
async def test_a_stop_while_a_job_is_under_way_logs_no_traceback(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, *, ends: bool
) -> None:
    """It is waited for; what does not end in time is cancelled and named."""
    monkeypatch.setattr(ticking, "STOP_S", PATIENCE_S if ends else 0.1)
    begun, go_on, done = asyncio.Event(), asyncio.Event(), list[str]()

    async def tick() -> None:
        return None

    async def job() -> None:
        begun.set()
        await go_on.wait()
        done.append("to its end")

    ticker = Ticker(tick, SystemClock())
    ticker.every(0.01, job)
    with capture_logs() as said:
        ticker.start()
        await begun.wait()
        stopping = asyncio.ensure_future(ticker.stop())
        await asyncio.sleep(0)
        if ends:
            go_on.set()
        await stopping
    assert done == (["to its end"] if ends else [])
    assert [line["event"] for line in said] == ([] if ends else ["job_cancelled"])
    assert not caplog.records


async def test_neither_a_failing_tick_nor_a_failing_log_ends_the_ticking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticked: list[float] = []

    async def tick() -> None:
        ticked.append(time.monotonic())
        raise RuntimeError("the database is gone")

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(ticking.log, "exception", full)
    monkeypatch.setattr(ticking, "SAFETY_NET_S", 0.02)
    await run(tick, SystemClock(), lambda _: more(ticked, 4))


async def test_a_tick_that_fails_again_and_again_is_tried_again_within_a_second() -> None:
    """A telephone that must be silenced waits for no outage that is over, and for no full disk."""

    async def tick() -> None:
        raise RuntimeError("the disk is full")

    ticker = Ticker(tick, SystemClock())
    assert {await ticker.tick_once() for _ in range(20)} == {ticking.SAFETY_NET_S}
    assert ticking.SAFETY_NET_S < 1


async def test_a_tick_that_hangs_is_seen_and_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ticking, "STOP_S", 0.1)

    async def tick() -> None:
        await asyncio.Event().wait()

    async def meanwhile(ticker: Ticker) -> None:
        await eventually(lambda: ticker.stalled_for >= 0.2)

    await run(tick, SystemClock(), meanwhile)
