"""Threads that run functions for an event loop. Handing a function over takes about half of an executor's time."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Workers:
    """So many threads, which start with the first function."""

    def __init__(self, count: int, name: str) -> None:
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}_{number}", daemon=True)
            for number in range(count)
        ]
        self._started = self._stopped = False

    async def run(self, work: Callable[[], T]) -> T:
        """What the function returns or raises. A caller who is cancelled before it begins withdraws it.

        Raises:
            RuntimeError: the threads have been stopped.
        """
        if self._stopped:
            raise RuntimeError("the store is closed")
        if not self._started:
            self._started = True
            for thread in self._threads:
                thread.start()
        job = _Job(work, asyncio.get_running_loop())
        self._queue.put(job)
        result: T = await job.future
        return result

    def withdraw(self) -> None:
        """Cancel the functions that have not begun; no further ones are taken."""
        self._stopped = True
        with contextlib.suppress(Empty):
            while True:
                if (job := self._queue.get_nowait()) is not None:
                    job.tell(job.future.cancel)

    def stop(self) -> None:
        """End the threads after the functions at work."""
        self._stopped = True
        if self._started:
            for _ in self._threads:
                self._queue.put(None)
            for thread in self._threads:
                thread.join()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            job.do()


class _Job:
    __slots__ = ("_loop", "_work", "future")

    def __init__(self, work: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self._work = work
        self._loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()

    def do(self) -> None:
        if self.future.cancelled():
            return
        try:
            result = self._work()
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            self.tell(self._answer, None, error)
        else:
            self.tell(self._answer, result, None)

    def tell(self, answer: Callable[..., object], *values: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(answer, *values)

    def _answer(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():  # the caller was cancelled
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)
