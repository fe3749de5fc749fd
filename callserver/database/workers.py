"""Threads that run functions for an event loop. Handing a function over takes about half of an executor's time."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Workers:
    """At most so many threads; one starts when all others are at work, so that few of them do most."""

    def __init__(self, count: int, name: str) -> None:
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}_{number}", daemon=True)
            for number in range(count)
        ]
        self._lock = threading.Lock()
        self._given = 0  # functions that wait or are at work
        self._started = 0
        self._stopped = False

    async def run(self, work: Callable[[], T]) -> T:
        """What the function returns or raises. A caller who is cancelled before it begins withdraws it.

        Raises:
            RuntimeError: the threads have been stopped.
        """
        if self._stopped:
            raise RuntimeError("the store is closed")
        with self._lock:
            self._given += 1
            if self._started < min(self._given, len(self._threads)):
                self._threads[self._started].start()
                self._started += 1
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
        started = self._threads[: self._started]
        for _ in started:
            self._queue.put(None)
        for thread in started:
            thread.join()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            job.do()
            with self._lock:
                self._given -= 1
            job.tell(job.answer)


class _Job:
    __slots__ = ("_error", "_loop", "_result", "_work", "future")

    def __init__(self, work: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self._work = work
        self._loop = loop
        self._result: Any = None
        self._error: BaseException | None = None
        self.future: asyncio.Future[Any] = loop.create_future()

    def do(self) -> None:
        if self.future.cancelled():
            return
        try:
            self._result = self._work()
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            self._error = error

    def tell(self, what: Callable[[], object]) -> None:
        """Have the loop do this."""
        with contextlib.suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(what)

    def answer(self) -> None:
        if self.future.done():  # the caller was cancelled
            return
        if self._error is None:
            self.future.set_result(self._result)
        else:
            self.future.set_exception(self._error)
