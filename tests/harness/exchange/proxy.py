"""A proxy between the server and Asterisk's HTTP: broken connections, lost replies, refused orders."""

import asyncio
import contextlib
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

REFUSED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"


class Proxy:
    """Passes bytes on. `cut` breaks every connection; while `shut`, none is let in.

    `refuses` sees "METHOD path" of each request; where it is true the answer is 500 and Asterisk gets
    nothing. The client writes a request at once and waits for its answer, so one read begins with it.
    """

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._target = (target.hostname or "", target.port or 0)
        self._open: set[asyncio.StreamWriter] = set()
        self.shut = False
        self.refuses: Callable[[str], bool] = lambda _: False

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
            await asyncio.gather(self._pass(reader, back, writer), self._pass(there, writer))

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        client: asyncio.StreamWriter | None = None,
    ) -> None:
        self._open.add(writer)
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if client is not None and self.refuses(_request(data)):
                    client.write(REFUSED)
                    await client.drain()
                    continue
                writer.write(data)
                await writer.drain()
        self._open.discard(writer)
        writer.close()


def _request(data: bytes) -> str:
    """The request that these bytes begin with: "DELETE /ari/channels/…"."""
    line = data.partition(b"\r\n")[0].decode("latin-1")
    return unquote(line.partition("?")[0].removesuffix(" HTTP/1.1"))
