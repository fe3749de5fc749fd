"""When the scheduler runs: at the instant it asked for, and as a safety net.

The net (every half second) is what other processes' work and commands beside the server are noticed
by: a telephone that must be silenced is, within a second (I4).

Waiting goes by the event loop's own clock, which nobody can set. APScheduler, which runs the periodic
jobs, goes by the wall clock: a job that a step of that clock has put off is brought back.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from callserver.ports import Clock

log = structlog.get_logger(__name__)

NET_S = 0.5
SHORTEST_S = 0.02
MOST_BACK_OFF_S = 4.0
"""Between two failing ticks at most: the database may be back any moment."""

STOP_S = 5.0
"""How long a stopping ticker waits for the tick that runs."""


class Ticker:
    """Runs `tick` again and again until stopped; one at a time."""

    def __init__(self, tick: Callable[[], Awaitable[datetime | None]], clock: Clock) -> None:
        self._tick = tick
        self._clock = clock
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._every: dict[str, float] = {}
        self._scheduling = True
        self._failures = 0
        self._ticked: float | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._at_work = asyncio.Lock()
        self._stopping = False

    def start(self, *, scheduling: bool = True) -> None:
        """Start in the running event loop; `scheduling` False: run only what `every` was given."""
        self._scheduling = scheduling
        self._scheduler.start()
        self._ticked = asyncio.get_running_loop().time()
        self._keeping = asyncio.get_running_loop().create_task(self._keep())

    def every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Run something repeatedly, besides the scheduler."""
        job = self._scheduler.add_job(
            work,
            "interval",
            seconds=seconds,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        self._every[job.id] = seconds

    @property
    def still_for(self) -> float:
        """Seconds since the last tick that came to its end; 0 before the start."""
        if self._ticked is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._ticked

    async def stop(self) -> None:
        """Tick no more; a tick that runs is waited for, but not for ever."""
        self._stopping = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S), self._at_work:
                pass
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def _keep(self) -> None:
        """Until stopped. Nothing that a tick or the log does can end this loop."""
        while not self._stopping:
            wait = MOST_BACK_OFF_S
            with contextlib.suppress(Exception):
                self._bring_back()
                wait = await self._once() if self._scheduling else self._watched()
            await asyncio.sleep(wait)

    async def _once(self) -> float:
        """One tick; how long to wait for the next."""
        async with self._at_work:
            try:
                due = await self._tick()
            except Exception:
                self._failures += 1
                log.exception(
                    "scheduler_failed", failures=self._failures
                )  # the next tick tries again
                return min(NET_S * self._failures, MOST_BACK_OFF_S)
        self._failures = 0
        wait = self._watched()
        if due is not None:
            until: timedelta = due - self._clock.now()
            wait = min(wait, until.total_seconds())
        return max(wait, SHORTEST_S)

    def _watched(self) -> float:
        self._ticked = asyncio.get_running_loop().time()
        return NET_S

    def _bring_back(self) -> None:
        """Run what would wait longer than its interval: the wall clock went back meanwhile."""
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            latest = now + timedelta(seconds=self._every[job.id])
            if job.next_run_time is not None and job.next_run_time > latest:
                job.modify(next_run_time=now)
