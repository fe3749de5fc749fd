"""Background tasks, such as orders to the carrier, which never run inside a webhook."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Background:
    """Keeps the tasks it started, logs what fails in them, and can wait until all are done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def under_way(self) -> int:
        """How many tasks have not ended."""
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Let `work` run on its own."""
        task = asyncio.get_running_loop().create_task(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Return when no task is left."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self, seconds: float) -> None:
        """Give the tasks, and those that they start, some time, then cancel them."""
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while self._tasks and clock() < end:
            await asyncio.wait(self._tasks, timeout=end - clock())
        for task in self._tasks:
            task.cancel()

    @staticmethod
    async def _run(work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Exception:
            # The database has the state: the scheduler's deadlines lead to a new attempt.
            log.exception("background_failed")
