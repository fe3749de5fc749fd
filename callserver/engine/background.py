"""Background tasks, such as orders to the carrier, which never run inside a webhook."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)

CANCELLED_WITHIN_S = 1.0


class Background:
    """Keeps the tasks it started, logs what fails in them, and can wait until all are done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> int:
        """The number of running tasks."""
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Run `work` in the background."""
        task = asyncio.get_running_loop().create_task(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Wait until no task is left."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self, seconds: float) -> None:
        """Wait a while for the tasks and those that they start, then cancel the rest."""
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while self._tasks and clock() < end:
            await asyncio.wait(self._tasks, timeout=end - clock())
        if self._tasks:
            log.warning("background_cancelled", tasks=len(self._tasks))
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=CANCELLED_WITHIN_S)

    @staticmethod
    async def _run(work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Exception:
            # The state is in the database, so the scheduler's deadlines lead to a new attempt.
            log.exception("background_failed")
