"""A door between the server and Asterisk\'s HTTP that can be shut: broken connections, lost replies."""

import asyncio
import contextlib
from urllib.parse import urlsplit


class Proxy:
    """Passes bytes on. `cut` breaks every connection; while `shut`, none is let in."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._target = (target.hostname or "", target.port or 0)
        self._open: set[asyncio.StreamWriter] = set()
        self.shut = False

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
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        self._open.discard(writer)
        writer.close()
