"""One read for all callers that ask at about the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedRead(Generic[T]):
    """Shares the result of `read`; a caller takes the last result if it fits."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._last: T | None = None
        self._reading: asyncio.Task[T] | None = None

    async def get(self, fits: Callable[[T], bool]) -> T:
        """The last result if it fits, or a new one, shared by everybody who waits."""
        while True:
            if self._last is not None and fits(self._last):
                return self._last
            if self._reading is not None:
                await asyncio.shield(self._reading)  # it may have begun too early, so check again
                continue
            self._reading = asyncio.get_running_loop().create_task(self._read_again())
            try:
                return await asyncio.shield(self._reading)
            finally:
                self._reading = None

    async def _read_again(self) -> T:
        self._last = await self._read()
        return self._last
