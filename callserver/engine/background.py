"""Work that goes on after an answer was given: orders to the network, never inside a webhook."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Background:
    """Keeps the tasks it started, logs what fails in them, and can wait until all are done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

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
        """Give the tasks some time, then cancel them."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()

    @staticmethod
    async def _run(work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except Exception:
            # The database has the state: the scheduler's deadlines lead to a new attempt.
            log.exception("background_failed")
