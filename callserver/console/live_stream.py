"""One open stream of updates: updates wait in it until its connection takes them."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack, aclosing
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from callserver.console.authentication import UserRequest

MOST_WAITING = 50
"""Blocks that may wait for a slow connection; with more its page reloads everything."""

REFRESH = "refresh"
HERE = "here"


def event(name: str, data: bytes, last: str = "") -> bytes:
    """One event. `last`: the position in the log up to which the client is now informed."""
    head = f"id: {last}\nevent: {name}\ndata: " if last else f"event: {name}\ndata: "
    return head.encode() + data + b"\n\n"


class Stream(StreamingResponse):
    """Counted on creation, so that simultaneous requests are counted one by one."""

    def __init__(
        self,
        request: UserRequest,
        names: Collection[str],
        counted: AbstractContextManager[None],
        is_opened: Callable[["Stream"], AbstractAsyncContextManager[None]],
    ) -> None:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        self._blocks = self._sent()
        super().__init__(self._blocks, media_type="text/event-stream", headers=headers)
        self.request = request
        self._names = frozenset(names)
        self.base: dict[str, Any] = {}
        """For each source that sends differences: what the page knows."""
        self.checked_at = self.told_at = asyncio.get_running_loop().time()
        self._waiting: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self.is_ended = False
        self._is_opened = is_opened
        self._closing = ExitStack()
        self._closing.enter_context(counted)

    def follows(self, name: str) -> bool:
        """Whether the page takes this event; a client that names none takes all."""
        return not self._names or name in self._names

    def names(self, name: str) -> bool:
        """Whether the page has asked for this very event."""
        return name in self._names

    def tell(self, block: bytes) -> None:
        """Send this next; nothing more once the stream was told to end."""
        if self.is_ended:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.clear()
            self.refresh()
            return
        self._waiting.append(block)
        self.told_at = asyncio.get_running_loop().time()
        self._wake.set()

    def beat(self, last: str) -> None:
        """Say that the stream is alive, to a page that asked for it as an event: it cannot see comments.

        `last`: the position in the log up to which the client is informed.
        """
        if self.names(HERE):
            self.tell(event(HERE, b"{}", last))
        else:
            self.tell(f": here\nid: {last}\n\n".encode() if last else b": here\n\n")

    def refresh(self) -> None:
        """Too much was missed: the page reloads everything."""
        self.base.clear()
        self.tell(event(REFRESH, b"{}"))

    def end(self) -> None:
        """End the stream after what waits; the page reconnects and resumes."""
        self.is_ended = True
        self._wake.set()

    async def _sent(self) -> AsyncGenerator[bytes, None]:
        yield b"retry: 1000\n\n"
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._waiting:
                block = b"".join(self._waiting)
                self._waiting.clear()
                yield block
            if self.is_ended and not self._waiting:
                return

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._closing:
            async with self._is_opened(self), aclosing(self._blocks):
                await super().__call__(scope, receive, send)
