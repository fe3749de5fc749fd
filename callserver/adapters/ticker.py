"""Runs the scheduler: at the instant that it asked for, and every half second as a safety net.

The safety net notices the work of other processes and of commands beside the server: a telephone that must
be silenced is silenced within a second (I4).

Waiting uses the event loop's clock, which nobody can set. APScheduler, which runs the periodic jobs, uses
the wall clock: a job that a step of that clock has postponed is brought forward.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from callserver.ports import Clock

log = structlog.get_logger(__name__)

SAFETY_NET_S = 0.5
SHORTEST_S = 0.02

STOP_S = 5.0
"""How long a stopping ticker waits for the running tick."""


class Ticker:
    """Runs `tick` again and again until stopped; one at a time."""

    def __init__(self, tick: Callable[[], Awaitable[datetime | None]], clock: Clock) -> None:
        self._tick = tick
        self._clock = clock
        self.jobs = AsyncIOScheduler(timezone=UTC)
        self._every: dict[str, float] = {}
        self._scheduling = True
        self._failures = 0
        self._ticked: float | None = None
        self._loop: asyncio.Task[None] | None = None
        self._at_work = asyncio.Lock()
        self._stopping = False

    def start(self, *, scheduling: bool = True) -> None:
        """Start in the running event loop; `scheduling` False: run only what `every` was given."""
        self._scheduling = scheduling
        self.jobs.start()
        self._ticked = asyncio.get_running_loop().time()
        self._loop = asyncio.get_running_loop().create_task(self._run())

    def every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Add a periodic job."""
        job = self.jobs.add_job(
            work,
            "interval",
            seconds=seconds,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        self._every[job.id] = seconds

    @property
    def stalled_for(self) -> float:
        """Seconds since the last completed tick; 0 before the start."""
        if self._ticked is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._ticked

    async def stop(self) -> None:
        """Stop; a running tick is waited for, for a limited time."""
        self._stopping = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S), self._at_work:
                pass
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait([self._loop])
        if self.jobs.running:
            self.jobs.shutdown(wait=False)

    async def _run(self) -> None:
        """Tick until stopped. No error of a tick or of the log ends this loop."""
        while not self._stopping:
            wait = SAFETY_NET_S
            with contextlib.suppress(Exception):
                self._bring_forward()
                wait = await self.tick_once() if self._scheduling else self._completed()
            await asyncio.sleep(wait)

    async def tick_once(self) -> float:
        """One tick; how long to wait for the next."""
        async with self._at_work:
            try:
                due = await self._tick()
            except Exception:
                self._failures += 1
                log.exception("scheduler_failed", failures=self._failures)
                return SAFETY_NET_S
        self._failures = 0
        wait = self._completed()
        if due is not None:
            until: timedelta = due - self._clock.now()
            wait = min(wait, until.total_seconds())
        return max(wait, SHORTEST_S)

    def _completed(self) -> float:
        self._ticked = asyncio.get_running_loop().time()
        return SAFETY_NET_S

    def _bring_forward(self) -> None:
        """Run each job that would wait longer than its interval: the wall clock was set back."""
        now = datetime.now(UTC)
        for job in self.jobs.get_jobs():
            latest = now + timedelta(seconds=self._every[job.id])
            if job.next_run_time is not None and job.next_run_time > latest:
                job.modify(next_run_time=now)
