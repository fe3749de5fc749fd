"""A proxy to PostgreSQL that a test can make silent: connections stay open, and nothing is passed on."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import make_url

from tests.harness.waiting import PATIENCE_S


class Way:
    """`silent`: connections are taken and kept, and no byte goes either way."""

    def __init__(self, database: str) -> None:
        self._url = make_url(database)
        self._talking = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self) -> None:
        self._talking.set()
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._come, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        way = self._url.set(host="127.0.0.1", port=port, query={})
        self.url = way.render_as_string(hide_password=False)

    def silence(self) -> None:
        self._loop.call_soon_threadsafe(self._talking.clear)

    def talk(self) -> None:
        self._loop.call_soon_threadsafe(self._talking.set)

    async def close(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        await self._talking.wait()
        there, back = await self._there()
        self._writers.append(back)
        with contextlib.suppress(OSError):
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _there(self) -> Any:
        host = self._url.query.get("host") or self._url.host or "127.0.0.1"
        if str(host).startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{self._url.port or 5432}")
        return await asyncio.open_connection(str(host), self._url.port or 5432)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._talking.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@contextmanager
def way_to(database: str) -> Iterator[Way]:
    """The proxy, run by a thread of its own: the test's loop may be busy or gone."""
    way, ready, over = Way(database), threading.Event(), threading.Event()

    async def keep() -> None:
        await way.open()
        ready.set()
        while not over.is_set():  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.05)
        await way.close()

    thread = threading.Thread(target=lambda: asyncio.run(keep()))
    thread.start()
    try:
        assert ready.wait(PATIENCE_S)
        yield way
    finally:
        over.set()
        thread.join()
