"""Runs the scheduler: at the instant that it asked for, when another process wakes it, and every half second.

The half second is a safety net for work of other processes whose call to wake up was lost: a telephone that
must be silenced is silenced within a second (I4).

Waiting uses the event loop's clock, which nobody can set. APScheduler, which begins the periodic jobs, uses
the wall clock: a job that a step of that clock has postponed is brought forward.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from callserver.ports import Clock

log = structlog.get_logger(__name__)

WokenBy = Callable[[Callable[[], None]], Coroutine[Any, Any, None]]

SAFETY_NET_S = 0.5
SHORTEST_S = 0.02

STOP_S = 5.0
"""How long a stopping ticker waits for the tick and the jobs under way."""


class Ticker:
    """Runs `tick` again and again until stopped, one at a time, and the periodic jobs beside it."""

    def __init__(self, tick: Callable[[], Awaitable[datetime | None]], clock: Clock) -> None:
        self._tick = tick
        self._clock = clock
        self.jobs = AsyncIOScheduler(timezone=UTC)
        self._every: dict[str, float] = {}
        self._scheduling = True
        self._failures = 0
        self._started: float | None = None
        self._ticked: float | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()
        self._woken = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    def start(self, *, scheduling: bool = True, woken_by: WokenBy | None = None) -> None:
        """Start in the running event loop; `scheduling` False: run only what `every` was given.

        `woken_by`: runs until it is cancelled, and calls its argument when a tick is to come at once.
        """
        self._scheduling = scheduling
        self.jobs.start()
        if scheduling and woken_by is not None:
            self._watch = asyncio.get_running_loop().create_task(woken_by(self.wake))
        self._started = self._ticked = asyncio.get_running_loop().time()
        self._tasks["scheduler"] = asyncio.get_running_loop().create_task(self._run())

    def every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Add a periodic job; a turn is left out while the one before is under way."""
        name = getattr(work, "__qualname__", "job")

        async def begin() -> None:
            # A task of its own: APScheduler cancels what it runs when it is shut down.
            if name not in self._tasks and not self._stopping.is_set():
                self._tasks[name] = asyncio.get_running_loop().create_task(self._job(name, work))

        job = self.jobs.add_job(
            begin, "interval", seconds=seconds, coalesce=True, misfire_grace_time=None
        )
        self._every[job.id] = seconds

    @property
    def stalled_for(self) -> float:
        """Seconds since the last completed tick; 0 before the start."""
        return _since(self._ticked)

    @property
    def running_for(self) -> float:
        """Seconds since the start; 0 before it."""
        return _since(self._started)

    def wake(self) -> None:
        """Tick at once: another process has left work."""
        self._woken.set()

    async def stop(self) -> None:
        """Stop; what is under way is waited for, for a limited time, and then cancelled."""
        self._stopping.set()
        self.wake()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        if self.jobs.running:
            self.jobs.pause()
        names = {task: name for name, task in self._tasks.items()}
        if names:
            _, late = await asyncio.wait(names, timeout=STOP_S)
            for task in late:
                log.warning("job_cancelled", job=names[task])
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=STOP_S)
        if self.jobs.running:
            self.jobs.shutdown(wait=False)

    async def _run(self) -> None:
        """Tick until stopped. No error of a tick or of the log ends this loop."""
        while not self._stopping.is_set():
            wait = SAFETY_NET_S
            self._woken.clear()
            with contextlib.suppress(Exception):
                self._bring_forward()
                wait = await self.tick_once() if self._scheduling else self._completed()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0 if self._stopping.is_set() else wait):
                    await self._woken.wait()

    async def _job(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do one turn of a periodic job."""
        try:
            await work()
        except Exception:
            log.exception("job_failed", job=name)
        finally:
            del self._tasks[name]

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
            wait = min(wait, (due - self._clock.now()).total_seconds())
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


def _since(instant: float | None) -> float:
    return 0.0 if instant is None else asyncio.get_running_loop().time() - instant
