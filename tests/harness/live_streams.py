"""Open streams of live updates, read by hand."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from tests.harness.staffed import Client
from tests.harness.waiting import PATIENCE_S, eventually


def events(text: str) -> list[tuple[str, str, Any]]:
    """id, name and data of each event."""
    parsed = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            parsed.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
    return parsed


class Stream:
    """One open stream, read by hand."""

    def __init__(self, client: Client, last: str = "", of: str = "", after: str = "") -> None:
        self.text = ""
        self.status = 0
        self._gone = asyncio.Event()
        self.takes = asyncio.Event()  # cleared: the connection is too slow
        self.takes.set()
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        headers = [(b"cookie", cookie.encode()), (b"host", b"calls.test")]
        if last:
            headers.append((b"last-event-id", last.encode()))
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/api/v1/events",
            "raw_path": b"/api/v1/events",
            "query_string": f"of={of}&after={after}".encode(),
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        self.task = asyncio.ensure_future(client.system.app(self._scope, self._receive, self._send))

    async def _receive(self) -> Any:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        await self.takes.wait()
        self.status = message.get("status", self.status)
        self.text += message.get("body", b"").decode()

    async def until(self, name: str, count: int = 1) -> list[tuple[str, str, Any]]:
        def told() -> list[tuple[str, str, Any]]:
            return [event for event in events(self.text) if event[1] == name]

        await eventually(lambda: len(told()) >= count)
        return told()

    async def close(self) -> None:
        self._gone.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(self.task, PATIENCE_S)


@contextlib.asynccontextmanager
async def stream(
    client: Client, last: str = "", of: str = "", after: str = ""
) -> AsyncIterator[Stream]:
    opened = Stream(client, last, of, after)
    try:
        await eventually(lambda: opened.status)
        yield opened
    finally:
        await opened.close()
