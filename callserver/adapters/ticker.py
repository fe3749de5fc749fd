"""Runs the scheduler: at the instant that it asked for, and every half second as a safety net.

The safety net notices the work of other processes and of commands beside the server: a telephone that must
be silenced is silenced within a second (I4).

Waiting uses the event loop's clock, which nobody can set.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from callserver.ports import Clock

log = structlog.get_logger(__name__)

SAFETY_NET_S = 0.5
SHORTEST_S = 0.02

STOP_S = 5.0
"""How long a stopping ticker waits for the tick and the jobs under way."""


class Ticker:
    """Runs `tick` again and again until stopped, one at a time, and the periodic jobs beside it."""

    def __init__(self, tick: Callable[[], Awaitable[datetime | None]], clock: Clock) -> None:
        self._tick = tick
        self._clock = clock
        self._jobs: list[tuple[float, Callable[[], Awaitable[None]]]] = []
        self._scheduling = True
        self._failures = 0
        self._ticked: float | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    def start(self, *, scheduling: bool = True) -> None:
        """Start in the running event loop; `scheduling` False: run only what `every` was given."""
        self._scheduling = scheduling
        loop = asyncio.get_running_loop()
        self._ticked = loop.time()
        self._tasks = [loop.create_task(self._run(), name="scheduler")]
        for seconds, work in self._jobs:
            name = getattr(work, "__qualname__", "job")
            self._tasks.append(loop.create_task(self._repeat(seconds, work, name), name=name))

    def every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Add a periodic job, before the start."""
        self._jobs.append((seconds, work))

    @property
    def stalled_for(self) -> float:
        """Seconds since the last completed tick; 0 before the start."""
        if self._ticked is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._ticked

    async def stop(self) -> None:
        """Stop; what is under way is waited for, for a limited time, and then cancelled."""
        self._stopping.set()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=STOP_S)
        for task in late:
            log.warning("job_cancelled", job=task.get_name())
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=STOP_S)

    async def _run(self) -> None:
        """Tick until stopped. No error of a tick or of the log ends this loop."""
        while not self._stopping.is_set():
            wait = SAFETY_NET_S
            with contextlib.suppress(Exception):
                wait = await self.tick_once() if self._scheduling else self._completed()
            await self._pause(wait)

    async def _repeat(self, seconds: float, work: Callable[[], Awaitable[None]], name: str) -> None:
        """Do a job until stopped. No error of it or of the log ends this loop."""
        await self._pause(seconds)
        while not self._stopping.is_set():
            with contextlib.suppress(Exception):
                try:
                    await work()
                except Exception:
                    log.exception("job_failed", job=name)
            await self._pause(seconds)

    async def _pause(self, seconds: float) -> None:
        """Wait for so long, or until stopped."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def tick_once(self) -> float:
        """One tick; how long to wait for the next."""
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
