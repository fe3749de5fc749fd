"""Time in the simulation: an agenda of future events, and a virtual clock that follows it.

In virtual time one event happens at a time, and the clock moves only when the server is idle.
"""

import asyncio
import contextlib
import heapq
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import count

from callserver.ports import Clock

Work = Callable[[], Awaitable[None]]


class VirtualClock:
    """Stands still until it is set."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def set(self, instant: datetime) -> None:
        """Move the clock forward; an earlier instant changes nothing."""
        self._now = max(self._now, instant)

    def step(self, by: timedelta) -> None:
        """Set the clock as a host does, also backwards."""
        self._now += by

    def device_time(self) -> datetime:
        return self._now

    def skew_ms(self) -> int:
        return 0

    def accepted_ms(self) -> int:
        return 0

    def behind_ms(self, known: datetime) -> int:
        return max(0, round((known - self._now) / timedelta(milliseconds=1)))

    def apart_ms(self, elsewhere: datetime | None) -> int:
        """Virtual time is no other machine's."""
        del elsewhere
        return 0

    def heard(self, said: datetime, asked_at: datetime) -> None:
        pass

    def must_hear(self) -> bool:
        return False

    async def sleep(self, seconds: float) -> None:
        """Virtual time passes between events, not within one."""
        del seconds
        await asyncio.sleep(0)


class Agenda:
    """Future events, in the order of their time and then of their scheduling."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._heap: list[tuple[datetime, int, Work]] = []
        self._count = count()
        self._changed = asyncio.Event()

    def at(self, instant: datetime, work: Work) -> None:
        heapq.heappush(self._heap, (instant, next(self._count), work))
        self._changed.set()

    def after(self, seconds: float, work: Work) -> None:
        self.at(self.clock.now() + timedelta(seconds=seconds), work)

    def next_at(self) -> datetime | None:
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Work:
        return heapq.heappop(self._heap)[2]

    async def run(self) -> None:
        """Follow the agenda in real time, until cancelled."""
        running: set[asyncio.Task[None]] = set()
        while True:
            self._changed.clear()
            due = self.next_at()
            wait = None if due is None else (due - self.clock.now()).total_seconds()
            if wait is not None and wait <= 0:
                task = asyncio.ensure_future(_awaited(self.pop()))
                running.add(task)
                task.add_done_callback(running.discard)
                continue
            # Not wait_for, which may swallow a cancellation that meets a change of the agenda.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()


async def _awaited(work: Work) -> None:
    await work()
