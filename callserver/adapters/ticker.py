"""When upkeep runs: APScheduler wakes it at the instant it asked for, and as a safety net.

The net (every half second) is what other processes' work and commands beside the server are noticed
by: a telephone that must be silenced is, within a second (I4).
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from callserver.ports import Clock

log = structlog.get_logger(__name__)

NET = timedelta(milliseconds=500)


class Ticker:
    """Runs `tick` again and again until stopped; one at a time."""

    def __init__(self, tick: Callable[[], Awaitable[datetime | None]], clock: Clock) -> None:
        self._tick = tick
        self._clock = clock
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._running = asyncio.Lock()

    def start(self, *, upkeep: bool = True) -> None:
        """Start in the running event loop; without upkeep, only what `every` was told."""
        self._scheduler.start()
        if upkeep:
            self._again(timedelta())

    def every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do something again and again, besides upkeep."""
        self._scheduler.add_job(work, "interval", seconds=seconds, max_instances=1, coalesce=True)

    async def stop(self) -> None:
        """Tick no more; a tick that runs is waited for."""
        async with self._running:
            if self._scheduler.running:
                self._scheduler.shutdown(wait=False)

    def _again(self, after: timedelta) -> None:
        self._scheduler.add_job(
            self._run,
            "date",
            run_date=datetime.now(UTC) + after,
            id="upkeep",
            replace_existing=True,
            misfire_grace_time=None,
            # The run that asks for it may not count as over yet when the next is due; it would be
            # left out then, and with it every one after. They never overlap: see the lock.
            max_instances=2,
        )

    async def _run(self) -> None:
        due: datetime | None = None
        async with self._running:
            try:
                due = await self._tick()
            except Exception:
                log.exception("upkeep_failed")  # the next tick tries again
        if not self._scheduler.running:
            return
        wait = NET if due is None else min(NET, max(due - self._clock.now(), timedelta()))
        self._again(max(wait, timedelta(milliseconds=20)))
