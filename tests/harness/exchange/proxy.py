"""A proxy between the server and Asterisk's HTTP: broken connections, lost replies and events, refused orders."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import unquote, urlsplit

REFUSED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"

_TEXT = 1
"""The kind of a WebSocket's frame (RFC 6455, 5.2) that carries an event."""


class Proxy:
    """Passes bytes on. `cut` breaks every connection; while `shut`, none is let in.

    `refuses` sees "METHOD path" of each request; where it is true the answer is 500 and Asterisk gets
    nothing. The client writes a request at once and waits for its answer, so one read begins with it.
    `loses` sees each event; where it is true the event does not arrive.
    """

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._target = (target.hostname or "", target.port or 0)
        self._open: set[asyncio.StreamWriter] = set()
        self.shut = False
        self.refuses: Callable[[str], bool] = lambda _: False
        self.loses: Callable[[dict[str, Any]], bool] = lambda _: False

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._come, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def cut(self, *, shut: bool = False) -> None:
        self.shut = shut
        for writer in list(self._open):
            writer.transport.abort()

    async def stop(self) -> None:
        self.cut(shut=True)
        self._server.close()
        await asyncio.sleep(0)

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.shut:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(self._orders(reader, back, writer), self._answers(there, writer))

    async def _orders(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
    ) -> None:
        async with self._passing(writer):
            while data := await reader.read(65536):
                if self.refuses(_request(data)):
                    client.write(REFUSED)
                    await client.drain()
                    continue
                writer.write(data)
                await writer.drain()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._passing(writer):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
                if data.startswith(b"HTTP/1.1 101"):
                    await self._events(reader, writer)

    async def _events(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for frame, event in frames(reader):
            if event is None or not self.loses(event):
                writer.write(frame)
                await writer.drain()

    @contextlib.asynccontextmanager
    async def _passing(self, writer: asyncio.StreamWriter) -> AsyncIterator[None]:
        self._open.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            yield
        self._open.discard(writer)
        writer.close()


async def frames(
    reader: asyncio.StreamReader,
) -> AsyncIterator[tuple[bytes, dict[str, Any] | None]]:
    """The frames that come from Asterisk, with the event of those that carry one."""
    while True:
        head = await reader.readexactly(2)
        size = head[1] & 0x7F
        more = await reader.readexactly({126: 2, 127: 8}.get(size, 0))
        data = await reader.readexactly(int.from_bytes(more) if more else size)
        yield head + more + data, json.loads(data) if head[0] & 0x0F == _TEXT else None


def _request(data: bytes) -> str:
    """The request that these bytes begin with: "DELETE /ari/channels/…"."""
    line = data.partition(b"\r\n")[0].decode("latin-1")
    return unquote(line.partition("?")[0].removesuffix(" HTTP/1.1"))
